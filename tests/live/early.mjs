// For `test_live.py`: the answers of both networks with words when only what `needs` asks for has come, and
// when all has. A question on standard input, JSON on standard output.
import { readFileSync } from "node:fs";
import { load } from "../../live/network.js";

const { folder, songs } = JSON.parse(readFileSync(0, "utf8"));
const header = JSON.parse(readFileSync(`${folder}/networks.json`, "utf8"));
const file = readFileSync(`${folder}/networks.bin`);
const scores = header.scores.map(() => 0.5);

function answered(song, bytes) {
  const networks = load(header);
  networks.receive(file.subarray(0, bytes));
  return ["lyrics", "combined"].map((network) => networks.answer({ ...song, network }));
}

console.log(JSON.stringify(songs.map((lyrics) => {
  const song = { lyrics, scores, network: "lyrics" }, needs = load(header).needs({ song });
  const others = Math.min(load(header).needs({ word: "love" }),
    load(header).needs({ song: { ...song, network: "features" } }));
  return { needs, others, early: answered(song, needs), late: answered(song, header.bytes) };
})));
