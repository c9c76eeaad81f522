// The note beside its codes: which code is selected, the evidence that goes with
// it, finding words, the size of the text, and which words are selected.
"use strict";

(() => {
  const cc = window.chartcode;
  const { one, all, say, setting, calm } = cc;

  let codes = [];      // the list's entries, in order
  let marks = [];      // for each of them its marks in the notes
  let steps = [];      // for each of them the marks with which its evidence begins, in the order of its quotes
  let selected = -1;
  let evidence = 0;    // which of its steps was shown last
  let lit = [];        // the marks that are set off

  // ---- selecting a code ----

  const glide = (pane, top) => {
    if (calm()) { pane.scrollTop = top; } else { pane.scrollTo({ top, behavior: "smooth" }); }
  };

  // cover is how much of the pane is hidden at its top by what sticks there.
  const cover = (el) => {
    const contents = one(".contents");
    const head = el.closest("article").querySelector("header");
    return (contents ? contents.offsetHeight : 0) + (window.getComputedStyle(head).position === "sticky" ? head.offsetHeight : 0);
  };

  // bring scrolls the note to a place unless it is in view.
  const bring = (el, box = el.getBoundingClientRect()) => {
    const pane = one("#notes");
    const top = box.top - pane.getBoundingClientRect().top;
    const head = cover(el);
    if (top < head + 8 || top + box.height > pane.clientHeight - 24) {
      glide(pane, pane.scrollTop + top - Math.max(head + 16, pane.clientHeight / 3));
    }
  };

  // show brings a mark into view; alone sets it off from the code's others.
  const show = (mark, alone) => {
    all("mark.now").forEach((m) => m.classList.remove("now"));
    if (!mark) { return; }
    if (alone) { mark.classList.add("now"); }
    bring(mark);
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
    lit.forEach((m) => m.classList.remove("on"));
    lit = marks[i];
    lit.forEach((m) => m.classList.add("on"));
    selected = i;
    evidence = 0;
    all("#item > .head [name=at], .notices [name=at], .all [name=at], .remark [name=at]").forEach((el) => { el.value = String(i); });
    if (focus) { codes[i].focus({ preventScroll: true }); }
    if (!still) { keepInView(codes[i]); }
    show(steps[i][0]);
    document.dispatchEvent(new CustomEvent("chartcode:selected", { detail: codes[i] }));
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

  document.addEventListener("click", (e) => {
    const mark = e.target.closest("mark.ev");
    if (mark && window.getSelection().isCollapsed) {
      const list = mark.dataset.codes.split(" ").map(Number);
      const want = list[(list.indexOf(selected) + 1) % list.length];
      select(want, true);
      show(mark, true);
      return;
    }
    const line = e.target.closest(".contents nav a");
    if (line) {
      const there = document.getElementById(line.hash.slice(1));
      const pane = one("#notes");
      if (there && pane.scrollHeight > pane.clientHeight) {
        e.preventDefault();
        const head = there.matches("article") ? one(".contents").offsetHeight : cover(there);
        glide(pane, pane.scrollTop + there.getBoundingClientRect().top - pane.getBoundingClientRect().top - head - 8);
        pane.focus({ preventScroll: true });
      }
      return;
    }
    const code = e.target.closest(".code");
    if (!code) { return; }
    const i = codes.indexOf(code);
    const quote = e.target.closest("blockquote a");
    if (quote) {
      e.preventDefault();
      if (i !== selected) { select(i, false); }
      const at = markAt(document.getElementById(quote.hash.slice(1)));
      evidence = Math.max(0, steps[i].indexOf(at));
      show(at, true);
    } else if (e.target.closest("a.id") || !e.target.closest("a, button, input, select, textarea, summary, label, .choose, .offers")) {
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

  // ---- finding words: the page's own text is not touched ----

  let hits = [];
  let hit = -1;
  const paint = (name, ranges) => {
    if (!window.CSS || !CSS.highlights) { return; }
    if (ranges.length > 0) { CSS.highlights.set(name, new Highlight(...ranges)); } else { CSS.highlights.delete(name); }
  };

  const toHit = (k) => {
    hit = k;
    const count = one("#find-count");
    if (hits.length === 0) {
      count.textContent = one("#find-text").value.trim() ? "none" : "";
      paint("found-now", []);
      return;
    }
    count.textContent = `${hit + 1} of ${hits.length}`;
    const range = hits[hit];
    paint("found-now", [range]);
    bring(range.startContainer.parentElement, range.getBoundingClientRect());
  };

  const findAll = () => {
    const words = one("#find-text").value.trim().toLowerCase();
    hits = [];
    if (words) {
      all(".note-text").forEach((text) => {
        const walk = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
        const nodes = [];
        const ends = [];
        let whole = "";
        while (walk.nextNode()) {
          nodes.push(walk.currentNode);
          whole += walk.currentNode.data;
          ends.push(whole.length);
        }
        // Line breaks and runs of spaces count as one space, as who reads sees them;
        // lower case keeps lengths but for a few letters, which are left as they are.
        const lower = whole.replace(/\s/g, " ").replace(/[^\u0130]/g, (c) => c.toLowerCase());
        let node = 0;
        for (let at = lower.indexOf(words); at >= 0 && hits.length < 1000; at = lower.indexOf(words, at + words.length)) {
          const range = document.createRange();
          const end = at + words.length;
          while (ends[node] <= at) { node++; }
          let last = node;
          while (ends[last] < end) { last++; }
          range.setStart(nodes[node], at - (ends[node] - nodes[node].data.length));
          range.setEnd(nodes[last], end - (ends[last] - nodes[last].data.length));
          hits.push(range);
        }
      });
    }
    paint("found", hits);
    toHit(hits.length > 0 ? 0 : -1);
    say(one("#find-count").textContent);
  };

  const closeFind = () => {
    const form = one("#find");
    if (!form || form.hidden) { return false; }
    form.hidden = true;
    one(".contents nav").hidden = one(".contents nav").dataset.none === "true";
    hits = [];
    paint("found", []);
    paint("found-now", []);
    return true;
  };

  const openFind = () => {
    const nav = one(".contents nav");
    if (one("#find").hidden) { nav.dataset.none = String(nav.hidden); }
    nav.hidden = true;
    one("#find").hidden = false;
    const field = one("#find-text");
    const words = chosen();
    if (words) { field.value = words.text.slice(0, 200).replace(/\s+/g, " "); }
    field.focus();
    field.select();
    findAll();
  };

  document.addEventListener("input", (e) => { if (e.target.id === "find-text") { findAll(); } });
  document.addEventListener("submit", (e) => {
    if (e.target.id !== "find") { return; }
    e.preventDefault();
    if (hits.length > 0) { toHit((hit + 1) % hits.length); }
  });
  document.addEventListener("keydown", (e) => {
    if (!e.target.closest || !e.target.closest("#find")) { return; }
    if (e.key === "Escape") {
      closeFind();
      if (codes.length > 0) { select(Math.max(selected, 0), true); } else { one("#notes").focus(); }
      e.preventDefault();
    } else if ((e.key === "Enter" && e.shiftKey && e.target.id === "find-text") && hits.length > 0) {
      toHit((hit + hits.length - 1) % hits.length);
      e.preventDefault();
    }
  });

  // ---- size of the text ----

  const sizes = 6;
  const usual = 3;
  const resize = (by) => {
    const now = Number(document.documentElement.dataset.text || usual);
    const next = Math.max(1, Math.min(sizes, now + by));
    const pane = one("#notes");
    const place = pane.scrollTop / Math.max(1, pane.scrollHeight);
    document.documentElement.dataset.text = String(next);
    pane.scrollTop = place * pane.scrollHeight;
    setting("chartcode-text", next === usual ? null : String(next));
    say(`Text size ${next} of ${sizes}`);
  };

  document.addEventListener("click", (e) => {
    const button = e.target.closest("button");
    if (!button) { return; }
    switch (button.id) {
      case "find-open": openFind(); break;
      case "find-close": closeFind(); one("#notes").focus(); break;
      case "find-back": if (hits.length > 0) { toHit((hit + hits.length - 1) % hits.length); } break;
      case "smaller": resize(-1); break;
      case "larger": resize(1); break;
    }
  });

  // ---- the words that are selected ----

  const encoder = new TextEncoder();

  // bytesTo counts the bytes of a note's text that stand before a point in it.
  const bytesTo = (text, container, offset) => {
    const range = document.createRange();
    range.setStart(text, 0);
    range.setEnd(container, offset);
    const part = range.cloneContents();
    let extra = 0;
    // An invisible character is shown by its name, which is longer or shorter.
    part.querySelectorAll(".control").forEach((el) => {
      const code = parseInt(el.textContent.slice(2), 16);
      extra += encoder.encode(Number.isNaN(code) ? "" : String.fromCodePoint(code)).length - encoder.encode(el.textContent).length;
    });
    return encoder.encode(part.textContent).length + extra;
  };

  // A field that is gone to takes the selection away, so the last one in a note is
  // kept for it.
  let range = null;
  const remember = () => {
    const el = document.activeElement;
    if (el && el.matches("input, textarea, select")) { return; }
    const selection = window.getSelection();
    range = selection && !selection.isCollapsed && selection.rangeCount > 0 ? selection.getRangeAt(0).cloneRange() : null;
  };
  document.addEventListener("selectionchange", remember);
  document.addEventListener("keydown", remember, true); // which may come before it is told

  // chosen gives the words selected in one note, without spaces around them:
  // their text, the note, and the bytes at which they begin and end; or null.
  const chosen = () => {
    if (!range || range.collapsed || !range.startContainer.isConnected) { return null; }
    const inside = (node) => (node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement)?.closest(".note-text");
    const text = inside(range.startContainer);
    if (!text || text !== inside(range.endContainer)) { return null; }
    const words = range.toString();
    const trimmed = words.trim();
    if (!trimmed) { return null; }
    const start = bytesTo(text, range.startContainer, range.startOffset) + encoder.encode(words.slice(0, words.indexOf(trimmed))).length;
    const end = bytesTo(text, range.endContainer, range.endOffset) - encoder.encode(words.slice(words.indexOf(trimmed) + trimmed.length)).length;
    return { text: trimmed, note: text.closest("article").dataset.note, start, end };
  };

  cc.note = {
    select, nextEvidence, chosen, closeFind, bring,
    codes: () => codes,
    selected: () => selected,
  };

  // start reads the page anew.
  cc.onStart((fresh) => {
    codes = all(".codes-list > .code");
    marks = codes.map(() => []);
    lit = all("mark.on");
    all("mark.ev").forEach((m) => m.dataset.codes.split(" ").forEach((c) => { if (marks[Number(c)]) { marks[Number(c)].push(m); } }));
    steps = codes.map(() => []);
    all("span[id^=ev-]").forEach((anchor) => {
      const [, code, n] = anchor.id.split("-").map(Number);
      if (steps[code]) { steps[code][n] = markAt(anchor); }
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
  });
})();
