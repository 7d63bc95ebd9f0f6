// A page that someone uses: opened, then tried step by step. Each step returns what is wrong.

export async function openPage(browser, url, { blocked = false, ...settings } = {}) {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, reducedMotion: "reduce", ...settings });
  const tab = await context.newPage();
  const problems = [];
  tab.on("pageerror", (error) => problems.push(`console error: ${error.message}`));
  tab.on("console", (message) => { if (message.type() === "error") problems.push(`console error: ${message.text()}`); });
  if (blocked) { // as in a frame that may store nothing
    await tab.addInitScript(() => Object.defineProperty(window, "localStorage", {
      configurable: true, // as it is
      get() { throw new DOMException("refused", "SecurityError"); },
    }));
  }
  await tab.goto(url, { waitUntil: "load" });
  return { context, tab, problems };
}

export async function attempt(browser, what, url, settings, steps) {
  const { context, tab, problems } = await openPage(browser, url, settings);
  try {
    for (const step of steps) problems.push(...await step(tab));
  } catch (error) {
    problems.push(`could not be tried: ${error.message.split("\n")[0]}`);
  }
  await context.close();
  return problems.map((problem) => `${what}: ${problem}`);
}
