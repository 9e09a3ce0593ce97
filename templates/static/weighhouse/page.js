// Small comforts.  Every page works without them.
(() => {
  const SPRITE = document.querySelector(".brand use").getAttribute("href").split("#")[0];

  const icon = (name) =>
    `<svg class="icon" aria-hidden="true"><use href="${SPRITE}#i-${name}"/></svg>`;

  const copyButton = () => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn--quiet btn--sm btn--icon";
    button.setAttribute("aria-label", document.body.dataset.copyWord);
    button.dataset.copyCode = "";
    button.innerHTML = icon("copy");
    return button;
  };

  // Screen readers hear what changed in a page that stays.
  const live = document.querySelector("[data-live]");
  const say = (words) => { live.textContent = words; };
  const told = () => [...document.querySelectorAll("[data-say]")].map((part) => part.textContent.trim().replace(/\s+/g, " ")).join(". ");

  const dress = (root) => {
    root.querySelectorAll("[data-theme-switch]").forEach((button) => { button.hidden = false; });
    if (!navigator.clipboard) return;
    root.querySelectorAll("button[data-copy]").forEach((button) => { button.hidden = false; });
    root.querySelectorAll(".code > pre:only-child").forEach((pre) => pre.after(copyButton()));
  };

  const copy = async (button) => {
    const text = button.dataset.copy ?? button.parentElement.querySelector("pre").textContent;
    await navigator.clipboard.writeText(text);
    button.innerHTML = icon("check");
    say(document.body.dataset.copiedWord);
    setTimeout(() => { button.innerHTML = icon("copy"); }, 1500);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy], [data-copy-code]");
    if (button) copy(button);
    // Filters on a phone fold away again; what fits them is there already.
    const show = event.target.closest("[data-show]");
    if (show) {
      event.preventDefault();
      show.closest("details").open = false;
      document.getElementById(show.dataset.show).scrollIntoView();
    }
    // A menu closes when something else is clicked.
    document.querySelectorAll("details.menu[open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });

  // Arrows lead from the search field to its results, and from one result to the next.
  const walk = (event) => {
    const results = [...document.querySelectorAll(".result h2 a")];
    const at = results.indexOf(event.target);
    if (at < 0 && !(event.key === "ArrowDown" && event.target.matches("#q"))) return;
    const next = at < 0 ? results[0] : event.key === "ArrowDown" ? results[at + 1] : results[at - 1] ?? document.querySelector("#q");
    if (next) { event.preventDefault(); next.focus(); }
  };

  // What hangs over the page is gone when the focus moves on.
  document.addEventListener("focusin", (event) => {
    document.querySelectorAll("details.menu[open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") document.querySelectorAll("details.menu[open]").forEach((menu) => {
      if (menu.contains(event.target)) menu.firstElementChild.focus();
      menu.open = false;
    });
    if (event.key === "ArrowDown" || event.key === "ArrowUp") walk(event);
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const field = document.querySelector("[data-search]");
    if (field) { event.preventDefault(); field.focus(); field.select(); }
  });

  // Suggestions are reached by the arrows, and go when one leaves them.
  const suggested = document.getElementById("suggested");
  const search = suggested?.closest("form");
  search?.addEventListener("keydown", (event) => {
    const stops = [...search.querySelectorAll("input, #suggested a")];
    const step = { ArrowDown: 1, ArrowUp: stops.length - 1 }[event.key];
    if (event.key === "Escape") { suggested.replaceChildren(); stops[0].focus(); }
    if (!step || stops.length < 2) return;
    event.preventDefault();
    stops[(stops.indexOf(document.activeElement) + step) % stops.length].focus();
  });
  search?.addEventListener("focusout", () => setTimeout(() => {
    if (!search.contains(document.activeElement) && !suggested.matches(":hover")) suggested.replaceChildren();
  }));
  // What comes late takes no focus away.
  suggested?.addEventListener("htmx:beforeSwap", () => { if (suggested.contains(document.activeElement)) search.querySelector("input").focus(); });

  // What is picked for a comparison changes nothing in the list that it stands in.
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[form=compare]")) return;
    event.stopPropagation();
    document.querySelector(".picked b").textContent = document.querySelectorAll(".pick :checked").length;
  }, true);

  // What is chosen while an answer is on its way is asked for next; the answer before it would take the choice back.
  const browse = document.getElementById("browse");
  let chosen = 0;
  let asked = 0;
  browse?.addEventListener("change", () => { chosen += 1; }, true);
  let counted = 0;
  browse?.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.id === "counting") counted = chosen;
    else asked = chosen;
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target, requestConfig } = event.detail;
    if (target.id === "results" && asked !== chosen) event.detail.shouldSwap = false;
    // Counts of a list that has gone since.
    if (target.id === "facets" && (counted !== chosen || !requestConfig.elt.isConnected)) event.detail.shouldSwap = false;
  });

  // The button below the filters tells how many fit.
  const tellTotal = () => {
    const total = document.querySelector("#total strong");
    document.querySelectorAll("[data-total]").forEach((part) => { part.textContent = total ? `(${total.textContent})` : ""; });
  };
  tellTotal();

  // Filters that were unfolded stay so when their counts come anew.
  const facets = (open) => [...document.querySelectorAll(`details[data-facet]${open ? "[open]" : ""}`)];
  let unfolded = null;
  document.addEventListener("htmx:beforeSwap", () => {
    if (facets().length) unfolded = facets(true).map((facet) => facet.dataset.facet);
  });
  document.addEventListener("htmx:afterSettle", () => {
    tellTotal();
    if (!unfolded) return;
    for (const facet of facets()) facet.open = unfolded.includes(facet.dataset.facet) || !!facet.querySelector("input:checked:not([value=''])");
    unfolded = null;
  });

  // Parts that come anew by themselves leave the focus where it was.
  const nameOf = (part) => [part.tagName, part.getAttribute("href"), part.name, part.value, part.textContent.trim()].join("|");
  let focused = null;
  let said = told();
  document.addEventListener("htmx:beforeSwap", (event) => {
    const active = document.activeElement;
    focused = active && !active.id && event.detail.target.contains(active) ? nameOf(active) : null;
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    const again = focused && [...document.querySelectorAll("main a, main button, main input, main summary")].find((part) => nameOf(part) === focused);
    if (again && document.activeElement === document.body) again.focus({ preventScroll: true });
    focused = null;
    if (told() !== said) { said = told(); say(said); }
  });

  // The address of a list names only what was chosen.
  document.addEventListener("htmx:configRequest", (event) => {
    for (const [name, value] of [...event.detail.formData]) {
      if (value === "") event.detail.formData.delete(name);
    }
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    // Whoever logged in again in another tab has another token by now; the form that stayed open takes it on.
    const token = form.querySelector("input[name=csrfmiddlewaretoken]");
    const fresh = document.cookie.match(/(?:^|;\s*)csrftoken=([^;]+)/);
    if (token && fresh) token.value = fresh[1];
    if (!form.matches("[data-once]")) return;
    // A second click sends nothing twice.
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    event.submitter?.setAttribute("aria-busy", "true");
  });
  addEventListener("pageshow", () => {
    document.querySelectorAll("[data-once][data-sent]").forEach((form) => { delete form.dataset.sent; });
  });

  // A link to what is folded unfolds it, in browsers that do not do so by themselves.
  const unfold = () => {
    const fold = document.getElementById(location.hash.slice(1))?.closest("details:not([open])");
    if (fold) { fold.open = true; document.getElementById(location.hash.slice(1)).scrollIntoView(); }
  };
  addEventListener("hashchange", unfold);
  unfold();

  // On the pages of files the letter t opens the search for a file.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "t" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    document.querySelector("a[data-find]")?.click();
  });

  // Tabs that do not fit begin with the one that is shown.
  const tab = document.querySelector(".tabs [aria-current]");
  if (tab) tab.parentElement.scrollLeft = tab.offsetLeft - tab.parentElement.offsetLeft - 48;

  dress(document);
  document.addEventListener("htmx:afterSwap", (event) => dress(event.detail.elt));
})();
