"use strict";

// Dialogs that search for a page or reference and insert a link or citation at the caret.
for (const dialog of document.querySelectorAll("dialog[data-into]")) {
  const field = document.getElementById(dialog.dataset.into);
  const input = dialog.querySelector("[role=combobox]");
  const list = dialog.querySelector("[role=listbox]");
  const status = dialog.querySelector("[role=status]");
  let choices = [];
  let active = -1;
  let latestRequest = 0;
  let timer;

  const open = () => {
    const selected = field.value.slice(field.selectionStart, field.selectionEnd);
    input.value = selected.includes("\n") ? "" : selected.trim();
    show([]);
    dialog.showModal();
    input.select();
    search();
  };

  const search = async () => {
    const requestNumber = ++latestRequest;
    const query = input.value.trim();
    if (!query) return show([]);
    let results;
    try {
      const answer = await fetch(`${input.dataset.search}?${new URLSearchParams({q: query})}`);
      if (!answer.ok || answer.redirected) throw new Error(answer.status);
      results = (await answer.json()).results;
    } catch {
      if (requestNumber === latestRequest) show([], dialog.dataset.failed);
      return;
    }
    if (requestNumber === latestRequest) show(results, results.length ? `${dialog.dataset.found} ${results.length}` : dialog.dataset.none);
  };

  const show = (results, message = "") => {
    choices = results;
    list.replaceChildren(...results.map((choice, index) => {
      const option = document.createElement("li");
      option.id = `${list.id}-${index}`;
      option.setAttribute("role", "option");
      const label = document.createElement("span");
      label.textContent = choice.label;
      const detail = document.createElement("span");
      detail.className = "quiet";
      detail.textContent = choice.detail;
      option.append(label, " ", detail);
      option.addEventListener("click", () => choose(index));
      return option;
    }));
    list.hidden = !results.length;
    input.setAttribute("aria-expanded", String(results.length > 0));
    status.textContent = message;
    highlight(results.length ? 0 : -1);
  };

  const highlight = (index) => {
    active = index;
    for (const [other, option] of [...list.children].entries()) {
      option.setAttribute("aria-selected", String(other === index));
    }
    if (index < 0) input.removeAttribute("aria-activedescendant");
    else input.setAttribute("aria-activedescendant", list.children[index].id);
    list.children[index]?.scrollIntoView({block: "nearest"});
  };

  // Restores focus at once, before the next key press; the event "close" would come too late.
  const close = () => {
    dialog.close();
    field.focus();
  };

  const choose = (index) => {
    const {text, target} = choices[index];
    const selected = field.value.slice(field.selectionStart, field.selectionEnd);
    close();
    if (target && selected.trim() && !/[[\]|\n]/.test(selected)) {
      insert(selected === target ? text : `[[${target}|${selected}]]`); // the selection becomes the text of the link
    } else {
      field.setSelectionRange(field.selectionEnd, field.selectionEnd);
      insert(text);
      if (!target) field.setSelectionRange(field.selectionEnd - 1, field.selectionEnd - 1); // where the page number goes
    }
  };

  // Inserts like typing, so that it can be undone.
  const insert = (text) => {
    if (document.execCommand("insertText", false, text)) return;
    field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", {bubbles: true}));
  };

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, 150);
  });
  input.addEventListener("keydown", (event) => {
    const steps = {ArrowDown: 1, ArrowUp: -1};
    if (event.key in steps && choices.length) {
      event.preventDefault();
      highlight((active + steps[event.key] + choices.length) % choices.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (active >= 0) choose(active);
    }
  });
  dialog.querySelector("[data-closes-dialog]").addEventListener("click", close);
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest(`[data-opens-dialog="${dialog.id}"]`)) open();
  });
}
