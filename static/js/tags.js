"use strict";

// Tag suggestions: arrow keys select, Enter or a comma inserts, Escape closes. Without a response the field works as a
// plain input.

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

  let active = -1;
  let latestRequest = 0;
  let timer;

  const parts = () =>
    isSingle ? {here: {start: 0, end: input.value.length}, others: []} : partsAround(input.value, input.selectionStart);

  const close = () => {
    latestRequest++; // ignores pending responses
    clearTimeout(timer);
    list.hidden = true;
    list.replaceChildren();
    choose(-1);
    input.setAttribute("aria-expanded", "false");
  };

  const choose = (index) => {
    active = index;
    [...list.children].forEach((option, i) => option.setAttribute("aria-selected", String(i === index)));
    if (index < 0) input.removeAttribute("aria-activedescendant");
    else input.setAttribute("aria-activedescendant", list.children[index].id);
    list.children[index]?.scrollIntoView({block: "nearest"});
  };

  const ask = async () => {
    const requestNumber = ++latestRequest;
    const {here, others} = parts();
    const typed = plain(input.value.slice(here.start, isSingle ? here.end : input.selectionStart));
    if (!typed) return close();
    const query = new URLSearchParams([["typed", typed], ...others.filter(Boolean).map((name) => ["chosen", name])]);
    let names = [];
    try {
      const answer = await fetch(`${input.dataset.tagSuggestions}?${query}`, {headers: {Accept: "application/json"}});
      if (answer.ok) ({names} = await answer.json());
    } catch {
      // no suggestions, then
    }
    if (requestNumber === latestRequest) show(names);
  };

  const show = (names) => {
    if (!names.length) return close();
    list.replaceChildren(
      ...names.map((name, i) => {
        const option = document.createElement("li");
        option.id = `${list.id}_${i}`;
        option.setAttribute("role", "option");
        option.textContent = name;
        return option;
      }),
    );
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    choose(-1);
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
    close();
  };

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, 120);
  });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const count = list.children.length;
    if (event.key === "ArrowDown" && !count) {
      event.preventDefault();
      ask();
    } else if (!count) {
      return;
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      choose(active < 0 && step < 0 ? count - 1 : (active + step + count) % count);
    } else if (event.key === "Escape") {
      event.preventDefault();
      close();
    } else if (active >= 0 && (event.key === "Enter" || (event.key === "," && !isSingle))) {
      event.preventDefault();
      insertName(list.children[active].textContent);
    } else if (event.key === "Enter") {
      event.preventDefault(); // meant for the list, not for the form
      close();
    }
  });
  input.addEventListener("blur", close);
  list.addEventListener("pointerdown", (event) => event.preventDefault()); // the focus stays in the field
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) insertName(option.textContent);
  });
}
