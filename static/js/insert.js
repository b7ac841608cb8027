"use strict";

// Inserts text in place of the selection as typing does, so that one undo takes it back.
// Returns the line breaks that a block needs at the caret, before and after it, to stand apart from what is around it.
function gapsAround(field) {
  const missing = (around, found) => (around.trim() ? "\n".repeat(2 - Math.min(2, around.match(found)[0].length)) : "");
  return [missing(field.value.slice(0, field.selectionStart), /\n*$/), missing(field.value.slice(field.selectionEnd), /^\n*/)];
}

function insertText(field, text) {
  field.focus();
  if (document.execCommand("insertText", false, text)) return;
  field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new Event("input", {bubbles: true}));
}
