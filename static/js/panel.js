// Small things every page needs: CSRF for HTMX, the account a page was written for, toasts, copy buttons, submit-once forms.
(function () {
  "use strict";

  document.addEventListener("htmx:configRequest", (event) => {
    const token = document.querySelector('meta[name="csrf-token"]');
    if (token) event.detail.headers["X-CSRFToken"] = token.content;
    if (actingIn()) event.detail.headers["X-Acting-In"] = actingIn();
  });

  // Another tab may have switched accounts: whatever a page sends says for which one it was written (accounts/actor.py).
  function actingIn() {
    const shell = document.querySelector("[data-acting-in]");
    return shell && shell.dataset.actingIn;
  }
  document.addEventListener("formdata", (event) => {
    if (actingIn() && event.target.matches('[method="post"],[hx-post]')) event.formData.set("acting_in", actingIn());
  });

  // The server may answer with HX-Trigger: {"toast": {"text": "…", "tone": "success"}}.
  document.addEventListener("toast", (event) => showToast(event.detail.text, event.detail.tone));
  document.addEventListener("htmx:responseError", (event) => {
    const stack = document.getElementById("toasts");
    if (!stack) return;
    const own = event.detail.xhr.getResponseHeader("X-Error-Text");
    showToast(own ? decodeURIComponent(own) : stack.dataset.failed, "danger");
  });
  document.addEventListener("htmx:sendError", () => {
    const stack = document.getElementById("toasts");
    if (stack) showToast(stack.dataset.offline, "danger");
  });

  function showToast(text, tone) {
    const stack = document.getElementById("toasts");
    const template = document.getElementById("toast-template");
    if (!stack || !template || !text) return;
    const toast = template.content.firstElementChild.cloneNode(true);
    toast.classList.add("notice-" + (tone || "info"));
    toast.querySelector(".notice-text").textContent = text;
    stack.append(toast);
    scheduleRemoval(toast);
  }

  function scheduleRemoval(toast) {
    // Bad news stays until it is read.
    if (toast.classList.contains("notice-danger") || toast.classList.contains("notice-warning")) return;
    window.setTimeout(() => toast.remove(), 8000);
  }
  document.querySelectorAll("#toasts .notice").forEach(scheduleRemoval);

  document.addEventListener("click", async (event) => {
    const closer = event.target.closest("[data-dismiss-notice]");
    if (closer) closer.closest(".notice").remove();

    const button = event.target.closest("[data-copy], [data-copy-from]");
    if (!button) return;
    const source = button.dataset.copyFrom && document.querySelector(button.dataset.copyFrom);
    const text = source ? source.value || source.textContent : button.dataset.copy;
    const stack = document.getElementById("toasts"); // none in the administration
    try {
      await navigator.clipboard.writeText(text.trim());
      button.classList.add("is-copied");
      showToast(stack?.dataset.copied, "success");
      window.setTimeout(() => button.classList.remove("is-copied"), 2000);
    } catch {
      showToast(stack?.dataset.failed, "danger");
    }
  });

  // A second click on the same button must not post twice. Exports and other downloads opt out.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("data-many")) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
  });
  // Coming back by the browser's back button shows the page as it was left: forms must work again.
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
  });

  // Selects and switches that send their form at once.
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit-on-change]")) event.target.form.requestSubmit();
  });
})();
