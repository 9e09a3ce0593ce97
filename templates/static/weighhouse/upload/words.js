// What this page says, in the language of the page.  The page brings the words; English needs none.
const place = document.getElementById("words");
const words = place ? JSON.parse(place.textContent) : {};

export const said = (text, values = {}) =>
  (words[text] ?? text).replace(/\{(\w+)\}/g, (hole, name) => values[name] ?? hole);

// One thing or several: the number goes into the second sentence.
export const counted = (number, one, many, values = {}) => said(number === 1 ? one : many, { number, ...values });

export const decimal = (text) => (document.documentElement.lang === "de" ? text.replace(".", ",") : text);
