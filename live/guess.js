/**
 * Ten songs to guess on the first page: a person, a network and the best possible model compete.
 *
 * `course_tools/book/live/guess.py` writes the songs with their answers folded.
 */

const { courseMemory } = globalThis;

function start(box) {
  const songs = Array.from(box.querySelectorAll(".guess-song"));
  const form = box.querySelector("form"), choices = Array.from(form.querySelectorAll("[name=genre]"));
  const { next, again } = form.elements, status = box.querySelector("[role=status]");
  let at = 0;

  const guesses = () => courseMemory.get("guesses");

  function score() {
    const made = Object.entries(guesses()).filter(([i]) => songs[i]);
    const right = (say) => made.filter(([i, guess]) => say(songs[i].dataset, guess) === songs[i].dataset.genre).length;
    return `you ${right((_, guess) => guess)}, the network ${right(({ network }) => network)}, `
      + `the best possible model ${right(({ best }) => best)} of ${made.length}`;
  }

  /** Show the song at hand, and its answer if it has been guessed. */
  function show() {
    const guess = guesses()[at], over = Object.keys(guesses()).length >= songs.length;
    songs.forEach((song, i) => {
      song.hidden = i !== at;
      const fold = song.querySelector("details");
      fold.hidden = guesses()[i] === undefined;
      fold.open = true;
    });
    for (const choice of choices) {
      choice.disabled = guess !== undefined;
      choice.setAttribute("aria-pressed", choice.value === guess);
    }
    next.hidden = guess === undefined || over;
    again.hidden = !over;
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  for (const choice of choices) {
    choice.addEventListener("click", () => {
      courseMemory.set("guesses", { ...guesses(), [at]: choice.value });
      document.dispatchEvent(new CustomEvent("course-memory"));
      const { genre } = songs[at].dataset;
      show();
      const verdict = genre === choice.value ? `Yes, ${genre}.` : `You said ${choice.value}; its label is ${genre}.`;
      status.textContent = `${verdict} Right so far: ${score()}.`;
      (next.hidden ? again : next).focus({ preventScroll: true });
      status.scrollIntoView({ block: "nearest" }); // the answer has moved it down
    });
  }
  next.addEventListener("click", () => {
    at = songs.findIndex((_, i) => guesses()[i] === undefined);
    show();
    status.textContent = "";
    choices[0].focus({ preventScroll: true });
    box.scrollIntoView({ block: "nearest" });
  });
  again.addEventListener("click", () => {
    courseMemory.set("guesses", {});
    document.dispatchEvent(new CustomEvent("course-memory"));
  });
  document.addEventListener("course-memory", () => {
    if (Object.keys(guesses()).length) return;
    at = 0;
    status.textContent = "";
    show();
  });
  at = Math.max(songs.findIndex((_, i) => guesses()[i] === undefined), 0);
  if (Object.keys(guesses()).length) status.textContent = `Right so far: ${score()}.`;
  show();
}

document.querySelectorAll(".guess").forEach(start);
