// Draws the formulas of a card.  Without it they are read as TeX.
(() => {
  // A card may write this element itself, so what holds for formulas between dollar signs is asked here again.
  const longest = 2000;
  // A few definitions are enough to make a formula that takes minutes to draw.
  const defines = /\\(?:[egx]?def|(?:new|renew|provide)command|let|futurelet|global|long)(?![a-zA-Z])/;
  const draw = (root) => {
    for (const element of root.querySelectorAll(".prose .math:not([data-drawn])")) {
      const tex = element.textContent;
      if (tex.length > longest || defines.test(tex)) continue;
      element.dataset.drawn = "";
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
