/**
 * The words of chapter 9: someone looks one up, and the lyrics network's pulls and neighbours answer.
 *
 * `course_tools/book/live/words.py` writes the form and its first answer. The book puts `files.js` and
 * `ask.js` before this file. A word in the map of words can be looked up by a click, and the map
 * names the word that was looked up and its neighbours, if it has them.
 */

function start(box) {
  const { colours, reach } = JSON.parse(box.querySelector("script").textContent);
  const genres = Object.keys(colours);
  const form = box.querySelector("form"), field = form.elements.word;
  const status = box.querySelector("[role=status]"), [caption] = box.querySelectorAll("caption");
  const answer = box.querySelector(".words-answer");
  const [pulls, near] = box.querySelectorAll("tbody");
  const favourite = (pull) => genres[pull.indexOf(Math.max(...pull))];
  const maps = new Set();
  let asked = 0, marked = [];

  function element(tag, content, attributes = {}) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(content);
    return made;
  }

  const signed = (pull) => `${pull < 0 ? "-" : "+"}${Math.abs(pull).toFixed(2)}`;

  function showPulls(shown, pull) {
    caption.replaceChildren("Pull of ", element("em", shown));
    pulls.replaceChildren(...pull.map((value, g) => {
      const bar = element("span", "", { class: `pull ${value < 0 ? "against" : "for"}` });
      bar.style.setProperty("--share", Math.min(Math.abs(value) / reach, 1));
      bar.style.setProperty("--genre", colours[genres[g]]);
      const row = document.createElement("tr");
      row.append(element("th", genres[g], { scope: "row" }), element("td", bar), element("td", signed(value)));
      return row;
    }));
  }

  function showNeighbours(neighbours) {
    near.replaceChildren(...neighbours.map(({ word, shown, cosine, pull }) => {
      const button = element("button", shown, { type: "button", "aria-label": `Look up ${shown}` });
      button.addEventListener("click", () => {
        lookUp(word, shown);
        field.focus();
      });
      const row = document.createElement("tr");
      row.append(element("th", button, { scope: "row" }), element("td", cosine.toFixed(2)), element("td", favourite(pull)));
      return row;
    }));
  }

  /** Name the words that were found in a map, the one that was looked up in bold. */
  function mark(map) {
    const points = map.data.flatMap(({ hovertext, x, y }) => (
      Array.from(hovertext ?? [], (word, i) => ({ word, x: x[i], y: y[i] }))));
    const annotations = marked.flatMap((word, i) => points.filter((point) => point.word === word)
      .map(({ x, y }) => ({ x, y, text: i ? word : `<b>${word}</b>`, ax: 24, ay: (i % 2 ? -1 : 1) * (22 + 3 * i) })));
    globalThis.Plotly.relayout(map, { annotations });
  }

  async function lookUp(word, shown = word) {
    const number = asked += 1;
    field.value = shown;
    try {
      const found = await ask({ word });
      if (number !== asked) return;
      if (!found.known) {
        answer.hidden = true;
        status.textContent = word.trim() ? `“${found.shown}” is not among the network's words.` : "Type a word first.";
      } else {
        answer.hidden = false;
        showPulls(found.shown, found.pull);
        showNeighbours(found.near);
        marked = [found.shown, ...found.near.slice(0, 4).map((one) => one.shown)];
        maps.forEach(mark);
        status.textContent = `${found.shown} pulls most towards ${favourite(found.pull)}. Nearest: ${found.near.slice(0, 3).map((one) => one.shown).join(", ")}.`;
      }
      box.dataset.answered = number;
    } catch (problem) {
      if (number === asked) status.textContent = `There is no answer: ${problem.message}.`;
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    lookUp(field.value);
  });
  document.addEventListener("course-figure-drawn", ({ target: map }) => { // again in other colours
    if (!map.data.some(({ hovertext }) => hovertext)) return;
    if (!maps.has(map)) {
      map.on("plotly_click", ({ points: [point] }) => {
        lookUp(point.hovertext);
        box.scrollIntoView({ block: "nearest" });
      });
    }
    maps.add(map);
    if (marked.length) mark(map);
  });
}

document.querySelectorAll(".words").forEach(start);
