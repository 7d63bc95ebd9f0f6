/* What the search page adds to Sphinx's search: any word may be looked up, and excerpts come from
   one file (course_tools/book/search.py writes it), because a page that was opened as a file may not
   fetch others. */
(function () {
  "use strict";
  var BEFORE = 120;
  var LENGTH = 240; // characters

  // Plain objects know "constructor" and "__proto__" without being told.
  var bare = Object.create(null, { hasOwnProperty: { value: Object.prototype.hasOwnProperty } });
  ["terms", "titleterms"].forEach(function (name) { Object.setPrototypeOf(Search._index[name], bare); });

  var query = new URLSearchParams(location.search).get("q");
  if (!query) return;
  var parsed = Search._parseQuery(query);
  var words = Array.from(parsed[1]);
  var marked = Array.from(parsed[3]);

  var loading = null;
  function load() {
    loading = loading || new Promise(function (resolve, reject) {
      var script = document.createElement("script");
      script.onload = function () { resolve(window.searchTexts); };
      script.onerror = reject;
      script.src = "_static/search_texts.js";
      document.head.append(script);
    });
    return loading;
  }

  function excerpt(text, from) {
    var lower = text.toLowerCase();
    var places = words.map(function (word) { return lower.indexOf(word, from); });
    var first = Math.min.apply(null, places.filter(function (place) { return place >= 0; }));
    var start = isFinite(first) ? Math.max(first - BEFORE, from) : from;
    var end = start + LENGTH;
    var part = text.slice(start, end).replace(/\s+/g, " ").trim();
    return (start > from ? "… " : "") + part + (end < text.length ? " …" : "");
  }

  function addExcerpt(item) {
    var address = item.firstElementChild.getAttribute("href").split("#");
    load().then(function (texts) {
      var page = texts[address[0]];
      if (!page) return;
      var line = document.createElement("p");
      line.className = "context";
      line.textContent = excerpt(page.text, page.places[address[1]] || 0);
      item.append(line);
      marked.forEach(function (word) { _highlightText(item, word, "highlighted"); });
    }).catch(function () {}); // then results have no excerpts
  }

  new MutationObserver(function (changes) {
    changes.forEach(function (change) {
      change.addedNodes.forEach(function (node) {
        if (node.nodeName === "P" && node.className === "search-summary") node.setAttribute("role", "status");
        // A name of the library has a description of its own.
        if (node.nodeName === "LI" && node.childElementCount === 1) addExcerpt(node);
      });
    });
  }).observe(document.getElementById("search-results"), { childList: true, subtree: true });
})();
