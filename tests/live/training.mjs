// What `live/loop.js` computes, for `test_break_loop.py`: songs and mistakes on standard input, results as
// JSON on standard output. With `record`, the weights, batches and masks of its first steps as well.
import { readFileSync } from "node:fs";
import { Training } from "../../live/loop.js";

const { songs, mistakes, epochs, record } = JSON.parse(readFileSync(0, "utf8"));
for (const name of ["lyrics", "features", "genre"]) songs[name] = Uint8Array.from(Buffer.from(songs[name], "base64"));
songs.features = Float64Array.from(songs.features, (score) => score / 100);

const training = new Training(songs), batches = [], masks = [], losses = [];
const start = [...training.weights];
if (record) {
  const { trainOn, mask } = training;
  let recorded = null;
  training.mask = function (random) {
    const hide = mask.call(this, random);
    recorded?.push(hide);
    return hide;
  };
  training.trainOn = function (batch, settings) {
    if (losses.length === record) return [0, 0];
    batches.push(batch);
    masks.push(recorded = []);
    const counted = trainOn.call(this, batch, settings);
    recorded = null;
    losses.push(counted[0] / batch.length);
    return counted;
  };
}
const began = performance.now();
const found = Array.from({ length: epochs }, () => {
  const epoch = training.epoch(mistakes);
  for (;;) {
    const { done, value } = epoch.next();
    if (done) return value;
  }
});
const milliseconds = performance.now() - began;
console.log(JSON.stringify({ found, start, end: [...training.weights], batches, masks, losses, milliseconds }));
