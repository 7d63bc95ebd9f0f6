"""Synthetic songs that mirror how the real data came about, with a known best possible accuracy.

    sound s ~ shares                                 what a song sounds like: one of the 7 genres
    genre   | s ~ filing[s]                          what it is filed under: label noise, by artist
    theta   | s ~ Dirichlet(alpha[s])                16 named topics and one of other words
    length  | s ~ the real lengths                   the first 75 % are drawn, the rest repeats them
    word    | s ~ theta, then beta[s, topic]         every word type belongs to exactly one topic
    audio   | s ~ six Gaussians                      behind monotone curves that all genres share

The topic scores are smoothed shares of the topics among the words, (n_k + 1/19) / (N + 1), as in
the real file, whose floor values show a topic model of 19 topics. Hence everything but `genre` has
a closed-form likelihood given s, and `genre_lib.data.bayes` can say what the best possible
classifier would answer.

All constants in `synthetic.json` are summaries of the real songs, made by
`benchmarks/calibrate_synthetic.py`. Chapters 1 and 7 use and explain these songs.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

from genre_lib.data.schema import AUDIO_FEATURES, FOOTER, GENRES, TOPIC_FEATURES

# The most frequent words of each topic, in falling order; all further words are invented.
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
# Words that are typical of one genre, and rare elsewhere.
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

# Set by hand so that the baselines are as accurate on these songs as on real ones (calibration).
TOPIC_WORDS = 13_000  # word types that belong to a topic
RARE_WORDS = 60_000  # word types that belong to none, and tell nothing about the genre
RARE_SHARE = 0.05  # of the words drawn
OWN_RARE_WORDS = 10  # of each artist ...
OWN_RARE_SHARE = 0.25  # ... who takes this share of the rare words from that list
FRESH_SHARE = 0.75  # of a song's words are drawn; the rest repeats its beginning, as a chorus
LEAN_SPREAD = 0.05  # of the logarithm of a word's frequency, from genre to genre
TYPICAL_WEIGHT = 0.05  # of TYPICAL_WORDS elsewhere, beside the words around them in SEED_WORDS
TYPICAL_SHARE = 0.0025  # of the invented words are typical of one genre, like TYPICAL_WORDS ...
TYPICAL_LEAN = 2.2  # ... and exp(2.2) = 9 times as frequent there
TOPIC_CONTRAST = 0.94  # stretches the differences between genres, to make up for the label noise
AUDIO_CONTRAST = 1.07
LABEL_NOISE = 0.08  # of the artists are filed under another genre than their sound
GUEST_SHARE = 0.03  # of the songs trade artists, so that some artists have several genres
ARTIST_AUDIO = 0.4  # part of the variance of the audio noise that an artist's songs share
N_LDA = 19  # topics of the model behind the real scores; three are not in the file
OTHER, RARE = len(TOPIC_FEATURES), len(TOPIC_FEATURES) + 1


@lru_cache(maxsize=1)
def constants() -> dict[str, np.ndarray]:
    """Summaries of the real songs, contrasts applied; the first axis is the sound (GENRES)."""
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
    c["filing"] = joint / joint.sum(1, keepdims=True)
    # p(length | sound) for 0 to 199 words: the slope of a piecewise linear distribution.
    levels = np.linspace(0, 1, c["lengths"].shape[1])
    edges = [np.interp(np.arange(1, 202), knots, levels) for knots in c["lengths"]]
    c["p_length"] = np.pad(np.diff(edges), ((0, 0), (1, 0)))[:, :200]
    return c


def _invented(n: int, taken: set[str]) -> list[str]:
    """n distinct pronounceable words of three syllables, none of them in `taken`."""
    syllables = [a + b for a in ("b", "d", "f", "l", "m", "n", "r", "s", "v", "w") for b in "aeiou"]
    ends = ["", "l", "n", "r", "s", "m"]
    words: dict[str, None] = {}
    step = 7_368_787  # a prime: walks through all combinations in a scattered order
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
    """The word types and how often each sound uses them; the same for every seed.

    `words`: array of strings, topic words first (grouped by topic), then rare words.
    `topic`: topic of each word, RARE for rare ones. `log_beta` (7, TOPIC_WORDS).
    `steps` (7 * TOPIC_WORDS,): sound * 17 + topic + share of the topic's words up to this one.
    """
    rng = np.random.default_rng(1950)
    c = constants()
    mass = c["shares"] @ (c["alpha"] / c["alpha"].sum(1, keepdims=True))
    sizes = np.diff(np.round(np.cumsum(np.r_[0, mass]) * TOPIC_WORDS)).astype(int)
    seeds = [SEED_WORDS[name].split() for name in (*TOPIC_FEATURES, "other")]
    taken = {word for topic in seeds for word in topic} | set(FOOTER.split())
    invented = iter(_invented(TOPIC_WORDS + RARE_WORDS, taken))
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


def _artists(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Artist number, sound and genre of n songs, each (n,)."""
    c = constants()
    per_sound = np.diff(np.round(np.cumsum(np.r_[0, c["shares"]]) * n)).astype(int)
    knots, levels = np.log(c["artist_songs"]), c["artist_levels"]
    artists, sounds, genres, first = [], [], [], 0
    for s, songs in enumerate(per_sound):
        sizes = np.exp(np.interp(rng.random(songs), levels, knots)).astype(int)
        sizes = np.minimum(sizes, max(1, songs // 8))
        own = np.repeat(np.arange(songs), sizes)[:songs]
        filed = rng.choice(len(GENRES), size=songs, p=c["filing"][s])
        artists.append(first + own)
        sounds.append(np.full(songs, s))
        genres.append(filed[own])
        first += songs
    artist, sound, genre = (np.concatenate(part) for part in (artists, sounds, genres))
    guests = np.flatnonzero(rng.random(n) < GUEST_SHARE)
    artist[guests] = artist[rng.permutation(guests)]
    order = rng.permutation(n)
    return np.unique(artist[order], return_inverse=True)[1], sound[order], genre[order]


def drawn_words(length: np.ndarray) -> np.ndarray:
    """How many of a song's words are drawn, before it repeats them."""
    return np.ceil(FRESH_SHARE * length).astype(int)


def _lyrics(
    sound: np.ndarray, length: np.ndarray, artist: np.ndarray, rng: np.random.Generator
) -> tuple[list[str], np.ndarray]:
    """Lyrics of n songs, and their words counted by topic (n, 17)."""
    c, language = constants(), language_of_songs()
    n, fresh = len(sound), drawn_words(length)
    theta = rng.gamma(c["alpha"][sound])
    theta = np.c_[theta / theta.sum(1, keepdims=True) * (1 - RARE_SHARE), np.full(n, RARE_SHARE)]
    # One sorted array holds all songs' distributions: song number + cumulative share.
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
    mine = own[artist[song[rare]], rng.integers(OWN_RARE_WORDS, size=rare.sum())]
    anyone = rng.integers(RARE_WORDS, size=rare.sum())
    word[rare] = TOPIC_WORDS + np.where(rng.random(rare.sum()) < OWN_RARE_SHARE, mine, anyone)
    counts = np.bincount(song * (RARE + 1) + topic, minlength=n * (RARE + 1)).reshape(n, -1)
    # The chorus: after its fresh words a song starts again from its first one.
    ends = np.cumsum(length)
    place = np.arange(ends[-1]) - np.repeat(ends - length, length)
    source = np.repeat(np.cumsum(fresh) - fresh, length) + place % np.repeat(fresh, length)
    spelled = language["words"][word[source]].tolist()
    lyrics = [" ".join(spelled[end - k : end]) for end, k in zip(ends, length, strict=True)]
    return lyrics, counts[:, :RARE]


def make_songs(n: int = 4000, seed: int = 0) -> pd.DataFrame:
    """n synthetic songs with the columns of the published file but its row id; see chapter 1.

    The same n and seed give the same songs. `songs.attrs["source"]` says what they are.
    Raises ValueError when n is not positive.
    """
    if n < 1:
        raise ValueError(f"cannot make {n} songs: n must be at least 1")
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
    place = ndtr(era) * (c["years"].shape[1] - 1)
    low = np.minimum(place.astype(int), c["years"].shape[1] - 2)
    years = c["years"][genre, low], c["years"][genre, low + 1]
    year = (years[0] + (place - low) * (years[1] - years[0])).astype(int)

    rate = np.array([FOOTER_SONGS.get(g, 0) for g in GENRES]) / PUBLISHED_SONGS
    footer = rng.random(n) < rate[genre]
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
    # In the real file, too, `topic` names the largest of these eight scores.
    eight = [
        "violence", "world/life", "night/time", "romantic", "obscene", "music", "sadness",
        "feelings",
    ]  # fmt: skip
    songs["topic"] = np.array(eight, dtype=object)[songs[eight].to_numpy().argmax(1)]
    songs["age"] = (2020 - songs["release_date"]) / 70
    songs.attrs["source"] = f"{n:,} synthetic songs (seed {seed})"
    return songs
