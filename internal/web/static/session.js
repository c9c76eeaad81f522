// A session that ends does not lose what was decided: its user signs in again in
// place, and what was kept is sent.
"use strict";

(() => {
  const cc = window.chartcode;
  const { one, parse } = cc;

  const problem = (text) => {
    const box = one("#again-error");
    box.hidden = !text;
    box.textContent = text;
  };

  const ask = (kept) => {
    const dialog = one("#again");
    one("#again-kept").textContent = kept.replace(" when it is back", " when you have signed in") || "Sign in to go on where you are.";
    if (dialog.open) { return; }
    problem("");
    dialog.showModal();
    one("#again-password").focus();
  };

  // who gives the login of who is signed in in this browser, empty for nobody, or
  // null if the server does not answer.
  const who = async () => {
    try {
      const answer = await fetch("/session", { headers: { Accept: "application/json" } });
      if (new URL(answer.url).pathname === "/sign-in") { return ""; }
      return answer.ok ? (await answer.json()).login : null;
    } catch {
      return null;
    }
  };

  const goOn = async () => {
    const login = await who();
    if (login === document.body.dataset.login) {
      one("#again").close();
      one("#again-password").value = "";
      cc.live.again();
      cc.acts.resumed();
    } else if (login === "") {
      problem("Nobody is signed in in this browser yet.");
    } else if (login === null) {
      problem("The server does not answer. Try again in a moment.");
    } else {
      problem("Somebody else is signed in in this browser. What you decided is not sent under another name.");
    }
  };

  document.addEventListener("submit", async (e) => {
    if (e.target.id !== "again-form") { return; }
    e.preventDefault();
    problem("");
    try {
      const answer = await fetch("/sign-in", { method: "POST", body: new URLSearchParams(new FormData(e.target)), redirect: "manual", headers: { Accept: "text/html" } });
      if (answer.type !== "opaqueredirect") {
        const said = parse(await answer.text()).querySelector(".notice.bad");
        problem(said ? said.textContent : "Signing in did not work. Try again.");
        one("#again-password").select();
        return;
      }
    } catch {
      problem("The server does not answer. Try again in a moment.");
      return;
    }
    goOn();
  });

  document.addEventListener("click", (e) => { if (e.target.id === "again-try") { goOn(); } });
  document.addEventListener("cancel", (e) => { if (e.target.id === "again") { e.preventDefault(); } });

  cc.session = { ask, who };
})();
