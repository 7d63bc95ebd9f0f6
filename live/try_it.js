/**
 * The classifier in the page: someone types a song, and the course's networks answer.
 *
 * `course_tools/book/live/try_it.py` writes the form, and the answers to five stored examples, so
 * that there is something to see before any script runs. The book puts `files.js` and `ask.js` before
 * this file; the networks are loaded once the form is seen.
 */

const percent = (share) => `${Math.round(100 * share)}%`;
const isWord = (token) => /[\p{L}\p{N}]/u.test(token);
const list = (items, limit) => items.slice(0, limit).join(", ")
  + (items.length > limit ? ` and ${items.length - limit} more` : "");

function start(box) {
  const { genres, colours, topics, typical } = JSON.parse(box.querySelector("script").textContent);
  const form = box.querySelector("form"), { lyrics, network, from, sound } = form.elements;
  const sliders = Array.from(form.querySelectorAll("input[type=range]"));
  const words = box.querySelector(".try-it-words"), note = box.querySelector(".try-it-note");
  const rows = Array.from(box.querySelectorAll("tbody tr"));
  const caption = box.querySelector("caption"), status = box.querySelector("[role=status]");
  let asked = 0, speaking, remembering;

  /** The song's scores: topics of a typical song, and what the sliders say. */
  function scores() {
    const song = [...typical[from?.value ?? genres[0]]];
    sliders.forEach(({ value }, i) => { song[topics + i] = Number(value); });
    return song;
  }

  function showValues() {
    if (sound) sound.disabled = network.value === "lyrics"; // which doesn't get them
    for (const slider of sliders) slider.nextElementSibling.value = Number(slider.value).toFixed(2);
  }

  function setTypical() {
    sliders.forEach((slider, i) => { slider.value = typical[from.value][topics + i]; });
  }

  /** Tint each word by the genre that it speaks for most; name the strongest and the unknown. */
  function showWords(text, tokens) {
    const read = network.value !== "features", parts = [], pulls = new Map(), unknown = new Set();
    let at = 0;
    for (const { start: begin, end, word, shown, known, pull } of tokens) {
      const mark = document.createElement("span"), most = Math.max(...pull);
      mark.textContent = shown === word ? text.slice(begin, end) : shown;
      if (known && read) {
        mark.style.setProperty("--genre", colours[pull.indexOf(most)]);
        mark.style.setProperty("--pull", `${Math.min(Math.round(15 * most), 50)}%`);
        pulls.set(shown, [most, genres[pull.indexOf(most)]]);
      } else if (isWord(word) && read) {
        mark.className = "unknown";
        unknown.add(shown);
      }
      parts.push(document.createTextNode(text.slice(at, begin)), mark);
      at = end;
    }
    // A phone needn't draw anew what stands before the change.
    const old = [...words.childNodes];
    let same = 0;
    while (old[same]?.isEqualNode(parts[same] ?? null)) same += 1;
    for (const node of old.slice(same)) node.remove();
    words.append(...parts.slice(same));
    const strongest = [...pulls].sort(([, [one]], [, [other]]) => other - one)
      .map(([word, [, genre]]) => `${word} (${genre})`);
    const notes = [];
    if (strongest.length) notes.push(`Strongest: ${strongest.slice(0, 5).join(", ")}.`);
    if (unknown.size) notes.push(`Not in the vocabulary, which has neither rare words nor the most common ones: ${list([...unknown], 9)}.`);
    if (!read) {
      notes.push("This network gets the scores alone: it doesn't read the words.");
    } else if (!strongest.length) {
      notes.push(`No word that the networks know: they go by the length and the repeats of the lyrics${from ? ", and by the scores" : ""}.`);
    } else if (tokens.length < 20) {
      notes.push("The networks also count words and repeats, and in a text as short as this one these can outweigh the words.");
    }
    note.textContent = notes.join(" ");
  }

  function showAnswer(probabilities) {
    rows.forEach((row, g) => {
      row.querySelector(".bar").style.setProperty("--share", probabilities[g]);
      row.lastElementChild.textContent = percent(probabilities[g]);
    });
    const order = [...genres.keys()].sort((a, b) => probabilities[b] - probabilities[a]);
    const [first, second] = order.map((g) => `${genres[g]}, ${percent(probabilities[g])}`);
    caption.textContent = `The ${network.value} network says ${first}; then ${second}.`;
    clearTimeout(speaking); // said when typing pauses, not after every key
    speaking = setTimeout(() => { status.textContent = caption.textContent; }, 1000);
  }

  async function answer() {
    const number = asked += 1, text = lyrics.value;
    try {
      const song = { lyrics: text, scores: scores(), network: network.value };
      const { words: tokens, probabilities } = await ask({ song });
      if (number !== asked) return; // more was typed in the meantime
      showWords(text, tokens);
      showAnswer(probabilities);
      box.dataset.answered = number;
    } catch (problem) {
      if (number === asked) status.textContent = caption.textContent = `There is no answer: ${problem.message}.`;
    }
  }

  /** Keep the song in the address, so that it can be sent to someone. */
  function remember() {
    const state = new URLSearchParams({ lyrics: lyrics.value, network: network.value });
    if (from) state.set("from", from.value);
    for (const { name, value } of sliders) state.set(name, value);
    try {
      history.replaceState(null, "", `#${state}`);
    } catch { /* not every frame may change its address; all else works there */ }
  }

  function recall(text) {
    const state = new URLSearchParams(text);
    lyrics.value = (state.get("lyrics") ?? "").slice(0, lyrics.maxLength);
    if (["lyrics", "features", "combined"].includes(state.get("network")) && network.length) {
      network.value = state.get("network");
    }
    if (from && genres.includes(state.get("from"))) from.value = state.get("from");
    if (from) setTypical();
    for (const slider of sliders) {
      if (state.has(slider.name)) slider.value = state.get(slider.name);
    }
    showValues();
    answer();
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", ({ target }) => {
    if (target === from) setTypical();
    if (target !== lyrics) showValues();
    answer();
    clearTimeout(remembering);
    remembering = setTimeout(remember, 600);
  });
  for (const button of box.querySelectorAll("button[data-song]")) {
    button.addEventListener("click", () => {
      recall(button.dataset.song);
      remember();
      form.scrollIntoView({ block: "nearest" });
      // Where fingers type, it would open a keyboard over the answer.
      if (matchMedia("(hover: hover)").matches) lyrics.focus({ preventScroll: true });
    });
  }
  if (location.hash.includes("lyrics=")) recall(location.hash.slice(1));
  const view = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    view.disconnect();
    // The first answer takes longest; this one's is shown to nobody. Frequent words arrive first.
    const song = { lyrics: "love love night", scores: scores(), network: network.value };
    setTimeout(() => ask({ song }).catch(() => {}), 200);
  });
  view.observe(form);
}

document.querySelectorAll(".try-it").forEach(start);
