"use strict";

// Pastes rich text as Markdown, and says below the field what of it was left out. What is pasted as plain text stays so.
for (const message of document.querySelectorAll("[data-pasted-into]")) {
  const field = document.getElementById(message.dataset.pastedInto);
  if (!(field instanceof HTMLTextAreaElement)) continue; // read-only users have no field
  let isPlain = false;
  field.addEventListener("keydown", (event) => {
    isPlain = event.shiftKey; // some browsers hand over rich text with Ctrl+Shift+V, too
  });

  const tell = (lost) => {
    const named = Object.entries(lost).map(([kind, number]) => message.dataset[kind] + (number > 1 ? ` (${number})` : ""));
    message.textContent = named.length ? `${message.dataset.lost} ${named.join(", ")}.` : "";
  };

  field.addEventListener("paste", (event) => {
    const {clipboardData} = event;
    const wasPlain = isPlain;
    isPlain = false;
    tell({});
    if (wasPlain || clipboardData.types.includes("vscode-editor-data")) return;
    const html = clipboardData.getData("text/html");
    if (!html) {
      const pictures = [...clipboardData.files].filter((file) => file.type.startsWith("image/"));
      if (pictures.length && !clipboardData.getData("text/plain")) tell({pictures: pictures.length});
      return;
    }
    const taken = new Set(Array.from(field.value.matchAll(/\[\^([^\]\s]+)\]/g), ([, name]) => name));
    const pasted = richText(html, taken);
    if (!pasted) return;
    event.preventDefault();
    insertText(field, standing(pasted.text));
    tell(pasted.lost);
  });

  // Several lines stand apart from what is around them.
  const standing = (text) => {
    if (!/\n|^(?:#|- |> |\d+\. |\|)/.test(text)) return text;
    const [before, after] = gapsAround(field);
    return before + text + after;
  };
}
