"use strict";

// The panels beside an article's form. Open panels follow what is typed, with fragments and pages rendered by the server;
// which panels are open is stored in the browser.
for (const sidebar of document.querySelectorAll(".side-panels")) {
  const form = sidebar.closest("form");

  // Select2 triggers only jQuery events.
  django.jQuery(form).on("change", "select.admin-autocomplete", (event) => {
    event.target.dispatchEvent(new Event("input", {bubbles: true}));
  });

  const storageKey = (panel) => `panel ${panel.id}`;
  for (const panel of sidebar.querySelectorAll("details")) {
    try {
      const state = localStorage.getItem(storageKey(panel));
      if (state) panel.open = state === "open";
      panel.addEventListener("toggle", () => localStorage.setItem(storageKey(panel), panel.open ? "open" : "closed"));
    } catch {
      break; // storage is forbidden
    }
  }

  // Refreshes a panel a moment after the last key press, or when it is opened.
  const follow = (panel, show) => {
    let outdated = "typed" in panel.dataset;
    let timer;
    let request;

    const refresh = async () => {
      if (!panel.open || !outdated) return;
      outdated = false;
      request?.abort();
      request = new AbortController();
      try {
        const address = panel.dataset.fragment || panel.dataset.page;
        const answer = await fetch(address, {method: "POST", body: new FormData(form), signal: request.signal});
        if (answer.status === 503) timer = setTimeout(refresh, 3000); // others are served first
        if (!answer.ok || answer.redirected) throw new Error(answer.status);
        show(await answer.text());
        panel.querySelector(".panel-failed")?.remove();
      } catch (error) {
        if (error.name === "AbortError") return;
        outdated = true;
        fail(panel);
      }
    };

    form.addEventListener("input", () => {
      outdated = true;
      clearTimeout(timer);
      timer = setTimeout(refresh, 600);
    });
    panel.addEventListener("toggle", refresh);
    return refresh;
  };

  const fail = (panel) => {
    if (panel.querySelector(".panel-failed")) return;
    const message = document.createElement("p");
    message.className = "panel-failed";
    message.setAttribute("role", "status");
    message.textContent = sidebar.dataset.failed;
    panel.querySelector("summary").after(message);
  };

  for (const panel of sidebar.querySelectorAll("[data-fragment]")) {
    const place = panel.querySelector(".panel");
    follow(panel, (html) => {
      place.innerHTML = html;
    });
  }

  // The page in the frame is replaced in place, to keep its scroll position.
  for (const panel of sidebar.querySelectorAll("[data-page]")) {
    const frame = panel.querySelector("iframe");
    const refresh = follow(panel, (html) => {
      const page = frame.contentDocument;
      const updated = new DOMParser().parseFromString(html, "text/html");
      const {scrollTop} = page.documentElement;
      page.body.replaceWith(page.adoptNode(updated.body));
      frame.contentWindow.scrollTo({top: scrollTop, behavior: "instant"});
      openLinksInNewTabs();
    });
    const openLinksInNewTabs = () => {
      for (const link of frame.contentDocument.querySelectorAll("a[href]:not([href^='#'])")) link.target = "_blank";
    };
    frame.addEventListener("load", () => {
      openLinksInNewTabs();
      refresh();
    });
  }
}
