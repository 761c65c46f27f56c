"use strict";
(() => {
  const theme = window.lssatTheme;
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const plots = [];

  function paint(theme) { root.dataset.theme = theme; plots.forEach(colour); }
  document.getElementById("theme").addEventListener("click", () => {
    const next = root.dataset.theme === "dark" ? "light" : "dark";
    theme.keep(next); paint(next);
  });
  theme.system.addEventListener("change", () => paint(theme.chosen()));

  // Plots: specifications stand in the page without colours, which come from the style sheet.
  const value = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const shade = (index) => index < 0 ? value("--soft") : value(`--c${index % 8}`);
  function themed(layout) {
    const font = { family: getComputedStyle(document.body).fontFamily, size: 12, color: value("--ink") };
    const axis = { gridcolor: value("--line"), linecolor: value("--line"), tickcolor: value("--line"), tickfont: { color: value("--soft") } };
    const label = { bgcolor: value("--raised"), bordercolor: value("--line"), font: { ...font, size: 12 }, namelength: -1, align: "left" };
    const modebar = { bgcolor: "rgba(0,0,0,0)", color: value("--soft"), activecolor: value("--accent") };
    return { ...layout, font, modebar, hoverlabel: label, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
             xaxis: { ...layout.xaxis, ...axis }, yaxis: { ...layout.yaxis, ...axis } };
  }
  function dressed(trace) {
    const tint = shade(trace.meta);
    if (trace.type === "heatmap") return { ...trace, colorscale: [[0, value("--raised")], [1, tint]] };
    return { ...trace, line: { ...trace.line, color: tint }, ...(trace.marker && { marker: { ...trace.marker, color: tint } }) };
  }
  // Only these four: plotly's defaults hold a button that offers to send a figure away.
  const config = { displaylogo: false, responsive: true, displayModeBar: "hover", modeBarButtons: [["toImage", "zoom2d", "pan2d", "resetScale2d"]] };
  function colour(plot) {
    const shown = (trace) => !plot.hidden.has(trace.legendgroup);
    const layout = themed(plot.spec.layout), width = plot.place.clientWidth;
    // For a printer a plot takes the width of the sheet at once; on the screen plotly follows the window.
    Plotly.react(plot.place, plot.spec.data.filter(shown).map(dressed), "printing" in root.dataset && width ? { ...layout, width } : layout, config);
  }
  const waiting = all("script[data-plot]");
  function draw(script) {
    const plot = { place: document.getElementById(script.dataset.plot), spec: JSON.parse(script.textContent), hidden: new Set() };
    plots.push(plot); colour(plot);
  }
  // One after another, so that the page answers while many are drawn; all at once for a printer.
  function next() { if (waiting.length) { draw(waiting.shift()); setTimeout(next); } else { root.dataset.drawn = plots.length; } }
  next();
  addEventListener("beforeprint", () => { while (waiting.length) draw(waiting.shift()); all("details").forEach((d) => { d.dataset.was = d.open; d.open = true; }); root.dataset.printing = ""; paint("light"); });
  addEventListener("afterprint", () => { delete root.dataset.printing; all("details").forEach((d) => { d.open = d.dataset.was === "true"; }); paint(theme.chosen()); });

  all(".legend button").forEach((key) => key.addEventListener("click", () => {
    const on = key.getAttribute("aria-pressed") !== "true";
    key.setAttribute("aria-pressed", on);
    const inside = plots.filter((plot) => key.closest("figure").contains(plot.place));
    inside.forEach((plot) => { plot.hidden[on ? "delete" : "add"](key.dataset.key); colour(plot); });
  }));

  // A figure of which one plot is shown at a time: plotly measures a hidden one wrongly.
  all(".choose select").forEach((select) => select.addEventListener("change", () => {
    all(".panel", select.closest("figure")).forEach((panel) => {
      const place = panel.querySelector(".plot");
      panel.hidden = place.id !== select.value;
      if (!panel.hidden && place.data) Plotly.Plots.resize(place);
    });
  }));

  // Tables of which one is shown at a time.
  all(".pick select").forEach((select) => select.addEventListener("change", () =>
    all(".option", select.closest(".pick")).forEach((option) => { option.hidden = option.firstElementChild.id !== select.value; })));

  // Tables: a heading sorts, numbers as numbers and empty cells last; the field filters.
  const sortable = (cell) => {
    const text = cell.dataset.sort ?? cell.textContent.trim();
    return text === "" || text === "–" ? null : text;
  };
  const order = new Intl.Collator("en", { numeric: true });
  function compare(a, b) {
    const x = Number(a), y = Number(b);
    return Number.isNaN(x) || Number.isNaN(y) ? order.compare(a, b) : x - y;
  }
  function sort(table, head) {
    const now = head.getAttribute("aria-sort");
    const up = now ? now === "descending" : !head.classList.contains("num");  // best numbers first
    all("th[aria-sort]", table.tHead).forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const rows = [...table.tBodies[0].rows].map((row) => [sortable(row.cells[head.cellIndex]), row]);
    rows.sort(([a], [b]) => a === null || b === null ? (a === null) - (b === null) : (up ? 1 : -1) * compare(a, b));
    table.tBodies[0].append(...rows.map(([, row]) => row));
  }
  function filter(box, words) {
    const rows = all("tbody tr", box);
    rows.forEach((row) => { const text = row.textContent.toLowerCase(); row.hidden = !words.every((word) => text.includes(word)); });
    const left = rows.filter((row) => !row.hidden).length;
    box.querySelector("output").textContent = left === rows.length ? `${left} rows` : `${left} of ${rows.length} rows`;
  }
  all(".table").forEach((box) => {
    const table = box.querySelector("table");
    all("thead th", table).forEach((head) => head.querySelector("button").addEventListener("click", () => sort(table, head)));
    box.querySelector("input")?.addEventListener("input", (event) => filter(box, event.target.value.toLowerCase().split(/\s+/).filter(Boolean)));
  });

  // A link to a row that a filter hides, or that a closed block holds, shows it first.
  function reveal() {
    const row = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!row) return;
    if (row.hidden) { const box = row.closest(".table"); box.querySelector("input").value = ""; filter(box, []); }
    row.closest("details")?.setAttribute("open", "");
    row.scrollIntoView({ block: "nearest" });
  }
  addEventListener("hashchange", reveal);

  const links = new Map(all("nav .links a").map((link) => [link.hash.slice(1), link]));
  const watch = new IntersectionObserver((entries) => entries.forEach((entry) =>
    links.get(entry.target.id)?.classList.toggle("here", entry.isIntersecting)), { rootMargin: "-20% 0px -75% 0px" });
  links.forEach((_, id) => watch.observe(document.getElementById(id)));
})();
