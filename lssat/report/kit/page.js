"use strict";
(() => {
  const theme = window.lssatTheme;
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  function paint(theme) { root.dataset.theme = theme; }
  document.getElementById("theme").addEventListener("click", () => {
    const next = root.dataset.theme === "dark" ? "light" : "dark";
    theme.keep(next); paint(next);
  });
  theme.system.addEventListener("change", () => paint(theme.chosen()));
  addEventListener("beforeprint", () => paint("light"));
  addEventListener("afterprint", () => paint(theme.chosen()));

  // On a narrow screen the table of contents is a menu.
  const menu = document.getElementById("menu"), nav = menu.closest("nav");
  function unfold(on) { nav.classList.toggle("open", on); menu.setAttribute("aria-expanded", on); }
  menu.addEventListener("click", () => unfold(!nav.classList.contains("open")));
  nav.addEventListener("click", (event) => { if (event.target.closest(".links a")) unfold(false); });
  nav.addEventListener("keydown", (event) => { if (event.key === "Escape") { unfold(false); menu.focus(); } });

  all(".legend button").forEach((key) => key.addEventListener("click", () => {
    const on = key.getAttribute("aria-pressed") !== "true";
    key.setAttribute("aria-pressed", on);
    all("g[data-key]", key.closest("figure")).filter((drawn) => drawn.dataset.key === key.dataset.key)
      .forEach((drawn) => drawn.classList.toggle("off", !on));
  }));

  // A figure of which some plots are shown at a time.
  all(".choose select").forEach((select) => select.addEventListener("change", () =>
    all(".panel", select.closest("figure")).forEach((panel) => { panel.hidden = panel.dataset.group !== select.value; })));

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

  // The columns that name a row stay in view, each beside the one before.
  const keyed = new ResizeObserver((entries) => entries.forEach(({ target }) => {
    const table = target.closest("table");
    let at = 0;
    all("thead .key", table).forEach((head, place) => {
      table.style.setProperty(`--at${place + 1}`, `${at}px`);
      at += head.offsetWidth;
    });
  }));
  all("thead .key").forEach((head) => keyed.observe(head));

  // A link to a row that a filter hides, or that a closed block holds, shows it first.
  function reveal() {
    const row = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!row) return;
    if (row.hidden) { const box = row.closest(".table"); box.querySelector("input").value = ""; filter(box, []); }
    row.closest("details")?.setAttribute("open", "");
    row.scrollIntoView({ block: "nearest" });
  }
  addEventListener("hashchange", reveal);

  root.dataset.ready = "";
  const links = new Map(all("nav .links a").filter((link) => link.hash !== "#top").map((link) => [link.hash.slice(1), link]));
  const watch = new IntersectionObserver((entries) => entries.forEach((entry) =>
    links.get(entry.target.id)?.classList.toggle("here", entry.isIntersecting)), { rootMargin: "-20% 0px -75% 0px" });
  links.forEach((_, id) => watch.observe(document.getElementById(id)));
})();
