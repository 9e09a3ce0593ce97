// A range that is chosen by two selects becomes one slider with two thumbs.  The selects stay in the form and say
// what is sent; without this script they are what one chooses by.
(() => {
  const thumbOf = (select, most) => {
    const thumb = document.createElement("input");
    Object.assign(thumb, { type: "range", min: 0, max: most, step: 1, id: `${select.id}:thumb`, autocomplete: "off" });
    thumb.setAttribute("aria-label", select.getAttribute("aria-label"));
    return thumb;
  };

  // A thumb that is held is not taken out of the hand by an answer to what was chosen before.
  let held = false;
  let missed = null;
  addEventListener("htmx:beforeSwap", (event) => {
    if (!held) return;
    event.detail.shouldSwap = false;
    missed = held;
  });
  const release = () => {
    held = false;
    setTimeout(() => { missed?.dispatchEvent(new Event("change", { bubbles: true })); missed = null; });
  };
  addEventListener("pointerup", release);
  addEventListener("pointercancel", release);

  customElements.define("size-range", class extends HTMLElement {
    connectedCallback() {
      if (this.thumbs) return;
      this.selects = [...this.querySelectorAll("select")];
      this.bars = [...this.querySelectorAll(".histogram i")];
      // Edges of bars are what one chooses; the first and the last of them bound nothing.
      this.edges = this.selects[0].length;
      this.thumbs = this.selects.map((select) => thumbOf(select, this.edges));
      this.thumbs[0].value = this.selects[0].selectedIndex;
      this.thumbs[1].value = this.selects[1].selectedIndex || this.edges;
      this.slider = document.createElement("div");
      this.slider.className = "slider";
      this.slider.append(...this.thumbs);
      this.querySelector(".histogram").after(this.slider);
      this.between = this.querySelector(".range > span");
      this.said = this.selects.map((select) => {
        const words = document.createElement("span");
        words.setAttribute("aria-hidden", "true");
        select.after(words);
        return words;
      });
      this.slider.addEventListener("pointerdown", (event) => this.press(event));
      this.slider.addEventListener("input", (event) => this.move(this.thumbs.indexOf(event.target)));
      this.slider.addEventListener("change", () => { missed = null; });
      this.show();
    }

    get chosen() { return this.thumbs.map((thumb) => thumb.valueAsNumber); }

    // Thumbs push nothing and pass nothing: at least one bar stays between them.
    move(which) {
      const [low, high] = this.chosen;
      this.thumbs[which].value = which ? Math.max(high, low + 1) : Math.min(low, high - 1);
      this.selects[which].selectedIndex = this.thumbs[which].value % this.edges;
      this.show();
    }

    show() {
      const [low, high] = this.chosen;
      this.slider.style.setProperty("--low", low / this.edges);
      this.slider.style.setProperty("--high", high / this.edges);
      // Where they lie over each other, the one that has room to move is on top.
      this.thumbs[0].style.zIndex = low * 2 > this.edges ? 1 : 0;
      this.bars.forEach((bar, at) => bar.classList.toggle("in", low <= at && at < high));
      // "any" says it all where nothing is bounded.
      this.between.hidden = this.said[1].hidden = low === 0 && high === this.edges;
      this.thumbs.forEach((thumb, which) => {
        const words = this.selects[which].selectedOptions[0].text;
        thumb.setAttribute("aria-valuetext", words);
        this.said[which].textContent = words;
      });
    }

    // A press beside the thumbs brings the nearest one.
    press(event) {
      if (event.target !== this.slider) { held = event.target; return; }
      const box = this.slider.getBoundingClientRect();
      const at = Math.round(((event.clientX - box.left) / box.width) * this.edges);
      const [low, high] = this.chosen;
      const which = Math.abs(at - low) < Math.abs(at - high) || at < low ? 0 : 1;
      this.thumbs[which].value = at;
      this.move(which);
      this.thumbs[which].focus();
      this.thumbs[which].dispatchEvent(new Event("change", { bubbles: true }));
      event.preventDefault();
    }
  });
})();
