// Acts on an item without a reload: the page's own forms are sent, and the page
// that comes back is shown. Each form has a key of its own, so that an act that is
// sent twice counts once: what the server did not answer is kept in memory and
// sent again until it does.
"use strict";

(() => {
  const cc = window.chartcode;
  const { one, all, say, parse } = cc;
  const { show, headers } = cc.page;

  const queue = [];    // acts that the server has not answered, in their order
  let busy = false;    // one is on its way
  let lost = false;    // the last one was not answered
  let ended = false;   // the session has ended
  let tries = 0;
  let timer = 0;
  let waiting = [];    // keys that were pressed meanwhile
  let behind = 0;      // the highest version of the item that was told of

  // told is what a screen reader is to hear of the page that came back.
  const told = () => {
    if (one("#problem")) { return ""; } // it is an alert and speaks for itself
    const message = one(".notice.good");
    const left = one("#left");
    return [message && message.innerText, left && left.innerText].filter(Boolean).join(". ");
  };

  // ---- the connection ----

  const banner = (text, retry) => {
    let box = one("#offline");
    if (!text) {
      if (box) { box.remove(); }
      return;
    }
    if (!box) {
      box = document.createElement("div");
      box.id = "offline";
      box.className = "notice bad";
      box.setAttribute("role", "alert");
      (one(".notices") || one("main")).prepend(box);
    }
    box.replaceChildren(document.createElement("span"));
    box.firstChild.textContent = text;
    if (retry) {
      const button = document.createElement("button");
      button.type = "button";
      button.id = "retry";
      button.textContent = "Try now";
      box.append(" ", button);
    }
  };

  const kept = () => (queue.length === 0 ? "" : queue.length === 1 ? "1 decision is kept here and is sent once when it is back." : `${queue.length} decisions are kept here and are sent once when it is back.`);

  const tellLost = () => banner(`The connection to the server is lost. ${kept() || "What you see may be out of date."}`, true);

  const lose = () => {
    lost = true;
    waiting = [];
    tellLost();
    window.clearTimeout(timer);
    timer = window.setTimeout(flush, Math.min(15000, 1000 * 2 ** Math.min(tries, 4)));
    tries++;
  };

  const back = () => {
    window.clearTimeout(timer);
    if (lost) { say("The connection is back."); }
    lost = false;
    tries = 0;
    banner("");
  };

  // ---- sending ----

  // pretend shows what a kept act will do, as far as that can be known.
  const pretend = (form, kind) => {
    const code = form.closest(".code");
    if (!code || !["accept", "reject"].includes(kind)) { return; }
    code.classList.remove("undecided", "accepted", "rejected");
    code.classList.add(kind === "accept" ? "accepted" : "rejected", "kept");
    code.removeAttribute("data-print"); // it is not as the server made it any more
    all(".kept-badge", code).forEach((el) => el.remove());
    const badge = document.createElement("span");
    badge.className = "badge warn kept-badge";
    badge.textContent = `${kind}ed, not sent yet`;
    one(".tags", code).append(badge);
    const undo = one('button[value="undo"]');
    if (undo) { undo.disabled = false; } // what is kept can be taken back
    const codes = cc.note.codes();
    const at = codes.indexOf(code);
    const open = codes.map((_, i) => (at + 1 + i) % codes.length).find((i) => codes[i].classList.contains("undecided"));
    if (open !== undefined) { cc.note.select(open, true); }
  };

  const send = (form, button) => {
    const body = new URLSearchParams(new FormData(form));
    if (button && button.name) { body.set(button.name, button.value); }
    const kind = body.get("kind");
    const act = { action: form.getAttribute("action"), body };
    if (busy) { return; }
    all("details.choose[open], details.menu[open]").forEach((d) => { if (d.contains(form)) { d.open = false; } });
    queue.push(act);
    form.querySelector("[name=key]").value = cc.newKey();
    if (lost || ended) {
      pretend(form, kind);
      if (ended) { cc.session.ask(kept()); } else { tellLost(); }
      return;
    }
    act.form = form;
    act.kind = kind;
    flush();
  };

  const flush = async () => {
    if (busy || queue.length === 0) { return; }
    busy = true;
    window.clearTimeout(timer);
    const item = one("#item");
    if (item) { item.setAttribute("aria-busy", "true"); }
    let page = null;
    let dropped = 0;
    try {
      while (queue.length > 0) {
        const act = queue[0];
        let answer;
        let text;
        try {
          answer = await fetch(act.action, { method: "POST", body: act.body, redirect: "follow", headers: headers(), signal: AbortSignal.timeout(30000) });
          if (answer.status >= 500) { throw new Error("the server failed"); }
          text = await answer.text();
        } catch {
          if (act.form && act.form.isConnected) { pretend(act.form, act.kind); }
          act.form = null;
          lose();
          return;
        }
        const at = new URL(answer.url);
        if (at.pathname === "/sign-in") {
          if (act.form && act.form.isConnected) { pretend(act.form, act.kind); }
          act.form = null;
          ended = true;
          waiting = [];
          cc.session.ask(kept());
          return;
        }
        queue.shift();
        const next = parse(text);
        if (!next.querySelector("main")) { throw new Error("no page"); }
        const there = next.querySelector("#item");
        page = { next, at, moved: answer.redirected };
        if (there === null || there.dataset.problem === "true") {
          dropped = queue.length;
          queue.length = 0;
        }
      }
    } finally {
      busy = false;
      const now = one("#item");
      if (now) { now.removeAttribute("aria-busy"); }
    }
    back();
    const refused = page.next.querySelector('#item[data-problem="true"]') !== null;
    const same = show(page.next);
    const path = page.at.pathname + page.at.search;
    if (!same) {
      behind = 0;
      waiting = [];
      window.history.pushState(null, "", path);
      shown = page.at.pathname;
      window.scrollTo(0, 0);
    } else if (page.moved) {
      window.history.replaceState(null, "", path);
      shown = page.at.pathname;
    }
    if (refused || dropped > 0) { waiting = []; }
    cc.start(true);
    say(told());
    if (dropped > 0) {
      banner(`${dropped === 1 ? "1 later decision was" : `${dropped} later decisions were`} not sent, since the item did not stand as it was when you made ${dropped === 1 ? "it" : "them"}.`, false);
    }
    if (same) { catchUp(); }
    while (!busy && waiting.length > 0) { cc.press(waiting.shift()); }
  };

  // ---- what others do ----

  let looking = false;

  // engaged reports whether the user is in the middle of something that a new page
  // would take away.
  const engaged = () => {
    const el = document.activeElement;
    return one("dialog[open]") !== null || one("details.menu[open], details.choose[open], details.change[open], details.details[open]") !== null ||
      (el !== null && el.matches("#item input, #item textarea, #item select") && !el.closest("#find"));
  };

  // refresh shows the item as it is now, with the same code selected.
  const refresh = async (force) => {
    const item = one("#item");
    if (!item || looking || busy || queue.length > 0 || (!force && engaged())) { return; }
    looking = true;
    const number = item.dataset.item;
    const version = item.dataset.version;
    try {
      const path = new URL(window.location.href);
      path.hash = "";
      ["finished", "held", "queried", "skipped", "sent"].forEach((name) => path.searchParams.delete(name));
      const had = headers();
      const answer = await fetch("/items/" + number + path.search, { headers: had });
      if (new URL(answer.url).pathname === "/sign-in" || answer.status >= 500) { return; }
      const next = parse(await answer.text());
      const now = one("#item");
      if (busy || queue.length > 0 || !now || now.dataset.item !== number || (!force && engaged())) { return; }
      const there = next.querySelector("#item");
      // An act that was answered meanwhile brought a later page than this one, or other
      // codes than those that this one leaves out.
      if (there && !force && Number(there.dataset.version) <= Number(now.dataset.version)) { return; }
      if (had["Chartcode-Codes"] !== headers()["Chartcode-Codes"]) { return; }
      const chosen = cc.note.codes()[cc.note.selected()];
      const focus = document.activeElement;
      const hadFocus = Boolean(chosen) && chosen.contains(focus);
      if (there && chosen) { // the selected code may stand elsewhere now
        const place = Array.from(there.querySelectorAll(".codes-list > .code")).findIndex((c) => c.dataset.code === chosen.dataset.code);
        if (place >= 0) { there.dataset.selected = String(place); }
      }
      show(next);
      cc.start(hadFocus);
      // Who reads the note goes on reading; what has gone leaves the focus at the code.
      if (!hadFocus && focus !== null && focus !== document.body && focus.isConnected) { focus.focus({ preventScroll: true }); }
      say("The item changed. " + told());
    } catch {
      // the stream of changes tells that the connection is lost, and when it is back
    } finally {
      looking = false;
    }
    // What came while this page was on its way is looked at by itself; a page that
    // could not be had is asked for again with the next change.
    if (item !== one("#item") || one("#item").dataset.version !== version) { catchUp(); }
  };

  const catchUp = () => {
    const item = one("#item");
    if (item && behind > Number(item.dataset.version)) { refresh(false); }
  };

  // changed is called with the version that the item has now.
  const changed = (version) => {
    behind = Math.max(behind, version);
    if (!busy) { catchUp(); }
  };

  // What was put off while somebody typed is made up for when they are done.
  document.addEventListener("focusout", () => { window.setTimeout(catchUp, 0); });
  document.addEventListener("toggle", () => { window.setTimeout(catchUp, 0); }, true);
  document.addEventListener("close", () => { window.setTimeout(catchUp, 0); }, true);

  window.addEventListener("online", () => { flush(); });
  window.addEventListener("beforeunload", (e) => { if (queue.length > 0) { e.preventDefault(); } });
  document.addEventListener("click", (e) => { if (e.target.id === "retry") { tries = 0; cc.live.again(); flush(); } });

  document.addEventListener("submit", (e) => {
    if (!e.target.matches("form[data-live]") || !one("#item")) { return; }
    e.preventDefault();
    send(e.target, e.submitter);
  });

  // A browser may show a page again as it was left, with keys that have been used.
  window.addEventListener("pageshow", (e) => {
    if (e.persisted) { all("input[name=key]").forEach((key) => { key.value = cc.newKey(); }); }
  });

  // Going back to a page that another has taken the place of; not to a place of this one.
  let shown = window.location.pathname;
  window.addEventListener("popstate", () => {
    if (window.location.pathname !== shown) { window.location.reload(); }
  });

  cc.acts = {
    refresh, changed, flush, banner,
    busy: () => busy,
    lost: () => lost || ended,
    later: (key) => { if (waiting.length < 20) { waiting.push(key); } },
    // resumed is called when the user has signed in again.
    resumed: () => {
      ended = false;
      if (queue.length > 0) { flush(); } else { refresh(true); }
    },
    // connection is told by the stream of changes.
    connection: (there) => {
      if (there) {
        if (queue.length > 0) { flush(); } else if (lost) { back(); }
      } else if (!lost && !ended) {
        lost = true;
        tellLost();
      }
    },
    ended: () => { ended = true; },
  };
})();
