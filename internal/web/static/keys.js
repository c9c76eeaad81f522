// Keys: each stands for a button, link or field of the page, which shows it. They
// can be turned off (WCAG 2.1.4), and do nothing while somebody types in a field.
"use strict";

(() => {
  const cc = window.chartcode;
  const { one, all, setting } = cc;
  const KEYS_OFF = "chartcode-keys-off";

  // Other keys that do the same.
  const alias = { z: "u", Z: "y", ".": "f", "=": "+", ArrowDown: "j", ArrowUp: "k" };

  const click = (el) => {
    if (!el || el.disabled) { return false; }
    if (el.matches("input, textarea, select")) {
      el.focus();
      if (el.select) { el.select(); }
    } else {
      el.click();
    }
    return true;
  };

  const current = () => cc.note.codes()[cc.note.selected()];

  const move = (step) => {
    const codes = cc.note.codes();
    if (codes.length > 0) {
      cc.note.select(Math.max(0, Math.min(codes.length - 1, cc.note.selected() + step)), true);
      return true;
    }
    const rows = all("a.row");
    const here = rows.indexOf(document.activeElement);
    const row = rows[here < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, here + step))];
    if (row) { row.focus(); }
    return Boolean(row);
  };

  // unfold opens a part of the selected code or of the page and goes to its first field.
  const unfold = (details) => {
    if (!details) { return false; }
    details.open = true;
    const field = one("input:not([type=hidden]), textarea, select, button", details);
    if (field) {
      field.focus();
      if (field.select) { field.select(); }
    }
    return true;
  };

  // choice takes what a key stands for in a short list that is open.
  const choice = (key) => {
    const menu = one("details.choose[open]");
    return menu !== null && click(one(`[data-choice="${CSS.escape(key)}"]`, menu));
  };

  // press does what a key stands for, and says whether it stands for anything.
  const press = (typed) => {
    const key = alias[typed] || typed;
    if (choice(typed)) { return true; }
    switch (key) {
      case "j": return move(1);
      case "k": return move(-1);
      case "e": cc.note.nextEvidence(); return cc.note.selected() >= 0;
      case "a": case "i": case "J": case "K":
        return current() !== undefined && click(one(`[data-act="${key}"]`, current()));
      case "r": case "m": case "d": case "p": {
        const summary = current() && one(`summary[data-act="${key}"]`, current());
        return Boolean(summary) && unfold(summary.parentElement);
      }
      case "x": {
        const menu = one(".menu");
        if (!menu) { return false; }
        menu.open = !menu.open;
        if (menu.open) { one(".card summary", menu).focus(); }
        return true;
      }
      case "h": case "l": case "g": case "q": case "X": {
        const part = one(`summary[data-opens="${key}"]`);
        if (!part) { return false; }
        one(".menu").open = true;
        return unfold(part.parentElement);
      }
      case "t": {
        const line = one(".contents nav a");
        if (line) { line.focus(); }
        return line !== null;
      }
      default:
        if (/^[1-9]$/.test(key)) {
          return current() !== undefined && click(one(`[data-act="${key}"]`, current()));
        }
        return click(all("[data-key]").find((b) => b.dataset.key === key));
    }
  };
  cc.press = press;

  const keysOff = () => setting(KEYS_OFF) === "1";

  // leave closes what is open around an element and goes back to the code.
  const leave = (el) => {
    const open = el.closest("details.menu, details.change, details.choose, details.details") || one("details.choose[open], details.menu[open]");
    if (open) { open.open = false; }
    cc.picker.close();
    if (cc.note.codes().length > 0) { cc.note.select(Math.max(cc.note.selected(), 0), true); } else { one("main").focus(); }
  };

  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || e.isComposing) { return; }
    if (!(e.target instanceof Element) || one("dialog[open]")) { return; }
    if (cc.lookKey(e)) { e.preventDefault(); return; }
    const field = e.target.closest("input:not([type=checkbox]), select, textarea");
    if (e.key === "Escape") {
      if (one("#item") && (field || one("details.choose[open], details.menu[open]"))) {
        leave(e.target);
        e.preventDefault();
      } else if (one("#item")) {
        cc.note.closeFind();
      }
      return;
    }
    if (field || keysOff()) { return; }
    const list = e.target.closest(".contents nav");
    if (list && (e.key === "ArrowRight" || e.key === "ArrowLeft")) {
      const links = all("a", list);
      const to = links[links.indexOf(e.target) + (e.key === "ArrowRight" ? 1 : -1)];
      if (to) { to.focus(); }
      e.preventDefault();
      return;
    }
    const menu = e.target.closest("details.choose[open]");
    if (menu && (e.key === "ArrowDown" || e.key === "ArrowUp")) {
      const buttons = all("button", menu);
      const to = buttons[buttons.indexOf(e.target) + (e.key === "ArrowDown" ? 1 : -1)];
      if (to) { to.focus(); }
      e.preventDefault();
      return;
    }
    if (e.key.startsWith("Arrow") && e.target.closest("#notes, .scroll:focus, .contents")) { return; } // scrolls there
    if (cc.acts.busy()) {
      if (e.key.length === 1 && e.key !== " ") {
        cc.acts.later(e.key);
        e.preventDefault();
      }
      return;
    }
    if (e.repeat && !["j", "k", "e", "ArrowDown", "ArrowUp"].includes(e.key)) { return; }
    if (press(e.key)) { e.preventDefault(); }
  });

  document.addEventListener("click", (e) => {
    if (e.target.closest("[data-sheet]")) { one("#keys").showModal(); return; }
    all("details.menu[open], details.choose[open]").forEach((open) => { if (!open.contains(e.target)) { open.open = false; } });
  });

  // A list that opens selects its code, so that its keys are for what is seen.
  document.addEventListener("toggle", (e) => {
    if (!e.target.matches("details.choose") || !e.target.open) { return; }
    all("details.choose[open]").forEach((d) => { if (d !== e.target) { d.open = false; } });
    e.target.scrollIntoView({ block: "nearest" });
    const card = one(".card", e.target);
    card.classList.toggle("up", false);
    const pane = one("#codes").getBoundingClientRect();
    card.classList.toggle("up", card.getBoundingClientRect().bottom > Math.min(pane.bottom, window.innerHeight) && e.target.getBoundingClientRect().top - pane.top > card.offsetHeight + 48);
    if (!card.classList.contains("up")) { card.scrollIntoView({ block: "nearest" }); }
  }, true);

  document.addEventListener("change", (e) => {
    if (e.target.id === "keys-on") { setting(KEYS_OFF, e.target.checked ? null : "1"); }
  });

  // ---- colours ----

  const themes = ["auto", "light", "dark"];
  const label = () => {
    const button = one("#theme");
    if (button) { button.textContent = "Theme: " + (document.documentElement.dataset.theme || "auto"); }
  };
  document.addEventListener("click", (e) => {
    if (e.target.id !== "theme") { return; }
    const next = themes[(themes.indexOf(document.documentElement.dataset.theme || "auto") + 1) % themes.length];
    if (next === "auto") { delete document.documentElement.dataset.theme; } else { document.documentElement.dataset.theme = next; }
    setting("chartcode-theme", next === "auto" ? null : next);
    label();
  });

  cc.onStart(() => {
    all(".needs-script:not(.known, #tour-offer)").forEach((el) => { el.hidden = false; });
    label();
    const box = one("#keys-on");
    if (box) { box.checked = !keysOff(); }
  });
})();
