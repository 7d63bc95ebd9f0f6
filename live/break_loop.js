/**
 * The experiment of chapter 4: a network trains in the page, and switches are mistakes.
 *
 * `course_tools/book/live/break_loop.py` writes the form. The book puts `files.js` and
 * `loop.js` before this file.
 */

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [320, 190, 40, 30, 22];
const RIGHT = "no mistake";
const PAUSE = 50; // milliseconds between epochs, so that one can watch

async function loadSongs() {
  await loadScript("loop_songs.js");
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const { lyrics, features, genre, ...sizes } = globalThis.loopSongs;
  const scores = Float64Array.from(bytes(features), (score) => score / 100);
  return { ...sizes, lyrics: bytes(lyrics), features: scores, genre: bytes(genre) };
}

function draw(tag, attributes, text = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.textContent = text;
  return element;
}

/** An empty figure; `show` draws lines of [epoch, value] pairs into it. */
function figure(box, title, epochs, [low, high], ticks, say) {
  const svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": title });
  const x = (epoch) => LEFT + ((WIDTH - LEFT - 8) * epoch) / epochs;
  const y = (value) => TOP + ((HEIGHT - TOP - BOTTOM) * (high - Math.min(Math.max(value, low), high))) / (high - low);
  svg.append(draw("text", { x: 0, y: 12, class: "title" }, title));
  for (const tick of ticks) {
    svg.append(draw("line", { x1: LEFT, x2: WIDTH - 8, y1: y(tick), y2: y(tick), class: "grid" }));
    svg.append(draw("text", { x: LEFT - 5, y: y(tick) + 4, "text-anchor": "end" }, say(tick)));
  }
  for (let epoch = 0; epoch <= epochs; epoch += 10) {
    svg.append(draw("text", { x: x(epoch), y: HEIGHT - 13, "text-anchor": "middle" }, `${epoch}`));
  }
  svg.append(draw("text", { x: x(epochs / 2), y: HEIGHT - 1, "text-anchor": "middle" }, "epoch"));
  const lines = svg.appendChild(draw("g", {}));
  box.append(svg);
  return (shown) => lines.replaceChildren(...shown.map(({ name, values }) => draw("polyline", {
    class: name, points: values.map((value, i) => `${x(i + 1).toFixed(1)},${y(value).toFixed(1)}`).join(" "),
  })));
}

const percent = (share) => `${Math.round(100 * share)}%`;

function start(box) {
  const form = box.querySelector("form"), { rewind, rate } = form.elements;
  const train = form.querySelector("[type=submit]"), status = box.querySelector("[role=status]");
  const boxes = Array.from(form.querySelectorAll("[type=checkbox]"));
  const curves = box.querySelector(".break-loop-curves"), body = box.querySelector("tbody");
  const epochs = Number(box.dataset.epochs);
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const showLoss = figure(curves, "loss", epochs, [1.2, 2.4], [1.2, 1.6, 2, 2.4], (loss) => loss.toFixed(1));
  const showAccuracy = figure(curves, "accuracy", epochs, [0, 0.6], [0, 0.2, 0.4, 0.6], percent);
  let songs = null, training = null, run = null, before = null, running = false, turn = 0;

  /** The mistakes as they are switched now, and in words. */
  function mistakes() {
    const made = { rate: Number(rate.value) };
    for (const { name, checked } of boxes) made[name] = checked;
    return made;
  }

  function inWords() {
    const words = boxes.filter(({ checked }) => checked).map((one) => one.parentElement.textContent.trim());
    const chosen = form.querySelector("[name=rate]:checked");
    if (chosen.value !== "1") words.push(`learning rate ${chosen.parentElement.textContent.trim()}`);
    return words.join(", ") || RIGHT;
  }

  function show() {
    const lines = (measure) => [before, run].filter(Boolean).flatMap((one) => ["train", "validation"].map((part) => ({
      name: `${part}${one === before ? " before" : ""}`, values: one.epochs.map((epoch) => epoch[part + measure]),
    })));
    showLoss(lines("Loss"));
    showAccuracy(lines("Accuracy"));
    body.replaceChildren(...[run, before].filter((one) => one?.epochs.length).map(({ epochs: past, made }) => {
      const last = past[past.length - 1], row = document.createElement("tr");
      const cells = [[...made].join("; then "), past.length, last.trainLoss.toFixed(2), last.validationLoss.toFixed(2),
        percent(last.trainAccuracy), percent(last.validationAccuracy)];
      row.append(...cells.map((cell, i) => {
        const element = document.createElement(i ? "td" : "th");
        if (!i) element.scope = "row";
        element.textContent = cell;
        return element;
      }));
      return row;
    }));
  }

  function say() {
    const last = run.epochs[run.epochs.length - 1];
    status.textContent = last
      ? `Epoch ${run.epochs.length} of ${epochs}: validation loss ${last.validationLoss.toFixed(2)}, accuracy ${percent(last.validationAccuracy)}.`
        + (run.epochs.length < epochs ? "" : " Rewind to train again.")
      : "";
  }

  function label() {
    const over = run !== null && run.epochs.length >= epochs;
    train.textContent = running ? "Pause" : run?.epochs.length && !over ? "Go on" : "Train";
    train.disabled = over && !running;
    rewind.disabled = run === null;
  }

  /** Train a part of an epoch, as long as nobody notices; then let the page breathe. */
  function goOn(epoch, mine) {
    if (mine !== turn) return; // paused or rewound in the meantime
    const until = performance.now() + 10;
    let step = { done: false };
    run.made.add(inWords());
    while (!step.done && performance.now() < until) {
      Object.assign(run.switched, mistakes());
      step = epoch.next();
    }
    if (!step.done) {
      run.epoch = epoch;
      setTimeout(() => goOn(epoch, mine), 0);
      return;
    }
    run.epochs.push(step.value);
    run.epoch = null;
    const over = run.epochs.length >= epochs;
    if (!still || over) show();
    if (over) {
      running = false;
      label();
      say();
    } else setTimeout(() => goOn(training.epoch(run.switched), mine), still ? 0 : PAUSE);
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (running) {
      running = false;
      turn += 1;
      show();
      say();
      label();
      return;
    }
    try {
      songs ??= await loadSongs();
      training ??= new Training(songs);
    } catch (problem) {
      status.textContent = `Nothing can be trained: ${problem.message}.`;
      return;
    }
    run ??= { epochs: [], made: new Set(), switched: {}, epoch: null };
    running = true;
    label();
    status.textContent = "Training …";
    goOn(run.epoch ?? training.epoch(run.switched), turn += 1);
  });
  rewind.addEventListener("click", () => {
    running = false;
    turn += 1;
    const right = (one) => one?.made.size === 1 && one.made.has(RIGHT);
    if (run.epochs.length && (right(run) || !right(before))) before = run; // else the right one stays
    run = training = null;
    show();
    label();
    status.textContent = "Back at the first weights.";
    train.focus();
  });
}

document.querySelectorAll(".break-loop").forEach(start);
