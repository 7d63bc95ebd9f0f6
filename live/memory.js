/**
 * What the book remembers: on the reader's machine only, and only until the page is left where a
 * browser stores nothing. Every page has this file; `courseMemory` is for the scripts after it.
 */

const NAME = "deep-music-genre-classification";
let kept = {}; // for a browser that stores nothing

function all() {
  try {
    return JSON.parse(localStorage.getItem(NAME)) ?? kept;
  } catch {
    return kept;
  }
}

function keep(memory) {
  kept = memory;
  try {
    localStorage.setItem(NAME, JSON.stringify(memory));
  } catch { /* full or forbidden: then it is kept for this page */ }
}

globalThis.courseMemory = {
  all,
  get: (name) => all()[name] ?? {},
  set: (name, value) => keep({ ...all(), [name]: value }),
  erase() {
    kept = {};
    try {
      localStorage.removeItem(NAME);
    } catch { /* then there is nothing to erase */ }
  },
};
