"use strict";

// Dialogs in which a record is added that is missing. Their form is that of the page behind the link, which also says what
// was added; while somebody types, records that are alike are shown. What was added or found is put into the select that
// the link names, or handed on by the event "record-added".
for (const dialog of document.querySelectorAll("dialog[data-adds]")) {
  const place = dialog.querySelector("[data-form]");
  const status = dialog.querySelector(":scope > [role=status]");
  let select = null;
  let back = null; // where the focus returns to when nothing was taken
  let timer;
  let latest = 0;

  const close = () => {
    clearTimeout(timer);
    dialog.close();
  };

  const take = ({value, label, text}) => {
    back = null;
    close();
    if (select) {
      const known = [...select.options].find((option) => option.value === value);
      if (!known) select.append(new Option(label, value));
      select.value = value;
      django.jQuery(select).trigger("change");
      select.dispatchEvent(new Event("input", {bubbles: true}));
      select.parentElement.querySelector(".select2-selection")?.focus(); // what is seen in its place
    }
    dialog.dispatchEvent(new CustomEvent("record-added", {detail: {value, label, text}}));
  };

  // Shows the form that the server answers with, or takes what it says was added.
  const ask = async (options) => {
    status.textContent = "";
    try {
      const answer = await fetch(dialog.dataset.adds, options);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const form = page.querySelector("form.add-record");
      if (!answer.ok || !form) throw new Error(answer.status);
      const added = page.querySelector("[data-added]");
      if (added) {
        place.replaceChildren();
        take({value: added.dataset.added, label: added.dataset.label, text: added.dataset.text});
        return;
      }
      place.replaceChildren(document.adoptNode(form));
      (place.querySelector(".errornote") ?? place.querySelector("input:not([type=hidden]), select, textarea")).focus();
    } catch {
      status.textContent = dialog.dataset.failed;
    }
  };

  const lookForNear = async () => {
    const form = place.querySelector("form");
    const request = ++latest;
    try {
      const answer = await fetch(form.dataset.near, {method: "POST", body: new FormData(form)});
      if (answer.ok && !answer.redirected && request === latest) form.querySelector(".near").innerHTML = await answer.text();
    } catch {
      // it is looked for again when the form is sent
    }
  };

  place.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(lookForNear, 300);
  });
  place.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    latest += 1;
    ask({method: "POST", body: new FormData(event.target)});
  });
  place.addEventListener("click", (event) => {
    const {dataset} = event.target.closest("[data-uses]") ?? {};
    if (dataset) take({value: dataset.uses, label: dataset.label, text: dataset.text});
  });
  dialog.querySelector("[data-closes-dialog]").addEventListener("click", close);
  dialog.addEventListener("close", () => {
    back?.focus();
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest(`[data-opens-add="${dialog.id}"]`);
    if (!link) return;
    event.preventDefault();
    select = document.getElementById(link.dataset.into);
    const other = link.closest("dialog");
    back = other ? document.getElementById(other.dataset.into) : link;
    other?.close();
    dialog.showModal();
    if (!place.firstElementChild) ask(); // else what was typed before is still there
  });
}
