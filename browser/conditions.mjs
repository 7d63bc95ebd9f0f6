// Pages as some readers meet them: read on, under a finger, in a frame that may store nothing, opened
// as a file, on paper, with forced colours, without motion, by Escape, and asked for words that JavaScript knows.
import { pathToFileURL } from "node:url";

import { FIGURE, PAPER, drawnInSight } from "./checks.mjs";
import { atOnce } from "./chromium.mjs";
import { attempt } from "./live.mjs";

const FIGURES = "book/08_combined_network.html", CLASSIFIER = "book/try_it.html", LONGEST = "book/15_attention.html";
const DIALOGS = { menu: ".primary-toggle", contents: ".secondary-toggle", search: ".search-button__button" };

const phone = { hasTouch: true, isMobile: true };
const isOpen = (tab) => tab.locator("dialog[open]").count().then(Boolean);

async function seeFigure(tab) {
  const figure = tab.locator(FIGURE).first();
  if (!await drawnInSight(figure)) throw new Error("its first figure is not drawn");
  await figure.evaluate((element) => element.scrollIntoView({ block: "center" }));
  return figure;
}

// What is far from the window is laid out last; then a reader finds everything where it was.
async function isReadOn(tab) {
  const found = [], parts = ".bd-article > section > section";
  const inTime = (question) => tab.waitForFunction(question, parts, { timeout: 8000 }).then(() => true, () => false);
  const laidOut = (selector) => Array.from(document.querySelectorAll(selector)).every((part) => part.firstElementChild.checkVisibility({ contentVisibilityAuto: true }));
  const reached = (selector) => Array.from(document.querySelectorAll(`${selector} pre`)).every((one) => one.scrollWidth <= one.clientWidth || one.tabIndex === 0);
  const place = () => tab.evaluate((selector) => {
    const part = Array.from(document.querySelectorAll(selector)).findLast((one) => one.getBoundingClientRect().top < 100);
    return [part?.id, part?.getBoundingClientRect().top];
  }, parts);
  if (!await inTime(laidOut)) found.push("a part of it is never laid out");
  if (!await inTime(reached)) found.push("code scrolls, but not by keyboard");
  await tab.evaluate(() => scrollTo(0, document.documentElement.scrollHeight / 2));
  await tab.waitForTimeout(500);
  const [part, top] = await place();
  await tab.reload();
  await inTime(laidOut);
  const [again, there] = await place();
  if (again !== part || Math.abs(there - top) > 5) found.push(`opened anew, it shows another place: ${again}, not ${part}`);
  return found;
}

async function swipeScrolls(tab) {
  const figure = await seeFigure(tab), found = [];
  await tab.waitForTimeout(300);
  const box = await figure.locator(".nsewdrag").first().boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const look = () => tab.evaluate((selector) => [scrollY, JSON.stringify(document.querySelector(`${selector} .js-plotly-plot`).layout.xaxis.range)], FIGURE);
  const [top, range] = await look();
  const finger = await tab.context().newCDPSession(tab);
  const touch = (type, ...touchPoints) => finger.send("Input.dispatchTouchEvent", { type, touchPoints });
  await touch("touchStart", { x, y });
  for (let step = 1; step <= 10; step += 1) {
    await touch("touchMove", { x: x - 4 * step, y: y - 15 * step });
    await tab.waitForTimeout(16);
  }
  await touch("touchEnd");
  await tab.waitForTimeout(500);
  const [after, zoomed] = await look();
  if (after < top + 50) found.push("a swipe that begins on a figure does not scroll the page");
  if (zoomed !== range) found.push("a swipe zooms the figure");
  const mark = await (await seeFigure(tab)).locator(".points path").first().boundingBox();
  await tab.touchscreen.tap(mark.x + mark.width / 2, mark.y + mark.height / 2);
  const told = await figure.locator(".hovertext").first().waitFor({ timeout: 3000 }).then(() => true, () => false);
  if (!told) found.push("a tap shows no values");
  if (await figure.locator(".modebar-btn").count()) found.push("tools for a mouse lie on a figure");
  return found;
}

