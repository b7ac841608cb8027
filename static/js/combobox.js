"use strict";

// A field with a list of suggestions below it: arrow keys select, Enter or a click takes one. `find` returns a promise of
// what to suggest, `render` the content of an option, and `take` is called with what was chosen.
function combobox(input, list, {delay, find, render, take, takesWith = ["Enter"], selectsFirst = false}) {
  let found = [];
  let active = -1;
  let latestRequest = 0;
  let timer;

  const highlight = (index) => {
    active = index;
    [...list.children].forEach((option, other) => option.setAttribute("aria-selected", String(other === index)));
    if (index < 0) input.removeAttribute("aria-activedescendant");
    else input.setAttribute("aria-activedescendant", list.children[index].id);
    list.children[index]?.scrollIntoView({block: "nearest"});
  };

  const show = (suggestions) => {
    found = suggestions;
    list.replaceChildren(...found.map((suggestion, index) => {
      const option = document.createElement("li");
      option.id = `${list.id}_${index}`;
      option.setAttribute("role", "option");
      option.append(...render(suggestion));
      return option;
    }));
    list.hidden = !found.length;
    input.setAttribute("aria-expanded", String(found.length > 0));
    highlight(selectsFirst && found.length ? 0 : -1);
  };

  const search = async () => {
    const requestNumber = ++latestRequest;
    const suggestions = await find(() => requestNumber === latestRequest);
    if (requestNumber === latestRequest) show(suggestions);
  };

  const close = () => {
    latestRequest++; // ignores pending responses
    clearTimeout(timer);
    show([]);
  };

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, delay);
  });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
    if (step && found.length) {
      event.preventDefault();
      highlight(active < 0 && step < 0 ? found.length - 1 : (active + step + found.length) % found.length);
    } else if (event.key === "ArrowDown") {
      event.preventDefault();
      search();
    } else if (active >= 0 && takesWith.includes(event.key)) {
      event.preventDefault();
      take(found[active]);
    } else if (found.length && event.key === "Enter") {
      event.preventDefault(); // meant for the list, not for the form
      close();
    }
  });
  list.addEventListener("pointerdown", (event) => event.preventDefault()); // the focus stays in the field
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) take(found[[...list.children].indexOf(option)]);
  });
  return {search, close, isOpen: () => found.length > 0};
}
