// Lighthouse over one page, on a phone and on a desk, and the floors that its scores must not fall below.
import * as launcher from "chrome-launcher";
import lighthouse, { desktopConfig } from "lighthouse";
import { pageFunctions } from "lighthouse/core/lib/page-functions.js";
import { chromium } from "playwright-core";

import { FLAGS, findChromium } from "./chromium.mjs";

const ALIKE = { accessibility: 100, "best-practices": 100, seo: 100 };
export const FLOORS = {
  mobile: { performance: 95, ...ALIKE },
  desktop: { performance: 98, ...ALIKE },
};

// Lighthouse makes a phone of a fast desk (benchmark index 1,500 to 2,000) by slowing its CPU down
// fourfold. A slow or busy machine is nearer to a phone already: without this, a page would be blamed
// for what runs beside it. https://github.com/GoogleChrome/lighthouse/blob/main/docs/throttling.md
const FAST_DESK = 1750;

// Of this machine, as it is now; the first try is low: Chromium is still starting.
export async function benchmarkIndex(tab) {
  let index = 0;
  for (let i = 0; i < 3; i += 1) index = Math.max(index, await tab.evaluate(pageFunctions.computeBenchmarkIndex));
  return index;
}

// Less than twice is luck, or no machine to measure on.
export const slowdownFor = (index) => Math.min(4, Math.max(2, (4 * index) / FAST_DESK));

async function cpuSlowdown(port) {
  const browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`);
  const tab = await browser.newPage();
  const index = await benchmarkIndex(tab);
  await tab.close();
  await browser.close(); // only the connection
  return slowdownFor(index);
}

async function run(url, device) {
  const chrome = await launcher.launch({
    chromePath: findChromium(), chromeFlags: FLAGS, ignoreDefaultFlags: false, logLevel: "silent",
  });
  try {
    const config = device === "desktop" ? desktopConfig : {
      extends: "lighthouse:default",
      settings: { throttling: { cpuSlowdownMultiplier: await cpuSlowdown(chrome.port) } },
    };
    const options = { port: chrome.port, logLevel: "silent", output: "json", onlyCategories: Object.keys(FLOORS[device]) };
    const { lhr } = await lighthouse(url, options, config);
    const lost = Object.values(lhr.categories).flatMap((category) => category.auditRefs
      .filter((ref) => ref.weight > 0 && (lhr.audits[ref.id].score ?? 1) < 0.9).map((ref) => ref.id));
    const scores = Object.fromEntries(Object.entries(lhr.categories).map(([id, { score }]) => [id, Math.round(100 * score)]));
    return { scores, lost, version: lhr.lighthouseVersion };
  } finally {
    chrome.kill();
  }
}

// What runs beside it makes a page slower: the first of three runs that is above every floor is enough.
// Scores that are to be stored are those of the run with the median performance.
export async function measure(url, device, store) {
  const runs = [];
  while (runs.length < 3) {
    runs.push(await run(url, device));
    if (!store && !belowFloor("", device, runs.at(-1)).length) return runs.at(-1);
  }
  runs.sort((a, b) => a.scores.performance - b.scores.performance);
  return runs[1];
}

export function belowFloor(path, device, { scores, lost }) {
  return Object.entries(FLOORS[device])
    .filter(([category, floor]) => !(scores[category] >= floor))
    .map(([category, floor]) => `${path}, Lighthouse ${device}: ${category} ${scores[category]} is below ${floor} (${lost.join(", ")})`);
}
