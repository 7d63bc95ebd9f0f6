// Answers of `live/network.js` for `test_live.py`: a question on standard input, the answers as JSON
// on standard output, or the message of an error on standard error.
import { readFileSync } from "node:fs";
import { load } from "../../live/network.js";

const { folder, change, songs, words: asked = [] } = JSON.parse(readFileSync(0, "utf8"));
const header = { ...JSON.parse(readFileSync(`${folder}/networks.json`, "utf8")), ...change };
const file = readFileSync(`${folder}/networks.bin`);

try {
  const networks = load(header);
  for (let start = 0; start < file.length; start += 10_000) { // in pieces, as a network brings it
    networks.receive(file.subarray(start, start + 10_000));
  }
  networks.finish();
  const pulls = {};
  const answers = songs.map((song) => {
    const start = performance.now();
    const answer = {};
    for (const network of ["lyrics", "features", "combined"]) {
      const { words: _, ...found } = networks.answer({ ...song, network });
      answer[network] = found;
    }
    const milliseconds = performance.now() - start;
    const { words } = networks.answer({ ...song, network: "lyrics" });
    for (const { word, known, pull } of words) pulls[word] = { known, pull };
    const tokens = networks.tokens(song.lyrics), masked = words.map(({ shown }) => shown);
    return { ...answer, tokens, masked, milliseconds };
  });
  const lookedUp = Object.fromEntries(asked.map((word) => [word, networks.lookUp(word)]));
  console.log(JSON.stringify({ answers, pulls, lookedUp }));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
