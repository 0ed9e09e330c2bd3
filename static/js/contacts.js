// Contacts: ticking rows of the list, and a look at a file's size before it is sent.
(function () {
  "use strict";

  function showCount(form) {
    const ticked = form.querySelectorAll("[data-tick]:checked").length;
    const boxes = form.querySelectorAll("[data-tick]").length;
    const label = form.querySelector("[data-tick-count]");
    if (label) label.textContent = ticked ? `${label.dataset.some} ${ticked}` : "";
    const bar = form.querySelector("[data-tick-bar]");
    if (bar) bar.hidden = ticked === 0;
    const all = form.querySelector("[data-tick-all]");
    if (all) {
      all.checked = ticked > 0 && ticked === boxes;
      all.indeterminate = ticked > 0 && ticked < boxes;
    }
  }

  document.addEventListener("change", (event) => {
    const form = event.target.closest("[data-tick-form]");
    if (!form) return;
    if (event.target.matches("[data-tick-all]")) {
      form.querySelectorAll("[data-tick]").forEach((box) => {
        box.checked = event.target.checked;
      });
    }
    showCount(form);
  });

  // Without this script the bar is always there.
  const hideIdleBars = () => document.querySelectorAll("[data-tick-form]").forEach(showCount);
  hideIdleBars();
  document.addEventListener("htmx:afterSettle", hideIdleBars);

  // The server refuses too; this saves the wait for a gigabyte.
  document.addEventListener("change", (event) => {
    const form = event.target.closest("[data-max-bytes]");
    if (!form || event.target.type !== "file") return;
    const file = event.target.files[0];
    const isTooLarge = Boolean(file) && file.size > Number(form.dataset.maxBytes);
    form.querySelector("#file-error").textContent = isTooLarge ? form.dataset.tooLarge : "";
    event.target.setAttribute("aria-invalid", String(isTooLarge));
    form.querySelector("[data-busy]").disabled = isTooLarge;
  });

  // What is imported is what the page shows: a sheet that is chosen is read at once.
  document.addEventListener("change", (event) => {
    const form = event.target.closest("[data-submit-on-change]");
    if (form) form.requestSubmit();
  });

  document.addEventListener("submit", (event) => {
    const button = event.target.querySelector("[data-busy]");
    if (button) button.textContent = button.dataset.busy;
  });
})();
