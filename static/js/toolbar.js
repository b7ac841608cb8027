"use strict";

// Puts the Markdown toolbar above its text. The text stays a plain one: Tab leaves it, and undo undoes every button.
for (const template of document.querySelectorAll("template[data-toolbar-for]")) {
  const field = document.getElementById(template.dataset.toolbarFor);
  if (!(field instanceof HTMLTextAreaElement)) continue; // whoever may only look has no field
  field.before(document.importNode(template.content, true));
  const toolbar = field.parentElement.querySelector("markdown-toolbar");
  // One stop for Tab, with the arrow keys within: the element adds a second stop, itself.
  customElements.whenDefined("markdown-toolbar").then(() => toolbar.removeAttribute("tabindex"));

  // A heading is a whole line, wherever in it the caret stands.
  toolbar.addEventListener("click", (event) => {
    if (!event.target.closest("[data-md-button^=header]")) return;
    const end = field.value.indexOf("\n", field.selectionStart);
    field.setSelectionRange(
      field.value.lastIndexOf("\n", field.selectionStart - 1) + 1,
      end < 0 ? field.value.length : end,
    );
  }, {capture: true});

  if (!CSS.supports("field-sizing: content")) {
    const grow = () => {
      field.style.blockSize = "auto";
      field.style.blockSize = `${field.scrollHeight + 2}px`;
    };
    field.addEventListener("input", grow);
    grow();
  }
}
