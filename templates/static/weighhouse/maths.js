// Draws the formulas of a card.  Without it they are read as TeX.
(() => {
  const draw = (root) => {
    for (const element of root.querySelectorAll(".prose .math:not([data-drawn])")) {
      element.dataset.drawn = "";
      const tex = element.textContent;
      try {
        katex.render(tex, element, {
          displayMode: element.classList.contains("math--display"),
          // Cards are written by others: no links, no markup, no macros that grow, no size that covers the page.
          trust: false, strict: "ignore", maxSize: 20, maxExpand: 500,
        });
      } catch {
        element.textContent = tex;
        element.title = "This formula cannot be drawn.";
      }
    }
  };
  draw(document);
  document.addEventListener("htmx:afterSwap", (event) => draw(event.detail.elt));
})();
