"use strict";

// Reports regularly that this form is open, and shows who else has it open.
for (const container of document.querySelectorAll("[data-presence]")) {
  const interval = 20_000; // milliseconds; see `LONGEST_SILENCE` in presence.py
  const message = (more = {}) =>
    new URLSearchParams({csrfmiddlewaretoken: container.closest("form").elements.csrfmiddlewaretoken.value, ...more});
  const show = (text) => {
    if (container.textContent !== text) container.textContent = text; // an unchanged text is not announced again
  };
  const ping = async () => {
    try {
      const answer = await fetch(container.dataset.presence, {method: "POST", body: message(), redirect: "manual"});
      if (answer.ok) show(await answer.text());
      else if (answer.type === "opaqueredirect") show(container.dataset.signedOut); // to the login
    } catch {
      // offline: try again at the next interval
    }
  };
  setInterval(ping, interval);
  ping();
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && ping());
  window.addEventListener("pageshow", (event) => event.persisted && ping());
  window.addEventListener("pagehide", () => {
    navigator.sendBeacon(container.dataset.presence, message({leaving: "1"}));
  });
}
