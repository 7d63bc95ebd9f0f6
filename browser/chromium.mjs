// Where Chromium is, and how it is started: quiet, fresh, with no business of its own, and some pages at
// a time.
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

export const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
  "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
];

export function stop(sentence) {
  console.error(sentence);
  process.exit(1);
}

// CHROMIUM names one that is not on the PATH, as on macOS.
export function findChromium() {
  const onPath = process.env.PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  for (const path of [process.env.CHROMIUM, ...onPath].filter(Boolean)) {
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {} // not there: try the next
  }
  return stop("Chromium is missing: `apt install chromium` gets it, or set CHROMIUM to the path of one that you have.");
}

/** Do `act` for each row, some at a time: two, as many as the smallest machine has cores. */
export async function atOnce(rows, act, workers = 2) {
  const waiting = [...rows];
  const work = async () => {
    while (waiting.length) await act(waiting.shift());
  };
  await Promise.all(Array.from({ length: workers }, work));
}
