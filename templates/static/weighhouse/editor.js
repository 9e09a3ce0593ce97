// Looks at what is being written.  The text stays in its field, whatever is shown instead of it.
(() => {
  const form = document.querySelector("[data-editor]");
  const field = form.querySelector("#content");
  const panel = form.querySelector("#look");
  const voice = form.querySelector("[data-look-said]");
  const looks = [...form.querySelectorAll("[data-looks] button")];
  const [edit] = looks;
  let place = [0, 0];

  const show = (chosen) => {
    if (!field.hidden) place = [field.scrollTop, field.scrollLeft];
    looks.forEach((button) => button.setAttribute("aria-pressed", String(button === chosen)));
    panel.hidden = chosen === edit;
    field.hidden = chosen !== edit;
    if (!field.hidden) [field.scrollTop, field.scrollLeft] = place;
  };

  // Said anew each time, also where the words are those of the last time.
  const tell = () => {
    voice.textContent = "";
    setTimeout(() => { voice.textContent = panel.querySelector("[data-looked]")?.textContent ?? ""; }, 100);
  };

  const fail = () => {
    const words = document.createElement("p");
    words.className = "error";
    words.dataset.looked = "";
    words.textContent = form.dataset.failed;
    panel.replaceChildren(words);
  };

  // Formulas are drawn by what only texts with formulas need.
  let hasMaths = false;
  const drawMaths = () => {
    if (hasMaths || !panel.querySelector(".math")) return;
    hasMaths = true;
    const sheet = Object.assign(document.createElement("link"), { rel: "stylesheet", href: form.dataset.katexLook });
    const scripts = [form.dataset.katex, form.dataset.maths].map((src) => Object.assign(document.createElement("script"), { src, async: false }));
    document.head.append(sheet, ...scripts);
  };

  edit.addEventListener("click", () => {
    show(edit);
    panel.replaceChildren();
    voice.textContent = "";
    // The caret is where it was.
    field.focus();
  });

  form.addEventListener("htmx:configRequest", (event) => {
    // Whoever logged in again in another tab has another token by now.
    const fresh = document.cookie.match(/(?:^|;\s*)csrftoken=([^;]+)/);
    if (fresh) event.detail.parameters.csrfmiddlewaretoken = fresh[1];
  });
  form.addEventListener("htmx:beforeRequest", (event) => event.target.setAttribute("aria-busy", "true"));
  form.addEventListener("htmx:beforeSwap", (event) => {
    // What is wrong with the text is told in the panel; a whole page is another trouble.
    event.detail.shouldSwap = event.detail.shouldSwap || event.detail.serverResponse.includes("data-looked");
  });
  form.addEventListener("htmx:afterRequest", (event) => {
    event.target.removeAttribute("aria-busy");
    const { xhr } = event.detail;
    if (xhr.status === 0 && xhr.statusText === "abort") return;
    if (!xhr.response?.includes("data-looked")) fail();
    show(event.target);
    drawMaths();
    tell();
  });

  // A new file is a page when it is called so.
  const path = form.querySelector("#path");
  const page = form.querySelector("[data-page]");
  const name = () => {
    page.parentElement.hidden = !/\.md$/i.test(path.value.trim());
    if (page.parentElement.hidden && field.hidden) { show(edit); panel.replaceChildren(); }
  };
  path?.addEventListener("input", name);
  if (path) name();
})();
