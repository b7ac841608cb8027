"use strict";

const SEARCH = "[data-quotation-search]";
const FIELDS = [SEARCH, "[data-reason]", "[data-instead-of]"]; // inputs within the panel

// The panel of quotations beside an article's form: previews the quotations for the unsaved form, and sends an editor's
// choices at once. The form itself is never submitted or reloaded, so no unsaved text is lost.
for (const container of document.querySelectorAll("[data-quotation-panel]")) {
  const form = container.closest("form");
  const panel = container.querySelector(".quotation-panel-body");
  const status = container.querySelector("[role=status]");
  let outdated = false;
  let latestRequest = 0;
  let timer;

  const ask = async (choice = {}) => {
    const requestNumber = ++latestRequest;
    outdated = false;
    const data = new FormData(form);
    data.set("quotation_search", panel.querySelector(SEARCH).value);
    for (const [name, value] of Object.entries(choice)) data.set(name, value);
    panel.setAttribute("aria-busy", "true");
    let text;
    try {
      const answer = await fetch(container.dataset.quotationPanel, {method: "POST", body: data});
      text = await answer.text();
      if (!answer.ok && !text.includes("quotation-panel-words")) throw new Error(answer.status);
    } catch {
      panel.removeAttribute("aria-busy");
      if (requestNumber === latestRequest) say(container.dataset.failed);
      return;
    }
    if (requestNumber !== latestRequest) return; // superseded by a later request
    const focus = remember();
    const typed = FIELDS.map((field) => panel.querySelector(field)?.value);
    panel.innerHTML = text;
    panel.removeAttribute("aria-busy");
    const message = panel.querySelector(".quotation-panel-message");
    if (message) status.replaceChildren(...message.childNodes); // the live region
    else if (choice.action) status.replaceChildren();
    message?.remove();
    FIELDS.forEach((field, number) => fill(panel.querySelector(field), message && field !== SEARCH ? "" : typed[number]));
    restore(focus);
  };

  // Restores what was typed or chosen while the request was pending.
  const fill = (field, value) => {
    if (!field || !value) return;
    const before = field.value;
    field.value = value;
    if (field.value !== value) field.value = before; // the option no longer exists
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

  // The pressed button may be gone after the action; focus then moves to a similar one.
  const remember = () => {
    const active = document.activeElement;
    if (!panel.contains(active)) return null;
    return {search: active.matches(SEARCH), action: active.dataset.action, quote: active.dataset.quote};
  };
  const restore = (focus) => {
    if (!focus) return;
    const found = focus.search
      ? panel.querySelector(SEARCH)
      : panel.querySelector(`[data-quote="${focus.quote}"][data-action="${focus.action}"]`) ||
        panel.querySelector(`[data-quote="${focus.quote}"]`) ||
        panel.querySelector("button");
    found?.focus();
    if (focus.search) found.setSelectionRange(found.value.length, found.value.length);
  };

  panel.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-action]");
    if (!button) return;
    const choice = {action: button.dataset.action};
    if (button.dataset.quote) choice.quote = button.dataset.quote;
    if (button.dataset.word) choice.word = button.dataset.word;
    if (choice.action) choice.reason = panel.querySelector("[data-reason]")?.value ?? "";
    if (button.dataset.action === "swap") choice.instead_of = panel.querySelector("[data-instead-of]").value;
    ask(choice);
  });
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches(SEARCH)) {
      event.preventDefault(); // Enter would submit the form
      ask();
    }
  });
  const follow = () => {
    if (container.open && outdated) ask();
  };
  form.addEventListener("input", (event) => {
    if (panel.contains(event.target)) return;
    outdated = true;
    clearTimeout(timer);
    timer = setTimeout(follow, 600);
  });
  container.addEventListener("toggle", follow);
}
