// Proves the checks: breaks one page in every way that they look for, and sees each named.
// Needs a built book: `node browser/selftest.mjs` from the repository's root.
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

import { VIEWS, checkLinks, checkSearch, checkView } from "./checks.mjs";
import { FLAGS, atOnce, findChromium } from "./chromium.mjs";
import { checkConditions } from "./conditions.mjs";
import { belowFloor } from "./lighthouse.mjs";
import { checkParts } from "./parts.mjs";
import { serve } from "./server.mjs";
import { checkClassifier } from "./try_it.mjs";

const html = fileURLToPath(new URL("../_build/html", import.meta.url));
const PAGE = "book/12_conclusion.html"; // short, with figures
const [DESK, PHONE] = VIEWS;

const within = (text, added) => text.replace("</h1>", `</h1>${added}`);
const without = (pattern) => (text) => text.replace(pattern, "");

// What breaks the page: by which name, how, and what the sentence must say. Breaks that don't touch each
// other share a view, for each view takes seconds. (That a whole page holds, `make test-browser` shows.)
const BROKEN = [
  [PHONE, [
    ["external request", (text) => within(text, '<img src="https://example.org/x.png" alt="x">'), "request to another host: https://example.org/x.png"],
    ["console error", (text) => within(text, '<script>console.error("broken on purpose")</script>'), "console error: broken on purpose"],
    ["exception", (text) => within(text, "<script>nowhere()</script>"), "console error: nowhere is not defined"],
    ["missing file", (text) => within(text, '<img src="gone.png" alt="x">'), "missing file: /book/gone.png"],
    ["axe", (text) => within(text, '<img src="../_static/logo.svg">'), "axe image-alt: "],
    ["figure left out", without(/<div class="course-figure" role="figure"/), "figure missing: the notebook has"],
    ["figure out of reach", without(/(?<=role="figure"[^>]*) tabindex="0"/), "figure 1 can't be reached by keyboard"],
    ["figure without words", without(/(?<=role="figure") aria-label="[^"]*"/), "figure 1 has no text alternative"],
  ]],
  [PHONE, [
    ["sideways scroll", (text) => within(text, '<div class="for-a-desk" style="width:900px">wide</div>'), "px wide in 768, from div.for-a-desk"],
    ["sideways scroll at 400%", (text) => within(text, '<div class="for-a-phone" style="width:340px">wide</div>'), "div.for-a-phone"],
    ["cut off on paper", (text) => text.replace('<article class="bd-article">', '$&<div class="output" style="overflow:auto"><div style="width:700px">wide</div></div>'), "cut off on paper: div"],
  ]],
  [PHONE, [
    ["title over a title", (text) => text.replaceAll('"layout":{', '"layout":{"annotations":[{"text":"over the title","xref":"paper","yref":"paper","x":0,"y":1,"yanchor":"bottom","yshift":36,"showarrow":false}],'), '" runs into "over the title"'],
    ["number out of its plot", (text) => text.replace('"data":[', '"data":[{"type":"bar","orientation":"h","x":[1],"y":["a"],"text":["much longer than the room beside its bar"],"textposition":"outside"},'), '" is cut off'],
  ]],
  [PHONE, [["figure not drawn", without(/<script[^>]*plotly-loader[^>]*><\/script>/), "figure 1 is not drawn"]]],
  [DESK, [
    ["no hover", (text) => text.replaceAll('"layout":{', '"layout":{"hovermode":false,'), "figure 1 says nothing under the mouse"],
    ["no new width", (text) => within(text, "<script>window.ResizeObserver = class { observe() {} };</script>"), "figure 1 is not as wide as its box"],
    ["contrast", (text) => within(text, '<p style="color:#bbb;background:#fff">pale</p>'), "axe color-contrast: "],
    ["no skip link", without(/<a href="#main-content">.*?<\/a>/), "keyboard: the first Tab"],
    ["no dark switch", without(/<button class="[^"]*theme-switch-button[\s\S]*?<\/button>/), "dark switch: there is none"],
    ["no terms beside the text", without(/<script[^>]*terms\.js[^>]*><\/script>/), "does not come and go beside the text"],
  ]],
  [DESK, [
    ["skip link to nowhere", (text) => text.replaceAll('id="main-content"', 'id="elsewhere"'), "keyboard: behind the skip link"],
    ["dark switch that does nothing", (text) => within(text, '<script>addEventListener("click", (event) => event.stopImmediatePropagation(), true);</script>'), "dark switch does not darken the page"],
  ]],
  [DESK, [["figures that stay light", (text) => within(text, "<script>window.MutationObserver = class { observe() {} disconnect() {} };</script>"), "dark switch does not reach the figures"]]],
];

