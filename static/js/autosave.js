"use strict";

// Keeps what is typed into a form of content in this browser until the server says that it was saved: through an expired
// session, a restart of the server, a closed tab. What was not saved is offered the next time the form is opened, and
// put back by sending it to the server to be shown, not saved: so it meets what others have saved meanwhile.
// Each opening of a form has a name of its own. Texts belong to one account; logging out leaves them where they are.
(() => {
  const place = document.querySelector("[data-keeps-for]");
  const form = place?.closest("form");
  const path = `kept ${place?.dataset.keepsFor} ${location.pathname} `;
  const own = new Set(["csrfmiddlewaretoken", "draft_id", "_show"]);

  const texts = () => {
    try {
      return Object.keys(localStorage).filter((key) => key.startsWith("kept "));
    } catch {
      return []; // storage is forbidden
    }
  };

  // The server names in a cookie what it has saved lately.
  const saved = document.cookie.match(/(?:^|; )saved=([a-z0-9.]+)/)?.[1].split(".") ?? [];
  for (const key of texts()) {
    if (saved.includes(key.split(" ").at(-1))) localStorage.removeItem(key);
  }
  if (!place) return;

  const newName = () => Array.from(crypto.getRandomValues(new Uint8Array(10)), (n) => (n % 36).toString(36)).join("");
  const fields = () => [...new FormData(form)].filter(([name, value]) => typeof value === "string" && !own.has(name));
  const typed = () => JSON.stringify(fields().filter(([name]) => name !== "form_token"));
  const asOpened = "unsaved" in place.dataset ? "" : typed();
  form.elements.draft_id.value ||= newName();

  const show = (template) => {
    const shown = document.createElement("div");
    shown.append(template.content.cloneNode(true));
    place.append(shown);
    return shown;
  };

  let waiting;
  let failed = false;
  const keep = () => {
    clearTimeout(waiting);
    waiting = undefined;
    const key = path + form.elements.draft_id.value;
    try {
      if (typed() === asOpened) localStorage.removeItem(key);
      else localStorage.setItem(key, JSON.stringify({at: Date.now(), fields: fields()}));
    } catch {
      if (!failed) show(document.getElementById("kept-nowhere"));
      failed = true;
    }
  };
  const keepSoon = () => {
    waiting ??= setTimeout(keep, 300);
  };
  const keepNow = () => {
    if (waiting) keep();
  };
  for (const happened of ["input", "change", "formset:added", "formset:removed"]) {
    document.addEventListener(happened, keepSoon);
  }
  form.addEventListener("submit", keep);
  document.addEventListener("visibilitychange", keepNow);
  window.addEventListener("pagehide", keepNow);
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) form.elements.draft_id.value = newName(); // the old one may have been saved
  });

  const putBack = (text) => {
    const again = document.createElement("form");
    again.method = "post";
    const name = text.key.split(" ").at(-1);
    const csrf = form.elements.csrfmiddlewaretoken.value;
    for (const [key, value] of [...text.fields, ["csrfmiddlewaretoken", csrf], ["draft_id", name], ["_show", "1"]]) {
      const input = document.createElement("input");
      input.type = "hidden";
      input.name = key;
      input.value = value;
      again.append(input);
    }
    document.body.append(again);
    HTMLFormElement.prototype.submit.call(again);
  };

  const offer = (text) => {
    const shown = show(document.getElementById("kept-text"));
    const sentence = shown.querySelector("p");
    const day = {day: "numeric", month: "long"};
    const at = new Date(text.at);
    const time = `${at.toLocaleDateString(document.documentElement.lang, day)}, ${at.toTimeString().slice(0, 5)}`;
    sentence.textContent = sentence.textContent.replace("%(time)s", time);
    shown.querySelector("[data-kept=put-back]").addEventListener("click", () => putBack(text));
    shown.querySelector("[data-kept=discard]").addEventListener("click", () => {
      localStorage.removeItem(text.key);
      shown.remove();
    });
  };

  if (asOpened) {
    const kept = texts().filter((key) => key.startsWith(path));
    kept.map((key) => ({key, ...JSON.parse(localStorage.getItem(key))})).sort((a, b) => b.at - a.at).forEach(offer);
  } else {
    keep();
  }
})();
