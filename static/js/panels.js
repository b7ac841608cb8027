"use strict";

// The panels beside an article's form: which are open is remembered, and those that are open follow what is typed.
// Fragments and pages come from the server, made by the code that makes the site.
for (const beside of document.querySelectorAll(".beside")) {
  const form = beside.closest("form");

  // The boxes that search for what to choose tell nobody but jQuery.
  django.jQuery(form).on("change", "select.admin-autocomplete", (event) => {
    event.target.dispatchEvent(new Event("input", {bubbles: true}));
  });

  const remembered = (panel) => `panel ${panel.id}`;
  for (const panel of beside.querySelectorAll("details")) {
    try {
      const state = localStorage.getItem(remembered(panel));
      if (state) panel.open = state === "open";
      panel.addEventListener("toggle", () => localStorage.setItem(remembered(panel), panel.open ? "open" : "closed"));
    } catch {
      break; // the browser keeps nothing for this site
    }
  }

  // Brings a panel up to date a moment after the last key, if it is open, or as soon as it is opened.
  const follow = (panel, show) => {
    let behind = "typed" in panel.dataset;
    let waiting;
    let request;

    const refresh = async () => {
      if (!panel.open || !behind) return;
      behind = false;
      request?.abort();
      request = new AbortController();
      try {
        const address = panel.dataset.fragment || panel.dataset.page;
        const answer = await fetch(address, {method: "POST", body: new FormData(form), signal: request.signal});
        if (!answer.ok || answer.redirected) throw new Error(answer.status);
        show(await answer.text());
        panel.querySelector(".panel-failed")?.remove();
      } catch (error) {
        if (error.name === "AbortError") return;
        behind = true;
        fail(panel);
      }
    };

    form.addEventListener("input", () => {
      behind = true;
      clearTimeout(waiting);
      waiting = setTimeout(refresh, 600);
    });
    panel.addEventListener("toggle", refresh);
    return refresh;
  };

  const fail = (panel) => {
    if (panel.querySelector(".panel-failed")) return;
    const words = document.createElement("p");
    words.className = "panel-failed";
    words.setAttribute("role", "status");
    words.textContent = beside.dataset.failed;
    panel.querySelector("summary").after(words);
  };

  for (const panel of beside.querySelectorAll("[data-fragment]")) {
    const place = panel.querySelector(".panel");
    follow(panel, (html) => {
      place.innerHTML = html;
    });
  }

  // The page in the frame is changed in its place, so that it stays where its reader has scrolled it.
  for (const panel of beside.querySelectorAll("[data-page]")) {
    const frame = panel.querySelector("iframe");
    const refresh = follow(panel, (html) => {
      const page = frame.contentDocument;
      const made = new DOMParser().parseFromString(html, "text/html");
      const {scrollTop} = page.documentElement;
      page.body.replaceWith(page.adoptNode(made.body));
      frame.contentWindow.scrollTo({top: scrollTop, behavior: "instant"});
      leaveByNewTab();
    });
    const leaveByNewTab = () => {
      for (const link of frame.contentDocument.querySelectorAll("a[href]:not([href^='#'])")) link.target = "_blank";
    };
    frame.addEventListener("load", () => {
      leaveByNewTab();
      refresh();
    });
  }
}