const browser = await chromium.launch({ executablePath: findChromium(), args: FLAGS });
const failures = [];

function expect(name, found, sentence, page = "12_conclusion") {
  const seen = found.find((one) => one.includes(sentence) && one.includes(page));
  console.log(`${seen ? "seen" : "MISSED"}  ${name}: ${seen ?? ""}`);
  if (!seen) failures.push(`${name}: expected "${sentence}", got ${JSON.stringify(found)}`);
}

/** Break the book in every way of `breaks` at once, check it, and see each of them named. */
async function seeBroken(breaks, page, check) {
  const done = new Set();
  const { base, close } = await serve(html, (path, whole) => breaks.reduce((text, [name, change]) => {
    const broken = change(text, path);
    if (broken !== text) done.add(name);
    return broken;
  }, whole));
  const found = await check(base);
  for (const [name, change, sentence] of breaks) {
    expect(name, found, sentence, page);
    if (!done.has(name)) failures.push(`${name}: there is nothing to break`);
  }
  close();
}

function seeBrokenView([view, breaks]) {
  const onPage = breaks.map(([name, change, sentence]) => [name, (text, path) => (path === `/${PAGE}` ? change(text) : text), sentence]);
  return seeBroken(onPage, PAGE, (base) => checkView(browser, base, PAGE, view));
}

async function seeDeadLinks() {
  const added = '<a href="gone.html">a</a><a href="01_songs.html#gone">b</a>';
  const { base, close } = await serve(html, (path, text) => (path === `/${PAGE}` ? within(text, added) : text));
  const dead = await checkLinks(base, [PAGE]);
  expect("link to no page", dead, "link to gone.html leads nowhere");
  expect("link to no place", dead, "link to 01_songs.html#gone leads to no such place");
  if (dead.length !== 2) failures.push(`links: expected two dead ones, got ${JSON.stringify(dead)}`);
  close();
}

const TRY = "book/try_it.html";
const changed = (file, from, to) => (text, path) => (path.endsWith(`/${file}`) ? text?.replaceAll(from, to) : text);
const gone = (file) => (text, path) => (path.endsWith(`/${file}`) ? null : text);
const CLASSIFIERS = [
  [["classifier without networks", gone("engine.js"), "could not be tried"]],
  [
    ["classifier that forgets", changed("try_it.js", "history.replaceState(", "void ("), "does not bring back its song"],
    ["classifier that chatters", changed("try_it.js", "}, 1000);", "}, 0);"), "the status line speaks"],
    ["classifier without unknown words", changed("try_it.js", "if (unknown.size)", "if (false)"), "an unknown word is not named"],
    ["classifier that takes a line for a song", changed("try_it.js", "tokens.length < 20", "false"), "a short text is not told from a song"],
    ["classifier that tints for all", changed("try_it.js", "known && read", "known"), "words are tinted that the network doesn't read"],
    ["classifier with scores for all", changed("try_it.js", "sound.disabled =", "void"), "scores can be moved that the network doesn't get"],
    ["classifier that hears no slider", changed("try_it.js", "song[topics + i] =", "void"), "a score changes no answer"],
  ],
];
const PARTS = [
  [["words without networks", gone("engine.js"), "book/09_word_embeddings.html, words: could not be tried"]],
  [
    ["loop that keeps its weights", changed("break_loop.js", "run = training = null", "run = null"), "04_training_loop.html, loop: after rewinding, the same run brings other numbers"],
    ["game and ticks that forget", changed("memory.js", "localStorage.setItem(", "void ("), "forgotten"],
  ],
];
const LOADER = "plotly-loader.js";
// What is changed in which file, which conditions are tried, and what the sentence must say.
const CONDITIONS = [
  [LOADER, "    leaveTouchesToThePage(item.plot);", "", /network.html, under a finger/, "does not scroll the page"],
  [LOADER, 'matchMedia("(hover: none)").matches', "false", /network.html, under a finger/, "tools for a mouse lie on a figure"],
  ["try_it.js", 'matchMedia("(hover: hover)").matches', "true", /try_it.html, under a finger/, "opens the keyboard"],
  [LOADER, "layout.autosize = true;", "layout.dragmode = false;", /mouse/, "a mouse does not zoom"],
  [LOADER, ".style.width = PAPER;", ";", /html, printed$/, "is wider than the paper"],
  [LOADER, "Math.min(layout.height || 450, PAPER_HEIGHT)", "2 * PAPER_HEIGHT", /html, printed$/, "is taller than the paper"],
  ["theme.js", '.style.contentVisibility = "visible"', "", /read on/, "is never laid out"],
  ["theme.js", "block.tabIndex = 0", "void 0", /read on/, "code scrolls, but not by keyboard"],
  ["15_attention.html", 'visit.type === "navigate"', "true", /read on/, "it shows another place"],
  ["theme.js", "opener.focus(", "void (", /dialogs/, "does not give the focus back"],
  ["theme.js", "open.close()", "void 0", /dialogs/, "a link leaves them in front"],
  ["book.css", "(prefers-reduced-motion: reduce)", "(width < 0)", /motion/, "moves, though the reader wants no motion"],
  ["08_combined_network.html", '"localStorage", "sessionStorage"', '"localStorage"', /frame/, "console error: Failed to read the 'sessionStorage'"],
  ["try_it.js", 'self.origin === "null"', "false", /try_it.html, in a sandboxed frame/, "the classifier does not answer"],
  ["theme.js", 'self.origin !== "null"', "true", /frame/, "the search finds nothing"],
  ["search.js", "Object.setPrototypeOf(", "void (", /constructor/, "no answer comes"],
  ["book.css", "(forced-colors: active)", "(width < 0)", /forced colours, dark system, light/, "can't be read"],
  ["book.css", "html[data-theme] :focus-visible{outline", ".none{outline", /network.html, light/, "has no ring"],
  [LOADER, "trace.opacity || 0.65", "1", /network.html, dark/, "can't be read"],
];
// On which page something of a figure would be cut off, and what.
const CUT_OFF = [
  ["book/13_speed.html", "merge(rangeWithWords(plot),", "merge({},", '" is cut off'],
  ["book/05_baselines.html", "brokenTitles(plot))", "{})", '"dashed: base rate" is cut off'],
  ["book/index.html", "item.plot.style.height =", "", "its foot is cut off"],
];
const seeCutOff = ([path, from, to, sentence]) => seeBroken(
  [[`${LOADER} without ${from}`, changed(LOADER, from, to), sentence]], path, (base) => checkView(browser, base, path, PHONE));
