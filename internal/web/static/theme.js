// Sets the colours that somebody chose before anything is drawn. What is kept
// is the name of a scheme and nothing else.
"use strict";

(() => {
  try {
    const theme = window.localStorage.getItem("chartcode-theme");
    if (theme === "light" || theme === "dark") { document.documentElement.dataset.theme = theme; }
    const size = window.localStorage.getItem("chartcode-text");
    if (/^[1-6]$/.test(size)) { document.documentElement.dataset.text = size; }
  } catch { /* the browser keeps nothing: its own scheme holds */ }
})();
