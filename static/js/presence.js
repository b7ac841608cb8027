"use strict";

// Says that this form is open, again and again, and shows who else has it open.
for (const place of document.querySelectorAll("[data-presence]")) {
  const every = 20_000; // milliseconds; longer silence than `LONGEST_SILENCE` in presence.py means that somebody has left
  const message = (more = {}) =>
    new URLSearchParams({csrfmiddlewaretoken: place.closest("form").elements.csrfmiddlewaretoken.value, ...more});
  const say = (words) => {
    if (place.textContent !== words) place.textContent = words; // not read aloud again
  };
  const speak = async () => {
    try {
      const answer = await fetch(place.dataset.presence, {method: "POST", body: message(), redirect: "manual"});
      if (answer.ok) say(await answer.text());
      else if (answer.type === "opaqueredirect") say(place.dataset.signedOut); // to the login
    } catch {
      // not to be reached now; the next time
    }
  };
  setInterval(speak, every);
  speak();
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && speak());
  window.addEventListener("pageshow", (event) => event.persisted && speak());
  window.addEventListener("pagehide", () => {
    navigator.sendBeacon(place.dataset.presence, message({leaving: "1"}));
  });
}
