"use strict";

// Dialogs that search for a page or reference and insert a link or citation at the caret.
for (const dialog of document.querySelectorAll("dialog[data-into]")) {
  const field = document.getElementById(dialog.dataset.into);
  const input = dialog.querySelector("[role=combobox]");
  const list = dialog.querySelector("[role=listbox]");
  const status = dialog.querySelector("[role=status]");

  const open = () => {
    const selected = field.value.slice(field.selectionStart, field.selectionEnd);
    input.value = selected.includes("\n") ? "" : selected.trim();
    status.textContent = "";
    suggestions.close();
    dialog.showModal();
    input.select();
    suggestions.search();
  };

  const find = async (isLatest) => {
    const query = input.value.trim();
    let results = [];
    let message = "";
    if (query) {
      try {
        const answer = await fetch(`${input.dataset.search}?${new URLSearchParams({q: query})}`);
        if (!answer.ok || answer.redirected) throw new Error(answer.status);
        ({results} = await answer.json());
        message = results.length ? `${dialog.dataset.found} ${results.length}` : dialog.dataset.none;
      } catch {
        message = dialog.dataset.failed;
      }
    }
    if (isLatest()) status.textContent = message;
    return results;
  };

  const render = ({label, detail}) => {
    const quiet = document.createElement("span");
    quiet.className = "quiet";
    quiet.textContent = detail;
    return [label, " ", quiet];
  };

  // Restores focus at once, before the next key press; the event "close" would come too late.
  const close = () => {
    dialog.close();
    field.focus();
  };

  const choose = ({text, target}) => {
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

  const insert = (text) => insertText(field, text);

  const suggestions = combobox(input, list, {delay: 150, find, render, take: choose, selectsFirst: true});
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault(); // the form is not sent from here
  });
  dialog.querySelector("[data-closes-dialog]").addEventListener("click", close);
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
  if (dialog.id === "insert-citation") {
    document.getElementById("add-reference").addEventListener("record-added", ({detail}) => choose({text: detail.text}));
  }
  document.addEventListener("click", (event) => {
    if (event.target.closest(`[data-opens-dialog="${dialog.id}"]`)) open();
  });
}
