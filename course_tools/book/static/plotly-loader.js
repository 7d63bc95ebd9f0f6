/* Draws the page's plotly figures when they near the viewport, in the page's colours.
   Its script element names plotly.min.js in data-plotly; course_tools/book/figures.py writes both. */
(function () {
  "use strict";
  var library = document.currentScript.dataset.plotly;
  var loading = null;
  var drawn = [];
  var NARROW = 520; // CSS pixels; below it legends go under the figure
  var PAPER = "620px"; // what A4 and Letter have room for between margins of an inch
  var PAPER_HEIGHT = 860; // CSS pixels; what is taller would be cut in two

  function loadLibrary() {
    loading = loading || new Promise(function (resolve, reject) {
      var script = document.createElement("script");
      script.src = library;
      script.onload = resolve;
      script.onerror = function () { reject(new Error("could not load " + library)); };
      document.head.appendChild(script);
    });
    return loading;
  }

  /* As numbers: with forced colours the page's are the system's, whose names plotly doesn't know. */
  function colour(name, otherwise) {
    var probe = document.createElement("span");
    probe.style.color = "var(" + name + ", " + otherwise + ")";
    document.body.append(probe);
    var found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  }

  function isObject(value) {
    return value !== null && typeof value === "object" && !Array.isArray(value);
  }

  function merge(base, over) {
    var out = Object.assign({}, base);
    Object.keys(over).forEach(function (key) {
      out[key] = isObject(out[key]) && isObject(over[key]) ? merge(out[key], over[key]) : over[key];
    });
    return out;
  }

  /* Colours as a plotly template: a figure's own settings still win over them. */
  function pageTemplate() {
    var text = colour("--pst-color-text-base", "#222");
    var line = colour("--pst-color-border", "#ccc");
    var surface = colour("--pst-color-surface", "#f5f5f5");
    var axis = {
      color: text, gridcolor: line, linecolor: line, zerolinecolor: line, tickcolor: line,
      automargin: true
    };
    var sceneAxis = {
      color: text, gridcolor: line, linecolor: line, zerolinecolor: line,
      backgroundcolor: "rgba(0,0,0,0)"
    };
    return {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: text, family: getComputedStyle(document.body).fontFamily },
      title: { font: { color: text } },
      xaxis: axis,
      yaxis: axis,
      polar: { bgcolor: "rgba(0,0,0,0)", angularaxis: axis, radialaxis: axis },
      scene: { xaxis: sceneAxis, yaxis: sceneAxis, zaxis: sceneAxis },
      legend: { bgcolor: "rgba(0,0,0,0)", font: { color: text } },
      coloraxis: { colorbar: { tickfont: { color: text }, outlinewidth: 0 } },
      hoverlabel: { bgcolor: surface, bordercolor: line, font: { color: text } },
      // Upright, so that it never covers a title.
      modebar: { orientation: "v", bgcolor: "rgba(0,0,0,0)", color: text, activecolor: text },
      annotationdefaults: { font: { color: text }, arrowcolor: text },
      updatemenudefaults: { bgcolor: surface, bordercolor: line, font: { color: text } },
      sliderdefaults: { bgcolor: surface, bordercolor: line, font: { color: text } }
    };
  }

  /* Plotly does not break titles; words are set on new lines so that none is cut off. */
  function wrap(text, width, size) {
    var room = Math.max(12, Math.floor(width / (size * 0.56)));
    return text.split("<br>").map(function (line) {
      var lines = [""];
      line.split(" ").forEach(function (word) {
        var last = lines[lines.length - 1];
        if (last && (last + " " + word).length > room) lines.push(word);
        else lines[lines.length - 1] = last ? last + " " + word : word;
      });
      return lines.join("<br>");
    }).join("<br>");
  }

  function isSubplotTitle(note) {
    return note.yref === "paper" && note.yanchor === "bottom" && note.showarrow === false;
  }

  function topTitles(layout) {
    return (layout.annotations || []).filter(function (note) {
      return isSubplotTitle(note) && note.y > 0.98;
    });
  }

  /* For titles of several lines, the plot being as high as before. */
  function withRoomAbove(layout) {
    function more(text) { return text.split("<br>").length - 1; }
    var below = topTitles(layout).map(function (note) { return more(note.text); });
    var room = 24 * more(layout.title.text) + 16 * Math.max.apply(null, [0].concat(below));
    var top = (layout.margin || {}).t === undefined ? 70 : layout.margin.t;
    return merge(layout, { height: (layout.height || 450) + room, margin: { t: top + room } });
  }

  /* Small enough on a phone that none reaches into that of the subplot beside it. */
  function narrowSubplotTitles(notes, width) {
    return notes.map(function (note) {
      if (!isSubplotTitle(note)) return note;
      var row = notes.filter(function (other) { return isSubplotTitle(other) && other.y === note.y; });
      return merge(note, { font: { size: 12 }, text: wrap(note.text, width / row.length, 12) });
    });
  }

  function legendRows(figure, width) {
    var named = figure.data.filter(function (trace) {
      return trace.name && trace.showlegend !== false;
    }).length;
    return named > 1 ? Math.ceil(named / Math.floor(width / 95)) : 0;
  }

  /* On a phone the legend lies at the figure's foot: above the plot it would cover the title. */
  function narrowLayout(figure, layout, width) {
    var margin = layout.margin || {}, rows = legendRows(figure, width);
    return {
      annotations: narrowSubplotTitles(layout.annotations || [], width - 60), // without the axis
      margin: { l: Math.min(margin.l || 10, 40), r: 10, b: rows ? 54 + 20 * rows : margin.b || 10 },
      font: { size: Math.min((layout.font || {}).size || 12, 12) },
      title: { x: 0.02, xref: "container", xanchor: "left" },
      legend: {
        orientation: "h", x: 0, xanchor: "left", xref: "container",
        y: 0, yanchor: "bottom", yref: "container", title: { text: "" }
      }
    };
  }

  /* Subplots have titles of their own where the legend would lie: it moves above them, to the right of
     the figure's own title. Elsewhere it grows towards that title, as on paper, and needs room. */
  function wideLayout(figure, layout, width) {
    var rows = legendRows(figure, width - 60); // without the labels of the axis
    if (!topTitles(layout).length) return rows > 1 ? { margin: { t: ((layout.margin || {}).t || 70) + 34 * (rows - 1) } } : {};
    var line = 1 / ((layout.height || 450) - 120); // a pixel, as a share of the plot's height
    return { legend: { x: 1, xanchor: "right", y: 1 + 22 * line } };
  }

  function layoutFor(figure, width) {
    var layout = merge({}, figure.layout || {});
    var template = layout.template || {};
    layout.template = {
      data: template.data || {},
      layout: merge(template.layout || {}, pageTemplate())
    };
    // Figures bring middling colours for viewers that know no theme; here the page decides.
    layout = merge(layout, {
      font: { color: layout.template.layout.font.color },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)"
    });
    delete layout.width;
    layout.autosize = true;
    layout = merge(layout, (width < NARROW ? narrowLayout : wideLayout)(figure, layout, width));
    if (layout.title && layout.title.text) {
      var size = (layout.title.font || {}).size || 17;
      layout.title = merge(layout.title, { text: wrap(layout.title.text, width - 20, size) });
      layout = withRoomAbove(layout);
    }
    return layout;
  }

  /* Plotly leaves room for the outermost points, but not for the words above them. A range that the
     figure itself sets is a choice, and words beyond it are left out with their points. */
  function rangeWithWords(plot) {
    var areas = plot.querySelectorAll(".nsewdrag"), words = plot.querySelectorAll(".textpoint text");
    if (areas.length !== 1 || !words.length || !plot.layout.xaxis.autorange) return {};
    var area = areas[0].getBoundingClientRect(), left = 0, right = 0;
    words.forEach(function (word) {
      var box = word.getBoundingClientRect();
      left = Math.max(left, area.left + 4 - box.left); // numbers of the axis may still grow a little
      right = Math.max(right, box.right + 4 - area.right);
    });
    var range = plot.layout.xaxis.range;
    var pixel = (range[1] - range[0]) / (area.width - left - right); // no number on an axis of dates
    if ((!left && !right) || !isFinite(pixel)) return {};
    return { "xaxis.range": [range[0] - left * pixel, range[1] + right * pixel] };
  }

  /* Titles of axes and notes that reach out of the figure go on in a new line. */
  function brokenTitles(plot) {
    var sheet = plot.getBoundingClientRect(), change = {};
    plot.querySelectorAll("[class^=x][class$=title], .annotation-text").forEach(function (title) {
      var box = title.getBoundingClientRect();
      var over = Math.max(sheet.left - box.left, box.right - sheet.right);
      if (over <= 0) return;
      var note = title.closest(".annotation");
      var name = note ? "annotations[" + note.dataset.index + "].text"
        : title.classList[0].replace(/^x(\d*)title$/, "xaxis$1.title.text");
      var text = note ? plot.layout.annotations[note.dataset.index].text : title.textContent;
      // On both sides, as it is centred.
      change[name] = wrap(text, box.width - 2 * over, parseFloat(getComputedStyle(title).fontSize));
    });
    return change;
  }

  function makeRoomForWords(plot) {
    var change = merge(rangeWithWords(plot), brokenTitles(plot));
    return Object.keys(change).length ? window.Plotly.relayout(plot, change) : undefined;
  }

  function show(item) {
    var width = item.plot.clientWidth;
    item.width = width;
    item.plot.dataset.drawnIn = document.documentElement.dataset.theme;
    if (!item.plot.querySelector(".main-svg")) item.plot.textContent = ""; // its words
    // Plotly keeps what it is given and writes into it: hand it copies.
    var figure = JSON.parse(JSON.stringify(item.figure));
    var data = figure.data, layout = layoutFor(figure, width);
    if (item.plot.style.width === PAPER) layout.height = Math.min(layout.height || 450, PAPER_HEIGHT);
    if (layout.height) item.plot.style.height = layout.height + "px"; // room for broken titles is added
    data.forEach(function (trace) { // else plotly guesses from a colour that may be translucent
      if (trace.type === "heatmap" && trace.texttemplate && !(trace.textfont || {}).color) {
        trace.textfont = Object.assign({ color: layout.font.color }, trace.textfont);
        trace.opacity = trace.opacity || 0.65; // full, the strongest cells hide their numbers
      }
    });
    var config = Object.assign({
      displaylogo: false,
      // Where nothing hovers it would never go away, and fingers are left to the page.
      displayModeBar: matchMedia("(hover: none)").matches ? false : "hover",
      modeBarButtonsToRemove: ["sendChartToCloud", "lasso2d", "select2d"]
    }, figure.config || {});
    return Promise.resolve(window.Plotly.react(item.plot, data, layout, config)).then(function () {
      return makeRoomForWords(item.plot);
    }).then(function () {
      item.plot.dispatchEvent(new CustomEvent("course-figure-drawn", { bubbles: true }));
    });
  }

  /* Its box, not the window: a sidebar that folds changes it too. */
  var fit = new ResizeObserver(function () {
    drawn.forEach(function (item) {
      var width = item.plot.clientWidth;
      if (width && width !== item.width) show(item);
    });
  });

  function keep(item) {
    drawn.push(item);
    fit.observe(item.plot);
    leaveTouchesToThePage(item.plot);
  }

  /* Plotly would zoom with a finger that wants to scroll the page. It sees no touches, only the mouse
     events that browsers make of a tap: a tap still shows values, and a mouse still zooms. */
  function leaveTouchesToThePage(plot) {
    ["touchstart", "touchmove", "touchend"].forEach(function (kind) {
      plot.addEventListener(kind, function (event) { event.stopPropagation(); },
        { capture: true, passive: true });
    });
  }

  function itemOf(element) {
    return {
      plot: element.querySelector(".course-figure-plot"),
      figure: JSON.parse(element.querySelector("script").textContent)
    };
  }

  function drawNow(element) {
    var item = itemOf(element);
    element.dataset.state = "drawn";
    show(item);
    return item;
  }

  function sayInWords(element) {
    element.querySelector(".course-figure-plot").textContent = element.getAttribute("aria-label");
  }

  function draw(element) {
    if (element.dataset.state) return;
    element.dataset.state = "loading";
    var item = itemOf(element);
    loadLibrary().then(function () {
      if (element.dataset.state === "drawn") return; // for paper, while this waited
      return Promise.resolve(show(item)).then(function () {
        element.dataset.state = "drawn";
        keep(item);
      });
    }).catch(function (error) {
      element.dataset.state = "failed";
      sayInWords(element);
      console.error(error);
    });
  }

  /* The browser prints what is there when this returns, so nothing in it may wait; and paper is
     white. What is still to be drawn is drawn by the script that a request has just brought. */
  function readyForPaper(elements) {
    var page = document.documentElement.dataset;
    var theme = page.theme;
    page.theme = "light";
    window.addEventListener("afterprint", function () {
      page.theme = theme;
      drawn.forEach(function (item) { item.plot.style.width = ""; });
    }, { once: true });
    if (elements.length && !window.Plotly) {
      try {
        var request = new XMLHttpRequest();
        request.open("GET", library, false);
        request.send();
        (0, eval)(request.responseText);
      } catch (refused) { // and what `start` asked for has not come yet
        elements.forEach(sayInWords);
        return;
      }
    }
    elements.forEach(function (element) {
      element.querySelector(".course-figure-plot").style.width = PAPER;
      if (element.dataset.state !== "drawn") keep(drawNow(element));
    });
    drawn.forEach(show);
  }

  function start() {
    var elements = Array.from(document.querySelectorAll(".course-figure[role=figure]"));
    function drawAll() { elements.forEach(draw); }
    window.addEventListener("beforeprint", function () { readyForPaper(elements); });
    // A page that was opened as a file, or stands in a sandboxed frame, may request nothing by then.
    if (self.origin === "null" && elements.length) loadLibrary().catch(function () {});
    if (!("IntersectionObserver" in window)) { drawAll(); return; }

    var near = new IntersectionObserver(function (entries) {
      entries.forEach(function (entry) {
        if (!entry.isIntersecting) return;
        near.unobserve(entry.target);
        draw(entry.target);
      });
    }, { rootMargin: "400px" });
    elements.forEach(function (element) { near.observe(element); });

    /* In other colours: what is in sight first, and one at a time, so that the page answers in between. */
    var waiting = [], frame, next;
    function distance(item) {
      var box = item.plot.getBoundingClientRect();
      return Math.abs(box.top + box.bottom - window.innerHeight);
    }
    function drawNext() {
      if (!waiting.length) return;
      next = setTimeout(drawNext);
      show(waiting.shift());
    }
    function drawAgain() {
      waiting = drawn.slice().sort(function (one, other) { return distance(one) - distance(other); });
      cancelAnimationFrame(frame);
      clearTimeout(next);
      frame = requestAnimationFrame(function () { next = setTimeout(drawNext); });
    }
    new MutationObserver(drawAgain).observe(
      document.documentElement, { attributes: true, attributeFilter: ["data-theme"] }
    );
    // With forced colours the system's light and dark decide, whatever the page's theme is.
    ["(forced-colors: active)", "(prefers-color-scheme: dark)"].forEach(function (query) {
      matchMedia(query).addEventListener("change", drawAgain);
    });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
