// `make test-browser`: every page of the built book in Chromium, then Lighthouse.
//   --store                all pages in all conditions, and three times in Lighthouse; writes
//                          benchmarks/results/pages.json
//   --site=FOLDER          another build of the book than that in _build/html
//   BROWSER_LIGHTHOUSE=0   leaves Lighthouse out
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

import { VIEWS, checkLinks, checkSearch, checkView } from "./checks.mjs";
import { FLAGS, atOnce, findChromium, stop } from "./chromium.mjs";
import { checkConditions } from "./conditions.mjs";
import { belowFloor, measure } from "./lighthouse.mjs";
import { checkParts } from "./parts.mjs";
import { serve } from "./server.mjs";
import { checkClassifier } from "./try_it.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const html = resolve(root, process.argv.find((word) => word.startsWith("--site="))?.slice(7) ?? "_build/html");
const screenshots = `${root}_build/screenshots`;
const { CI } = process.env; // there nobody looks at a page that holds
const store = process.argv.includes("--store");

// In CI Lighthouse takes a few pages: the first, the one that computes most, one of the longest, and
// the heaviest; only the last on a desk, where all are fast.
const SAMPLE = ["index", "try_it", "01_songs", "09_word_embeddings"];
// One word that stands only in code, one that stands in prose; both outlive changes of a chapter.
const SEARCHES = [["describe_environment", "01_songs.html"], ["tensors", "03_from_lyrics_to_tensors.html"]];

const executablePath = findChromium();
const toc = await readFile(`${root}_toc.yml`, "utf8");
const chapters = Array.from(toc.matchAll(/(?:root|file):\s*(\S+?)(?:\.\w+)?\s*$/gm), (found) => `${found[1]}.html`);

if (!existsSync(`${html}/index.html`)) stop(`There is no book in ${html}: \`make book\` or \`make book-sphinx\` makes one.`);
const { base, close } = await serve(html);
const browser = await chromium.launch({ executablePath, args: FLAGS });
const failures = [];
const results = {};
const started = Date.now();
await rm(screenshots, { recursive: true, force: true });
await mkdir(screenshots, { recursive: true });

await atOnce([...chapters, "search.html", "404.html"], async (path) => {
  const found = [];
  for (const view of VIEWS) found.push(...await checkView(browser, base, path, view, screenshots, !CI));
  failures.push(...found);
  results[path] = { axe: found.filter((one) => one.includes(": axe ")).length };
  console.log(`${found.length ? "fails" : "holds"}  ${path}`);
});
await atOnce([
  ...SEARCHES.map(([word, holder]) => () => checkSearch(browser, base, chapters[1], word, holder)),
  ...["book/index.html", "book/try_it.html"].map((path) => () => checkClassifier(browser, base, path, html)),
  () => checkLinks(base, chapters),
], async (check) => { failures.push(...await check()); });
failures.push(...await checkParts(browser, base, html));
failures.push(...await checkConditions(browser, base, html, ...(store ? [/./, chapters] : [])));
const version = browser.version();
await browser.close();
console.log(`pages took ${Math.round((Date.now() - started) / 1000)} s`);

let lighthouseVersion = null;
if (process.env.BROWSER_LIGHTHOUSE !== "0") {
  const pages = store ? chapters : chapters.filter((path) => SAMPLE.some((name) => path.endsWith(`/${name}.html`)));
  for (const path of pages) {
    for (const device of store || path === pages.at(-1) ? ["mobile", "desktop"] : ["mobile"]) {
      const median = await measure(`${base}/${path}`, device, store);
      lighthouseVersion = median.version;
      results[path][device] = median.scores;
      failures.push(...belowFloor(path, device, median));
      console.log(`lighthouse ${device.padEnd(7)} ${Object.values(median.scores).join(" ")}  ${path}`);
    }
  }
}
close();

if (store && lighthouseVersion) {
  const { dependencies } = JSON.parse(await readFile(new URL("package.json", import.meta.url), "utf8"));
  const record = {
    command: "make test-browser STORE=1", date: new Date().toISOString().slice(0, 10),
    versions: { chromium: version, lighthouse: lighthouseVersion, "axe-core": dependencies["axe-core"] },
    views: "axe: violations over 1280 and 390 px, light and dark; Lighthouse: median of three, gzip, loopback",
    pages: Object.fromEntries(Object.entries(results).sort()),
  };
  await writeFile(`${root}benchmarks/results/pages.json`, `${JSON.stringify(record, null, 1)}\n`);
}

if (failures.length) stop(`\n${failures.sort().join("\n")}\n\n${failures.length} failures. Pictures of ${CI ? "these" : "all"} pages: _build/screenshots/`);
console.log(`Every page holds.${CI ? "" : " Look at them: _build/screenshots/"}`);
