// Pages that are open hear of what changes: an item of its own changes, the
// worklist of all. While somebody works, the claim on their item is renewed.
"use strict";

(() => {
  const cc = window.chartcode;
  const { one, all, parse } = cc;

  let source = null;
  let about = null;     // the item that the stream is about; "" for all
  let doubt = 0;        // the timer after which the connection counts as lost
  let active = Date.now();
  let renewed = Date.now();

  const IDLE = 10 * 60 * 1000; // without a touch the stream ends, so that it does not keep a session alive

  const stop = () => {
    if (source) { source.close(); }
    source = null;
    about = null;
    window.clearTimeout(doubt);
    doubt = 0;
  };

  const open = () => {
    if (!document.body.hasAttribute("data-live") || document.hidden) { return; }
    const item = one("#item");
    const want = item ? item.dataset.item : "";
    if (source && about === want && source.readyState !== EventSource.CLOSED) { return; }
    stop();
    about = want;
    source = new EventSource("/events" + (want ? "?item=" + want : ""));
    const mine = source;
    mine.addEventListener("open", () => {
      window.clearTimeout(doubt);
      doubt = 0;
      document.documentElement.dataset.live = "on";
      cc.acts.connection(true);
    });
    mine.addEventListener("error", async () => {
      if (mine !== source) { return; }
      document.documentElement.dataset.live = "off";
      if (!doubt) { doubt = window.setTimeout(() => { doubt = 0; cc.acts.connection(false); }, 3000); }
      if (mine.readyState !== EventSource.CLOSED) { return; } // the browser tries again by itself
      const login = await cc.session.who();
      if (mine !== source) { return; }
      if (login === "") {
        stop();
        if (one("#item")) {
          cc.acts.ended();
          cc.session.ask("");
        }
      } else {
        if (login === null) { cc.acts.connection(false); }
        window.setTimeout(() => { if (mine === source) { stop(); open(); } }, 2000);
      }
    });
    mine.addEventListener("change", (e) => {
      const change = JSON.parse(e.data);
      if (change.version) { cc.acts.changed(change.version); } else { later(); }
    });
  };

  // ---- the worklist ----

  let due = 0;
  let last = 0;

  // later shows the list anew soon, and not more often than every other second
  // however much goes on.
  const later = () => {
    if (due || !one("#items, .empty") || one("#item")) { return; }
    due = window.setTimeout(list, Math.max(200, last + 2000 - Date.now()));
  };

  const list = async () => {
    due = 0;
    last = Date.now();
    if (!document.body.classList.contains("page-worklist") || (document.activeElement && document.activeElement.matches("main input, main select")) || one("dialog[open]")) { return; }
    try {
      const answer = await fetch(window.location.pathname + window.location.search, { headers: { Accept: "text/html" } });
      if (!answer.ok || new URL(answer.url).pathname !== "/") { return; }
      const next = parse(await answer.text());
      const focus = document.activeElement && document.activeElement.matches("a.row") ? document.activeElement.getAttribute("href") : "";
      if (document.activeElement && document.activeElement.matches("main input, main select")) { return; }
      const top = one("#items") ? one("#items").scrollLeft : 0;
      const here = one("main");
      const there = next.querySelector("main");
      // Only what the list shows changes: filters that are being set stay.
      [".head", "nav[aria-label=States]"].forEach((part) => {
        const a = one(part, here);
        const b = one(part, there);
        if (a && b && !a.contains(document.activeElement)) { a.replaceWith(document.adoptNode(b)); }
      });
      const a = one("#items, main > .empty", here);
      const b = there.querySelector("#items, .card.empty");
      if (a && b) { a.replaceWith(document.adoptNode(b)); }
      if (one("#items")) { one("#items").scrollLeft = top; }
      if (focus) {
        const row = all("a.row").find((r) => r.getAttribute("href") === focus);
        if (row) { row.focus({ preventScroll: true }); }
      }
    } catch {
      // the stream tells when the connection is back
    }
  };

  // ---- the claim ----

  ["keydown", "pointerdown", "wheel"].forEach((name) => document.addEventListener(name, () => {
    active = Date.now();
    if (!source) { open(); }
  }, { capture: true, passive: true }));

  window.setInterval(async () => {
    if (source && Date.now() - active > IDLE) { stop(); return; }
    const item = one("#item");
    const every = item ? Number(item.dataset.renew) * 1000 : 0;
    if (!every || active < renewed || Date.now() - renewed < every) { return; }
    renewed = Date.now();
    try {
      const answer = await fetch("/items/" + item.dataset.item + "/renew", { method: "POST", headers: cc.page.headers() });
      if (answer.status === 409) { cc.acts.refresh(false); }
    } catch {
      // the stream tells that the connection is lost
    }
  }, 1000);

  document.addEventListener("visibilitychange", () => { if (document.hidden) { stop(); } else { open(); } });
  window.addEventListener("pagehide", stop);

  cc.live = { again: () => { stop(); open(); } };

  cc.onStart(open);
})();
