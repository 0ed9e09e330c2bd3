// <form method="post" data-confirm="Delete 3 contacts?" data-confirm-label="Delete"> asks before it acts;
// {amount} in the text stands for what the form's field of that name holds; with data-amount as it is understood. So does any element with hx-post. data-open-dialog="id" opens a <dialog> of the page's own.
(function () {
  "use strict";
  const dialog = document.getElementById("confirm-dialog");
  let proceed = null;

  // 1500,5 with a decimal comma is read and written again: 1.500,5. What is no number stands as it was typed.
  function read(field) {
    const typed = field.value.trim();
    if (!("amount" in field.dataset)) return typed;
    const format = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 4, useGrouping: "always" });
    const mark = (type) => format.formatToParts(1000.5).find((part) => part.type === type).value;
    const amount = Number(typed.replaceAll(mark("group"), "").replace(mark("decimal"), "."));
    return Number.isNaN(amount) ? typed : format.format(amount);
  }

  function ask(element, action) {
    const fields = (element.form || element).elements || {};
    dialog.querySelector("[data-text]").textContent = element.dataset.confirm.replace(/\{(\w+)\}/g, (whole, name) =>
      fields[name] ? read(fields[name]) : whole
    );
    const button = dialog.querySelector("[data-yes]");
    button.textContent = element.dataset.confirmLabel || button.dataset.default;
    const isDangerous = element.dataset.confirmTone !== "primary";
    button.classList.toggle("btn-danger", isDangerous);
    button.classList.toggle("btn-primary", !isDangerous);
    proceed = action;
    dialog.showModal();
  }

  if (dialog) {
    dialog.addEventListener("close", () => {
      const action = proceed;
      proceed = null;
      if (dialog.returnValue === "yes" && action) action();
      dialog.returnValue = "";
    });

    document.addEventListener(
      "submit",
      (event) => {
        const form = event.target;
        const asker = event.submitter && event.submitter.dataset.confirm ? event.submitter : form;
        if (!asker.dataset.confirm || form.dataset.confirmed || form.matches("[hx-post],[hx-delete],[hx-put]")) return;
        event.preventDefault();
        event.stopImmediatePropagation();
        ask(asker, () => {
          form.dataset.confirmed = "1";
          form.requestSubmit(event.submitter);
          delete form.dataset.confirmed;
        });
      },
      true
    );

    document.addEventListener("htmx:confirm", (event) => {
      const element = event.target.closest("[data-confirm]");
      if (!element) return;
      event.preventDefault();
      ask(element, () => event.detail.issueRequest(true));
    });
  }

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open-dialog]");
    if (opener) document.getElementById(opener.dataset.openDialog).showModal();
    const closer = event.target.closest("[data-close-dialog]");
    if (closer) closer.closest("dialog").close();
  });
})();
