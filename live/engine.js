/**
 * Who answers the page's questions: a worker, so that typing never waits for an answer.
 *
 * The book puts `network.js` before this file. A page that was opened as a file may start no
 * worker; it loads this file as a script, and calls `loadNetworks` and `reply` itself.
 */

const reply = (networks, { song, word }) => (song ? networks.answer(song) : networks.lookUp(word));

if (typeof WorkerGlobalScope === "undefined") {
  Object.assign(globalThis, { loadNetworks: load, reply });
} else {
  const fetched = async (name) => {
    const response = await fetch(name);
    if (!response.ok) throw new Error(`${name} can't be loaded (${response.status})`);
    return response;
  };
  const networks = Promise.all([fetched("networks.json"), fetched("networks.bin")])
    .then(async ([header, numbers]) => load(await header.json(), await numbers.arrayBuffer()));
  networks.catch(() => {}); // reported with each question
  onmessage = async ({ data: { number, question } }) => {
    try {
      postMessage({ number, answer: reply(await networks, question) });
    } catch (error) {
      postMessage({ number, problem: error.message });
    }
  };
}
