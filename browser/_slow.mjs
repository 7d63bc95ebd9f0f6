import { createServer } from "node:http";
import { serve } from "./server.mjs";
import { chromium } from "playwright-core";
import { FLAGS, findChromium } from "./chromium.mjs";
const RATE = 1638.4 * 1000 / 8 * 0.9, RTT = 150; // bytes a second, as Lighthouse's slow 4G
const book = await serve("_build/html");
let free = 0; // when the line is free again
const slow = createServer(async (req, res) => {
  const r = await fetch(book.base + req.url, { headers: { "accept-encoding": "gzip" } });
  // fetch decompresses; take raw instead
  const { request } = await import("node:http");
  request(book.base + req.url, (up) => {
    const chunks = [];
    up.on("data", (c) => chunks.push(c));
    up.on("end", async () => {
      const body = Buffer.concat(chunks);
      await new Promise((d) => setTimeout(d, RTT));
      res.writeHead(up.statusCode, up.headers);
      for (let i = 0; i < body.length; i += 4096) {
        const part = body.subarray(i, i + 4096), now = Date.now();
        free = Math.max(free, now) + part.length / RATE * 1000;
        await new Promise((d) => setTimeout(d, Math.max(0, free - now)));
        res.write(part);
      }
      res.end();
    });
  }).end();
}).listen(0, "127.0.0.1");
await new Promise((d) => slow.on("listening", d));
const base = `http://127.0.0.1:${slow.address().port}`;
const browser = await chromium.launch({ executablePath: findChromium(), args: FLAGS });
for (const [page, wait, text] of [["/book/index.html", 0, "love"], ["/book/index.html", 0, "whiskey"], ["/book/index.html", 1000, "love"], ["/book/index.html", 3000, "love"], ["/book/try_it.html", 0, "love"], ["/book/try_it.html", 0, "whiskey"]]) {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  const tab = await context.newPage();
  const cdp = await context.newCDPSession(tab);
  await cdp.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  await tab.goto(base + page, { waitUntil: "domcontentloaded" });
  await tab.locator(".try-it textarea").waitFor();
  await tab.waitForTimeout(wait);
  const times = await tab.evaluate(async (word) => {
    const box = document.querySelector(".try-it"), field = box.querySelector("textarea"), found = [];
    for (const end of [...word].map((_, i) => i + 1).concat([word.length + 5])) {
      const before = box.dataset.answered, start = performance.now();
      field.value = end > word.length ? word + " road" : word.slice(0, end);
      field.dispatchEvent(new Event("input", { bubbles: true }));
      while (box.dataset.answered === before) await new Promise((d) => setTimeout(d, 2));
      found.push(Math.round(performance.now() - start));
    }
    return found;
  }, text);
  console.log(page, `after ${wait} ms`, text, times.join(" "));
  await context.close();
}
await browser.close(); slow.close(); book.close();
