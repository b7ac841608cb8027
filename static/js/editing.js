"use strict";

// Keeps the count of words below a text true while somebody types. `word_count` in articles/admin.py counts the same.
function countWords() {
  for (const output of document.querySelectorAll("output[data-counts]")) {
    const text = document.getElementById(output.dataset.counts);
    if (!text) continue;
    const words = /[\p{L}\p{N}_][\p{L}\p{N}_'’-]*/gu;
    text.addEventListener("input", () => {
      const count = (text.value.replace(/\[@[^\]]*\]/g, " ").match(words) || []).length;
      output.textContent = output.textContent.replace(/\d+/, count);
    });
  }
}

// The script that makes selects searchable leaves the box that shows the choice without a name.
function nameSearchableSelects() {
  for (const select of document.querySelectorAll("select.admin-autocomplete[title]")) {
    document.getElementById(`select2-${select.id}-container`)?.setAttribute("aria-label", select.title);
  }
}
document.addEventListener("formset:added", () => setTimeout(nameSearchableSelects));

window.addEventListener("load", () => {
  countWords();
  django.jQuery(nameSearchableSelects); // in its queue, behind the script that makes them
  // The admin's own script has put the focus into the first field: what was refused comes first.
  document.querySelector(".conflict h2, .error-summary")?.focus();
});
