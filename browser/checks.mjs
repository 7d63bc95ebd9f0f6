// What must hold for a page in a real browser. Every failure is a sentence that names the page, the
// width, the mode and the rule.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const FIGURE = ".course-figure[role=figure]";
const PLOTLY = "application/vnd.plotly.v1+json";

// A page is opened once for each width: light at first on a desk, dark at first on a phone.
export const VIEWS = [{ width: 1280, modes: ["light", "dark"] }, { width: 390, modes: ["dark", "light"] }];

// One page in one view, with a fresh profile. `problems` collects what goes wrong on its own.
async function open(browser, base, path, { width, modes }) {
  const context = await browser.newContext({
    viewport: { width, height: width < 500 ? 844 : 900 }, colorScheme: modes[0], reducedMotion: "reduce",
  });
  const tab = await context.newPage();
  const problems = new Set();
  await context.route("**/*", (route) => {
    const url = route.request().url();
    if (url.startsWith(base) || /^(data|blob):/.test(url)) return route.continue();
    problems.add(`request to another host: ${url}`);
    return route.abort();
  });
  tab.on("console", (message) => {
    const from = message.location().url;
    if (message.type() === "error" && (!from || from.startsWith(base))) problems.add(`console error: ${message.text()}`);
  });
  tab.on("pageerror", (error) => problems.add(`console error: ${error.message}`));
  tab.on("response", (response) => {
    if (response.status() >= 400) problems.add(`missing file: ${response.url().replace(base, "")}`);
  });
  await tab.goto(`${base}/${path}`, { waitUntil: "load" });
  await tab.evaluate(() => document.querySelectorAll("details").forEach((fold) => { fold.open = true; }));
  return { context, tab, problems };
}

async function figuresInNotebook(base, path) {
  const answer = await fetch(`${base}/_sources/${path.replace(/\.html$/, ".ipynb")}`);
  if (!answer.ok) return 0; // a page without a notebook
  const { cells } = await answer.json();
  return cells.flatMap((cell) => cell.outputs ?? []).filter((output) => output.data?.[PLOTLY]).length;
}

/** Scroll to a figure until it is drawn. The parts above it may only now get their height, and move it away. */
export async function drawnInSight(figure) {
  for (let i = 0; i < 3; i += 1) {
    await figure.scrollIntoViewIfNeeded();
    if (await figure.locator(".main-svg").first().waitFor({ timeout: 5000 }).then(() => true, () => false)) return true;
  }
  return false;
}

async function figuresAreDrawn(tab, base, path) {
  const figures = await tab.locator(FIGURE).all();
  const due = await figuresInNotebook(base, path);
  const found = [];
  if (figures.length !== due) found.push(`figure missing: the notebook has ${due}, the page ${figures.length}`);
  for (const [i, figure] of figures.entries()) {
    if (await figure.getAttribute("tabindex") !== "0") found.push(`figure ${i + 1} can't be reached by keyboard`);
    if (!await figure.getAttribute("aria-label")) found.push(`figure ${i + 1} has no text alternative`);
    if (!await drawnInSight(figure)) found.push(`figure ${i + 1} is not drawn`);
  }
  return found;
}

// Titles must not run into each other, nor the words of bars and points out of the plot, nor the plot out of
// its box: they would be cut off.
async function figuresCanBeRead(tab) {
  return tab.evaluate((selector) => Array.from(document.querySelectorAll(selector)).flatMap((figure, i) => {
    const boxes = (names) => Array.from(figure.querySelectorAll(names)).map((one) => ({ words: one.textContent, ...one.getBoundingClientRect().toJSON() }));
    const titles = boxes(".gtitle, .annotation-text").filter(({ width }) => width);
    const over = titles.flatMap((one, k) => titles.slice(k + 1)
      .filter((other) => Math.min(one.right, other.right) - Math.max(one.left, other.left) > 2 && Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 2)
      .map((other) => `figure ${i + 1}, in ${innerWidth} px: "${one.words}" runs into "${other.words}"`));
    const cut = Array.from(figure.querySelectorAll(".bartext, .textpoint text")).filter((word) => {
      const plot = word.closest(".subplot")?.classList[1];
      const area = figure.querySelector(`.draglayer .${plot} .nsewdrag`)?.getBoundingClientRect();
      const { left, right } = word.getBoundingClientRect();
      return area && (left < area.left - 1 || right > area.right + 1);
    });
    const box = figure.getBoundingClientRect();
    cut.push(...Array.from(figure.querySelectorAll(".gtitle, [class^=x][class$=title], .annotation-text")).filter((title) => {
      const { left, right } = title.getBoundingClientRect();
      return left < box.left - 1 || right > box.right + 1;
    }));
    const low = boxes(".main-svg").some(({ bottom }) => bottom > box.bottom + 1);
    return [...over, ...low ? [`figure ${i + 1}, in ${innerWidth} px: its foot is cut off`] : [], ...cut.map((word) => `figure ${i + 1}, in ${innerWidth} px: "${word.textContent}" is cut off`)];
  }), FIGURE);
}

