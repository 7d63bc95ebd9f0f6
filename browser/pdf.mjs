// `make pdf`: prints the page that course_tools/book/pdf.py has put together.
//   node browser/pdf.mjs PAGE PDF
import { writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

import { chromium } from "playwright-core";

import { FLAGS, findChromium, stop } from "./chromium.mjs";

const [from, to] = process.argv.slice(2);
const TEXT_WIDTH = 642; // pixels; what pdf.css leaves between the margins, so that figures fit

// The number of the page on which each anchor lies; Chromium writes both plainly into the file.
function pageNumbers(pdf) {
  const text = pdf.toString("latin1");
  const object = (id) => {
    const start = text.indexOf(`\n${id} 0 obj\n`);
    return text.slice(start, text.indexOf("\nendobj", start));
  };
  const named = (name, inside) => inside.match(new RegExp(`/${name} (\\d+) 0 R`))[1];
  const leaves = (id) => {
    const kids = object(id).match(/\/Kids \[([^\]]*)\]/);
    return kids ? Array.from(kids[1].matchAll(/(\d+) 0 R/g), ([, kid]) => leaves(kid)).flat() : [id];
  };
  const catalog = text.slice(text.indexOf("/Type /Catalog"));
  const pages = leaves(named("Pages", catalog));
  const anchors = object(named("Dests", catalog)).matchAll(/\/(\S+) \[(\d+) 0 R/g);
  return Object.fromEntries(Array.from(anchors, ([, name, page]) => [`#${name}`, pages.indexOf(page) + 1]));
}

const executablePath = findChromium();

const browser = await chromium.launch({ executablePath, args: FLAGS });
const tab = await browser.newPage({ viewport: { width: TEXT_WIDTH, height: 900 }, colorScheme: "light" });
const problems = [];
tab.on("pageerror", (error) => problems.push(error.message));
tab.on("requestfailed", (request) => problems.push(`could not load ${request.url()}`));
await tab.emulateMedia({ media: "print", colorScheme: "light" });
// The loader then draws every figure at once instead of when it nears the screen.
await tab.addInitScript(() => { delete window.IntersectionObserver; });
await tab.goto(pathToFileURL(from).href, { waitUntil: "load" });
await tab.waitForFunction(() => Array.from(document.querySelectorAll(".course-figure[role=figure]"))
  .every((figure) => ["drawn", "failed"].includes(figure.dataset.state)), null, { timeout: 120000 });

// What can't be wrapped is made as small as it takes: paper does not scroll.
await tab.evaluate(() => {
  for (const wide of document.querySelectorAll("table, .aligned pre, math[display=block]")) {
    const box = wide.parentElement.getBoundingClientRect();
    const width = wide.matches("pre") ? wide.scrollWidth : wide.getBoundingClientRect().width;
    if (width > box.width) wide.style.zoom = String(Math.floor((1000 * box.width) / width) / 1000);
  }
});
const failed = await tab.locator(".course-figure[data-state=failed]").count();
if (failed) problems.push(`figures that are not drawn: ${failed}`);
problems.push(...await tab.evaluate((width) => Array.from(document.querySelectorAll("body *"))
  .filter((one) => one.getBoundingClientRect().right > width + 1 && !one.closest("svg"))
  .map((one) => `wider than the paper: ${one.outerHTML.slice(0, 120)}`).slice(0, 5), TEXT_WIDTH));
if (problems.length) {
  await browser.close();
  stop(problems.join("\n"));
}

// CSS can't tell yet on which page a link ends: print, look, write it into the contents, print again.
const print = () => tab.pdf({ preferCSSPageSize: true, printBackground: true, outline: true, tagged: true });
const unknown = await tab.evaluate((numbers) => {
  const links = Array.from(document.querySelectorAll(".book-contents ol > li > a"));
  for (const link of links) link.dataset.page = numbers[link.getAttribute("href")] ?? "";
  return links.filter((link) => !link.dataset.page).map((link) => link.textContent);
}, pageNumbers(await print()));
if (unknown.length === 0) await writeFile(to, await print());
await browser.close();
if (unknown.length) stop(`The contents name no page for: ${unknown.join(", ")}.`);
