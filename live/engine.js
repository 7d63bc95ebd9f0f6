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

  let arrived = 0, ended = false, problem = null;
  const waiting = new Set(); // each looks again when more has come

  async function receiveAll(networks, body) {
    for (const reader = body.getReader(); ;) {
      const { done, value } = await reader.read();
      if (done) break;
      arrived = networks.receive(value);
      for (const look of waiting) look();
    }
    networks.finish();
  }

  const files = Promise.all([fetched("networks.json"), fetched("networks.bin")]);
  const networks = files.then(async ([header, numbers]) => {
    const loaded = load(await header.json());
    receiveAll(loaded, numbers.body)
      .catch((error) => { problem = error; })
      .finally(() => {
        ended = true;
        for (const look of waiting) look();
      });
    return loaded;
  });
  networks.catch(() => {}); // reported with each question

  /** Promise that so many bytes are there, or that no more will come. */
  const received = (bytes) => new Promise((resolve) => {
    const look = () => {
      if (arrived < bytes && !ended) return;
      waiting.delete(look);
      resolve();
    };
    waiting.add(look);
    look();
  });

  onmessage = async ({ data: { number, question } }) => {
    try {
      const loaded = await networks;
      await received(loaded.needs(question));
      if (problem) throw problem;
      postMessage({ number, answer: reply(loaded, question) });
    } catch (error) {
      postMessage({ number, problem: error.message });
    }
  };
}
