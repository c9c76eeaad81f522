// A page that comes back is shown in place of the present one. Of the same item only
// what changed is replaced: the notes stay where they are, and so do the codes that
// are as they were, which the server then does not send again. In a long item that
// is nearly everything.
"use strict";

(() => {
  const cc = window.chartcode;
  const { one, all } = cc;

  const swap = (next, selector) => {
    const here = one(selector);
    const there = next.querySelector(selector);
    if (here && there) { here.replaceWith(document.adoptNode(there)); }
  };

  // shown are the codes on the page by their prints. Each has another one: it tells
  // the code, its place and all that the page says of it.
  const shown = () => new Map(all(".codes-list > .code[data-print]").map((code) => [code.dataset.print, code]));

  // codeOf is the element for a code of the next page: its own, or the one that is
  // here where it was left out.
  const codeOf = (li, here) => {
    if (!li.hasAttribute("data-kept")) { return document.adoptNode(li); }
    const code = here.get(li.dataset.print);
    if (!code) { window.location.reload(); } // cannot be: it is sent only to who has it
    return code || li;
  };

  // parts are the children of the codes' pane by what they are.
  const parts = (pane) => new Map(Array.from(pane.children, (el) => [el.id || el.className || el.localName, el]));

  // showCodes replaces what differs of the codes' pane.
  const showCodes = (next) => {
    const here = parts(one("#codes"));
    const there = parts(next.querySelector("#codes"));
    const list = here.get("codes-list");
    if (!list || Array.from(here.keys()).join() !== Array.from(there.keys()).join()) {
      fill(next);
      swap(next, "#codes");
      return;
    }
    const codes = shown();
    const coming = Array.from(there.get("codes-list").children).map((li) => codeOf(li, codes));
    const stay = new Set(coming);
    Array.from(list.children).forEach((li) => { if (!stay.has(li)) { li.remove(); } });
    coming.forEach((li, i) => { if (list.children[i] !== li) { list.insertBefore(li, list.children[i] || null); } });
    here.forEach((el, name) => { if (el !== list) { el.replaceWith(document.adoptNode(there.get(name))); } });
  };

  // fill puts the codes that were left out into the next page.
  const fill = (next) => {
    const codes = shown();
    all(".code[data-kept]", next).forEach((li) => li.replaceWith(codeOf(li, codes)));
  };

  // show puts a page in place of the present one, and tells whether it is of the same
  // item.
  const show = (next) => {
    const item = one("#item");
    const there = next.querySelector("#item");
    const same = item !== null && there !== null && item.dataset.item === there.dataset.item;
    document.title = next.title;
    document.body.className = next.body.className;
    const scrolled = same ? { notes: one("#notes").scrollTop, codes: one("#codes").scrollTop } : null;
    if (same && one("#notes").dataset.print === next.querySelector("#notes").dataset.print) {
      Object.keys(item.dataset).forEach((name) => { delete item.dataset[name]; });
      Object.assign(item.dataset, there.dataset);
      ["#item > .head", ".notices"].forEach((part) => swap(next, part));
      showCodes(next);
    } else {
      fill(next);
      ["header.bar", "main", "footer"].forEach((part) => swap(next, part));
    }
    if (item === null || there === null) { swap(next, "#keys"); }
    if (scrolled) {
      one("#notes").scrollTop = scrolled.notes;
      one("#codes").scrollTop = scrolled.codes;
    }
    return same;
  };

  // headers say for whom the page is and what it has.
  const headers = () => {
    const notes = one("#notes");
    const h = { Accept: "text/html", "Chartcode-Login": document.body.dataset.login || "" };
    if (notes) {
      h["Chartcode-Have"] = notes.dataset.print;
      h["Chartcode-Codes"] = Array.from(shown().keys()).join(" ");
    }
    return h;
  };

  cc.page = { show, headers };
})();