async function keepsTheKeyboardAway(tab) {
  await tab.locator(".try-it-examples button").last().tap();
  await tab.locator(".try-it[data-answered]").waitFor({ timeout: 15000 });
  const typing = await tab.evaluate(() => document.activeElement.matches("textarea"));
  return typing ? ["a tap on a stored song opens the keyboard over its answer"] : [];
}

async function mouseZooms(tab) {
  const figure = await seeFigure(tab);
  const box = await figure.locator(".nsewdrag").first().boundingBox();
  const range = () => figure.evaluate((element) => JSON.stringify(element.querySelector(".js-plotly-plot").layout.xaxis.range));
  const before = await range();
  await tab.mouse.move(box.x + box.width * 0.3, box.y + box.height * 0.3);
  await tab.mouse.down();
  await tab.mouse.move(box.x + box.width * 0.7, box.y + box.height * 0.7, { steps: 5 });
  await tab.mouse.up();
  await tab.waitForTimeout(300);
  return await range() === before ? ["a mouse does not zoom a figure"] : [];
}

async function dialogsOpen(tab) {
  const found = [];
  for (const [name, selector] of Object.entries(DIALOGS)) {
    const button = tab.locator(selector).filter({ visible: true }).first();
    await button.click();
    if (!await isOpen(tab)) found.push(`${name}: its button opens nothing`);
    await tab.keyboard.press("Escape");
    if (await isOpen(tab)) found.push(`${name}: Escape does not close it`);
    else if (!await button.evaluate((element) => element === document.activeElement)) found.push(`${name}: Escape does not give the focus back to its button`);
  }
  await tab.locator(DIALOGS.contents).click();
  await tab.locator("dialog[open] a[href^='#']").last().click();
  if (await isOpen(tab)) found.push("contents: a link leaves them in front of its place");
  return found;
}

// In a frame as some learning platforms make it: scripts may run, but nothing may be stored.
const inFrame = (base, path, step) => async (tab) => {
  const { width, height } = tab.viewportSize();
  const arrived = tab.waitForEvent("framenavigated", (frame) => frame.url().startsWith(base));
  await tab.setContent(`<iframe sandbox="allow-scripts" width="${width}" height="${height}" src="${base}/${path}"></iframe>`);
  const frame = await arrived;
  await frame.waitForLoadState();
  return step(frame, tab);
};

async function worksInFrame(frame, tab) {
  const found = [];
  for (const figure of (await frame.locator(FIGURE).all()).slice(0, 1)) {
    await figure.evaluate((element) => element.scrollIntoView());
    await figure.locator(".main-svg").first().waitFor({ timeout: 15000 }).catch(() => found.push("figures are not drawn"));
  }
  const theme = () => frame.evaluate(() => document.documentElement.dataset.theme);
  const before = await theme();
  for (let click = 0; click < 2 && await theme() === before; click += 1) await frame.locator(".theme-switch-button").first().click();
  if (await theme() === before) found.push("the dark switch does nothing");
  await frame.locator(DIALOGS.menu).click();
  if (!await frame.locator("dialog[open]").count()) found.push("the menu does not open");
  await tab.keyboard.press("Escape");
  await frame.locator(DIALOGS.search).filter({ visible: true }).first().click();
  await tab.keyboard.type("tensors");
  await tab.keyboard.press("Enter");
  await frame.locator("#search-results .context").first().waitFor({ timeout: 8000 }).catch(() => found.push("the search finds nothing, or shows no excerpts"));
  return found;
}

async function answersInFrame(frame) {
  await frame.locator(".try-it textarea").fill("truck");
  return frame.locator(".try-it[data-answered]").waitFor({ timeout: 15000 }).then(() => [], () => ["the classifier does not answer"]);
}

