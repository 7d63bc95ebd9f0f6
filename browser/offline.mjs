// `make test-offline`: the archive of the book, unpacked and read in a browser without a network.
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { chromium } from "playwright-core";

import { FIGURE, drawnInSight } from "./checks.mjs";
import { FLAGS, atOnce, findChromium, stop } from "./chromium.mjs";
import { attempt } from "./live.mjs";

const NAME = "deep-music-genre-classification";
const archive = process.argv[2];

// A place as people have it, with what must be written otherwise in an address.
const place = await mkdtemp(join(tmpdir(), "Bücher & Übungen 100% "));
execFileSync("python3", ["-m", "zipfile", "-e", archive, place]);
const site = pathToFileURL(join(place, NAME)).href;
const toc = await readFile(fileURLToPath(new URL("../_toc.yml", import.meta.url)), "utf8");
const pages = Array.from(toc.matchAll(/(?:root|file):\s*(\S+?)(?:\.\w+)?\s*$/gm), (found) => `${found[1]}.html`);

async function figuresAreDrawn(tab) {
  const found = [];
  await tab.evaluate(() => document.querySelectorAll("details").forEach((fold) => { fold.open = true; }));
  for (const [i, figure] of (await tab.locator(FIGURE).all()).entries()) {
    if (!await drawnInSight(figure)) found.push(`figure ${i + 1} is not drawn`);
  }
  return found;
}

async function searchFinds(tab) {
  await tab.keyboard.press("Control+k");
  await tab.keyboard.type("gradient");
  await tab.keyboard.press("Enter");
  return tab.locator("#search-results .context", { hasText: /gradient/i }).first().waitFor({ timeout: 8000 })
    .then(() => [], () => ["the search finds nothing, or shows no excerpts"]);
}

const says = (selector, pattern, problem) => (tab) => tab.waitForFunction(
  ([where, form]) => new RegExp(form).test(document.querySelector(where).textContent), [selector, pattern], { timeout: 30000 },
).then(() => [], () => [problem]);

async function classifierAnswers(tab) {
  await tab.locator(".try-it textarea").fill("truck");
  return tab.locator(".try-it[data-answered]").waitFor({ timeout: 15000 }).then(() => [], () => ["the classifier does not answer"]);
}

const wordsAnswer = async (tab) => {
  await tab.locator(".words input").fill("truck");
  await tab.keyboard.press("Enter");
  return says(".words [role=status]", "^truck pulls", "the words do not answer")(tab);
};

const loopTrains = async (tab) => {
  await tab.locator(".break-loop [type=submit]").click();
  return says(".break-loop [role=status]", "Epoch 40 of 40", "the loop does not train")(tab);
};

const LIVE = { "book/try_it.html": classifierAnswers, "book/09_word_embeddings.html": wordsAnswer, "book/04_training_loop.html": loopTrains };

const browser = await chromium.launch({ executablePath: findChromium(), args: FLAGS });
const failures = [];
await atOnce(pages, async (path) => {
  const steps = [figuresAreDrawn, LIVE[path], path.endsWith("/index.html") && searchFinds].filter(Boolean);
  const found = await attempt(browser, path, `${site}/${path}`, { offline: true }, steps);
  console.log(`${found.length ? "fails" : "holds"}  ${path}`);
  failures.push(...found);
});
failures.push(...await attempt(browser, "index.html", `${site}/index.html`, { offline: true }, [
  (tab) => tab.waitForURL(/\/book\/index\.html$/, { timeout: 5000 }).then(() => [], () => ["it does not lead to the first page"]),
]));
await browser.close();
await rm(place, { recursive: true });
if (failures.length) stop(`\n${failures.join("\n")}`);
console.log("The archive holds: every page opens without a network.");
