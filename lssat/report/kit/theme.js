"use strict";
// Runs before the page is drawn, so that it never flashes in the other theme: the reader's choice,
// else the system's. Storage may be barred (a file opened from a disk); the choice is then not kept.
window.lssatTheme = {
  system: matchMedia("(prefers-color-scheme: dark)"),
  kept() { try { return localStorage.getItem("lssat-theme"); } catch { return null; } },
  keep(value) { try { localStorage.setItem("lssat-theme", value); } catch { /* as said above */ } },
  chosen() { return this.kept() || (this.system.matches ? "dark" : "light"); },
};
document.documentElement.dataset.theme = window.lssatTheme.chosen();
