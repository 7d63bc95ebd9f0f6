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

  // By the songs' words: a later book may show other songs, or these in another order.
  const nameOf = (song) => song.querySelector(".guess-words").textContent;
  const guesses = () => courseMemory.get("guesses");
  const guessOf = (song) => guesses()[nameOf(song)];
  const made = () => songs.filter((song) => guessOf(song) !== undefined);
  const nextAt = () => songs.findIndex((song) => guessOf(song) === undefined);

  function score() {
    const right = (say) => made().filter((song) => say(song.dataset, guessOf(song)) === song.dataset.genre).length;
    return `you ${right((_, guess) => guess)}, the network ${right(({ network }) => network)}, `
      + `the best possible model ${right(({ best }) => best)} of ${made().length}`;
  }

  /** Show the song at hand, and its answer if it has been guessed. */
  function show() {
    const guess = guessOf(songs[at]), over = nextAt() < 0;
    songs.forEach((song, i) => {
      song.hidden = i !== at;
      const fold = song.querySelector("details");
      fold.hidden = guessOf(song) === undefined;
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
      courseMemory.set("guesses", { ...guesses(), [nameOf(songs[at])]: choice.value });
      document.dispatchEvent(new CustomEvent("course-memory"));
      const { genre } = songs[at].dataset;
      show();
      const verdict = genre === choice.value ? `Yes, ${genre}.` : `You said ${choice.value}; its label is ${genre}.`;
      status.textContent = `${verdict} Right ${nextAt() < 0 ? "in the end" : "so far"}: ${score()}.`;
      (next.hidden ? again : next).focus({ preventScroll: true });
      status.scrollIntoView({ block: "nearest" }); // the answer has moved it down
    });
  }
  next.addEventListener("click", () => {
    at = nextAt();
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
    if (made().length) return;
    at = 0;
    status.textContent = "";
    show();
  });
  at = Math.max(nextAt(), 0);
  if (made().length) status.textContent = `Right so far: ${score()}.`;
  show();
}

document.querySelectorAll(".guess").forEach(start);
