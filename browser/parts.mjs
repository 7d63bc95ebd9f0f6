// What answers in the chapters: the loop to break, the words, the game, and the reader's memory.
import { pathToFileURL } from "node:url";

import { drawnInSight } from "./checks.mjs";
import { atOnce } from "./chromium.mjs";
import { attempt } from "./live.mjs";

const LOOP = "book/04_training_loop.html", WORDS = "book/09_word_embeddings.html", INDEX = "book/index.html";

const text = (tab, selector) => tab.locator(selector).first().textContent();
const says = (tab, selector, pattern) => tab.waitForFunction(
  ([where, form]) => new RegExp(form).test(document.querySelector(where).textContent), [selector, pattern], { timeout: 30000 });

async function listen(tab, selector) {
  await tab.locator(selector).evaluate((element) => {
    window.said = [];
    new MutationObserver(() => window.said.push(element.textContent)).observe(element, { childList: true, characterData: true, subtree: true });
  });
}

async function loopTrains(tab) {
  const found = [], status = ".break-loop [role=status]", first = ".break-loop tbody tr";
  const run = async () => {
    await tab.locator(".break-loop [type=submit]").focus();
    await tab.keyboard.press("Enter");
    await says(tab, status, "Epoch 40 of 40");
    return text(tab, first);
  };
  const rewind = async () => {
    await tab.locator(".break-loop [name=rewind]").focus();
    await tab.keyboard.press("Enter");
  };
  await listen(tab, status);
  const once = await run();
  const said = await tab.evaluate(() => window.said.length);
  if (said > 2) found.push(`the status line speaks ${said} times in a run`);
  if (await tab.locator(".break-loop polyline").count() !== 4) found.push("the curves are not drawn");
  await rewind();
  if (await run() !== once) found.push("after rewinding, the same run brings other numbers");
  await rewind();
  await tab.locator(".break-loop [name=softmaxTwice]").focus();
  await tab.keyboard.press("Space");
  const broken = await run();
  if (!/softmax/.test(broken) || broken === once) found.push("a mistake changes nothing");
  if (await tab.locator(".break-loop polyline.before").count() !== 4) found.push("the run before is not shown");
  return found;
}

async function loopPauses(tab) {
  const train = tab.locator(".break-loop [type=submit]");
  await train.tap();
  await tab.waitForFunction(() => document.querySelector(".break-loop [type=submit]").textContent === "Pause");
  await train.tap();
  await says(tab, ".break-loop [role=status]", "^(Epoch \\d+ of|$)");
  const before = await text(tab, ".break-loop [role=status]");
  await tab.waitForTimeout(400);
  return before === await text(tab, ".break-loop [role=status]") ? [] : ["a paused run goes on"];
}

async function wordsAnswer(tab) {
  const found = [], status = ".words [role=status]", field = tab.locator(".words input");
  const stored = await text(tab, ".words-answer");
  const lookUp = async (word, pattern) => {
    await field.fill(word);
    await tab.keyboard.press("Enter");
    await says(tab, status, pattern);
  };
  await lookUp("road", "^road pulls");
  if (await text(tab, ".words-answer") !== stored) found.push("the stored answer is not the one that the network gives");
  await lookUp("Truck ", "^truck pulls most towards country");
  await lookUp("qqzx", "qqzx. is not among");
  if (await tab.locator(".words table").first().isVisible()) found.push("an unknown word leaves the answer to another");
  await lookUp("moon", "^moon pulls");
  await tab.locator(".words th button").first().tap();
  await says(tab, status, "^(?!moon).* pulls most");
  return found;
}

async function mapAnswers(tab) {
  const map = tab.locator(".course-figure", { has: tab.locator("[aria-label*='Map of'], .gtitle") }).nth(1);
  if (!await drawnInSight(map)) return ["the second map is not drawn"];
  const maps = await tab.evaluate(() => Array.from(document.querySelectorAll(".course-figure-plot"))
    .filter((plot) => plot.data?.some(({ hovertext }) => hovertext)).length);
  await tab.locator(".words input").fill("love");
  await tab.keyboard.press("Enter");
  await says(tab, ".words [role=status]", "^love pulls");
  const named = await tab.evaluate(() => document.querySelectorAll(".course-figure-plot .annotation-text").length);
  return maps && named ? [] : [`${maps} maps are drawn, and they name ${named} words that were looked up`];
}

