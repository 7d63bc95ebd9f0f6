// How fast the classifier in the page answers on a slow phone: a slow CPU, slow 4G, and a person who types.
// Run it where nothing else runs; it writes benchmarks/results/slow_phone.json for book/status.md.
//   node browser/slow_phone.mjs
import { writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

import { FLAGS, findChromium, stop } from "./chromium.mjs";
import { benchmarkIndex, slowdownFor } from "./lighthouse.mjs";
import { serve } from "./server.mjs";

const PAGES = ["book/try_it.html", "book/index.html"], VISITS = 3, BETWEEN_KEYS = 180;
const TEXT = "I drive my truck down the old dirt road and think of love ";
// Lighthouse's "slow 4G": bytes per millisecond, and milliseconds there and back.
const DOWN = 1600 / 8, ROUND_TRIP = 150;
const PHONE = { viewport: { width: 412, height: 823 }, deviceScaleFactor: 1.75, isMobile: true, hasTouch: true };

const quantile = (times, share) => Math.round([...times].sort((a, b) => a - b)[Math.floor(share * times.length)]);
const typical = (times) => ({ median: quantile(times, 0.5), p90: quantile(times, 0.9) });

/** Stand between browser and server, with all connections on one slow line: DevTools would leave a worker's requests as fast as they are. */
async function overSlow4G(port) {
  let free = 0; // when the line has sent what waits
  const line = createServer((phone) => {
    const server = connect(port, "127.0.0.1");
    const later = (act, time) => setTimeout(() => !phone.destroyed && !server.destroyed && act(), time);
    phone.on("data", (bytes) => later(() => server.write(bytes), ROUND_TRIP / 2));
    server.on("data", (bytes) => {
      const now = performance.now();
      free = Math.max(free, now) + bytes.length / DOWN;
      later(() => phone.write(bytes), free - now + ROUND_TRIP / 2);
    });
    for (const [one, other] of [[phone, server], [server, phone]]) {
      one.on("close", () => other.destroy());
      one.on("error", () => {}); // closed, above
    }
  });
  await new Promise((resolve) => line.listen(0, "127.0.0.1", resolve));
  return { slow: `http://127.0.0.1:${line.address().port}`, hangUp: () => line.close() };
}

/** In the page: note when the bars change after a key, and when the frame with them is drawn. */
function watchKeys() {
  const box = document.querySelector(".try-it"), pressed = []; // by the number of the answer
  let now;
  window.keys = [];
  document.addEventListener("keydown", ({ timeStamp }) => { now = timeStamp; }, true);
  document.addEventListener("input", () => pressed.push(now), true);
  new MutationObserver(() => {
    const start = pressed[Number(box.dataset.answered) - 1], changed = performance.now() - start;
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => window.keys.push({ changed, drawn: performance.now() - start });
      port2.postMessage(null);
    });
  }).observe(box, { attributes: true, attributeFilter: ["data-answered"] });
}

/** Open the page with a fresh profile, type as soon as it has loaded, and return what each key took. */
async function visit(browser, url, slowdown) {
  const context = await browser.newContext(PHONE);
  const tab = await context.newPage();
  const devtools = await context.newCDPSession(tab);
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: slowdown });
  await tab.goto(url, { waitUntil: "load" });
  await tab.evaluate(watchKeys);
  await tab.locator(".try-it textarea").selectText(); // the first key replaces what stands there
  const [first, ...others] = TEXT;
  await tab.keyboard.press(first);
  await tab.waitForFunction(() => window.keys.length, null, { timeout: 60000 });
  for (const letter of others) {
    await tab.waitForTimeout(BETWEEN_KEYS);
    await tab.keyboard.press(letter === " " ? "Space" : letter);
  }
  await tab.waitForTimeout(1000);
  const [{ changed }, ...keys] = await tab.evaluate(() => window.keys);
  await context.close();
  if (keys.length < others.length) stop(`${url} left ${others.length - keys.length} keys unanswered: is the machine busy?`);
  return { first: changed, keys };
}

const root = new URL("../", import.meta.url);
const { base, close } = await serve(fileURLToPath(new URL("_build/html", root)));
const { slow, hangUp } = await overSlow4G(new URL(base).port);
const browser = await chromium.launch({ executablePath: findChromium(), args: FLAGS });
const tab = await browser.newPage();
const index = await benchmarkIndex(tab);
await tab.close();

const slowdown = slowdownFor(index), runs = [];
for (const page of PAGES) {
  const visits = [];
  while (visits.length < VISITS) visits.push(await visit(browser, `${slow}/${page}`, slowdown));
  const keys = visits.flatMap((one) => one.keys);
  runs.push({
    page, first_ms: visits.map(({ first }) => Math.round(first)), keys: keys.length,
    changed_ms: typical(keys.map(({ changed }) => changed)),
    drawn_ms: typical(keys.map(({ drawn }) => drawn)),
  });
  console.log(JSON.stringify(runs.at(-1)));
}
const version = browser.version();
await browser.close();
hangUp();
close();

const record = {
  command: "node browser/slow_phone.mjs", date: new Date().toISOString().slice(0, 10), versions: { chromium: version },
  device: `${cpus().length} CPU cores`, benchmark_index: Math.round(index), slowdown: Number(slowdown.toFixed(1)),
  line: `${(8 * DOWN) / 1000} Mbit/s with a round trip of ${ROUND_TRIP} ms`, between_keys_ms: BETWEEN_KEYS,
  runs,
};
await writeFile(new URL("benchmarks/results/slow_phone.json", root), `${JSON.stringify(record, null, 1)}\n`);
