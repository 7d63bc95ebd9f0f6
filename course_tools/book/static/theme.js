/* What the theme's scripts leave undone. */
(function () {
  "use strict";

  document.addEventListener("click", function (event) {
    var open = event.target.closest("dialog[open]");
    if (open) { // a link to a place on this page must not leave the dialog in front of it
      if (event.target.closest("a[href^='#']")) open.close();
      return;
    }
    // The theme takes the focus off a button that is clicked, and then finds none to give back.
    var opener = event.target.closest("button");
    if (!opener) return;
    setTimeout(function () { // when the theme's own listeners are through
      var dialog = document.querySelector("dialog[open]");
      if (!dialog) return;
      dialog.addEventListener("close", function () { opener.focus({ preventScroll: true }); }, { once: true });
    });
  }, true);

  // The theme measures at once which blocks of code scroll, and so must take the focus. That lays out
  // the whole page while the reader waits. Here each part is laid out and measured by itself, after
  // the page has loaded.
  var BLOCKS = "pre, .nboutput > .output_area, .cell_output > .output, .jp-RenderedHTMLCommon, .pst-scrollable-table-container";
  document.querySelectorAll = function (names) {
    return names === BLOCKS ? [] : Document.prototype.querySelectorAll.call(document, names);
  };

  function letKeyboardIn(part) {
    part.style.contentVisibility = "visible";
    var blocks = Array.from(part.querySelectorAll(BLOCKS));
    var scrolls = blocks.map(function (block) {
      return block.scrollWidth > block.clientWidth || block.scrollHeight > block.clientHeight;
    });
    blocks.forEach(function (block, i) {
      if (scrolls[i]) block.tabIndex = 0; else block.removeAttribute("tabindex");
    });
  }

  // One part after another. If the window changes meanwhile, all are measured again.
  var waiting = [], changed = false;
  function measureNext() {
    if (!waiting.length && changed) {
      waiting = Array.from(document.querySelectorAll(".bd-article > section > *"));
      changed = false;
    }
    if (!waiting.length) return;
    letKeyboardIn(waiting.shift());
    setTimeout(measureNext);
  }
  function measureAgain() {
    var idle = !waiting.length && !changed;
    changed = true;
    if (idle) setTimeout(measureNext, 300);
  }
  ["load", "resize"].forEach(function (name) { window.addEventListener(name, measureAgain); });
  document.addEventListener("toggle", measureAgain, true); // of answers and folded code
  matchMedia("print").addEventListener("change", measureAgain); // on paper, code is wrapped

  // The theme of Jupyter Book 1 goes through the modes by itself; newer ones set the one that the
  // button names.
  document.addEventListener("click", function (event) {
    var button = event.target.closest(".theme-change-button");
    if (!button) return;
    var dark = matchMedia("(prefers-color-scheme: dark)").matches;
    var modes = dark ? ["auto", "light", "dark"] : ["auto", "dark", "light"];
    button.dataset.mode = modes[(modes.indexOf(document.documentElement.dataset.mode) + 1) % 3];
  }, true);

  // A sandboxed frame may submit no form, and a form that may not be submitted tells no script.
  function submit(form, event) {
    event.preventDefault();
    if (!form.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }))) return;
    var there = new URL(form.action);
    there.search = new URLSearchParams(new FormData(form));
    there.hash = "";
    location.assign(there);
  }

  if (self.origin !== "null") return;
  document.addEventListener("keydown", function (event) {
    if (event.key === "Enter" && !event.isComposing && event.target.matches("form input")) submit(event.target.form, event);
  });
  document.addEventListener("click", function (event) {
    var button = event.target.closest("form button");
    if (button && button.type === "submit") submit(button.form, event);
  });
})();
