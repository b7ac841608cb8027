"use strict";

// Dialogs that search for a page or a reference and put a link to it, or a citation of it, where the caret stands.
for (const dialog of document.querySelectorAll("dialog[data-into]")) {
  const field = document.getElementById(dialog.dataset.into);
  const input = dialog.querySelector("[role=combobox]");
  const list = dialog.querySelector("[role=listbox]");
  const status = dialog.querySelector("[role=status]");
  let choices = [];
  let active = -1;
  let latest = 0;
  let waiting;

  const open = () => {
    const selected = field.value.slice(field.selectionStart, field.selectionEnd);
    input.value = selected.includes("\n") ? "" : selected.trim();
    show([]);
    dialog.showModal();
    input.select();
    search();
  };

  const search = async () => {
    const mine = ++latest;
    const asked = input.value.trim();
    if (!asked) return show([]);
    let found;
    try {
      const answer = await fetch(`${input.dataset.search}?${new URLSearchParams({q: asked})}`);
      if (!answer.ok || answer.redirected) throw new Error(answer.status);
      found = (await answer.json()).results;
    } catch {
      if (mine === latest) show([], dialog.dataset.failed);
      return;
    }
    if (mine === latest) show(found, found.length ? `${dialog.dataset.found} ${found.length}` : dialog.dataset.none);
  };

  const show = (found, words = "") => {
    choices = found;
    list.replaceChildren(...found.map((choice, place) => {
      const option = document.createElement("li");
      option.id = `${list.id}-${place}`;
      option.setAttribute("role", "option");
      const label = document.createElement("span");
      label.textContent = choice.label;
      const detail = document.createElement("span");
      detail.className = "quiet";
      detail.textContent = choice.detail;
      option.append(label, " ", detail);
      option.addEventListener("click", () => choose(place));
      return option;
    }));
    list.hidden = !found.length;
    input.setAttribute("aria-expanded", String(found.length > 0));
    status.textContent = words;
    point(found.length ? 0 : -1);
  };

  const point = (place) => {
    active = place;
    for (const [other, option] of [...list.children].entries()) {
      option.setAttribute("aria-selected", String(other === place));
    }
    if (place < 0) input.removeAttribute("aria-activedescendant");
    else input.setAttribute("aria-activedescendant", list.children[place].id);
    list.children[place]?.scrollIntoView({block: "nearest"});
  };

  // The caret is back in the text before the next key arrives: the event "close" would come too late for that.
  const leave = () => {
    dialog.close();
    field.focus();
  };

  const choose = (place) => {
    const {text, target} = choices[place];
    const selected = field.value.slice(field.selectionStart, field.selectionEnd);
    leave();
    if (target && selected.trim() && !/[[\]|\n]/.test(selected)) {
      insert(selected === target ? text : `[[${target}|${selected}]]`); // what was selected becomes the link's words
    } else {
      field.setSelectionRange(field.selectionEnd, field.selectionEnd);
      insert(text);
      if (!target) field.setSelectionRange(field.selectionEnd - 1, field.selectionEnd - 1); // for the page
    }
  };

  // As if it were typed, so that it can be undone.
  const insert = (text) => {
    if (document.execCommand("insertText", false, text)) return;
    field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", {bubbles: true}));
  };

  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(search, 150);
  });
  input.addEventListener("keydown", (event) => {
    const steps = {ArrowDown: 1, ArrowUp: -1};
    if (event.key in steps && choices.length) {
      event.preventDefault();
      point((active + steps[event.key] + choices.length) % choices.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (active >= 0) choose(active);
    }
  });
  dialog.querySelector("[data-closes]").addEventListener("click", leave);
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    leave();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest(`[data-opens="${dialog.id}"]`)) open();
  });
}