// A mark where there are marks, else the middle of a line or a heat map, else a grid of points.
async function figuresAnswerToTheMouse(tab) {
  const found = [];
  for (const [i, figure] of (await tab.locator(FIGURE).all()).entries()) {
    if (!(await figure.locator(".main-svg").count())) continue; // reported as not drawn
    await figure.evaluate((element) => element.scrollIntoView({ block: "center" }));
    const points = await figure.evaluate((element) => {
      const area = element.querySelector(".nsewdrag").getBoundingClientRect();
      // Of the part that is seen: on a logarithmic axis a bar begins far outside.
      const middle = (box) => [
        (Math.max(box.left, area.left) + Math.min(box.right, area.right)) / 2,
        (Math.max(box.top, area.top) + Math.min(box.bottom, area.bottom)) / 2,
      ];
      const marks = element.querySelectorAll(".points path, .bars path, .point path, .lines path");
      const grid = [0.5, 0.3, 0.7, 0.1, 0.9].flatMap((x) => [0.5, 0.25, 0.75].map((y) => (
        [area.x + x * area.width, area.y + y * area.height])));
      return [...Array.from(marks).slice(0, 12).map((mark) => middle(mark.getBoundingClientRect())), ...grid];
    });
    let answered = false;
    // Quickly first; a busy machine then gets more time.
    const tries = [150, 1000].flatMap((timeout) => points.map(([x, y]) => ({ x, y, timeout })));
    for (const { x, y, timeout } of tries) {
      await tab.mouse.move(x - 3, y);
      await tab.mouse.move(x, y);
      answered = await figure.locator(".hovertext").first().waitFor({ timeout }).then(() => true, () => false);
      if (answered) break;
    }
    if (!answered) found.push(`figure ${i + 1} says nothing under the mouse`);
  }
  return found;
}

async function figuresFitTheirBox(tab) {
  await tab.setViewportSize({ width: 1130, height: 900 }); // the column is wider there than at 1280
  const misfits = () => tab.evaluate(() => Array.from(document.querySelectorAll(".course-figure-plot"))
    .flatMap((plot, i) => (Math.abs(plot.querySelector(".main-svg")?.getAttribute("width") - plot.clientWidth) < 1 ? [] : [i + 1])));
  for (let wait = 0; wait < 20 && (await misfits()).length; wait += 1) await tab.waitForTimeout(100);
  return (await misfits()).map((i) => `figure ${i} is not as wide as its box`);
}

async function switchTurnsDark(tab) {
  const look = () => tab.evaluate(() => {
    const title = document.querySelector(".course-figure .gtitle, .course-figure .xtick text");
    const ground = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number);
    return { dark: Math.max(...ground.slice(0, 3)) < 80, lettering: title && getComputedStyle(title).fill };
  });
  const before = await look();
  const button = tab.locator(".theme-switch-button");
  if (!(await button.count())) return ["dark switch: there is none"];
  for (let click = 0; click < 3 && !(await look()).dark; click += 1) await button.click({ timeout: 10000 });
  const after = await look();
  if (before.dark || !after.dark) return ["dark switch does not darken the page"];
  if (before.lettering) {
    const changed = await tab.waitForFunction((old) => {
      const title = document.querySelector(".course-figure .gtitle, .course-figure .xtick text");
      return title && getComputedStyle(title).fill !== old;
    }, before.lettering, { timeout: 15000 }).then(() => true, () => false);
    if (!changed) return ["dark switch does not reach the figures"];
  }
  return [];
}

// Figures, too, which are drawn again one after the other: on a busy machine that takes a while.
async function followsTheSystem(tab, mode) {
  await tab.emulateMedia({ colorScheme: mode });
  return tab.waitForFunction((theme) => [document.documentElement.dataset.theme ?? theme,
    ...Array.from(document.querySelectorAll("[data-drawn-in]"), (plot) => plot.dataset.drawnIn)].every((one) => one === theme), mode, { timeout: 15000 })
    .then(() => [], () => ["the page does not follow the system's colours"]);
}

