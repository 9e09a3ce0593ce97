// Draws a table of days and numbers as a line.  Without it the table is what there is.
(() => {
  const root = document.documentElement;
  const token = (name) => {
    const probe = document.createElement("i");
    probe.style.color = `var(${name})`;
    document.body.append(probe);
    const colour = getComputedStyle(probe).color;
    probe.remove();
    return colour;
  };

  const read = (table) => {
    const rows = [...table.tBodies[0].rows];
    return [
      rows.map((row) => Date.parse(row.cells[0].querySelector("time").dateTime) / 1000),
      rows.map((row) => Number(row.cells[1].dataset.v)),
    ];
  };

  const language = root.lang === "en" ? "en-GB" : root.lang;
  const MONTHS = [...Array(12).keys()].map((month) => new Date(Date.UTC(2026, month)));
  const months = (style) => MONTHS.map((day) => day.toLocaleDateString(language, { month: style, timeZone: "UTC" }));
  const dates = (pattern) => uPlot.fmtDate(pattern, { MMMM: months("long"), MMM: months("short"), WWWW: [], WWW: [] });

  const say = (element, values, index) => {
    const when = new Date(values[0][index] * 1000);
    const day = when.toLocaleDateString(language, { day: "numeric", month: "short", timeZone: "UTC" });
    element.textContent = element.dataset.legend.replace("{number}", values[1][index].toLocaleString(language)).replace("{day}", day);
  };

  const draw = (chart) => {
    const values = read(chart.querySelector("table"));
    const place = chart.querySelector("[data-plot]");
    const legend = chart.querySelector("[data-legend]");
    const said = legend.textContent;
    const line = token("--accent"), grid = token("--line"), ink = token("--ink-3");
    const font = `11px ${getComputedStyle(document.body).fontFamily}`;
    place.replaceChildren();
    const axis = { stroke: ink, font, grid: { stroke: grid, width: 1 }, ticks: { show: false } };
    return new uPlot({
      width: place.clientWidth, height: 120, legend: { show: false }, padding: [8, 4, 0, 0],
      fmtDate: dates,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
      scales: { y: { range: (_, low, high) => [0, Math.max(high, 4)] } },
      axes: [
        { ...axis, size: 22, grid: { show: false }, values: [[2419200, "{MMM}", null, null, null, null, null, null, 1], [86400, "{D} {MMM}", null, null, null, null, null, null, 1]] },
        { ...axis, size: 38, space: 34, values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? tick.toLocaleString(language) : "")) },
      ],
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
      series: [{}, { stroke: line, width: 1.5, fill: token("--accent-wash"), points: { show: false } }],
      hooks: {
        setCursor: [(plot) => {
          if (plot.cursor.idx === null || plot.cursor.idx === undefined) legend.textContent = said;
          else say(legend, values, plot.cursor.idx);
        }],
      },
    }, values, place);
  };

  const start = () => {
    for (const chart of document.querySelectorAll("[data-chart]")) {
      let plot = draw(chart);
      const again = () => { plot.destroy(); plot = draw(chart); };
      new ResizeObserver(() => {
        const width = chart.querySelector("[data-plot]").clientWidth;
        if (width && width !== plot.width) plot.setSize({ width, height: 120 });
      }).observe(chart);
      new MutationObserver(again).observe(root, { attributeFilter: ["data-theme"] });
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
    }
  };
  start();
})();