async function gameCounts(tab) {
  const found = [], status = ".guess [role=status]";
  for (const seen of [1, 2]) {
    await tab.locator(".guess [value=jazz]").focus();
    await tab.keyboard.press("Enter");
    await says(tab, status, `Right so far: you \\d, the network \\d, the best possible model \\d of ${seen}`);
    if (!await tab.locator(".guess-song:not([hidden]) details").isVisible()) found.push("no answer is shown after a guess");
    await tab.keyboard.press("Enter"); // the next song's button has the focus
  }
  if (await text(tab, ".guess-song:not([hidden]) .guess-number") !== "Song 3 of 10") found.push("the third song is not the next");
  await tab.reload();
  if (!/of 2\.$/.test(await text(tab, status))) found.push("guesses are forgotten");
  await tab.evaluate(() => window.courseMemory.set("guesses", { ...window.courseMemory.get("guesses"), "a song of an older book": "pop" }));
  await tab.reload();
  if (!/of 2\.$/.test(await text(tab, status))) found.push("a guess of another song is counted");
  tab.once("dialog", (dialog) => dialog.accept());
  await tab.locator(".memory button", { hasText: "Erase" }).click();
  await says(tab, ".memory [role=status]", "0 songs guessed");
  if (await text(tab, ".guess-song:not([hidden]) .guess-number") !== "Song 1 of 10") found.push("erasing leaves the guesses");
  return found;
}

async function memoryIsExported(tab) {
  const [download] = await Promise.all([tab.waitForEvent("download"), tab.locator(".memory button", { hasText: "Export" }).click()]);
  return download.suggestedFilename().endsWith(".json") ? [] : ["what is remembered can't be exported"];
}

const readAndAnswer = (kept) => async (tab) => {
  const quiz = tab.locator(".quiz input").nth(1), tick = tab.locator(".read-tick input");
  await quiz.check();
  await tick.focus();
  await tab.keyboard.press("Space");
  const ticks = () => tab.locator(".bd-sidebar-primary .is-read").count();
  const found = await ticks() === 1 ? [] : ["a chapter that was read has no tick in the contents"];
  if (!kept) return found;
  await tab.reload();
  if (!await quiz.isChecked()) found.push("an answer is forgotten");
  if (!await tick.isChecked() || await ticks() !== 1) found.push("a chapter that was read is forgotten");
  return found;
};

const withoutScripts = { javaScriptEnabled: false };
const shows = (selector, due) => async (tab) => {
  const seen = await tab.locator(selector).filter({ visible: true }).count();
  return seen === due ? [] : [`${seen} of ${selector} are shown instead of ${due}`];
};

/** Try all parts; `folder` is the built book, to open pages as files as well. */
export async function checkParts(browser, base, folder) {
  const touch = { hasTouch: true }, files = pathToFileURL(folder), found = [];
  await atOnce([
    [`${LOOP}, loop`, `${base}/${LOOP}`, touch, loopTrains],
    [`${LOOP}, loop from a file`, `${files}/${LOOP}`, touch, loopPauses],
    [`${LOOP}, loop without scripts`, `${base}/${LOOP}`, withoutScripts, shows(".break-loop", 0), shows("noscript .live, .live", 1)],
    [`${WORDS}, words`, `${base}/${WORDS}`, touch, wordsAnswer, mapAnswers],
    [`${WORDS}, words from a file`, `${files}/${WORDS}`, touch, wordsAnswer],
    [`${WORDS}, words without scripts`, `${base}/${WORDS}`, withoutScripts, shows(".words table", 2)],
    [`${INDEX}, game`, `${base}/${INDEX}`, {}, gameCounts, memoryIsExported],
    [`${INDEX}, game without scripts`, `${base}/${INDEX}`, withoutScripts, shows(".guess-song", 10)],
    [`${LOOP}, memory`, `${base}/${LOOP}`, {}, readAndAnswer(true)],
    [`${LOOP}, memory that is blocked`, `${base}/${LOOP}`, { blocked: true }, readAndAnswer(false)],
  ], async ([what, address, settings, ...steps]) => {
    found.push(...await attempt(browser, what, address, settings, steps));
  });
  return found;
}
