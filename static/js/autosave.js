"use strict";

// Saves drafts of a form in this browser until the server confirms that they were saved, so that they survive an expired
// session, a restart of the server or a closed tab. An unsaved draft is offered when the form is opened again. It is
// restored by posting it to the server, which shows it without saving, merged with what others have saved meanwhile.
// Each opening of a form has its own draft id. Drafts belong to one account; logging out does not remove them.
(() => {
  const container = document.querySelector("[data-autosave-for]");
  const form = container?.closest("form");
  // drafts that an earlier version stored are under the same word
  const path = `kept ${container?.dataset.autosaveFor} ${location.pathname} `;
  const ignoredFields = new Set(["csrfmiddlewaretoken", "draft_id", "_show"]);

  const draftKeys = () => {
    try {
      return Object.keys(localStorage).filter((key) => key.startsWith("kept "));
    } catch {
      return []; // storage is forbidden
    }
  };

  // A cookie contains the ids of drafts that the server has saved lately.
  const savedIds = document.cookie.match(/(?:^|; )saved=([a-z0-9.]+)/)?.[1].split(".") ?? [];
  for (const key of draftKeys()) {
    if (savedIds.includes(key.split(" ").at(-1))) localStorage.removeItem(key);
  }
  const kept = document.querySelector("[data-autosave-kept]"); // of the page that asks to sign in
  if (kept) kept.hidden = !draftKeys().length;
  if (!container) return;

  const newDraftId = () => Array.from(crypto.getRandomValues(new Uint8Array(10)), (n) => (n % 36).toString(36)).join("");
  const fields = () => [...new FormData(form)].filter(([name, value]) => typeof value === "string" && !ignoredFields.has(name));
  const typed = () => JSON.stringify(fields().filter(([name]) => name !== "form_token"));
  const initialValues = "unsaved" in container.dataset ? "" : typed();
  form.elements.draft_id.value ||= newDraftId();

  const show = (template) => {
    const shown = document.createElement("div");
    shown.append(template.content.cloneNode(true));
    container.append(shown);
    return shown;
  };

  let timer;
  let failed = false;
  const save = () => {
    clearTimeout(timer);
    timer = undefined;
    const key = path + form.elements.draft_id.value;
    try {
      if (typed() === initialValues) localStorage.removeItem(key);
      else localStorage.setItem(key, JSON.stringify({at: Date.now(), fields: fields()}));
    } catch {
      if (!failed) show(document.getElementById("autosave-failed"));
      failed = true;
    }
  };
  const saveSoon = () => {
    timer ??= setTimeout(save, 300);
  };
  const saveNow = () => {
    if (timer) save();
  };
  for (const happened of ["input", "change", "formset:added", "formset:removed"]) {
    document.addEventListener(happened, saveSoon);
  }
  form.addEventListener("submit", save);
  document.addEventListener("visibilitychange", saveNow);
  window.addEventListener("pagehide", saveNow);
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) form.elements.draft_id.value = newDraftId(); // the old one may have been saved
  });

  const restore = (draft) => {
    const again = document.createElement("form");
    again.method = "post";
    const draftId = draft.key.split(" ").at(-1);
    const csrf = form.elements.csrfmiddlewaretoken.value;
    for (const [key, value] of [...draft.fields, ["csrfmiddlewaretoken", csrf], ["draft_id", draftId], ["_show", "1"]]) {
      const input = document.createElement("input");
      input.type = "hidden";
      input.name = key;
      input.value = value;
      again.append(input);
    }
    document.body.append(again);
    HTMLFormElement.prototype.submit.call(again);
  };

  const offer = (draft) => {
    const shown = show(document.getElementById("autosave-offer"));
    const sentence = shown.querySelector("p");
    const day = {day: "numeric", month: "long"};
    const at = new Date(draft.at);
    const time = `${at.toLocaleDateString(document.documentElement.lang, day)}, ${at.toTimeString().slice(0, 5)}`;
    sentence.textContent = sentence.textContent.replace("%(time)s", time);
    shown.querySelector("[data-autosave=put-back]").addEventListener("click", () => restore(draft));
    shown.querySelector("[data-autosave=discard]").addEventListener("click", () => {
      localStorage.removeItem(draft.key);
      shown.remove();
    });
  };

  if (initialValues) {
    const drafts = draftKeys().filter((key) => key.startsWith(path));
    drafts.map((key) => ({key, ...JSON.parse(localStorage.getItem(key))})).sort((a, b) => b.at - a.at).forEach(offer);
  } else {
    save();
  }
})();
