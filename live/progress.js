/** Chapters read, and answers to the questions of "Check yourself": kept, shown, exported, erased. */

const { courseMemory } = globalThis;
const nameOf = (url) => new URL(url, location.href).pathname.split("/").pop().replace(/\.html$/, "");
const page = nameOf(location.href), isChapter = (name) => /^\d\d_/.test(name);

function showRead() {
  const read = courseMemory.get("read");
  for (const link of document.querySelectorAll(".bd-sidebar-primary a[href]")) {
    link.querySelector(".is-read")?.remove();
    if (!read[nameOf(link.href)]) continue;
    const mark = document.createElement("span");
    mark.className = "is-read";
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", "read");
    link.append(mark);
  }
}

function addTick() {
  const label = document.createElement("label"), box = document.createElement("input");
  label.className = "read-tick";
  box.type = "checkbox";
  box.autocomplete = "off";
  box.checked = Boolean(courseMemory.get("read")[page]);
  box.addEventListener("change", () => {
    courseMemory.set("read", { ...courseMemory.get("read"), [page]: box.checked });
    showRead();
  });
  label.append(box, " I have read this chapter");
  document.querySelector("article.bd-article").append(label);
}

function keepAnswers() {
  const answers = () => courseMemory.get("answers")[page] ?? {};
  for (const [name, { chosen }] of Object.entries(answers())) {
    const options = document.getElementById(name)?.querySelectorAll("input");
    if (options?.[chosen]) options[chosen].checked = true;
  }
  document.addEventListener("change", ({ target }) => {
    const quiz = target.closest(".quiz");
    if (!quiz) return;
    const chosen = Array.from(quiz.querySelectorAll("input")).indexOf(target);
    const right = target.closest("label").classList.contains("is-right");
    const changed = { ...answers(), [target.name]: { chosen, right } };
    courseMemory.set("answers", { ...courseMemory.get("answers"), [page]: changed });
  });
}

function showMemory(box) {
  const status = box.querySelector("[role=status]"), [save, erase] = box.querySelectorAll("button");
  const several = (n, one, more = `${one}s`) => `${n} ${n === 1 ? one : more}`;
  function show() {
    const read = Object.values(courseMemory.get("read")).filter(Boolean).length;
    const answers = Object.values(courseMemory.get("answers")).flatMap(Object.values);
    const guesses = Object.keys(courseMemory.get("guesses")).length;
    status.textContent = `${several(read, "chapter")} read, ${several(answers.length, "question")} answered `
      + `(${answers.filter(({ right }) => right).length} correctly), ${several(guesses, "song")} guessed.`;
  }
  save.addEventListener("click", () => {
    const link = document.createElement("a");
    const text = `${JSON.stringify(courseMemory.all(), null, 1)}\n`;
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = "deep-music-genre-classification.json";
    link.click();
    URL.revokeObjectURL(link.href);
  });
  erase.addEventListener("click", () => {
    if (!globalThis.confirm("Erase what this browser remembers of the course?")) return;
    courseMemory.erase();
    document.dispatchEvent(new CustomEvent("course-memory"));
  });
  document.addEventListener("course-memory", () => {
    show();
    showRead();
  });
  show();
}

showRead();
if (isChapter(page)) addTick();
keepAnswers();
document.querySelectorAll(".memory").forEach(showMemory);