async function keyboardReachesTheText(tab) {
  const where = () => tab.evaluate(() => ({
    skip: document.activeElement.matches("a[href='#main-content']"),
    inside: document.activeElement.closest("main") !== null,
  }));
  await tab.keyboard.press("Tab");
  if (!(await where()).skip) return ["keyboard: the first Tab does not reach the skip link"];
  await tab.keyboard.press("Enter");
  await tab.keyboard.press("Tab");
  return (await where()).inside ? [] : ["keyboard: behind the skip link, Tab does not lead into the page"];
}

// 320 is what a window of 1280 pixels leaves at a zoom of 400%.
const WIDTHS = [320, 360, 390, 768, 1280];

async function fitsEachWidth(tab) {
  const before = tab.viewportSize(), found = [];
  for (const width of WIDTHS) {
    await tab.setViewportSize({ ...before, width });
    await tab.waitForTimeout(100); // figures fit themselves to their box
    const see = async () => [...await widerThanTheWindow(tab), ...await figuresCanBeRead(tab)];
    let wrong = await see();
    for (let i = 0; wrong.length && i < 3; i += 1) { // on a busy machine they take longer
      await tab.waitForTimeout(500);
      wrong = await see();
    }
    found.push(...wrong);
  }
  await tab.setViewportSize(before);
  return found;
}

async function widerThanTheWindow(tab) {
  return tab.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const wide = Array.from(document.querySelectorAll("body *"))
      .filter((element) => element.getBoundingClientRect().right > clientWidth + 1)
      .map((element) => element.tagName.toLowerCase() + (element.className.baseVal ?? element.className ? `.${String(element.className.baseVal ?? element.className).split(" ")[0]}` : ""));
    return [`scrolls sideways: ${scrollWidth} px wide in ${clientWidth}, from ${wide.slice(0, 3).join(", ")}`];
  });
}

// A4 between the margins of browser/pdf.css; what is wider is cut off, for paper does not scroll.
export const PAPER = { width: 642, height: 971 };

async function fitsOnPaper(tab) {
  const before = tab.viewportSize();
  await tab.emulateMedia({ media: "print" });
  await tab.setViewportSize({ ...before, width: PAPER.width });
  const cut = await tab.evaluate(() => Array.from(document.querySelectorAll(".bd-article :is(pre, table, .output, .math-block)"))
    .filter((one) => one.checkVisibility() && (one.scrollWidth > one.clientWidth + 1 || one.getBoundingClientRect().right > innerWidth + 1))
    .filter((one) => getComputedStyle(one).display !== "inline")
    .map((one) => `cut off on paper: ${one.tagName.toLowerCase()} with "${one.textContent.trim().slice(0, 40).replace(/\s+/g, " ")}"`).slice(0, 3));
  await tab.setViewportSize(before);
  await tab.emulateMedia({ media: null });
  return cut;
}

// All that a second look at a page, in other colours, can find.
const COLOURS_ALONE = { runOnly: { type: "rule", values: ["color-contrast", "link-in-text-block"] } };

// Half of a chapter's elements are words of code, on which axe spends most of its time. Their colours come
// from their class: two of each kind stay, the others become plain text.
function thinOutCode(tab) {
  return tab.evaluate(() => {
    const seen = new Map();
    document.querySelectorAll("pre span[class]:not(:has(*), a *)").forEach((word) => {
      const kind = [word.className, word.style.cssText, word.closest("div.cell_input, div.cell_output, details, .admonition, .live")?.className].join("|");
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
      if (seen.get(kind) > 2) word.replaceWith(word.textContent);
    });
  });
}

async function axeFindsNothing(tab, rules) {
  // theme.js lets the keyboard into what scrolls some time after the window changed. What stays out of
  // reach, axe names.
  await tab.waitForFunction((width) => innerWidth === width && Array.from(document.querySelectorAll(".bd-article pre"))
    .every((one) => one.tabIndex === (one.scrollWidth > one.clientWidth ? 0 : -1)), tab.viewportSize().width, { timeout: 5000 }).catch(() => {});
  await tab.evaluate(AXE);
  const violations = await tab.evaluate((only) => window.axe.run(document, { resultTypes: ["violations"], ...only })
    .then((result) => result.violations.map((one) => ({
      id: one.id, help: one.help, nodes: one.nodes.length, first: one.nodes[0].target.join(" "),
    }))), rules);
  return violations.map((one) => `axe ${one.id}: ${one.help} (${one.nodes} ×, first ${one.first})`);
}

