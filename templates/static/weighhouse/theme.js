// Loaded before the page is drawn, so that a chosen theme does not flash.
(() => {
  const root = document.documentElement;
  let chosen = null;
  try { chosen = localStorage.getItem("theme"); } catch { /* Storage may be off; the system's theme is used. */ }
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-switch]")) return;
    const isDark = (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
    root.dataset.theme = isDark ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* It lasts for this page then. */ }
  });
})();
