// Lighthouse over one page, on a phone and on a desk, and the floors that its scores must not fall below.
import * as launcher from "chrome-launcher";
import lighthouse, { desktopConfig } from "lighthouse";

import { FLAGS, findChromium } from "./chromium.mjs";

const ALIKE = { accessibility: 100, "best-practices": 100, seo: 100 };
export const FLOORS = {
  mobile: { performance: 95, ...ALIKE },
  desktop: { performance: 98, ...ALIKE },
};

async function run(url, device) {
  const chrome = await launcher.launch({
    chromePath: findChromium(), chromeFlags: FLAGS, ignoreDefaultFlags: false, logLevel: "silent",
  });
  try {
    const options = { port: chrome.port, logLevel: "silent", output: "json", onlyCategories: Object.keys(FLOORS[device]) };
    const { lhr } = await lighthouse(url, options, device === "desktop" ? desktopConfig : undefined);
    const lost = Object.values(lhr.categories).flatMap((category) => category.auditRefs
      .filter((ref) => ref.weight > 0 && (lhr.audits[ref.id].score ?? 1) < 0.9).map((ref) => ref.id));
    const scores = Object.fromEntries(Object.entries(lhr.categories).map(([id, { score }]) => [id, Math.round(100 * score)]));
    return { scores, lost, version: lhr.lighthouseVersion };
  } finally {
    chrome.kill();
  }
}

// The run with the median performance of three. Where one run is above every floor and no score is
// to be stored, it is enough: two more could only confirm it.
export async function measure(url, device, always3) {
  const runs = [await run(url, device)];
  if (always3 || belowFloor("", device, runs[0]).length) runs.push(await run(url, device), await run(url, device));
  runs.sort((a, b) => a.scores.performance - b.scores.performance);
  return runs[Math.floor(runs.length / 2)];
}

export function belowFloor(path, device, { scores, lost }) {
  return Object.entries(FLOORS[device])
    .filter(([category, floor]) => !(scores[category] >= floor))
    .map(([category, floor]) => `${path}, Lighthouse ${device}: ${category} ${scores[category]} is below ${floor} (${lost.join(", ")})`);
}