// A term's meaning stands in the right margin while its link is in sight, and no longer.
async function termsStandBeside(tab) {
  const link = tab.locator(".bd-article a.glossary-term").first();
  if (!(await link.count())) return [];
  const [term, meaning] = await link.evaluate((one) => [one.textContent, one.title]);
  const beside = tab.locator(".terms-in-sight", { hasText: `${term}${meaning}` });
  try {
    await link.scrollIntoViewIfNeeded();
    await beside.waitFor({ timeout: 4000 });
    await tab.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
    if (await link.evaluate((one) => one.getBoundingClientRect().bottom < 0)) await beside.waitFor({ state: "hidden", timeout: 4000 });
    return [];
  } catch {
    return [`the term "${term}" does not come and go beside the text`];
  }
}

/** Everything for one page in one view; if something fails, or `always`, with pictures in `screenshots`. */
export async function checkView(browser, base, path, view, screenshots, always) {
  const { context, tab, problems } = await open(browser, base, path, view);
  const isDesk = view.width === 1280, hasSwitch = isDesk && path !== "404.html";
  const found = [];
  try {
    if (hasSwitch) found.push(...await keyboardReachesTheText(tab));
    found.push(...await figuresAreDrawn(tab, base, path));
    if (isDesk) found.push(...await figuresAnswerToTheMouse(tab));
    await tab.mouse.move(0, 0);
    await tab.evaluate(() => window.scrollTo(0, 0));
    if (!isDesk) found.push(...await fitsEachWidth(tab), ...await fitsOnPaper(tab));
    await thinOutCode(tab); // which stays where it was
    for (const mode of view.modes) {
      // The reader's switch makes a desk dark; the system makes a phone light.
      if (hasSwitch && mode === "dark" && view.modes[0] === "light") found.push(...await switchTurnsDark(tab));
      const rules = mode === view.modes[0] ? {} : COLOURS_ALONE;
      const colours = [...await followsTheSystem(tab, mode), ...await axeFindsNothing(tab, rules)];
      found.push(...colours.map((problem) => `${mode}: ${problem}`));
      if (screenshots && (always || problems.size || found.length)) {
        const name = `${path.replace(/\.html$/, "").replaceAll("/", "_")}_${view.width}_${mode}.png`;
        await tab.screenshot({ path: join(screenshots, name), fullPage: true });
      }
    }
    if (isDesk) found.push(...await termsStandBeside(tab));
    if (isDesk) found.push(...await figuresFitTheirBox(tab)); // last: it changes the window
  } catch (error) {
    found.push(`could not be checked: ${error.message.split("\n")[0]}`);
  } finally {
    await context.close();
  }
  return [...problems, ...found].map((problem) => `${path}, ${view.width} px: ${problem}`);
}

// From any page: Ctrl+K, a word, Enter; the page that holds the word must be among the results.
export async function checkSearch(browser, base, from, word, holder) {
  const { context, tab, problems } = await open(browser, base, from, VIEWS[0]);
  try {
    await tab.keyboard.press("Control+k");
    await tab.keyboard.type(word);
    await tab.keyboard.press("Enter");
    await tab.locator(`#search-results a[href*="${holder}"]`).first().waitFor({ timeout: 8000 });
    await tab.locator("#search-results .context").first().waitFor({ timeout: 8000 });
    for (const wide of await fitsEachWidth(tab)) problems.add(wide);
  } catch {
    problems.add(`search for "${word}" does not find ${holder}, or shows no excerpt`);
  } finally {
    await context.close();
  }
  return [...problems].map((problem) => `search from ${from}: ${problem}`);
}

// Links within the site, of all pages at once: to files that are there, and to ids that are on them.
export async function checkLinks(base, paths) {
  const files = new Map();
  async function read(url) {
    if (!files.has(url)) {
      const answer = await fetch(url);
      const text = answer.ok && answer.headers.get("content-type").startsWith("text/html") ? await answer.text() : "";
      files.set(url, { ok: answer.ok, text, ids: new Set(Array.from(text.matchAll(/\s(?:id|name)="([^"]+)"/g), ([, id]) => id)) });
    }
    return files.get(url);
  }
  const failures = [];
  for (const path of paths) {
    const { text } = await read(`${base}/${path}`);
    for (const href of new Set(Array.from(text.matchAll(/<a\s[^>]*?href="([^"]+)"/g), ([, found]) => found.replaceAll("&amp;", "&")))) {
      const url = new URL(href, `${base}/${path}`);
      if (url.origin !== base) continue;
      const { ok, ids } = await read(url.origin + url.pathname);
      const anchor = decodeURIComponent(url.hash.slice(1));
      if (!ok) failures.push(`${path}: link to ${href} leads nowhere`);
      else if (anchor && !ids.has(anchor)) failures.push(`${path}: link to ${href} leads to no such place on the page`);
    }
  }
  return failures;
}