async function showsExcerpts(tab) {
  return tab.locator("#search-results .context", { hasText: /tensor/i }).first().waitFor({ timeout: 8000 })
    .then(() => [], () => ["search results have no excerpts"]);
}

// At once, before anything was scrolled to, as someone does who only wants it on paper.
async function printsFigures(tab) {
  await tab.evaluate((selector) => addEventListener("beforeprint", () => {
    window.sizes = Array.from(document.querySelectorAll(selector), (figure) => figure.querySelector(".main-svg")?.getBoundingClientRect().toJSON());
  }), FIGURE);
  await tab.pdf();
  const sizes = await tab.evaluate(() => window.sizes);
  return sizes.flatMap((size, i) => {
    if (!size?.width) return [`figure ${i + 1} is not drawn when the page is printed`];
    if (size.height > PAPER.height) return [`figure ${i + 1} is taller than the paper`];
    return size.width > PAPER.width ? [`figure ${i + 1} is wider than the paper`] : [];
  });
}

// A word is a picture's only contrast: where a box of text has but one shade, it can't be read.
async function isReadable(tab) {
  for (const figure of await tab.locator(FIGURE).filter({ visible: true }).all()) {
    if (!await drawnInSight(figure)) return ["a figure is not drawn"];
  }
  await tab.evaluate(() => {
    document.querySelectorAll("section").forEach((part) => { part.style.contentVisibility = "visible"; }); // also out of sight
    window.scrollTo(0, 0);
  });
  await tab.waitForTimeout(500);
  const picture = (await tab.screenshot({ fullPage: true })).toString("base64");
  return tab.evaluate(async (bytes) => {
    const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${bytes}`)).blob());
    const canvas = new OffscreenCanvas(image.width, image.height), pen = canvas.getContext("2d");
    pen.drawImage(image, 0, 0);
    const linear = (value) => (value <= 10 ? value / 3295 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    const contrast = ({ left, top, width, height }) => {
      const { data } = pen.getImageData(Math.floor(left), Math.floor(top + scrollY), Math.ceil(width) + 1, Math.ceil(height) + 1);
      let [dark, light] = [1, 0];
      for (let i = 0; i < data.length; i += 4) {
        const shade = 0.2126 * linear(data[i]) + 0.7152 * linear(data[i + 1]) + 0.0722 * linear(data[i + 2]);
        [dark, light] = [Math.min(dark, shade), Math.max(light, shade)];
      }
      return (light + 0.05) / (dark + 0.05);
    };
    const words = document.querySelectorAll(`main :is(h1, h2, h3, p, li, th, td, label, legend, button, summary, pre, output, select, textarea),
      .course-figure text, .break-loop text, .live :is(.bar, .pull)`);
    const forced = matchMedia("(forced-colors: active)").matches; // else a bar may be as pale as its genre's colour
    const pale = Array.from(words).filter((element) => {
      if (element.matches(":disabled")) return false; // to look as if it could not be used
      if (element.matches(".bar, .pull") && !forced) return false;
      const box = element.getBoundingClientRect();
      const scrolls = element.closest(".output")?.getBoundingClientRect();
      if (scrolls && box.right > scrolls.right) return false; // one scrolls to it
      if (box.width < 3 || box.height < 3 || box.right > innerWidth || box.left < 0) return false;
      if (!element.matches(".bar, .pull, select, textarea") && !element.textContent.trim()) return false;
      const shown = element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
      return shown && contrast(box) < 4.5;
    });
    return pale.slice(0, 3).map((element) => `can't be read: ${element.textContent.trim().slice(0, 30) || element.className}`);
  }, picture);
}

async function hasFocusRings(tab) {
  const found = [];
  for (const selector of ["main a", "main button", FIGURE, "main input"]) {
    const element = tab.locator(selector).filter({ visible: true }).first();
    if (!await element.count()) continue;
    await tab.keyboard.press("Tab"); // from now on the browser shows where the focus is
    await element.focus();
    const ring = await element.evaluate((one) => {
      const style = getComputedStyle(one.matches(".quiz input") ? one.closest("label") : one);
      const ground = getComputedStyle(document.body).backgroundColor;
      return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && style.outlineColor !== ground;
    });
    if (!ring) found.push(`${selector} has no ring where the focus is`);
  }
  return found;
}

