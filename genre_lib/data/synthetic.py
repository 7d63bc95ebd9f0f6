"""Synthetic songs, drawn from a model of the real ones, with a known best possible accuracy.

    sound s ~ shares                             what a song sounds like: one of the 7 genres
    genre   | s ~ labels[s]                      its label, by artist, with label noise
    theta   | s ~ Dirichlet(alpha[s])            16 named topics and one of other words
    length  | s ~ the real lengths               the first 75% are drawn, the rest repeats them
    word    | s ~ theta, then beta[s, topic]     every word type belongs to exactly one topic
    audio   | s ~ six Gaussians                  transformed by monotone curves, same for all genres

The topic scores are smoothed shares of the topics among the words, (n_k + 1/19) / (N + 1), as in
the real file, whose smallest values reveal a topic model of 19 topics. So words, topic scores
and audio scores have a closed-form likelihood given s, and `genre_lib.data.bayes` can compute the
predictions of the best possible classifier. Years and the footer depend on the genre.

All constants in `synthetic.json` are summaries of the real songs, computed by
`benchmarks/calibrate_synthetic.py`. Chapters 1 and 9 use and explain these songs.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

from genre_lib.data.order import reorder
from genre_lib.data.schema import AUDIO_FEATURES, FOOTER, GENRES, TOPIC_FEATURES

# The most frequent words of each topic, the most frequent first; all other words are invented.
SEED_WORDS = {
    "dating": "baby come lady hurry sugar twist crazy train treat date dinner surely cuddle",
    "violence": "black head dead stand fight blood death cold fear wall devil scream crawl terror",
    "world/life": "life live world believe change remember today learn forget years future reality",
    "night/time": "night time right long tonight mind wait stay sleep late minute clock saturday",
    "shake the audience": "yeah need everybody shake action speed dancin switch trick steady swag",
    "family/gospel": "little lord work hard mama help brother sister business poor prayer cotton",
    "romantic": "love hold kiss woman sweet arm dream darling touch lover tender romance caress",
    "communication": "know tell think talk mean try care friend guess matter question wonderin",
    "obscene": "damn money party game check smoke drop kick crew rhyme hustle microphone blunt",
    "music": "song sing home hear play blue music band guitar piano trumpet swing radio melody",
    "movement/places": "road ride city street house drive country truck highway beer whiskey texas",
    "light/visual perceptions": "light turn eye burn dance moon star shine sky autumn shadow gold",
    "family/spiritual": "people free land young earth peace mother children babylon righteous jah",
    "like/girls": "like girl look make beautiful nice smile pretty queen hair diamonds perfect",
    "sadness": "heart away fall break leave tear lonely walk cry pain hurt goodbye heartache",
    "feelings": "feel good go miss real morning strong luck wake groove boogie vibes serve",
    "other": "thing place water door yard garden table letter corner window paper summer stone",
}
# Words that are typical of one genre and rare in the others.
TYPICAL_WORDS = {
    "blues": "mama groove boogie devil wonderin guitar",
    "country": "truck whiskey texas cotton highway heartache",
    "hip hop": "crew rhyme hustle microphone blunt swag",
    "jazz": "swing autumn piano trumpet romance melody",
    "pop": "darling goodbye tender lonely caress kiss",
    "reggae": "babylon righteous jah vibes yard poor",
    "rock": "scream crawl terror dead reality shadow",
}
FOOTER_SONGS = {"rock": 656, "hip hop": 495, "pop": 263, "country": 5, "blues": 3, "reggae": 1}
PUBLISHED_SONGS = [4604, 5445, 904, 3845, 7042, 2498, 4034]  # in the order of GENRES

# Calibrated by hand, so that baselines reach the same accuracy on these songs as on real ones.
TOPIC_WORDS = 13_000  # number of word types that belong to a topic
RARE_WORDS = 60_000  # number of word types that belong to none, independent of the genre
RARE_SHARE = 0.05  # share of rare words among the drawn ones
OWN_RARE_WORDS = 10  # length of each artist's own list of rare words ...
OWN_RARE_SHARE = 0.25  # ... and share of the artist's rare words that come from that list
FRESH_SHARE = 0.75  # share of a song's words that are drawn; then it repeats, as in a chorus
LEAN_SPREAD = 0.05  # standard deviation of a word's log-frequency between genres
TYPICAL_WEIGHT = 0.05  # factor for the frequency of TYPICAL_WORDS in the other genres
TYPICAL_SHARE = 0.0025  # share of the invented words that are typical of one genre ...
TYPICAL_LEAN = 2.2  # ... and exp(2.2) = 9 times as frequent there, like TYPICAL_WORDS
TOPIC_CONTRAST = 0.94  # scales the differences between genres, to compensate for label noise
AUDIO_CONTRAST = 1.07
LABEL_NOISE = 0.08  # share of the artists whose genre is not that of their sound
GUEST_SHARE = 0.03  # share of the songs that swap artists, so that some have several genres
ARTIST_AUDIO = 0.4  # share of the variance of the audio noise common to an artist's songs
N_LDA = 19  # number of topics of the model behind the real scores; the file has 16 of them
OTHER, RARE = len(TOPIC_FEATURES), len(TOPIC_FEATURES) + 1


@lru_cache(maxsize=1)
def constants() -> dict[str, np.ndarray]:
    """Return summaries of the real songs, with contrasts; the first axis is the sound (GENRES)."""
    text = files(__package__).joinpath("synthetic.json").read_text(encoding="utf-8")
    c = {name: np.array(value) for name, value in json.loads(text)["constants"].items()}
    log_alpha = np.log(c["alpha"])
    centre = log_alpha.mean(0)
    c["alpha"] = np.exp(centre + TOPIC_CONTRAST * (log_alpha - centre))
    centres = np.einsum("sc,scj->sj", c["weights"], c["means"])
    stretch = (AUDIO_CONTRAST - 1) * (centres - c["shares"] @ centres)
    c["means"] = c["means"] + stretch[:, None, :]
    # Joint table of sound and genre: symmetric, so that both have the same shares.
    joint = c["mixed_pairs"] * LABEL_NOISE / c["mixed_pairs"].sum()
    joint += np.diag(c["shares"] - joint.sum(1))
    c["labels"] = joint / joint.sum(1, keepdims=True)
    # p(length | sound) for 0 to 199 words: the slope of a piecewise linear distribution.
    levels = np.linspace(0, 1, c["lengths"].shape[1])
    edges = [np.interp(np.arange(1, 202), knots, levels) for knots in c["lengths"]]
    c["p_length"] = np.pad(np.diff(edges), ((0, 0), (1, 0)))[:, :200]
    return c


def _invent_words(n: int, taken: set[str]) -> list[str]:
    """Return n distinct pronounceable words of three syllables that are not in `taken`."""
    syllables = [a + b for a in ("b", "d", "f", "l", "m", "n", "r", "s", "v", "w") for b in "aeiou"]
    ends = ["", "l", "n", "r", "s", "m"]
    words: dict[str, None] = {}
    step = 7_368_787  # a prime, so that all combinations are visited in a scattered order
    for i in range(2 * n):
        code, word = i * step % (50**3 * 6), ""
        for _ in range(3):
            code, digit = divmod(code, 50)
            word += syllables[digit]
        word += ends[code]
        if word not in taken and not any(part in word for part in ("anus", "anal", "sodom")):
            words[word] = None
        if len(words) == n:
            break
    return list(words)


@lru_cache(maxsize=1)
def language_of_songs() -> dict[str, Any]:
    """Return the word types and their frequencies for each sound, the same for every seed.

    Returns
    -------
    language
        `words`: array of strings, topic words first (grouped by topic), then rare words.
        `index`: the same as a pandas index. `topic`: each word's topic, RARE for rare words.
        `log_beta`: log-frequencies, shape (7, TOPIC_WORDS). `steps`, shape (7 * TOPIC_WORDS,):
        sound * 17 + topic + cumulative frequency within the topic.
    """
    rng = np.random.default_rng(1950)
    c = constants()
    mass = c["shares"] @ (c["alpha"] / c["alpha"].sum(1, keepdims=True))
    sizes = np.diff(np.round(np.cumsum(np.r_[0, mass]) * TOPIC_WORDS)).astype(int)
    seeds = [SEED_WORDS[name].split() for name in (*TOPIC_FEATURES, "other")]
    taken = {word for topic in seeds for word in topic} | set(FOOTER.split())
    invented = iter(_invent_words(TOPIC_WORDS + RARE_WORDS, taken))
    words: list[str] = []
    weights: list[np.ndarray] = []
    for seed, size, share in zip(seeds, sizes, mass, strict=True):
        words += seed + [next(invented) for _ in range(size - len(seed))]
        weights.append((np.arange(size) + 70 * share) ** -1.5)  # Zipf-Mandelbrot
    topic = np.repeat(np.arange(RARE), sizes)
    home = np.where(rng.random(TOPIC_WORDS) < TYPICAL_SHARE, rng.integers(7, size=TOPIC_WORDS), -1)
    home[np.isin(words, sum(seeds, []))] = -1
    for g, genre in enumerate(GENRES):
        home[np.isin(words, TYPICAL_WORDS[genre].split())] = g
    lean = rng.normal(0, LEAN_SPREAD, (len(GENRES), TOPIC_WORDS))
    lean[home[home >= 0], np.flatnonzero(home >= 0)] += TYPICAL_LEAN
    weight = np.concatenate(weights)
    weight[np.isin(words, " ".join(TYPICAL_WORDS.values()).split())] *= TYPICAL_WEIGHT
    beta = weight * np.exp(lean)
    totals = np.array([np.bincount(topic, row) for row in beta])
    beta /= totals[:, topic]
    steps = np.cumsum(beta, axis=1) + RARE * np.arange(len(GENRES))[:, None]
    words += [next(invented) for _ in range(RARE_WORDS)]
    topic = np.r_[topic, np.full(RARE_WORDS, RARE)]
    return {
        "words": np.array(words, dtype=object),
        "index": pd.Index(words),
        "topic": topic,
        "log_beta": np.log(beta),
        "steps": steps.ravel(),
    }


def word_classes() -> dict[str, int]:
    """Return the class of each word, a position in `GENRES`; each topic has words of all."""
    return {word: number % len(GENRES) for number, word in enumerate(language_of_songs()["words"])}


def _artists(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return artist number, sound and genre of n songs, each of shape (n,)."""
    c = constants()
    per_sound = np.diff(np.round(np.cumsum(np.r_[0, c["shares"]]) * n)).astype(int)
    knots, levels = np.log(c["artist_songs"]), c["artist_levels"]
    artists, sounds, genres, first = [], [], [], 0
    for s, songs in enumerate(per_sound):
        sizes = np.exp(np.interp(rng.random(songs), levels, knots)).astype(int)
        sizes = np.minimum(sizes, max(1, songs // 8))
        own = np.repeat(np.arange(songs), sizes)[:songs]
        label = rng.choice(len(GENRES), size=songs, p=c["labels"][s])
        artists.append(first + own)
        sounds.append(np.full(songs, s))
        genres.append(label[own])
        first += songs
    artist, sound, genre = (np.concatenate(part) for part in (artists, sounds, genres))
    guests = np.flatnonzero(rng.random(n) < GUEST_SHARE)
    artist[guests] = artist[rng.permutation(guests)]
    order = rng.permutation(n)
    return np.unique(artist[order], return_inverse=True)[1], sound[order], genre[order]


def drawn_words(length: np.ndarray) -> np.ndarray:
    """Return how many of a song's words are drawn before it repeats them."""
    return np.ceil(FRESH_SHARE * length).astype(int)


def _lyrics(
    sound: np.ndarray, length: np.ndarray, artist: np.ndarray, rng: np.random.Generator
) -> tuple[list[str], np.ndarray]:
    """Return the lyrics of n songs, and the number of words by topic, shape (n, 17)."""
    c, language = constants(), language_of_songs()
    n, fresh = len(sound), drawn_words(length)
    theta = rng.gamma(c["alpha"][sound])
    theta = np.c_[theta / theta.sum(1, keepdims=True) * (1 - RARE_SHARE), np.full(n, RARE_SHARE)]
    # One sorted array has all songs' distributions: song number + cumulative share.
    below = (np.cumsum(theta, axis=1) + np.arange(n)[:, None]).ravel()
    song = np.repeat(np.arange(n), fresh)
    uniform = rng.random((2, len(song))) * (1 - 1e-9)
    topic = np.searchsorted(below, song + uniform[0], side="right") - song * (RARE + 1)
    topic = np.minimum(topic, RARE)
    word = np.empty(len(song), dtype=int)
    rare = topic == RARE
    s = sound[song[~rare]]
    at = np.searchsorted(language["steps"], s * RARE + topic[~rare] + uniform[1, ~rare], "right")
    word[~rare] = at - s * TOPIC_WORDS
    own = rng.integers(RARE_WORDS, size=(artist.max() + 1, OWN_RARE_WORDS))
    from_own = own[artist[song[rare]], rng.integers(OWN_RARE_WORDS, size=rare.sum())]
    from_all = rng.integers(RARE_WORDS, size=rare.sum())
    word[rare] = TOPIC_WORDS + np.where(rng.random(rare.sum()) < OWN_RARE_SHARE, from_own, from_all)
    counts = np.bincount(song * (RARE + 1) + topic, minlength=n * (RARE + 1)).reshape(n, -1)
    # The chorus: after its drawn words a song starts again from its first one.
    ends = np.cumsum(length)
    position = np.arange(ends[-1]) - np.repeat(ends - length, length)
    source = np.repeat(np.cumsum(fresh) - fresh, length) + position % np.repeat(fresh, length)
    text = language["words"][word[source]].tolist()
    lyrics = [" ".join(text[end - k : end]) for end, k in zip(ends, length, strict=True)]
    return lyrics, counts[:, :RARE]


def make_songs(n: int = 4000, seed: int = 0, order: float | None = None) -> pd.DataFrame:
    """Return n synthetic songs with the columns of the published file; explained in chapter 1.

    The same arguments give the same songs. `.attrs["source"]` says that they are synthetic.

    With `order`, genres are shuffled, so that neither words nor scores reveal them, and only the
    order of a song's words does: those of its genre's class tend to come first, more so the
    larger the number is (`genre_lib.data.order`; chapter *Attention*). At 1, nothing does.

    Raises
    ------
    ValueError
        When n is not positive, or `order` is less than 1.

    Examples
    --------
    >>> songs = make_songs(200)
    >>> len(songs), songs.attrs["source"]
    (200, '200 synthetic songs (seed 0)')
    """
    if n < 1:
        raise ValueError(f"cannot make {n} songs: n must be at least 1")
    if order is not None and not order >= 1:
        raise ValueError(f"order is {order}: it must be at least 1")
    rng = np.random.default_rng(seed)
    c = constants()
    artist, sound, genre = _artists(n, rng)
    length = 1 + (rng.random(n)[:, None] > np.cumsum(c["p_length"][sound], 1)[:, 1:-1]).sum(1)
    lyrics, counts = _lyrics(sound, length, artist, rng)
    topics = (counts[:, :OTHER] + 1 / N_LDA) / (counts.sum(1, keepdims=True) + 1)

    component = (rng.random(n)[:, None] > np.cumsum(c["weights"][sound], 1)[:, :-1]).sum(1)
    shared = rng.normal(size=(artist.max() + 1, 7))[artist]
    noise = rng.normal(size=(n, 7))
    audio_noise = np.sqrt(ARTIST_AUDIO) * shared[:, :6] + np.sqrt(1 - ARTIST_AUDIO) * noise[:, :6]
    z = c["means"][sound, component]
    z = z + np.einsum("nij,nj->ni", c["factors"][sound, component], audio_noise)
    audio = np.column_stack([np.interp(z[:, j], c["curve_z"], c["curve_x"][j]) for j in range(6)])
    silent = c["factors"][sound, component, 3, 3] == 0
    audio[silent, AUDIO_FEATURES.index("instrumentalness")] = 0

    trend = c["year_trend"][sound, component]  # constant, six slopes, spread
    own = np.sqrt(0.5) * shared[:, 6] + np.sqrt(0.5) * noise[:, 6]
    era = trend[:, 0] + (trend[:, 1:7] * audio_noise).sum(1) + trend[:, 7] * own
    position = ndtr(era) * (c["years"].shape[1] - 1)
    low = np.minimum(position.astype(int), c["years"].shape[1] - 2)
    years = c["years"][genre, low], c["years"][genre, low + 1]
    year = (years[0] + (position - low) * (years[1] - years[0])).astype(int)

    rate = np.array([FOOTER_SONGS.get(g, 0) for g in GENRES]) / PUBLISHED_SONGS
    footer = (rng.random(n) < rate[genre]) & (order is None)  # no song contains it itself
    for song in np.flatnonzero(footer):
        lyrics[song] += f" {FOOTER}"
    words = language_of_songs()["words"][TOPIC_WORDS:]
    names = words[rng.integers(RARE_WORDS, size=(artist.max() + 1, 2))]
    titles = words[rng.integers(RARE_WORDS, size=(n, 2))]
    columns = {
        "artist_name": [" ".join(names[a]) for a in artist],
        "track_name": [" ".join(title) for title in titles],
        "release_date": year,
        "genre": np.array(GENRES, dtype=object)[genre],
        "lyrics": lyrics,
        "len": length + 2 * footer,
        **dict(zip(TOPIC_FEATURES, topics.T, strict=True)),
        **dict(zip(AUDIO_FEATURES, audio.T, strict=True)),
    }
    songs = pd.DataFrame(columns)
    # As in the real file, `topic` is the largest of these eight scores.
    eight = [
        "violence", "world/life", "night/time", "romantic", "obscene", "music", "sadness",
        "feelings",
    ]  # fmt: skip
    songs["topic"] = np.array(eight, dtype=object)[songs[eight].to_numpy().argmax(1)]
    songs["age"] = (2020 - songs["release_date"]) / 70
    songs.attrs["source"] = f"{n:,} synthetic songs (seed {seed})"
    if order is not None:
        dealt = rng.permutation(genre)
        songs["genre"] = np.array(GENRES, dtype=object)[dealt]
        songs["lyrics"] = reorder(lyrics, dealt, word_classes(), order, rng)
        songs.attrs["source"] = f"{n:,} synthetic songs (seed {seed}, genre in the order of words)"
    return songs
