// Adds keys, live highlighting and acts without a reload to pages that work
// without it. Everything that it does to an item it does by sending the page's
// own forms and showing the page that comes back.
"use strict";

(() => {
  const KEYS_OFF = "chartcode-keys-off";
  const one = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => Array.from(from.querySelectorAll(selector));

  let codes = [];      // the list's entries, in order
  let marks = [];      // for each of them its marks in the notes
  let steps = [];      // for each of them the marks with which its evidence begins, in the order of its quotes
  let selected = -1;
  let evidence = 0;    // which of its steps was shown last
  let busy = false;    // an act is on its way
  let waiting = [];    // keys that were pressed meanwhile

  const say = (text) => { one("#said").textContent = text; };

  // ---- selecting a code ----

  // show scrolls the note to a mark; alone sets it off from the code's others.
  const show = (mark, alone) => {
    all("mark.now").forEach((m) => m.classList.remove("now"));
    if (!mark) { return; }
    if (alone) { mark.classList.add("now"); }
    const pane = one("#notes");
    const top = mark.getBoundingClientRect().top - pane.getBoundingClientRect().top;
    const bottom = top + mark.getBoundingClientRect().height;
    const contents = one(".contents");
    const head = mark.closest("article").querySelector("header").offsetHeight + (contents ? contents.offsetHeight : 0);
    if (top < head + 8 || bottom > pane.clientHeight - 24) {
      pane.scrollTop += top - Math.max(head + 16, pane.clientHeight / 3);
    }
  };

  const keepInView = (code) => {
    const pane = one("#codes");
    const head = pane.querySelector("header").offsetHeight;
    const box = code.getBoundingClientRect();
    const view = pane.getBoundingClientRect();
    if (pane.scrollHeight <= pane.clientHeight + 1) { // the page scrolls
      code.scrollIntoView({ block: "nearest" });
    } else if (box.top < view.top + head) {
      pane.scrollTop += box.top - view.top - head;
    } else if (box.bottom > view.bottom) {
      pane.scrollTop += Math.min(box.bottom - view.bottom, box.top - view.top - head);
    }
  };

  const select = (i, focus, still) => {
    if (i < 0 || i >= codes.length) { return; }
    codes.forEach((c, k) => {
      c.classList.toggle("selected", k === i);
      if (k === i) { c.setAttribute("aria-current", "true"); } else { c.removeAttribute("aria-current"); }
    });
    all("mark.on").forEach((m) => m.classList.remove("on"));
    marks[i].forEach((m) => m.classList.add("on"));
    selected = i;
    evidence = 0;
    all("#item > .head [name=at], .notices [name=at]").forEach((el) => { el.value = String(i); });
    if (focus) { codes[i].focus({ preventScroll: true }); }
    if (!still) { keepInView(codes[i]); }
    show(steps[i][0]);
  };

  // markAt is the mark that begins at an evidence's anchor.
  const markAt = (anchor) => {
    let el = anchor;
    while (el && !el.matches("mark")) { el = el.nextElementSibling; }
    return el;
  };

  const nextEvidence = () => {
    if (selected < 0 || steps[selected].length === 0) { return; }
    evidence = (evidence + 1) % steps[selected].length;
    show(steps[selected][evidence], true);
  };

  // ---- acts ----

  // After a reload of the parts that change, the note stays where it was.
  const replace = (next, sameItem) => {
    const scrolled = sameItem ? { notes: one("#notes").scrollTop, codes: one("#codes").scrollTop } : null;
    document.title = next.title;
    document.body.className = next.body.className;
    ["header.bar", "main", "footer", "dialog"].forEach((part) => {
      const here = one(part);
      const there = next.querySelector(part);
      if (here && there) { here.replaceWith(document.adoptNode(there)); }
    });
    if (scrolled && one("#notes")) {
      one("#notes").scrollTop = scrolled.notes;
      one("#codes").scrollTop = scrolled.codes;
    }
  };

  const told = () => {
    const problem = one("#problem");
    if (problem) { return ""; } // it is an alert and speaks for itself
    const message = one(".notice.good");
    const left = one("#codes-title + p");
    return [message && message.innerText, left && left.innerText].filter(Boolean).join(". ");
  };

  const failed = (text) => {
    waiting = [];
    let box = one("#offline");
    if (!box) {
      box = document.createElement("div");
      box.id = "offline";
      box.className = "notice bad";
      box.setAttribute("role", "alert");
      const place = one(".notices") || one("main");
      place.prepend(box);
    }
    box.textContent = text;
  };

  const send = async (form, button) => {
    if (busy) { return; }
    busy = true;
    const before = one("#item");
    before.setAttribute("aria-busy", "true");
    const body = new URLSearchParams(new FormData(form));
    if (button && button.name) { body.set(button.name, button.value); }
    try {
      const answer = await fetch(form.getAttribute("action"), { method: "POST", body, redirect: "follow", headers: { Accept: "text/html" } });
      const at = new URL(answer.url);
      if (at.pathname === "/sign-in") {
        window.location.assign("/sign-in?to=" + encodeURIComponent(window.location.pathname));
        return;
      }
      if (answer.status >= 500) { throw new Error("the server failed"); }
      const next = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!next.querySelector("main")) { throw new Error("no page"); }
      const item = next.querySelector("#item");
      const sameItem = item !== null && item.dataset.item === before.dataset.item;
      const refused = item !== null && item.dataset.problem === "true";
      replace(next, sameItem);
      if (!sameItem) {
        waiting = [];
        window.history.pushState(null, "", at.pathname + at.search);
        window.scrollTo(0, 0);
      } else if (answer.redirected) {
        window.history.replaceState(null, "", at.pathname + at.search);
      }
      if (refused) { waiting = []; }
      start(true);
      say(told());
    } catch {
      failed("The server did not answer, so it is not known whether the last act was stored. Do it again when the server is back: it counts once.");
    } finally {
      busy = false;
      const now = one("#item");
      if (now) { now.removeAttribute("aria-busy"); }
    }
    while (!busy && waiting.length > 0) { press(waiting.shift()); }
  };

  const click = (el) => {
    if (!el || el.disabled) { return false; }
    if (el.matches("input")) { el.focus(); el.select(); } else { el.click(); }
    return true;
  };

  // ---- searching codes ----

  let asked = null;   // the request on its way
  let pause = 0;      // the timer that waits for the next letter

  // look shows what fits the form now, as the page itself would.
  const look = async () => {
    const form = one("#look");
    const text = one("#q").value;
    if (asked) { asked.abort(); }
    asked = new AbortController();
    const mine = asked;
    const path = form.getAttribute("action") + "?" + new URLSearchParams(new FormData(form));
    one("#found").setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(path, { signal: mine.signal, headers: { Accept: "text/html" } });
      if (new URL(answer.url).pathname === "/sign-in") {
        window.location.assign("/sign-in?to=/codes");
        return;
      }
      const next = new DOMParser().parseFromString(await answer.text(), "text/html");
      const found = next.querySelector("#found");
      if (!found) { throw new Error("no page"); }
      if (mine !== asked) { return; }
      one("#found").replaceWith(document.adoptNode(found));
      const dates = next.querySelector("#date");
      if (dates && dates.textContent !== one("#date").textContent) { one("#date").replaceWith(document.adoptNode(dates)); }
      window.history.replaceState(null, "", path);
      const count = one("#found-count") || one("#found h2");
      say(text.trim() && count ? count.innerText : "");
    } catch (err) {
      if (err.name !== "AbortError" && mine === asked) {
        one("#found").removeAttribute("aria-busy");
        failed("The server did not answer. Type on, or search again, when it is back.");
      }
      return;
    }
    const told = one("#offline");
    if (told) { told.remove(); }
  };

  const typed = (form) => {
    window.clearTimeout(pause);
    pause = window.setTimeout(() => { if (form.isConnected) { look(); } }, 80);
  };

  // lookKey moves between the search and what it found.
  const lookKey = (e) => {
    const q = one("#look #q");
    if (!q) { return false; }
    const rows = all(".found a.row");
    if (e.target === q) {
      const fresh = one("#found").dataset.query === q.value && !one("#found").hasAttribute("aria-busy");
      if (rows.length > 0 && (e.key === "ArrowDown" || (e.key === "Enter" && fresh))) {
        rows[0].focus();
        return true;
      }
      return false;
    }
    if (!e.target.closest("#found")) { return false; }
    if (e.key === "Escape" || (e.key === "ArrowUp" && e.target === rows[0])) {
      q.focus();
      return true;
    }
    return false;
  };

  document.addEventListener("input", (e) => {
    const form = e.target.closest("#look");
    if (!form) { return; }
    if (e.target.id === "system") { one("#date", form).value = ""; } // releases are of one system
    typed(form);
  });

  // ---- keys ----

  const move = (step) => {
    if (codes.length > 0) {
      select(Math.max(0, Math.min(codes.length - 1, selected + step)), true);
      return true;
    }
    const rows = all("a.row");
    const here = rows.indexOf(document.activeElement);
    const row = rows[here < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, here + step))];
    if (row) { row.focus(); }
    return Boolean(row);
  };

  // press does what a key stands for, and says whether it stands for anything.
  const press = (key) => {
    switch (key) {
      case "j": case "ArrowDown": return move(1);
      case "k": case "ArrowUp": return move(-1);
      case "e": nextEvidence(); return selected >= 0;
      case "a": case "r": case "m": case "i":
        if (selected < 0) { return false; }
        if (key === "m") {
          const change = one(".change", codes[selected]);
          if (!change) { return false; }
          change.open = true;
          return click(one("input[name=to]", change));
        }
        return click(one(`[data-act="${key}"]`, codes[selected]));
      case "x": {
        const menu = one(".menu");
        if (!menu) { return false; }
        menu.open = true;
        return click(one("input", menu));
      }
      default:
        if (/^[1-9]$/.test(key)) {
          return selected >= 0 && click(one(`[data-act="${key}"]`, codes[selected]));
        }
        return click(all("[data-key]").find((b) => b.dataset.key === key));
    }
  };

  let offHere = false; // where the browser keeps nothing
  const keysOff = () => {
    try { return window.localStorage.getItem(KEYS_OFF) === "1"; } catch { return offHere; }
  };

  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || e.isComposing) { return; }
    const dialog = one("dialog");
    if (!(e.target instanceof Element) || (dialog && dialog.open)) { return; }
    if (lookKey(e)) { e.preventDefault(); return; }
    if (e.key === "Escape") {
      const open = e.target.closest("details.menu, details.change");
      if (open) {
        open.open = false;
        if (codes.length > 0) { select(Math.max(selected, 0), true); }
      } else if (e.target.closest(".add") && codes.length > 0) {
        select(Math.max(selected, 0), true);
      }
      return;
    }
    if (e.target.closest("input:not([type=checkbox]), select, textarea") || keysOff()) { return; }
    if (e.key.startsWith("Arrow") && e.target.closest("#notes, .scroll:focus")) { return; } // scrolls there
    if (busy) {
      if (e.key.length === 1 && e.key !== " " && waiting.length < 20) { waiting.push(e.key); e.preventDefault(); }
      return;
    }
    if (e.repeat && !["j", "k", "e", "ArrowDown", "ArrowUp"].includes(e.key)) { return; }
    if (press(e.key)) { e.preventDefault(); }
  });

  // ---- pointers and forms; on the document, so that they outlast a reload ----

  document.addEventListener("click", (e) => {
    const sheet = e.target.closest("[data-sheet]");
    if (sheet) { one("dialog").showModal(); return; }
    const menu = one("details.menu[open]");
    if (menu && !menu.contains(e.target)) { menu.open = false; }
    const mark = e.target.closest("mark.ev");
    if (mark) {
      const list = mark.dataset.codes.split(" ").map(Number);
      const want = list[(list.indexOf(selected) + 1) % list.length];
      select(want, true);
      show(mark, true);
      return;
    }
    const code = e.target.closest(".code");
    if (!code) { return; }
    const i = codes.indexOf(code);
    const quote = e.target.closest("blockquote a");
    if (quote) {
      e.preventDefault();
      if (i !== selected) { select(i, false); }
      const mark = markAt(document.getElementById(quote.hash.slice(1)));
      evidence = Math.max(0, steps[i].indexOf(mark));
      show(mark, true);
    } else if (e.target.closest("a.id") || !e.target.closest("a, button, input, select, summary, label")) {
      e.preventDefault();
      select(i, true);
    }
  });

  // A pressed button must not move before it is let go, as it would when its
  // code were selected by the focus that comes with the pressing.
  let pointing = false;
  document.addEventListener("pointerdown", () => { pointing = true; }, true);
  ["pointerup", "pointercancel"].forEach((name) => document.addEventListener(name, () => { pointing = false; }, true));

  document.addEventListener("focusin", (e) => {
    if (pointing) { return; }
    const code = e.target.closest(".code");
    const i = code ? codes.indexOf(code) : -1;
    if (i >= 0 && i !== selected) { select(i, false); }
  });

  document.addEventListener("submit", (e) => {
    if (!e.target.matches("form[data-live]") || !one("#item")) { return; }
    e.preventDefault();
    send(e.target, e.submitter);
  });

  document.addEventListener("change", (e) => {
    if (e.target.id !== "keys-on") { return; }
    offHere = !e.target.checked;
    try {
      if (e.target.checked) { window.localStorage.removeItem(KEYS_OFF); } else { window.localStorage.setItem(KEYS_OFF, "1"); }
    } catch { /* the choice holds until the page is left */ }
  });

  window.addEventListener("popstate", () => {
    const item = one("#item");
    const path = item ? "/items/" + item.dataset.item : "/";
    if (window.location.pathname !== path) { window.location.reload(); }
  });

  // start reads the page anew; fresh when it came without a reload.
  const start = (fresh) => {
    all(".needs-script").forEach((el) => { el.hidden = false; });
    const q = one("#look #q");
    if (q && (q === document.activeElement || document.activeElement === document.body)) { // who types goes on at the end
      q.focus();
      q.setSelectionRange(q.value.length, q.value.length);
    }
    const box = one("#keys-on");
    if (box) { box.checked = !keysOff(); }
    codes = all(".codes-list > .code");
    marks = codes.map(() => []);
    all("mark.ev").forEach((m) => m.dataset.codes.split(" ").forEach((c) => marks[Number(c)].push(m)));
    steps = codes.map(() => []);
    all("span[id^=ev-]").forEach((anchor) => {
      const [, code, n] = anchor.id.split("-").map(Number);
      steps[code][n] = markAt(anchor);
    });
    steps = steps.map((list) => list.filter(Boolean));
    selected = -1;
    const item = one("#item");
    if (!item) {
      if (fresh) { one("main").focus(); }
      return;
    }
    const wanted = item.dataset.focus && document.getElementById(item.dataset.focus);
    // A page that was just opened keeps its top in view.
    select(Number(item.dataset.selected), !wanted, !fresh && one("#codes").scrollHeight <= one("#codes").clientHeight + 1);
    if (wanted) {
      wanted.focus();
      wanted.select();
    } else if (codes.length === 0 && fresh) {
      one("main").focus();
    }
  };
  start(false);
})();