const seeBrokenCondition = ([file, from, to, only, sentence]) => seeBroken(
  [[`${file} without ${from.trim()}`, changed(file, from, to), sentence]], "",
  (base) => checkConditions(browser, base, html, only));

// A page that was opened as a file comes from no server that could break it.
const FILES = [
  [LOADER, 'self.origin === "null"', "false", "is not drawn when the page is printed"],
  ["search_texts.js", "window.searchTexts", "window.nothing", "have no excerpts"],
];

async function seeBrokenFiles() {
  const copy = fileURLToPath(new URL("../_build/broken", import.meta.url));
  await cp(html, copy, { recursive: true });
  for (const [file, from, to] of FILES) {
    const path = `${copy}/_static/${file}`, whole = await readFile(path, "utf8");
    await writeFile(path, whole.replace(from, to));
  }
  const found = await checkConditions(browser, "http://127.0.0.1", copy, /printed from a file|search.html, as a file/);
  for (const [file, from, to, sentence] of FILES) expect(`${file} of a file without ${from}`, found, sentence, "");
  await rm(copy, { recursive: true });
}

async function seeNoIndex() {
  const { base, close } = await serve(html, (path, text) => (path === "/searchindex.js" ? null : text));
  expect("search without an index", await checkSearch(browser, base, PAGE, "tensors", "02_"), 'search for "tensors" does not find 02_');
  close();
}

// Most of the time a check waits for what does not come on a broken page.
await atOnce([
  ...PARTS.map((breaks) => () => seeBroken(breaks, "book/", (base) => checkParts(browser, base, html))),
  ...BROKEN.map((row) => () => seeBrokenView(row)),
  ...CLASSIFIERS.map((breaks) => () => seeBroken(breaks, TRY, (base) => checkClassifier(browser, base, TRY, html))),
  ...CONDITIONS.map((row) => () => seeBrokenCondition(row)),
  ...CUT_OFF.map((row) => () => seeCutOff(row)),
  seeBrokenFiles, seeDeadLinks, seeNoIndex,
], (see) => see(), 4);
await browser.close();

const scores = { performance: 89, accessibility: 100, "best-practices": 100, seo: 92 };
const low = belowFloor(PAGE, "mobile", { scores, lost: ["meta-description"] });
expect("low scores", low, "Lighthouse mobile: performance 89 is below 95");
expect("low scores", low, "seo 92 is below 100 (meta-description)");

if (failures.length) {
  console.error(failures.join("\n"));
  process.exit(1);
}
