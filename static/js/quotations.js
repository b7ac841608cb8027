"use strict";

const SEARCH = "[data-quotation-search]";
const FIELDS = [SEARCH, "[data-reason]", "[data-instead-of]"]; // of the panel, filled in by somebody

// The panel of quotations beside an article's form: shows what the page would show with the form as it stands, and
// sends an editor's choices at once. The form itself is never submitted or reloaded, so no unsaved text is lost.
for (const desk of document.querySelectorAll("[data-quotation-desk]")) {
  const form = desk.closest("form");
  const panel = desk.querySelector(".desk-panel");
  const status = desk.querySelector("[role=status]");
  let behind = false;
  let latest = 0;
  let waiting;

  const ask = async (choice = {}) => {
    const mine = ++latest;
    behind = false;
    const data = new FormData(form);
    data.set("quotation_search", panel.querySelector(SEARCH).value);
    for (const [name, value] of Object.entries(choice)) data.set(name, value);
    panel.setAttribute("aria-busy", "true");
    let text;
    try {
      const answer = await fetch(desk.dataset.quotationDesk, {method: "POST", body: data});
      text = await answer.text();
      if (!answer.ok && !text.includes("desk-words")) throw new Error(answer.status);
    } catch {
      panel.removeAttribute("aria-busy");
      if (mine === latest) say(desk.dataset.failed);
      return;
    }
    if (mine !== latest) return; // a later question has been asked meanwhile
    const focus = remember();
    const typed = FIELDS.map((field) => panel.querySelector(field)?.value);
    panel.innerHTML = text;
    panel.removeAttribute("aria-busy");
    const said = panel.querySelector(".desk-said");
    if (said) status.replaceChildren(...said.childNodes); // where it is read out
    else if (choice.action) status.replaceChildren();
    said?.remove();
    FIELDS.forEach((field, number) => fill(panel.querySelector(field), said && field !== SEARCH ? "" : typed[number]));
    restore(focus);
  };

  // What somebody has typed or chosen since the question was sent.
  const fill = (field, value) => {
    if (!field || !value) return;
    const before = field.value;
    field.value = value;
    if (field.value !== value) field.value = before; // it is no choice any more
  };

  const say = (words) => {
    let place = panel.querySelector(".errornote");
    if (!place) {
      place = document.createElement("p");
      place.className = "errornote";
      place.setAttribute("role", "alert");
      panel.prepend(place);
    }
    place.textContent = words;
  };

  // The button that was pressed may be gone with what it did; the focus then goes to the first of its kind.
  const remember = () => {
    const active = document.activeElement;
    if (!panel.contains(active)) return null;
    return {search: active.matches(SEARCH), act: active.dataset.act, quote: active.dataset.quote};
  };
  const restore = (focus) => {
    if (!focus) return;
    const found = focus.search
      ? panel.querySelector(SEARCH)
      : panel.querySelector(`[data-quote="${focus.quote}"][data-act="${focus.act}"]`) ||
        panel.querySelector(`[data-quote="${focus.quote}"]`) ||
        panel.querySelector("button");
    found?.focus();
    if (focus.search) found.setSelectionRange(found.value.length, found.value.length);
  };

  panel.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-act]");
    if (!button) return;
    const choice = {action: button.dataset.act};
    if (button.dataset.quote) choice.quote = button.dataset.quote;
    if (button.dataset.word) choice.word = button.dataset.word;
    if (choice.action) choice.reason = panel.querySelector("[data-reason]")?.value ?? "";
    if (button.dataset.act === "swap") choice.instead_of = panel.querySelector("[data-instead-of]").value;
    ask(choice);
  });
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches(SEARCH)) {
      event.preventDefault(); // Enter would send the form
      ask();
    }
  });
  const follow = () => {
    if (desk.open && behind) ask();
  };
  form.addEventListener("input", (event) => {
    if (panel.contains(event.target)) return;
    behind = true;
    clearTimeout(waiting);
    waiting = setTimeout(follow, 600);
  });
  desk.addEventListener("toggle", follow);
}
