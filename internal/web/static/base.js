// What all scripts share. Pages work without any of them: they add keys,
// highlighting that follows the selection, and acts without a reload, by sending
// the page's own forms and showing the page that comes back. Nothing of a note is
// kept outside of the page; what is kept in the browser are settings.
"use strict";

window.chartcode = (() => {
  const one = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => Array.from(from.querySelectorAll(selector));
  const starts = [];

  // setting reads or, with a value, keeps one; null takes it away. Where the
  // browser keeps nothing it holds until the page is left.
  const here = new Map();
  const setting = (name, value) => {
    try {
      if (value === undefined) { return window.localStorage.getItem(name); }
      if (value === null) { window.localStorage.removeItem(name); } else { window.localStorage.setItem(name, value); }
    } catch {
      if (value === undefined) { return here.get(name) ?? null; }
      here.set(name, value);
    }
    return value;
  };

  // calm reports whether movement is unwelcome.
  const calm = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  return {
    one, all, setting, calm,
    say: (text) => { one("#said").textContent = text; },
    parse: (text) => new DOMParser().parseFromString(text, "text/html"),
    // newKey is for one more act by a form whose key has been used.
    newKey: () => Array.from(window.crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join(""),
    // onStart is called for every page that is shown, fresh when it came without a reload.
    onStart: (f) => { starts.push(f); },
    start: (fresh) => { starts.forEach((f) => f(fresh)); },
  };
})();