async function keepsStill(tab) {
  await tab.waitForTimeout(300);
  return tab.evaluate(() => {
    const seconds = (times) => Math.max(...times.split(",").map(parseFloat));
    const moving = Array.from(document.querySelectorAll("*")).filter((element) => {
      const style = getComputedStyle(element);
      return seconds(style.transitionDuration) > 0 || style.scrollBehavior === "smooth"
        || (style.animationName !== "none" && seconds(style.animationDuration) > 0);
    });
    return moving.slice(0, 3).map((element) => `moves, though the reader wants no motion: ${element.tagName.toLowerCase()}.${element.className}`);
  });
}

/**
 * Everything above, or what `only` matches; `folder` is the built book, to open pages as files as well.
 * What a page may get wrong by its contents alone is tried on `pages`.
 */
export async function checkConditions(browser, base, folder, only = /./, pages = [FIGURES, CLASSIFIER]) {
  const files = pathToFileURL(folder), attempts = [];
  const desk = { viewport: { width: 1280, height: 900 } };
  const tried = (...attempted) => { if (only.test(attempted[0])) attempts.push(attempted); };
  tried(`${LONGEST}, read on`, `${base}/${LONGEST}`, phone, isReadOn);
  tried(`${FIGURES}, under a finger`, `${base}/${FIGURES}`, phone, swipeScrolls);
  tried(`${CLASSIFIER}, under a finger`, `${base}/${CLASSIFIER}`, phone, keepsTheKeyboardAway);
  tried(`${FIGURES}, under a mouse`, `${base}/${FIGURES}`, {}, mouseZooms);
  tried(`${FIGURES}, dialogs`, `${base}/${FIGURES}`, {}, dialogsOpen);
  tried(`${CLASSIFIER}, in a sandboxed frame`, `${base}/search.html`, {}, inFrame(base, CLASSIFIER, answersInFrame));
  tried("search.html, as a file", `${files}/search.html?q=tensors`, {}, showsExcerpts);
  for (const word of ["constructor", "__proto__", "hasOwnProperty", "the", "[", "<b>", "%"]) {
    tried(`search for "${word}"`, `${base}/search.html?q=${encodeURIComponent(word)}`, {}, async (tab) => {
      const answered = tab.locator(".search-summary", { hasText: /found|did not match/ }).waitFor({ timeout: 8000 });
      return answered.then(() => [], () => ["no answer comes"]);
    });
  }
  for (const path of pages) {
    tried(`${path}, without motion`, `${base}/${path}`, {}, keepsStill);
    tried(`${path}, in a sandboxed frame`, `${base}/search.html`, {}, inFrame(base, path, worksInFrame));
    tried(`${path}, printed`, `${base}/${path}`, desk, printsFigures);
    tried(`${path}, printed from a file`, `${files}/${path}`, {}, printsFigures);
    for (const colorScheme of ["light", "dark"]) {
      tried(`${path}, ${colorScheme}`, `${base}/${path}`, { ...desk, colorScheme }, isReadable, hasFocusRings);
      for (const theme of ["light", "dark"]) {
        const choose = (tab) => tab.evaluate((mode) => localStorage.setItem("mode", mode), theme).then(() => tab.reload()).then(() => []);
        const settings = { ...desk, forcedColors: "active", colorScheme };
        tried(`${path}, forced colours, ${colorScheme} system, ${theme} theme`, `${base}/${path}`, settings, choose, isReadable, hasFocusRings);
      }
    }
  }
  const found = [];
  await atOnce(attempts, async ([what, address, settings, ...steps]) => {
    found.push(...await attempt(browser, what, address, settings, steps));
  });
  return found;
}
