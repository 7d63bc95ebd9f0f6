// `make pdf`: prints the page that course_tools/book_pdf.py has put together.
//   node browser/pdf.mjs PAGE PDF
import { pathToFileURL } from "node:url";

import { chromium } from "playwright-core";

import { FLAGS, findChromium, stop } from "./chromium.mjs";

const [from, to] = process.argv.slice(2);
const TEXT_WIDTH = 642; // pixels; what pdf.css leaves between the margins, so that figures fit

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
await tab.pdf({ path: to, preferCSSPageSize: true, printBackground: true, outline: true, tagged: true });
await browser.close();
