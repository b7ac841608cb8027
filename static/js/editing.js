"use strict";

// Updates the word count below a text during typing. `word_count` in articles/admin.py counts the same way.
function countWords() {
  for (const output of document.querySelectorAll("output[data-counts]")) {
    const text = document.getElementById(output.dataset.counts);
    if (!text) continue;
    const words = /[\p{L}\p{N}_][\p{L}\p{N}_'’-]*/gu;
    text.addEventListener("input", () => {
      const count = (text.value.replace(/\[@[^[\]\n]*\]/g, " ").match(words) || []).length;
      output.textContent = output.textContent.replace(/\d+/, count);
    });
  }
}

// Returns the letter that is pressed with Ctrl, or with Command, on a keyboard of any alphabet.
function shortcut(event) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return "";
  return /^[a-z]$/i.test(event.key) ? event.key.toLowerCase() : event.code.replace(/^Key/, "").toLowerCase();
}

// Ctrl+S saves the draft, and the page that follows has the caret where it was.
document.addEventListener("keydown", (event) => {
  const button = document.querySelector(".submit-row [name=_continue]");
  if (shortcut(event) !== "s" || !button) return;
  event.preventDefault();
  if (document.querySelector("dialog[open]")) return;
  const {id, selectionStart, selectionEnd} = document.activeElement;
  if (typeof selectionStart === "number") {
    try {
      sessionStorage.setItem("caret", JSON.stringify({id, selectionStart, selectionEnd}));
    } catch {
      // storage is forbidden
    }
  }
  button.form.requestSubmit(button);
});

function putCaretBack() {
  try {
    const caret = JSON.parse(sessionStorage.getItem("caret"));
    sessionStorage.removeItem("caret");
    const field = caret && document.getElementById(caret.id);
    if (!field?.form?.querySelector("[name=_continue]")) return;
    field.focus();
    field.setSelectionRange(caret.selectionStart, caret.selectionEnd);
  } catch {
    // storage is forbidden
  }
}

// Select2 leaves the box that shows the choice without an accessible name.
function nameSearchableSelects() {
  for (const select of document.querySelectorAll("select.admin-autocomplete[title]")) {
    document.getElementById(`select2-${select.id}-container`)?.setAttribute("aria-label", select.title);
  }
}
document.addEventListener("formset:added", () => setTimeout(nameSearchableSelects));

window.addEventListener("load", () => {
  countWords();
  django.jQuery(nameSearchableSelects); // queued after the script that creates them
  putCaretBack();
  // The admin's own script has focused the first field; errors take precedence.
  document.querySelector(".conflict h2, .error-summary")?.focus();
});
