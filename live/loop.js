/**
 * The training loop of chapter 4 without torch, with switches for typical mistakes.
 *
 * A network of one hidden layer reads the mean of a song's word vectors and its scores. All numbers
 * are doubles; `tests/live/test_break_loop.py` compares them with those of torch.
 *
 * @typedef {{words: number, tokens: number, scores: number, genres: number, train: number,
 *   lyrics: Uint8Array, features: Float64Array, genre: Uint8Array}} Songs Ids of words (0 is
 *   padding), scores and genres of songs, of which the first `train` are to be learned from.
 * @typedef {{gradientsKept?: boolean, softmaxTwice?: boolean, noEval?: boolean,
 *   noShuffle?: boolean, paddingCounted?: boolean, rate?: number}} Mistakes
 * @typedef {{trainLoss: number, trainAccuracy: number, validationLoss: number,
 *   validationAccuracy: number}} Epoch
 */

const [VECTOR, HIDDEN, BATCH, DROPOUT, RATE] = [4, 32, 32, 0.5, 0.003];
const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-8]; // Adam's, as torch has them

/** Return a function that returns random numbers in [0, 1), always the same (mulberry32). */
function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Return the numbers 0 to n − 1 in random order. */
function shuffled(n, random) {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

function logSoftmax(logits) {
  const largest = Math.max(...logits);
  const rest = Math.log(logits.reduce((total, z) => total + Math.exp(z - largest), 0));
  return logits.map((z) => z - largest - rest);
}

const softmax = (logits) => logSoftmax(logits).map(Math.exp);

class Training {
  /**
   * Begin with the same weights every time.
   *
   * @param {Songs} songs
   */
  constructor(songs) {
    this.songs = songs;
    this.inputs = VECTOR + songs.scores;
    const sizes = {
      table: songs.words * VECTOR, first: HIDDEN * this.inputs, firstBias: HIDDEN,
      second: songs.genres * HIDDEN, secondBias: songs.genres,
    };
    const count = Object.values(sizes).reduce((a, b) => a + b);
    [this.weights, this.gradients, this.mean, this.square] =
      [0, 1, 2, 3].map(() => new Float64Array(count));
    this.weight = {};
    this.gradient = {};
    let start = 0;
    for (const [name, size] of Object.entries(sizes)) {
      this.weight[name] = this.weights.subarray(start, start + size);
      this.gradient[name] = this.gradients.subarray(start, start + size);
      start += size;
    }
    const random = randomNumbers(1), uniform = (limit) => limit * (2 * random() - 1);
    const { table, ...layers } = this.weight;
    table.forEach((_, i) => { table[i] = uniform(0.1); });
    for (const [name, numbers] of Object.entries(layers)) { // as torch's nn.Linear begins
      const limit = 1 / Math.sqrt(name.startsWith("first") ? this.inputs : HIDDEN);
      numbers.forEach((_, i) => { numbers[i] = uniform(limit); });
    }
    // Three sources, so that a mistake changes nothing but what it is about.
    [this.order, this.hide, this.hideLater] = [2, 3, 4].map(randomNumbers);
    this.steps = 0;
  }

  /** Return numbers that hide half of the hidden ones, and double the others. */
  mask(random) {
    return Array.from({ length: HIDDEN }, () => (random() < DROPOUT ? 0 : 1 / (1 - DROPOUT)));
  }

  /** Return a song's logits (or what is used as such), and what the backward pass needs. */
  forward(song, mask, { softmaxTwice, paddingCounted }) {
    const { songs, weight, inputs } = this, input = new Float64Array(inputs);
    const ids = songs.lyrics.subarray(song * songs.tokens, (song + 1) * songs.tokens);
    const counted = paddingCounted ? ids : ids.filter((id) => id !== 0);
    for (const id of counted) {
      for (let k = 0; k < VECTOR; k++) input[k] += weight.table[id * VECTOR + k] / counted.length;
    }
    input.set(songs.features.subarray(song * songs.scores, (song + 1) * songs.scores), VECTOR);
    const sums = Array.from(weight.firstBias, (bias, j) => {
      let total = bias;
      for (let i = 0; i < inputs; i++) total += weight.first[j * inputs + i] * input[i];
      return total;
    });
    const hidden = sums.map((total, j) => Math.max(total, 0) * (mask ? mask[j] : 1));
    const logits = Array.from(weight.secondBias, (bias, g) =>
      hidden.reduce((total, value, j) => total + weight.second[g * HIDDEN + j] * value, bias));
    return { counted, input, sums, hidden, logits: softmaxTwice ? softmax(logits) : logits };
  }

  /** Add the gradient of a song's loss, times `share`. */
  backward({ counted, input, sums, hidden, logits }, genre, mask, share, { softmaxTwice }) {
    const { weight, gradient, inputs } = this;
    let toLogits = softmax(logits).map((p, g) => share * (p - Number(g === genre)));
    if (softmaxTwice) { // through the softmax within the network
      const mean = toLogits.reduce((total, slope, g) => total + slope * logits[g], 0);
      toLogits = toLogits.map((slope, g) => logits[g] * (slope - mean));
    }
    const toInput = new Float64Array(VECTOR);
    toLogits.forEach((slope, g) => {
      gradient.secondBias[g] += slope;
      for (let j = 0; j < HIDDEN; j++) gradient.second[g * HIDDEN + j] += slope * hidden[j];
    });
    for (let j = 0; j < HIDDEN; j++) {
      if (sums[j] <= 0 || mask[j] === 0) continue; // the ReLU or dropout lets nothing pass
      let slope = 0;
      for (const [g, one] of toLogits.entries()) slope += one * weight.second[g * HIDDEN + j];
      slope *= mask[j];
      gradient.firstBias[j] += slope;
      for (let i = 0; i < inputs; i++) gradient.first[j * inputs + i] += slope * input[i];
      for (let k = 0; k < VECTOR; k++) toInput[k] += slope * weight.first[j * inputs + k];
    }
    for (const id of counted) {
      for (let k = 0; k < VECTOR; k++) {
        gradient.table[id * VECTOR + k] += toInput[k] / counted.length;
      }
    }
  }

  /** Adam, as in arXiv:1412.6980. */
  step(rate) {
    const { weights, gradients, mean, square } = this, t = this.steps += 1;
    const first = 1 - BETA1 ** t, second = 1 - BETA2 ** t;
    for (let i = 0; i < weights.length; i++) {
      mean[i] = BETA1 * mean[i] + (1 - BETA1) * gradients[i];
      square[i] = BETA2 * square[i] + (1 - BETA2) * gradients[i] ** 2;
      weights[i] -= (rate * mean[i]) / first / (Math.sqrt(square[i] / second) + EPSILON);
    }
  }

  /** Return the loss and the correct answers of some songs, for which `see` is called with each. */
  count(songs, mask, mistakes, see = () => {}) {
    let loss = 0, right = 0;
    for (const song of songs) {
      const hide = mask(), found = this.forward(song, hide, mistakes);
      const genre = this.songs.genre[song], { logits } = found;
      loss -= logSoftmax(logits)[genre];
      right += Number(logits.indexOf(Math.max(...logits)) === genre);
      see(found, genre, hide);
    }
    return [loss, right];
  }

  /** Train on a batch of songs; return the sum of their losses and how many were right. */
  trainOn(batch, mistakes) {
    if (!mistakes.gradientsKept) this.gradients.fill(0);
    const counted = this.count(batch, () => this.mask(this.hide), mistakes, (found, genre, hide) =>
      this.backward(found, genre, hide, 1 / batch.length, mistakes));
    this.step(RATE * (mistakes.rate ?? 1));
    return counted;
  }

  /**
   * Train on all songs once, stopping after every batch; then look at the validation songs.
   *
   * @param {Mistakes} mistakes May change between batches.
   * @returns {Generator<void, Epoch>}
   */
  *epoch(mistakes) {
    const { songs } = this, order = shuffled(songs.train, this.order);
    if (mistakes.noShuffle) order.sort((a, b) => a - b);
    let trainLoss = 0, trainRight = 0;
    for (let start = 0; start < order.length; start += BATCH) {
      const [loss, right] = this.trainOn(order.slice(start, start + BATCH), mistakes);
      trainLoss += loss;
      trainRight += right;
      yield;
    }
    const later = Array.from({ length: songs.genre.length - songs.train }, (_, i) => songs.train + i);
    const mask = () => (mistakes.noEval ? this.mask(this.hideLater) : null);
    const [loss, right] = this.count(later, mask, mistakes);
    return {
      trainLoss: trainLoss / songs.train, trainAccuracy: trainRight / songs.train,
      validationLoss: loss / later.length, validationAccuracy: right / later.length,
    };
  }
}

export { Training };
