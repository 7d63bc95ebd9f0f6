/**
 * The course's three networks (chapters 6 to 8) for one song at a time, without torch.
 *
 * Where a comment begins with a name, the code computes what that class or function of `genre_lib`
 * does; `tests/live/test_live.py` compares the results. `course_tools/live/export.py` writes the
 * two files: a header, and numbers that come in pieces. What networks with words need comes first,
 * and words in order of frequency, so that common words are answered while others still load.
 *
 * @typedef {{word: string, id: number, start: number, end: number}} Token A word or a run of
 *   punctuation, in lower case; its id in the vocabulary, and where it is in the text.
 * @typedef {Token & {shown: string, known: boolean, pull: number[]}} Word A token, how it is shown
 *   (slurs are masked), whether it is in the vocabulary, and its pull towards each genre (chapter 9),
 *   which is 0 for unknown words.
 * @typedef {{probabilities: number[], logits: number[][]}} Answer The probability of each genre,
 *   and the logits of each member of the ensemble.
 * @typedef {{lyrics: string, scores: number[], network: string}} Song Lyrics as typed, scores in the
 *   order of the header's `scores`, and which network is asked: "lyrics", "features" or "combined".
 */

const FORMAT = 2;
const [PAD_ID, UNKNOWN_ID] = [0, 1];
const FORM_NUMBERS = 6;
const KEYS = "genres scores topics folds max_tokens footer slurs words tensors bytes checksum".split(" ");

// The pre-tokenizer's `\w+|[^\w\s]+`, with \w and \s as in the Rust crate regex.
const W = String.raw`\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}`;
const TOKEN = new RegExp(String.raw`[${W}]+|[^${W}\p{White_Space}]+`, "gu");
const SPACE = /[\p{White_Space}\x1c-\x1f]/u; // what Python's `str.strip` removes

const TYPES = { int8: Int8Array, float16: Uint16Array, float32: Float32Array };

/** Return the number that 16 bits stand for (IEEE 754). */
function float16(bits) {
  const exponent = (bits >> 10) & 31, fraction = (bits & 1023) / 1024;
  const size = exponent ? (1 + fraction) * 2 ** (exponent - 15) : fraction * 2 ** -14;
  return bits & 0x8000 ? -size : size;
}

/** Return Adler-32, like Python's `zlib.adler32`: a function of the next bytes, and of all so far. */
function adler32() {
  let a = 1, b = 0;
  return (bytes) => {
    for (const byte of bytes) {
      a = (a + byte) % 65521;
      b = (b + a) % 65521;
    }
    return b * 65536 + a;
  };
}

