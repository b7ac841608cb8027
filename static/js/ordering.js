"use strict";

// Rows of an ordered list can be dragged to their place. Without this there are buttons.
for (const form of document.querySelectorAll("[data-ordering]")) {
  const list = form.querySelector("ol");
  let dragged = null;
  for (const row of list.children) {
    row.draggable = true;
    row.addEventListener("dragstart", (event) => {
      dragged = row;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", row.dataset.key);
    });
    row.addEventListener("dragover", (event) => {
      if (!dragged) return;
      event.preventDefault();
      const box = row.getBoundingClientRect();
      const below = event.clientY > box.top + box.height / 2;
      if (row !== dragged) row.insertAdjacentElement(below ? "afterend" : "beforebegin", dragged);
    });
    row.addEventListener("dragend", (event) => {
      const [key, cancelled] = [row.dataset.key, event.dataTransfer.dropEffect === "none"];
      dragged = null;
      if (cancelled) return location.reload(); // shows the order as it is
      const sent = document.createElement("input");
      sent.type = "hidden";
      sent.name = "dragged";
      sent.value = `${key} ${[...list.children].indexOf(row) + 1}`;
      form.append(sent);
      form.submit();
    });
    row.addEventListener("drop", (event) => event.preventDefault());
  }
}
