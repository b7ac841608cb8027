"use strict";

// Tag suggestions: Enter or a comma inserts, Escape closes. Without a response the field works as a plain input.

// Returns the part of the text at the cursor and the other parts, separated by commas outside quotation marks, as in
// `parse_tags` in rlm_site/tags/parsing.py.
function partsAround(text, cursor) {
  const parts = [];
  let start = 0;
  let quoted = false;
  for (let i = 0; i <= text.length; i++) {
    if (text[i] === '"') quoted = !quoted;
    if (i < text.length && (text[i] !== "," || quoted)) continue;
    parts.push({start, end: i});
    start = i + 1;
  }
  const here = parts.find((part) => cursor <= part.end);
  return {here, others: parts.filter((part) => part !== here).map((part) => plain(text.slice(part.start, part.end)))};
}

function plain(name) {
  return name.replaceAll('"', "").trim();
}

for (const input of document.querySelectorAll("[data-tag-suggestions]")) {
  const isSingle = "oneTag" in input.dataset;
  const list = document.createElement("ul");
  list.id = `${input.id}_suggestions`;
  list.className = "suggestions";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", input.labels[0]?.textContent.replace(/:\s*$/, "") ?? "");
  list.hidden = true;
  const place = document.createElement("div");
  place.className = "suggestions-place";
  input.after(place);
  place.append(list);
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-expanded", "false");
  input.setAttribute("aria-controls", list.id);

  const parts = () =>
    isSingle ? {here: {start: 0, end: input.value.length}, others: []} : partsAround(input.value, input.selectionStart);

  const find = async () => {
    const {here, others} = parts();
    const typed = plain(input.value.slice(here.start, isSingle ? here.end : input.selectionStart));
    if (!typed) return [];
    const query = new URLSearchParams([["typed", typed], ...others.filter(Boolean).map((name) => ["chosen", name])]);
    try {
      const answer = await fetch(`${input.dataset.tagSuggestions}?${query}`, {headers: {Accept: "application/json"}});
      return answer.ok ? (await answer.json()).names : [];
    } catch {
      return []; // no suggestions, then
    }
  };

  const insertName = (name) => {
    const {here} = parts();
    const before = input.value.slice(0, here.start) + (here.start ? " " : "");
    const after = input.value.slice(here.end);
    const written = !isSingle && name.includes(",") ? `"${name}"` : name;
    const gap = isSingle || after ? "" : ", ";
    input.value = before + written + gap + after;
    const cursor = (before + written + gap).length;
    input.setSelectionRange(cursor, cursor);
    input.dispatchEvent(new Event("input", {bubbles: true}));
    suggestions.close();
  };

  const takesWith = isSingle ? ["Enter"] : ["Enter", ","];
  const suggestions = combobox(input, list, {delay: 120, find, render: (name) => [name], take: insertName, takesWith});
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing || !suggestions.isOpen()) return;
    event.preventDefault();
    suggestions.close();
  });
  input.addEventListener("blur", suggestions.close);
}
