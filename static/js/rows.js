"use strict";

// Adds empty rows to tables of labelled inputs. Without this there are always some; emptied rows are removed by saving.
for (const container of document.querySelectorAll("[data-rows]")) {
  const body = container.querySelector("tbody");
  const button = container.querySelector("template").content.querySelector("button").cloneNode(true);
  container.append(button);
  button.addEventListener("click", () => {
    const last = body.rows[body.rows.length - 1];
    const row = last.cloneNode(true);
    const number = body.rows.length;
    for (const input of row.querySelectorAll("input, select")) {
      input.name = input.name.replace(/-\d+-/, `-${number}-`);
      input.setAttribute("aria-label", input.getAttribute("aria-label").replace(/\d+(?!.*\d)/, number + 1));
      input.value = "";
    }
    body.append(row);
    row.querySelector("input, select").focus();
  });
}