function check(condition, problem) {
  if (!condition) throw new Error(`${problem}: load the page again, or run \`make live\`.`);
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
const isKnown = (id) => id !== PAD_ID && id !== UNKNOWN_ID;
const clamp = (number) => Math.min(Math.max(number, 0), 1);

function logSoftmax(logits) {
  const largest = Math.max(...logits);
  const rest = Math.log(sum(logits.map((logit) => Math.exp(logit - largest))));
  return logits.map((logit) => logit - largest - rest);
}

/** mean_probabilities: the mean of the members' probabilities. */
function meanProbabilities(logits) {
  const members = logits.map((member) => logSoftmax(member).map(Math.exp));
  return members[0].map((_, g) => sum(members.map((member) => member[g])) / members.length);
}

/** topic_words: N and the missing mass, rounded in each step as torch does with 32 bits. */
function topicWords(topics) {
  const round = Math.fround, smallest = Math.max(Math.min(...topics), round(1e-5));
  return [round(round(1 / round(19 * smallest)) - 1), round(1 - sum(topics))];
}

/** Return a function that makes something when it is first called. */
function once(make) {
  let made;
  return () => made ??= make();
}

/** nn.Linear and ReLU: return a function of the inputs. */
const hiddenLayer = (weight, bias) => (inputs) => [...bias].map((total, j) => {
  const row = j * inputs.length;
  for (let i = 0; i < inputs.length; i++) total += weight[row + i] * inputs[i];
  return Math.max(total, 0);
});

/**
 * Return the networks that a header describes; their numbers are still to be received.
 *
 * `receive` takes the next piece of `networks.bin`, and `finish` checks that all have come. `needs`
 * says how many bytes must have come before a question can be answered.
 *
 * @param {object} header What `networks.json` contains.
 * @returns {{receive: (piece: Uint8Array) => number, finish: () => void,
 *   needs: (question: {song?: Song, word?: string}) => number, tokens: (text: string) => Token[],
 *   lookUp: (word: string) => object, answer: (song: Song) => Answer & {words: Word[]}}}
 * @throws {Error} When the header is incomplete. `finish` throws when the numbers are incomplete,
 *   damaged, or belong to another header; `answer` when they have another shape than expected.
 */
function load(header) {
  check(header?.format === FORMAT, `The networks have format ${header?.format}, not ${FORMAT}`);
  for (const key of KEYS) check(key in header, `The networks' header has no "${key}"`);
  const { genres, topics, folds, footer, bytes: size } = header;
  const received = new Uint8Array(size), { buffer } = received;
  const checksum = adler32(); // of each piece at once: all together would make a question wait
  let arrived = 0;

  /** Take the next piece of the file; return how many bytes have come. */
  function receive(piece) {
    if (arrived + piece.length <= size) received.set(piece, arrived);
    checksum(piece);
    return arrived += piece.length;
  }

  function finish() {
    check(arrived === size, `The networks' file has ${arrived} bytes, not ${size}`);
    check(checksum([]) === header.checksum,
      "The networks' header and numbers don't belong together (checksum)");
  }

  const shapeOf = (name) => header.tensors[name]?.shape ?? [];

  /** Return a tensor's numbers if it has this shape. */
  function tensor(name, ...shape) {
    const { type, offset } = header.tensors[name] ?? {}, stored = TYPES[type];
    const found = shapeOf(name), count = shape.reduce((a, b) => a * b, 1);
    check(stored && `${found}` === `${shape}` && count > 0,
      `The networks' tensor "${name}" is ${type} [${found}], not [${shape}]`);
    check(offset % 4 === 0 && offset + count * stored.BYTES_PER_ELEMENT <= size,
      `The networks' tensor "${name}" is outside the file`);
    const numbers = new stored(buffer, offset, count);
    return type === "float16" ? Float32Array.from(numbers, float16) : numbers;
  }

  const words = header.words.split(" "), ids = new Map(words.map((word, id) => [word, id]));
  const votes = "branches.embedding.weight", columns = folds * genres.length;
  const table = tensor(votes, words.length, columns), { scale } = header.tensors[votes];
  check(scale?.length === columns, `The networks' votes don't have ${columns} scales`);
  const branchBias = once(() => tensor("branches.bias", folds, genres.length));
  const rarity = once(() => tensor("form.rarity", words.length));

  /** How many bytes must have come before a song or a word can be answered. */
  function needs({ song }) {
    if (!song || song.network === "features") return size;
    const last = Math.max(...tokens(song.lyrics).map(({ id }) => id), 0);
    return header.tensors[votes].offset + (last + 1) * columns;
  }

  /** SongEncoder: return the tokens of a text. */
  function tokens(text) {
    let start = 0, end = text.length;
    const trimEnd = () => { while (end > start && SPACE.test(text[end - 1])) end--; };
    while (start < end && SPACE.test(text[start])) start++;
    trimEnd();
    if (text.endsWith(footer, end)) {
      end -= footer.length;
      trimEnd();
    }
    const found = [];
    for (const match of text.slice(start, end).matchAll(TOKEN)) {
      if (found.length === header.max_tokens) break;
      // Unlike Python's tokens, toLowerCase turns a Σ at the end of a word into ς.
      const word = match[0].replaceAll("Σ", "σ").toLowerCase();
      const from = start + match.index, id = ids.get(word) ?? UNKNOWN_ID;
      found.push({ word, id, start: from, end: from + match[0].length });
    }
    return found;
  }

  /** Form: six numbers about the form of lyrics. */
  function form(lyrics) {
    const present = lyrics.filter((id) => id !== PAD_ID), shares = [];
    let longest = 0;
    for (const n of [1, 2, 3]) { // words, pairs, triples
      const seen = new Set();
      let repeated = 0, run = 0;
      longest = 0;
      for (let last = n - 1; last < lyrics.length; last++) {
        const key = lyrics.slice(last - n + 1, last + 1).join(" ");
        const again = seen.has(key) && lyrics[last] !== PAD_ID;
        seen.add(key);
        repeated += Number(again);
        run = again ? run + 1 : 0;
        longest = Math.max(longest, run);
      }
      shares.push(Math.fround(repeated / Math.max(present.length - n + 1, 1)));
    }
    const meanRarity = sum(present.map((id) => rarity()[id])) / Math.max(present.length, 1);
    const distinct = Math.fround(1 - shares[0]);
    return [present.length, distinct, shares[1], shares[2], longest && longest + 2, meanRarity];
  }

  /** WordBag: return each known word with its weight. */
  function bag(lyrics) {
    const known = [...new Set(lyrics)].filter(isKnown);
    const length = Math.hypot(...known.map((id) => rarity()[id]));
    return known.map((id) => [id, rarity()[id] / length]);
  }

  /** WordBranches: return the mean of their log-probabilities for words with weights. */
  function branches(weighted) {
    const votes = genres.map(() => 0);
    for (let start = 0; start < columns; start += genres.length) {
      const logits = genres.map((_, g) => {
        let total = 0;
        for (const [id, weight] of weighted) total += weight * table[id * columns + start + g];
        return total * scale[start + g] + branchBias()[start + g];
      });
      logSoftmax(logits).forEach((logP, g) => { votes[g] += logP / folds; });
    }
    return votes;
  }

  const withoutWords = once(() => branches([]));
  const pulls = new Map([PAD_ID, UNKNOWN_ID].map((id) => [id, genres.map(() => 0)]));

  /** genre_pull: how far a word alone moves the branches towards each genre. */
  function pull(id) {
    if (!pulls.has(id)) {
      const change = branches([[id, 1]]).map((logP, g) => logP - withoutWords()[g]);
      const mean = sum(change) / genres.length;
      pulls.set(id, change.map((value) => value - mean));
    }
    return pulls.get(id);
  }

  /** ScoreBins: return a function of so many numbers, and how many it returns. */
  function bins(task, numbers) {
    const each = shapeOf(`${task}.bins.start`)[1], count = numbers * each;
    const start = tensor(`${task}.bins.start`, numbers, each);
    const size = tensor(`${task}.bins.size`, numbers, each);
    const mean = tensor(`${task}.bins.mean`, count);
    const bin = (values) => Array.from(start, (from, i) =>
      clamp((values[Math.floor(i / each)] - from) / size[i]) - mean[i]);
    return /** @type {const} */ ([bin, count]);
  }

  /** SharedEnsemble: return a function of so many inputs, with the logits of each member. */
  function ensemble(name, inputs) {
    const part = (key, ...shape) => tensor(`${name}.${key}`, ...shape), n = genres.length;
    const [members] = shapeOf(`${name}.view`), [width] = shapeOf(`${name}.first.bias`);
    const view = part("view", members, inputs, 1), scales = part("scale", members, 1, width);
    const first = hiddenLayer(part("first.weight", width, inputs), part("first.bias", width));
    const second = hiddenLayer(part("second.weight", width, width), part("second.bias", width));
    const output = part("output", members, width, n), bias = part("bias", members, 1, n);
    return (values) => Array.from({ length: members }, (_, m) => {
      const hidden = first(values.map((value, i) => value * view[m * inputs + i]));
      const last = second(hidden.map((value, j) => value * scales[m * width + j]));
      return genres.map((_, g) =>
        bias[m * n + g] + sum(last.map((value, j) => value * output[(m * width + j) * n + g])));
    });
  }

  /** Head: return a function of the branches' log-probabilities and so many other numbers. */
  function head(task, numbers) {
    const [count] = shapeOf(`${task}.head.cuts`), cuts = [...tensor(`${task}.head.cuts`, count)];
    const [trust] = tensor(`${task}.head.trust`), [bin, others] = bins(task, numbers);
    const members = ensemble(`${task}.head.ensemble`, others + genres.length * (1 + count));
    return (logP, values) => {
      const mean = sum(logP) / genres.length, centred = logP.map((value) => (value - mean) / 2);
      const binned = logP.flatMap((value) => cuts.map((cut) => clamp((value - cut) / 0.5) - 0.5));
      const logits = members([...bin(values), ...centred, ...binned]);
      return logits.map((member) => member.map((logit, g) => logit + trust * logP[g]));
    };
  }

  /** word_vectors: a word's votes in all branches, scaled to length 1 (or 0 if it has none). */
  function direction(id) {
    const vector = scale.map((size, i) => size * table[id * columns + i]);
    const length = Math.hypot(...vector);
    return vector.map((vote) => vote / (length || 1));
  }

  /**
   * nearest_words and genre_pull: return a word's pull and its `n` nearest words with their cosines.
   *
   * @param {string} text
   * @returns {{shown: string, known: boolean, pull: number[],
   *   near: {word: string, shown: string, cosine: number, pull: number[]}[]}}
   */
  function lookUp(text, n = 8) {
    const word = text.trim().replaceAll("Σ", "σ").toLowerCase(), id = ids.get(word) ?? UNKNOWN_ID;
    if (!isKnown(id)) return { shown: word && mask(word), known: false, pull: [], near: [] };
    const own = direction(id), cosines = words.map((_, other) => (isKnown(other) && other !== id
      ? sum(direction(other).map((vote, i) => vote * own[i])) : -2));
    const nearest = [...words.keys()].sort((a, b) => cosines[b] - cosines[a]).slice(0, n);
    const near = nearest.map((other) => ({
      word: words[other], shown: mask(words[other]), cosine: cosines[other], pull: pull(other) }));
    return { shown: mask(word), known: true, pull: pull(id), near };
  }

  const scoreCount = header.scores.length, featureCount = scoreCount + (topics ? 2 : 0);
  check(shapeOf("features.bins.start")[0] === featureCount,
    `The networks' bins are not those of ${featureCount} numbers`);
  const featuresNetwork = once(() => {
    const [bin, count] = bins("features", featureCount), members = ensemble("features.ensemble", count);
    return (features) => members(bin(features));
  });
  const lyricsHead = once(() => head("lyrics", FORM_NUMBERS));
  const combinedHead = once(() => head("combined", FORM_NUMBERS + featureCount));

  /** Each network: a function of a song's tokens, as ids, and its features. */
  const networks = {
    lyrics: (ids) => lyricsHead()(branches(bag(ids)), form(ids)),
    features: (_, features) => featuresNetwork()(features),
    combined: (ids, features) => combinedHead()(branches(bag(ids)), [...form(ids), ...features]),
  };

  /**
   * Return a network's answer to a song.
   *
   * @throws {Error} When the scores are too few or too many, or one is not a finite number.
   */
  function answer({ lyrics, scores, network }) {
    if (scores?.length !== scoreCount || ![...scores].every(Number.isFinite)) {
      throw new Error(`The networks need ${scoreCount} finite scores, but got: ${scores}`);
    }
    const found = tokens(lyrics), features = Array.from(scores, Math.fround);
    if (topics) features.push(...topicWords(features.slice(0, topics)));
    const logits = networks[network](found.map(({ id }) => id), features);
    return {
      words: found.map((token) => (
        { ...token, shown: mask(token.word), known: isKnown(token.id), pull: pull(token.id) })),
      probabilities: meanProbabilities(logits),
      logits,
    };
  }

  /** mask_slur: return a word as the course shows it, of a slur only the first and last letter. */
  function mask(word) {
    const letters = [...word], shown = [letters[0], letters[letters.length - 1]];
    const isSlur = new RegExp(`^(?:${header.slurs})`, "i").test(word);
    return isSlur ? shown.join("∗".repeat(letters.length - 2)) : word;
  }

  return { receive, finish, needs, tokens, answer, lookUp };
}

export { load };
