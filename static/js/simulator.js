// The phone shows its newest message, which is at the bottom, at first and after every poll.
(function () {
  "use strict";
  function showNewest() {
    const screen = document.getElementById("phone-screen");
    if (screen) screen.scrollTop = screen.scrollHeight;
  }
  showNewest();
  document.addEventListener("htmx:afterSettle", showNewest);
})();
