"use strict";

// Puts the Markdown toolbar above its textarea, which stays a plain one: Tab leaves it, and undo reverts every button.
for (const template of document.querySelectorAll("template[data-toolbar-for]")) {
  const field = document.getElementById(template.dataset.toolbarFor);
  if (!(field instanceof HTMLTextAreaElement)) continue; // read-only users have no field
  field.before(document.importNode(template.content, true));
  const toolbar = field.parentElement.querySelector("markdown-toolbar");
  // A single tab stop with arrow keys within; the element would itself be a second one.
  customElements.whenDefined("markdown-toolbar").then(() => toolbar.removeAttribute("tabindex"));

  // A heading is a whole line, wherever the caret is.
  toolbar.addEventListener("click", (event) => {
    if (!event.target.closest("[data-md-button^=header]")) return;
    const end = field.value.indexOf("\n", field.selectionStart);
    field.setSelectionRange(
      field.value.lastIndexOf("\n", field.selectionStart - 1) + 1,
      end < 0 ? field.value.length : end,
    );
  }, {capture: true});

  field.addEventListener("keydown", (event) => {
    const button = toolbar.querySelector(`[data-key="${shortcut(event)}"]`);
    if (!button) return;
    event.preventDefault();
    button.click();
  });

  const insertions = {
    // The words that were selected become the note; the caret stands at its end.
    note: () => {
      const words = field.value.slice(field.selectionStart, field.selectionEnd);
      insertText(field, `^[${words}]`);
      field.setSelectionRange(field.selectionStart - 1, field.selectionStart - 1);
    },
    table: ({cell}) => {
      const [before, after] = gapsAround(field);
      const start = field.selectionStart + before.length + "| ".length;
      insertText(field, `${before}| ${cell} | ${cell} |\n| --- | --- |\n|  |  |${after}`);
      field.setSelectionRange(start, start + cell.length);
    },
  };
  toolbar.addEventListener("click", (event) => {
    const button = event.target.closest("[data-inserts]");
    if (button) insertions[button.dataset.inserts](button.dataset);
  });

  if (!CSS.supports("field-sizing: content")) {
    const grow = () => {
      field.style.blockSize = "auto";
      field.style.blockSize = `${field.scrollHeight + 2}px`;
    };
    field.addEventListener("input", grow);
    grow();
  }
}
