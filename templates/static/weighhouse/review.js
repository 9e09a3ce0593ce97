// The review desk by keyboard.  Everything here can be done without it, and the server checks everything again.
(() => {
  const links = () => [...document.querySelectorAll("[data-queue]")].filter((link) => link.checkVisibility());
  const release = document.querySelector("[data-release]");
  const said = document.querySelector("[data-left]");
  const words = said ? said.textContent : "";

  // A card is answered when a box in it is ticked, a choice made, or words are written.
  const isOpen = (card) => {
    const fields = [...card.querySelectorAll("input")].filter((field) => field.name !== "cite");
    return fields.length > 0 && !fields.some((field) =>
      field.type === "checkbox" || field.type === "radio" ? field.checked : field.value.trim());
  };
  const open = () => [...document.querySelectorAll("[data-red]")].filter(isOpen);

  const count = () => {
    if (!release) return;
    const left = open().length;
    release.disabled = left > 0;
    const asked = left === 1 ? said.dataset.one : said.dataset.many.replace("{n}", left);
    said.textContent = left ? asked : words;
    document.querySelectorAll("[data-red]").forEach((card) => card.classList.toggle("is-open", isOpen(card)));
  };

  const step = (by) => {
    const all = links();
    if (!all.length) return;
    const at = all.findIndex((link) => link === document.activeElement);
    const here = at >= 0 ? at : all.findIndex((link) => link.getAttribute("aria-current"));
    all[Math.min(Math.max(here + by, 0), all.length - 1)].focus();
  };

  const nextOpen = () => {
    const all = open();
    if (!all.length) { if (release) release.focus(); return; }
    const at = all.findIndex((card) => card.contains(document.activeElement));
    const card = all[(at + 1) % all.length];
    card.scrollIntoView({ block: "center" });
    card.querySelector("input:not([name='cite'])").focus({ preventScroll: true });
  };

  const light = (term) => {
    document.querySelectorAll("mark.passage").forEach((mark) => {
      mark.classList.toggle("is-lit", mark.dataset.terms.split(" ").includes(term));
    });
  };

  const keys = { j: () => step(1), k: () => step(-1), n: nextOpen, "?": () => {
    const help = document.getElementById("keys");
    help.open = !help.open;
    help.querySelector("summary").focus();
  } };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const field = event.target.closest("textarea, select, input, [contenteditable]");
    if (field && !["checkbox", "radio", "submit"].includes(field.type)) return;
    const button = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (button) {
      event.preventDefault();
      if (button.disabled) nextOpen(); else button.focus();
    } else if (keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-light]");
    if (link) light(link.dataset.light);
  });
  document.addEventListener("input", count);
  document.addEventListener("change", count);
  count();
})();
