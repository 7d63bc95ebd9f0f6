// The classifier in the page, by keyboard: typed lyrics are answered, on a server and from a file.
import { pathToFileURL } from "node:url";

import { attempt, openPage } from "./live.mjs";

const BOX = ".try-it";
const QUIET = 1600; // longer than the page waits before it speaks


const shares = (tab) => tab.locator(`${BOX} tbody tr`).evaluateAll((rows) => rows.map((row) => row.lastElementChild.textContent));

/** Do something, and wait until the page shows the answer to it. */
async function andWait(tab, act) {
  const box = tab.locator(BOX), before = await box.getAttribute("data-answered");
  await act();
  await tab.waitForFunction(
    ([selector, old]) => document.querySelector(selector).dataset.answered !== (old ?? undefined),
    [BOX, before], { timeout: 15000 });
}

async function typed(tab, text) {
  await tab.locator(`${BOX} textarea`).fill("");
  await andWait(tab, () => tab.locator(`${BOX} textarea`).pressSequentially(text));
  await tab.waitForTimeout(300); // the last key's answer
}

// The stored answer to the first song is on the page before any script; typed, it must be the same.
async function answersAsStored(tab) {
  const seen = () => tab.locator(`${BOX} .try-it-answer`).evaluate((answer) => [
    answer.querySelector(".try-it-note").textContent, answer.querySelector("table").innerText,
    ...Array.from(answer.querySelectorAll(".try-it-words span"), (word) => word.className + word.style.getPropertyValue("--genre") + word.textContent),
  ].join("|"));
  const stored = await seen(), field = tab.locator(`${BOX} textarea`), first = await field.inputValue();
  await andWait(tab, () => field.fill(`${first} `));
  return await seen() === stored ? [] : ["the stored answer is not the one that the networks give"];
}

async function answersWhatIsTyped(tab) {
  const found = [];
  await typed(tab, "truck qqzx");
  const sum = (await shares(tab)).reduce((total, share) => total + parseInt(share, 10), 0);
  if (sum < 96 || sum > 104) found.push(`the bars add up to ${sum}%`);
  const tint = await tab.locator(`${BOX} .try-it-words span`, { hasText: "truck" }).first()
    .evaluate((word) => word.style.getPropertyValue("--genre"));
  if (!tint) found.push("a word has no colour");
  const note = await tab.locator(`${BOX} .try-it-note`).first().textContent();
  if (!/Not in the vocabulary,.*: qqzx/.test(note)) found.push("an unknown word is not named");
  if (!/can outweigh the words/.test(note)) found.push("a short text is not told from a song");
  return found;
}

async function speaksOnce(tab) {
  const status = tab.locator(`${BOX} [role=status]`);
  await tab.waitForTimeout(QUIET);
  await status.evaluate((element) => {
    window.said = [];
    new MutationObserver(() => window.said.push(element.textContent)).observe(element, { childList: true, characterData: true, subtree: true });
  });
  await typed(tab, "love in the night");
  await tab.waitForTimeout(QUIET);
  const said = await tab.evaluate(() => window.said);
  if (said.length !== 1) return [`the status line speaks ${said.length} times for one line of lyrics`];
  return /network says \w.*%; then/.test(said[0]) ? [] : [`the status line says "${said[0]}"`];
}

async function answersToTheKeyboard(tab) {
  const found = [], caption = tab.locator(`${BOX} caption`);
  await tab.locator(`${BOX} input[value=combined]`).focus();
  await andWait(tab, () => tab.keyboard.press("ArrowLeft"));
  if (!/features/.test(await caption.textContent())) found.push("arrow keys don't choose a network");
  if (await tab.locator(`${BOX} .try-it-words`).first().locator("[style], .unknown").count()) found.push("words are tinted that the network doesn't read");
  const slider = tab.locator(`${BOX} input[type=range]`).first(), before = await shares(tab);
  await slider.focus();
  await andWait(tab, () => tab.keyboard.press("Home"));
  await andWait(tab, () => tab.keyboard.press("PageUp"));
  if (`${before}` === `${await shares(tab)}`) found.push("a score changes no answer");
  await tab.locator(`${BOX} input[value=features]`).focus();
  await andWait(tab, () => tab.keyboard.press("ArrowLeft"));
  if (await slider.isEnabled()) found.push("scores can be moved that the network doesn't get");
  const button = tab.locator(`${BOX} button`).last();
  await button.focus();
  await andWait(tab, () => tab.keyboard.press("Enter"));
  return found;
}

async function addressHoldsTheSong(browser, tab) {
  await tab.waitForTimeout(1000);
  const { context, tab: twin } = await openPage(browser, tab.url());
  const answers = await twin.locator(`${BOX}[data-answered]`).waitFor({ timeout: 15000 }).then(() => true, () => false);
  const same = answers && `${await shares(twin)}` === `${await shares(tab)}`;
  await context.close();
  return same ? [] : ["the page's address does not bring back its song"];
}

/** Try the classifier of one page; `folder` is the built book, to open it as a file as well. */
export async function checkClassifier(browser, base, path, folder) {
  const tried = (how, ...rest) => attempt(browser, `${path}, classifier ${how}`, ...rest);
  const short = !(await (await fetch(`${base}/${path}`)).text()).includes('class="try-it-examples"');
  const address = (tab) => addressHoldsTheSong(browser, tab);
  const all = short ? [answersAsStored, answersWhatIsTyped, speaksOnce, address]
    : [answersAsStored, answersWhatIsTyped, speaksOnce, answersToTheKeyboard, address];
  return [
    ...await tried("from a server", `${base}/${path}`, {}, all),
    ...await tried("from a file", `${pathToFileURL(folder)}/${path}`, {}, [answersWhatIsTyped]),
    ...await tried("without scripts", `${base}/${path}`, { javaScriptEnabled: false }, [async (tab) => {
      const songs = await tab.locator(`${BOX} .try-it-words`).filter({ visible: true }).count(), due = short ? 1 : 6;
      return songs === due ? [] : [`${songs} songs are shown instead of ${due}`];
    }]),
  ];
}
