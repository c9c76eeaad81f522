// Codes are put in another order by dragging, as they are by keys and buttons.
"use strict";

(() => {
  const cc = window.chartcode;
  const { one, all } = cc;
  let dragged = null;

  const drop = () => { all(".code.drop-before, .code.drop-after").forEach((c) => c.classList.remove("drop-before", "drop-after")); };

  document.addEventListener("dragstart", (e) => {
    const grip = e.target instanceof Element && e.target.closest(".code .line[draggable]");
    if (!grip) { return; }
    dragged = grip.closest(".code");
    e.dataTransfer.effectAllowed = "move";
    e.dataTransfer.setData("text/plain", dragged.dataset.code);
    dragged.classList.add("dragged");
  });
  document.addEventListener("dragover", (e) => {
    const over = dragged && e.target.closest(".code");
    if (!over) { return; }
    e.preventDefault();
    drop();
    const box = over.getBoundingClientRect();
    over.classList.add(e.clientY < box.top + box.height / 2 ? "drop-before" : "drop-after");
  });
  document.addEventListener("drop", (e) => {
    const over = dragged && e.target.closest(".code");
    if (!over) { return; }
    e.preventDefault();
    const from = Number(dragged.dataset.index);
    let to = Number(over.dataset.index) + (over.classList.contains("drop-after") ? 1 : 0);
    if (to > from) { to--; }
    const form = one("#order");
    if (to !== from && form) {
      const place = document.createElement("button");
      place.name = "move";
      place.value = `${from}:${to}`;
      place.hidden = true;
      form.append(place);
      form.requestSubmit(place);
      place.remove();
    }
  });
  document.addEventListener("dragend", () => {
    drop();
    if (dragged) { dragged.classList.remove("dragged"); }
    dragged = null;
  });

  cc.onStart(() => {
    const may = one("#order") !== null;
    all(".codes-list > .code > .line").forEach((line) => { if (may && !line.draggable) { line.draggable = true; } });
  });
})();
