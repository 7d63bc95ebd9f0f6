/** How a page asks the networks: a worker has them, or the page itself. Pages share this file. */

/** Return a function of a question that promises the networks' answer. */
function askWorker() {
  const worker = new Worker(`${folder}engine.js`), waiting = new Map();
  let last = 0;
  worker.onmessage = ({ data: { number, answer, problem } }) => {
    const { resolve, reject } = waiting.get(number);
    waiting.delete(number);
    if (problem) reject(new Error(problem));
    else resolve(answer);
  };
  worker.onerror = () => {
    for (const { reject } of waiting.values()) reject(new Error("engine.js can't be loaded"));
    waiting.clear();
    networks = undefined; // the next question tries again
  };
  return (question) => new Promise((resolve, reject) => {
    waiting.set(last += 1, { resolve, reject });
    worker.postMessage({ number: last, question });
  });
}

/** The same in the page itself: a file, or a page in a sandboxed frame, may start no worker. */
function askHere() {
  const networks = Promise.all(["engine.js", "offline.js"].map(loadScript)).then(() => {
    const { header, numbers } = globalThis.offlineNetworks;
    const loaded = globalThis.loadNetworks(header);
    loaded.receive(Uint8Array.from(atob(numbers), (letter) => letter.charCodeAt(0)));
    loaded.finish();
    return loaded;
  });
  return async (question) => {
    const loaded = await networks; // which brings `reply`
    return globalThis.reply(loaded, question);
  };
}

let networks;
/** Promise the answer to `{ song }` or `{ word }`; the networks are loaded for the first question. */
function ask(question) {
  networks ??= self.origin === "null" ? askHere() : askWorker();
  return networks(question);
}
