// The composer: chips that insert at the caret, one-click replacements, templates, and drafts that are not lost.
(function () {
  "use strict";
  const form = document.getElementById("draft-form");
  const textarea = document.querySelector("[data-composer-text]");

  function tellChange(element) {
    element.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function insertAtCaret(piece) {
    const start = textarea.selectionStart;
    textarea.setRangeText(piece, start, textarea.selectionEnd, "end");
    textarea.focus();
    tellChange(textarea);
  }

  function replaceCharacter(button) {
    textarea.value = textarea.value.split(button.dataset.replace).join(button.dataset.with);
  }

  document.addEventListener("click", (event) => {
    const chip = event.target.closest("[data-insert]");
    if (chip && textarea) insertAtCaret(chip.dataset.insert);

    const replace = event.target.closest("[data-replace]");
    if (replace && textarea) {
      replaceCharacter(replace);
      tellChange(textarea);
      textarea.focus();
    }
    if (event.target.closest("[data-replace-all]") && textarea) {
      document.querySelectorAll("[data-replace]").forEach(replaceCharacter);
      tellChange(textarea);
      textarea.focus();
    }

    const template = event.target.closest("[data-use-template]");
    if (template && textarea) {
      template.closest("dialog").close();
      if (textarea.value.trim()) insertAtCaret(template.dataset.useTemplate);
      else {
        textarea.value = template.dataset.useTemplate;
        textarea.focus();
        tellChange(textarea);
      }
    }
  });

  // Leafing counts clicks, not answers: clicks that come before an answer are added up and asked for together.
  let wantedPosition = null;
  let isLeafing = false;

  function leaf() {
    const asked = wantedPosition;
    const url = document.getElementById("phone").dataset.previewUrl + "?position=" + asked;
    isLeafing = true;
    htmx.ajax("GET", url, { target: "#phone", swap: "outerHTML" }).finally(() => {
      isLeafing = false;
      if (wantedPosition === asked) wantedPosition = null;
      else leaf();
    });
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-preview-step]");
    if (!button) return;
    if (wantedPosition === null) wantedPosition = Number(document.getElementById("preview-position").value);
    wantedPosition += Number(button.dataset.previewStep);
    if (!isLeafing) leaf();
  });

  // Choosing a date or time means "later".
  document.querySelectorAll("[data-chooses-later]").forEach((input) => {
    input.addEventListener("input", () => {
      const later = document.querySelector('input[name="when"][value="later"]');
      if (later) later.checked = true;
    });
  });

  const filter = document.querySelector("[data-filter-rows]");
  if (filter) {
    filter.addEventListener("input", (event) => {
      event.stopPropagation(); // looking for a list is no change of the draft
      const wanted = filter.value.toLocaleLowerCase("tr");
      document.querySelectorAll(filter.dataset.filterRows).forEach((row) => {
        row.hidden = !row.dataset.filterText.toLocaleLowerCase("tr").includes(wanted);
      });
    });
  }

  if (!form) return;
  // Lists that are not used say nothing: an account may have thousands, and a beacon carries 64 KB.
  form.addEventListener("formdata", (event) => {
    [...event.formData].forEach(([name, value]) => {
      if (name.startsWith("list-") && !value) event.formData.delete(name);
    });
  });
  // What was typed within the last half second has not been sent yet when the page is left: send it on the way out.
  let isDirty = false;
  form.addEventListener("input", () => (isDirty = true));
  // A save on its way brings a new version number: going on before it arrives would conflict with oneself.
  form.addEventListener("submit", (event) => {
    if (form.classList.contains("htmx-request")) {
      event.preventDefault();
      form.addEventListener("htmx:afterRequest", () => form.requestSubmit(event.submitter), { once: true });
      return;
    }
    isDirty = false;
  });
  form.addEventListener("htmx:beforeRequest", () => (isDirty = false));
  window.addEventListener("pagehide", () => {
    if (isDirty) navigator.sendBeacon(form.getAttribute("hx-post"), new FormData(form));
  });
  // Coming back by the browser's history would show an old version number.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) window.location.reload();
  });
})();
