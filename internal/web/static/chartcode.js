// Adds keys and live highlighting to pages that also work without it.
"use strict";

(() => {
  const list = document.querySelector(".codes-list");
  const codes = list ? Array.from(list.querySelectorAll(".code")) : [];
  let selected = -1;
  let evidence = -1;

  document.querySelectorAll(".needs-script").forEach((el) => { el.hidden = false; });

  const marksOf = (index) => Array.from(document.querySelectorAll("mark.ev")).filter(
    (m) => m.dataset.codes.split(" ").includes(String(index)));

  const reveal = (el) => { if (el) { el.scrollIntoView({ block: "center", behavior: "auto" }); } };

  const select = (i, focus) => {
    if (i < 0 || i >= codes.length) { return; }
    if (selected >= 0) {
      codes[selected].classList.remove("selected");
      codes[selected].removeAttribute("aria-current");
      marksOf(codes[selected].dataset.index).forEach((m) => m.classList.remove("on"));
    }
    selected = i;
    evidence = 0;
    const code = codes[i];
    code.classList.add("selected");
    code.setAttribute("aria-current", "true");
    const marks = marksOf(code.dataset.index);
    marks.forEach((m) => m.classList.add("on"));
    if (focus) { code.focus({ preventScroll: true }); }
    code.scrollIntoView({ block: "nearest" });
    reveal(marks[0]);
  };

  const nextEvidence = () => {
    if (selected < 0) { return; }
    const marks = marksOf(codes[selected].dataset.index);
    if (marks.length === 0) { return; }
    evidence = (evidence + 1) % marks.length;
    reveal(marks[evidence]);
  };

  const press = (button) => {
    if (button && !button.disabled) { button.click(); return true; }
    return false;
  };

  const sheet = document.getElementById("keys");
  document.querySelectorAll("[data-sheet]").forEach((b) => b.addEventListener("click", () => sheet.showModal()));

  codes.forEach((code, i) => {
    code.addEventListener("click", (e) => { if (!e.target.closest("button, a, input")) { select(i, true); } });
    code.addEventListener("focusin", () => { if (selected !== i) { select(i, false); } });
  });
  document.querySelectorAll("mark.ev").forEach((m) => m.addEventListener("click", () => {
    const all = m.dataset.codes.split(" ");
    const at = all.indexOf(selected >= 0 ? codes[selected].dataset.index : "");
    const want = all[(at + 1) % all.length];
    select(codes.findIndex((c) => c.dataset.index === want), true);
  }));

  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented) { return; }
    if (e.target.closest("input, select, textarea") || (sheet && sheet.open)) { return; }
    let done = true;
    switch (e.key) {
      case "j": case "ArrowDown":
        if (e.key === "ArrowDown" && e.target.closest(".note-text, .notes")) { return; }
        select(Math.min(selected + 1, codes.length - 1), true); break;
      case "k": case "ArrowUp":
        if (e.key === "ArrowUp" && e.target.closest(".note-text, .notes")) { return; }
        select(Math.max(selected - 1, 0), true); break;
      case "e": nextEvidence(); break;
      case "w": window.location.assign("/"); break;
      case "a": case "r":
        done = selected >= 0 && press(codes[selected].querySelector(`[data-act="${e.key}"]`)); break;
      default: {
        const button = Array.from(document.querySelectorAll("[data-key]")).find((b) => b.dataset.key === e.key);
        done = press(button);
      }
    }
    if (done) { e.preventDefault(); }
  });

  if (codes.length > 0) {
    const fromHash = codes.findIndex((c) => "#" + c.id === window.location.hash);
    const undecided = codes.findIndex((c) => c.classList.contains("undecided"));
    select(fromHash >= 0 ? fromHash : Math.max(undecided, 0), true);
  }
})();
