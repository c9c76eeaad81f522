// Fields in which a code is typed offer codes: those that fit what is typed, and
// before anything is typed the family of the code that is to be changed. What is
// typed or selected goes in the body of a request, never in an address.
"use strict";

(() => {
  const cc = window.chartcode;
  const { one, all, say } = cc;

  let field = null;    // the field that offers
  let list = null;     // what it offers
  let options = [];
  let at = -1;
  let asked = null;
  let pause = 0;
  let next = false;    // Enter was pressed before the answer came

  const close = () => {
    if (!field) { return; }
    if (asked) { asked.abort(); }
    window.clearTimeout(pause);
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
    list.remove();
    field = null;
    list = null;
    options = [];
    at = -1;
    next = false;
  };

  const systemOf = (form) => form.querySelector("[name=system]").value;

  const request = async (fill) => {
    const mine = field;
    if (asked) { asked.abort(); }
    asked = new AbortController();
    const signal = asked.signal;
    const body = new URLSearchParams({ system: systemOf(mine.form), date: one("#item").dataset.date === "0001-01-01" ? "" : one("#item").dataset.date, ...fill });
    try {
      const answer = await fetch("/codes/find", { method: "POST", body, signal, headers: { Accept: "application/json" } });
      if (!answer.ok || field !== mine || signal.aborted) { return; }
      offer(await answer.json(), Boolean(fill.q));
    } catch {
      // nothing is offered; what is typed can still be sent
    }
  };

  const offer = (found, searched) => {
    if (!field) { return; }
    list.replaceChildren();
    options = [];
    found.groups.forEach((group) => {
      let into = list;
      if (group.name) {
        const box = document.createElement("div");
        box.setAttribute("role", "group");
        box.setAttribute("aria-label", group.name);
        const head = document.createElement("div");
        head.className = "offer-head";
        head.setAttribute("aria-hidden", "true");
        head.textContent = group.name;
        box.append(head);
        list.append(box);
        into = box;
      }
      group.codes.forEach((c) => {
        const el = document.createElement("div");
        el.setAttribute("role", "option");
        el.setAttribute("aria-selected", "false");
        el.id = "offer-" + options.length;
        el.dataset.code = c.code;
        if (!c.billable) { el.dataset.header = "true"; }
        const id = document.createElement("span");
        id.className = "id";
        id.textContent = c.code;
        const title = document.createElement("span");
        title.className = "title";
        title.textContent = c.title;
        el.append(id, " ", title);
        if (!c.billable) {
          const badge = document.createElement("span");
          badge.className = "badge";
          badge.textContent = c.under ? `${c.under} below` : "header";
          el.append(" ", badge);
        }
        if (c.hint) {
          const hint = document.createElement("span");
          hint.className = "soft small hint";
          hint.textContent = c.hint;
          el.append(" ", hint);
        }
        into.append(el);
        options.push(el);
      });
    });
    at = -1;
    field.removeAttribute("aria-activedescendant");
    field.setAttribute("aria-expanded", String(options.length > 0));
    list.hidden = options.length === 0;
    list.dataset.query = field.value;
    if (!list.hidden) { list.scrollIntoView({ block: "nearest" }); }
    if (searched || options.length > 0) { say(options.length === 0 ? "No code fits" : `${options.length} codes, arrow down to choose`); }
    if (next) {
      next = false;
      move(1);
    }
  };

  const open = (input) => {
    if (field === input) { return; }
    close();
    if (!one("#item").hasAttribute("data-lookup")) { return; }
    field = input;
    list = document.createElement("div");
    list.className = "offers";
    list.id = "offers";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Codes");
    list.hidden = true;
    input.form.append(list);
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", "offers");
    input.setAttribute("aria-expanded", "false");
    const words = cc.note.chosen();
    if (words && input.form.querySelector("[name=evidence_end]")) {
      evidence(input.form, words);
      if (!input.dataset.family) {
        input.value = words.text.slice(0, 200).replace(/\s+/g, " ");
        input.select();
      }
    }
    if (input.dataset.family && !input.hasAttribute("aria-invalid")) { request({ family: input.dataset.family }); } else { request({ q: input.value }); }
  };

  // evidence enters the words that were selected, and shows them.
  const evidence = (form, words) => {
    form.querySelector("[name=evidence_note]").value = words ? words.note : "";
    form.querySelector("[name=evidence_start]").value = words ? words.start : "";
    form.querySelector("[name=evidence_end]").value = words ? words.end : "";
    all(".from-note", form).forEach((el) => el.remove());
    if (!words) { return; }
    const p = document.createElement("p");
    p.className = "small from-note";
    const quote = document.createElement("q");
    quote.textContent = words.text.length > 120 ? words.text.slice(0, 117) + "…" : words.text;
    const drop = document.createElement("button");
    drop.type = "button";
    drop.className = "plain";
    drop.textContent = "Leave it out";
    drop.addEventListener("click", () => evidence(form, null));
    p.append("Evidence: ", quote, " ", drop);
    form.append(p);
  };

  const move = (step) => {
    if (options.length === 0) { return; }
    if (at >= 0) { options[at].setAttribute("aria-selected", "false"); }
    at = at < 0 ? (step > 0 ? 0 : options.length - 1) : (at + step + options.length) % options.length;
    options[at].setAttribute("aria-selected", "true");
    field.setAttribute("aria-activedescendant", options[at].id);
    const top = options[at].offsetTop;
    if (top < list.scrollTop || top + options[at].offsetHeight > list.scrollTop + list.clientHeight) {
      list.scrollTop = top - list.clientHeight / 2;
    }
  };

  const take = (option) => {
    if (option.dataset.header) { // further down
      field.value = option.dataset.code;
      request({ family: option.dataset.code });
      return;
    }
    const input = field;
    input.value = option.dataset.code;
    close();
    input.form.requestSubmit(one("button[name=kind]", input.form));
  };

  document.addEventListener("focusin", (e) => {
    if (e.target.matches("input[data-pick]")) { open(e.target); } else if (field && !field.form.contains(e.target)) { close(); }
  });
  document.addEventListener("input", (e) => {
    if (e.target.matches("#add-system")) { close(); return; }
    if (!e.target.matches("input[data-pick]")) { return; }
    open(e.target);
    window.clearTimeout(pause);
    pause = window.setTimeout(() => { if (field) { request({ q: field.value }); } }, 120);
  });
  document.addEventListener("pointerdown", (e) => {
    const option = e.target.closest(".offers [role=option]");
    if (option) {
      e.preventDefault();
      take(option);
    }
  });

  // likeCode reports whether something typed is meant as a code, not as words.
  const likeCode = (text) => /^\s*[a-z][0-9][0-9a-z.\s]*$/i.test(text) || /^\s*[0-9][0-9a-z]{4,6}\s*$/i.test(text);

  document.addEventListener("keydown", (e) => {
    if (!field || e.target !== field || e.isComposing) { return; }
    switch (e.key) {
      case "ArrowDown": move(1); break;
      case "ArrowUp": move(-1); break;
      case "Enter":
        if (at >= 0) {
          take(options[at]);
        } else if (!likeCode(field.value)) { // words: the first Enter chooses, the second takes
          if (list.dataset.query === field.value) { move(1); } else { next = true; }
        } else {
          return; // the form is sent as it is
        }
        break;
      case "Escape":
        if (list.hidden) { return; }
        list.hidden = true;
        options = [];
        at = -1;
        field.setAttribute("aria-expanded", "false");
        field.removeAttribute("aria-activedescendant");
        break;
      default: return;
    }
    e.preventDefault();
    e.stopPropagation();
  });

  // ---- what is known of the selected code ----

  const known = new Map();
  document.addEventListener("chartcode:selected", async (e) => {
    const code = e.detail;
    const item = one("#item");
    const line = one(".known", code);
    if (!line || !item.hasAttribute("data-lookup")) { return; }
    const [system, name] = code.dataset.code.split(" ");
    const key = code.dataset.code + " " + item.dataset.date;
    if (!known.has(key)) {
      known.set(key, fetch("/codes/find", { method: "POST", headers: { Accept: "application/json" },
        body: new URLSearchParams({ system, family: name, date: item.dataset.date === "0001-01-01" ? "" : item.dataset.date }) })
        .then((answer) => (answer.ok ? answer.json() : null)).catch(() => { known.delete(key); return null; }));
    }
    const found = await known.get(key);
    if (!found || !line.isConnected) { return; }
    const parts = [];
    if (found.hcc && found.hcc.length > 0) { parts.push("HCC " + found.hcc.join(", ")); }
    if (found.poa_exempt) { parts.push("exempt from present on admission"); }
    if (found.place) { parts.push("in " + found.place); }
    line.textContent = parts.join(" · ");
    line.hidden = parts.length === 0;
  });

  // Query templates fill the field.
  document.addEventListener("change", (e) => {
    if (e.target.id !== "query-template") { return; }
    const text = e.target.selectedOptions[0].dataset.text;
    const words = cc.note.chosen();
    one("#query-text").value = words ? text.replace(/\[[^\]]*\]/, words.text.slice(0, 300)) : text;
  });
  document.addEventListener("toggle", (e) => {
    if (e.target.id !== "aside-query" || !e.target.open || one("#query-text").value) { return; }
    one("#query-template").dispatchEvent(new Event("change", { bubbles: true }));
  }, true);

  cc.picker = { close };
  cc.onStart(close);
})();
