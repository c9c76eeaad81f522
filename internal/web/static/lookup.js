// The page on which codes are searched for shows what fits while one types.
"use strict";

(() => {
  const cc = window.chartcode;
  const { one, all, say, parse } = cc;

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
      const next = parse(await answer.text());
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
        cc.acts.banner("The server did not answer. Type on, or search again, when it is back.", false);
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

  cc.lookKey = lookKey;

  cc.onStart(() => {
    const q = one("#look #q");
    if (q && (q === document.activeElement || document.activeElement === document.body)) { // who types goes on at the end
      q.focus();
      q.setSelectionRange(q.value.length, q.value.length);
    }
  });
})();
