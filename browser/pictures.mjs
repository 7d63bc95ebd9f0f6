// Pictures of figures, for course_tools/notebooks/pictures.py: every figure of built pages, as drawn in light
// colours, to FOLDER/NAME-0.png, NAME-1.png … in the page's order.
//   node browser/pictures.mjs FOLDER NAME…
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

import { FIGURE, drawnInSight } from "./checks.mjs";
import { FLAGS, findChromium, stop } from "./chromium.mjs";
import { serve } from "./server.mjs";

const [folder, ...names] = process.argv.slice(2);
const executablePath = findChromium();

const { base, close } = await serve(fileURLToPath(new URL("../_build/html", import.meta.url)));
const browser = await chromium.launch({ executablePath, args: FLAGS });
const problems = [];
await mkdir(folder, { recursive: true });
for (const name of names) {
  const tab = await browser.newPage({ viewport: { width: 760, height: 900 }, colorScheme: "light", deviceScaleFactor: 1.5 });
  await tab.goto(`${base}/book/${name}.html`, { waitUntil: "load" });
  await tab.evaluate(() => document.querySelectorAll("details").forEach((fold) => { fold.open = true; }));
  for (const [i, figure] of (await tab.locator(FIGURE).all()).entries()) {
    if (!await drawnInSight(figure)) problems.push(`${name}: figure ${i + 1} is not drawn`);
    await tab.mouse.move(0, 0);
    await figure.screenshot({ path: join(folder, `${name}-${i}.png`), animations: "disabled" });
  }
  await tab.close();
}
await browser.close();
close();
if (problems.length) stop(problems.join("\n"));
