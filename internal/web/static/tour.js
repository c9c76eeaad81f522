// Five steps that show how a note is coded. They are offered once and can be
// left at any time; that they were offered is all that is kept.
"use strict";

(() => {
  const cc = window.chartcode;
  const { one, all, setting } = cc;
  const SEEN = "chartcode-tour";

  const steps = [
    ["Take the next item", "Press n on the worklist: the next encounter opens and is yours while you work on it. Filters and their order say what comes next.", ".head form[action^='/next'] button"],
    ["See why a code is suggested", "The note stands on the left, the codes on the right. j and k go from code to code; the words that support the selected one stand out, e goes through them.", "#notes"],
    ["Decide with one key", "a accepts, r rejects and asks why, m changes to a more specific code, c adds one: select words in the note first and they become its evidence. A accepts all that are sure.", "#codes"],
    ["Take it back at any time", "u undoes, y does it again, without limit. Whatever you do is kept in the item's timeline; nothing is lost when the connection or your session ends.", "#item > .head .acts"],
    ["Finish and go on", "f finishes and opens the next item. x sets one aside: hold it, skip it, give it to somebody, or query a clinician. ? shows all keys.", "#item > .head .primary"],
  ];
  let at = 0;

  const show = () => {
    const [title, text, where] = steps[at];
    one("#tour-step").textContent = `Step ${at + 1} of ${steps.length}`;
    one("#tour-title").textContent = title;
    one("#tour-text").textContent = text;
    one("#tour-next").textContent = at === steps.length - 1 ? "Done" : "Next";
    one("#tour-back").disabled = at === 0;
    all(".toured").forEach((el) => el.classList.remove("toured"));
    const el = one(where);
    if (el) { el.classList.add("toured"); }
  };

  const seen = () => {
    setting(SEEN, "1");
    const offer = one("#tour-offer");
    if (offer) { offer.hidden = true; }
  };

  const take = () => {
    at = 0;
    seen();
    show();
    one("#tour").showModal();
    one("#tour-next").focus();
  };

  document.addEventListener("click", (e) => {
    switch (e.target.id) {
      case "tour-again": one("#keys").close(); take(); break;
      case "tour-take": take(); break;
      case "tour-skip": seen(); one("main").focus(); break;
      case "tour-back": at--; show(); break;
      case "tour-next":
        if (at === steps.length - 1) { one("#tour").close(); break; }
        at++;
        show();
        break;
    }
  });
  document.addEventListener("close", (e) => {
    if (e.target.id === "tour") { all(".toured").forEach((el) => el.classList.remove("toured")); }
  }, true);

  cc.onStart(() => {
    const offer = one("#tour-offer");
    if (offer) { offer.hidden = setting(SEEN) === "1"; }
  });
})();
