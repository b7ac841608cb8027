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
  // The admin's own script has focused the first field; errors take precedence.
  document.querySelector(".conflict h2, .error-summary")?.focus();
});
