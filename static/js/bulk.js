"use strict";

// An act on many records goes on by itself. Without this somebody presses the button after each part.
for (const form of document.querySelectorAll("[data-goes-on]")) {
  form.requestSubmit(form.querySelector("[type=submit]"));
}
