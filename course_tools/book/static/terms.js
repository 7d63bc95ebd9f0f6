/* Explains the glossary terms in view in the right margin, where a glance is enough. Assistive
   technology is told by the links themselves, so the list is hidden from it. */
(function () {
  "use strict";
  var MOST = 3; // as many as fit below the contents of a long page
  var links = Array.from(document.querySelectorAll(".bd-article a.glossary-term"));
  var column = document.querySelector(".bd-sidebar-secondary .sidebar-secondary-item");
  if (!links.length || !column) return;
  var list = document.createElement("dl");
  list.className = "terms-in-sight";
  list.setAttribute("aria-hidden", "true");
  column.append(list);

  function element(name, text) {
    var made = document.createElement(name);
    made.textContent = text;
    return made;
  }

  var inSight = new Set();
  var observer = new IntersectionObserver(function (changes) {
    changes.forEach(function (change) {
      if (change.isIntersecting) inSight.add(change.target);
      else inSight.delete(change.target);
    });
    var shown = links.filter(function (link) { return inSight.has(link); }).slice(0, MOST);
    list.replaceChildren.apply(list, shown.flatMap(function (link) {
      return [element("dt", link.textContent), element("dd", link.title)];
    }));
  });
  links.forEach(function (link) { observer.observe(link); });
})();
