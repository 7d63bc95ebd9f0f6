"""What a pretrained sentence encoder adds to the words of the songs, and whether it knew them.

    pip install 'genre-lib[pretrained]'
    python benchmarks/borrowed.py --vectors DIR

DIR is outside the repository: it keeps the vectors of the lyrics (44 MB each), which take half an
hour or more to compute on two CPU cores, for the next time. `--encoder FOLDER` takes the encoder's
files from a folder, `--parts names matching` measures these parts again. Writes
`benchmarks/results/borrowed.json`:

- `lines`: made up for the chapter, with their vectors;
- `settings`: those of the heads, chosen by the loss on the validation songs of the split by artist
  with seed 50;
- `heads`: five splits by song and five by artist, with all songs and without those that had the
  footer, as in the study; the study's rows of the course's lyrics network belong beside them;
- `names`: the genre of artists from their names alone;
- `matching`: do a song's lyrics lie nearer to its own title or artist than to another song's?
- `few`: accuracy by number of training songs, on splits by artist;
- `network`: the course's lyrics network with the word table beside, on the splits of `heads`;
- `joint`: one head on TF-IDF and the word table, on the same splits.

Chapter *Borrowed knowledge* shows the result.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy import sparse
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from genre_lib import SongEncoder, SongTensors, evaluate, fit, get_recipe, load_songs, make_songs
from genre_lib.classifier.pretrained import (
    ENCODER,
    REVISION,
    load_encoder,
    sentence_vectors,
    table_vectors,
)
from genre_lib.data.schema import GENRES
from genre_lib.data.songs import has_footer, strip_footer
from genre_lib.data.splits import Split, split_songs
from genre_lib.environment import versions
from genre_lib.evaluation.intervals import interval_over_songs
from genre_lib.evaluation.report import Report
from genre_lib.models import CombinedNetwork
from genre_lib.study.plan import COLLECTIONS, STANDARD, WITHOUT_FOOTER
from genre_lib.study.results import write_result
from genre_lib.study.run import songs_identity

RESULT = Path(__file__).parent / "results/borrowed.json"
SEEDS, TUNING_SEED = range(5), 50
SIZES = (70, 350, 1400)
MATCHED, COMPONENTS = 1500, 32
PARTS = ("lines", "heads", "names", "matching", "few", "network", "joint")
WORDS, SENTENCE, TABLE = "TF-IDF", "sentence vector", "word table"
KINDS = (WORDS, SENTENCE, TABLE)
STRENGTHS = {WORDS: (0.5, 1, 2), SENTENCE: (0.1, 0.3, 1, 3), TABLE: (0.1, 0.3, 1, 3)}
FEW_STRENGTHS = (0.1, 0.3, 1, 3, 10, 30)
TRUST = np.arange(0, 1.01, 0.1)
NETWORK = "course lyrics + word table"
JOINT = "joint head"
JOINT_WEIGHTS = (0.125, 0.25, 0.5)

Vectors = dict[str, np.ndarray]
"""By kind, one row per song of the whole table, in its order; songs are numbered by their index."""


LINES = (
    "i drove the empty highway all night",
    "a lonely road in the dark until morning",
    "she counts the money in the bank",
    "pour another whiskey, bartender",
    "one more beer before we go home",
    "the dog bit the man",
    "the man bit the dog",
    "everybody jump and clap your hands",
    "turn the music up and shake it",
    "this club is on fire tonight",
    "the bass makes the crowd move",
    "my heart is broken since you left",
    "i cry alone in an empty bed",
    "her letter said goodbye forever",
    "nobody holds me when it rains",
    "dancers spin under flashing lights",
    "dj, play one more tune",
    "we celebrate until sunrise",
    "tears fall because he went away",
    "without him life hurts so much",
    "we parted and i am lonely",
)
"""Made up for the chapter, which shows their vectors where there is no encoder."""


# --- heads ----------------------------------------------------------------------------------------


def words_of(train: pd.DataFrame, songs: pd.DataFrame) -> tuple[Any, Any]:
    """Return TF-IDF weights of the words in both tables, learned from the first."""
    words = TfidfVectorizer(min_df=3, sublinear_tf=True)
    lyrics = [strip_footer(table["lyrics"]) for table in (train, songs)]
    return words.fit_transform(lyrics[0]), words.transform(lyrics[1])


def inputs(
    kind: str, train: pd.DataFrame, songs: pd.DataFrame, vectors: Vectors
) -> tuple[Any, Any]:
    """Return the numbers for a linear head, for both tables: rows are of about length 1."""
    if kind == WORDS:
        return words_of(train, songs)
    scaler = StandardScaler().fit(vectors[kind][train.index])
    found = (scaler.transform(vectors[kind][table.index]) for table in (train, songs))
    width = vectors[kind].shape[1]
    return next(found) / width**0.5, next(found) / width**0.5


def head(learn: Any, genre: pd.Series, others: Any, truth: pd.Series, strength: float) -> Report:
    """Train logistic regression on `learn`; compare its answers for `others` with the truth."""
    model = LogisticRegression(C=strength, max_iter=1000).fit(learn, genre)
    found = pd.DataFrame(model.predict_proba(others), columns=model.classes_)
    numbers = pd.Categorical(truth, categories=GENRES).codes.astype(int)
    return Report(found.reindex(columns=list(GENRES), fill_value=0.0).to_numpy(), numbers)


def together(first: Report, second: Report, trust: float) -> Report:
    """Weigh the log-probabilities of two heads by 1 - `trust` and `trust`, and add them up."""
    logs = [np.log(np.maximum(one.probabilities, 1e-12)) for one in (first, second)]
    logits = torch.tensor((1 - trust) * logs[0] + trust * logs[1])
    return Report(torch.softmax(logits, dim=1).numpy(), first.genre)


def tune(
    train: pd.DataFrame, validation: pd.DataFrame, vectors: Vectors, few: bool = False
) -> dict[str, float]:
    """Return the strength of each head and the trust of each pair, by validation loss."""
    settings, reports = {}, {}
    for kind in KINDS:
        learn, others = inputs(kind, train, validation, vectors)
        strengths = FEW_STRENGTHS if few else STRENGTHS[kind]
        found = [
            head(learn, train["genre"], others, validation["genre"], strength)
            for strength in strengths
        ]
        best = int(np.argmin([one.loss for one in found]))
        settings[kind], reports[kind] = strengths[best], found[best]
    for kind in (SENTENCE, TABLE):
        losses = [together(reports[WORDS], reports[kind], trust).loss for trust in TRUST]
        settings[f"{WORDS} + {kind}"] = round(float(TRUST[int(np.argmin(losses))]), 1)
    print(settings, {kind: str(one) for kind, one in reports.items()}, flush=True)
    return settings


def all_heads(
    train: pd.DataFrame, test: pd.DataFrame, vectors: Vectors, settings: dict[str, float]
) -> dict[str, Report]:
    """Train the three heads, and evaluate these and the two pairs."""
    found = {
        kind: head(*_with_genres(kind, train, test, vectors), settings[kind]) for kind in KINDS
    }
    for kind in (SENTENCE, TABLE):
        pair = f"{WORDS} + {kind}"
        found[pair] = together(found[WORDS], found[kind], settings[pair])
    return found


def _with_genres(
    kind: str, train: pd.DataFrame, test: pd.DataFrame, vectors: Vectors
) -> tuple[Any, pd.Series, Any, pd.Series]:
    learn, others = inputs(kind, train, test, vectors)
    return learn, train["genre"], others, test["genre"]


def joint(
    train: pd.DataFrame,
    songs: pd.DataFrame,
    vectors: Vectors,
    settings: dict[str, float],
    weight: float,
) -> Report:
    """Train one head on the words and the word table together, the table times a weight."""
    words, tables = (inputs(kind, train, songs, vectors) for kind in (WORDS, TABLE))
    learn, others = (
        sparse.hstack([one, sparse.csr_matrix(weight * other)]).tocsr().astype(np.float32)
        for one, other in zip(words, tables, strict=True)
    )
    return head(learn, train["genre"], others, songs["genre"], settings[WORDS])


def network(train: pd.DataFrame, songs: pd.DataFrame, vectors: Vectors, seed: int) -> Report:
    """Train the course's lyrics network with the widest directions of the word table beside."""
    recipe = get_recipe("course", "lyrics")
    encoder = SongEncoder(**recipe.encoder)
    axes = PCA(COMPONENTS, random_state=0).fit(vectors[TABLE][train.index])

    def tensors(table: pd.DataFrame, encode: Callable[[pd.DataFrame], SongTensors]) -> SongTensors:
        plane = torch.tensor(axes.transform(vectors[TABLE][table.index]), dtype=torch.float32)
        encoded = encode(table[["lyrics", "genre"]])
        return SongTensors(encoded.lyrics, plane, encoded.genre)

    learn, test = tensors(train, encoder.fit_encode), tensors(songs, encoder.encode)
    torch.manual_seed(seed)
    found = CombinedNetwork(len(encoder.words), features=COMPONENTS, topics=0, bins=8)
    fit(found, learn, **recipe.training, seed=seed, device="cpu", progress=False)
    return evaluate(found, test)


def few_songs(songs: pd.DataFrame, count: int, seed: int) -> pd.DataFrame:
    """Draw songs, the same number of each genre."""
    return songs.groupby("genre").sample(count // len(GENRES), random_state=seed)


def few(
    songs: pd.DataFrame, vectors: Vectors, store: Callable[[list[dict[str, Any]]], None]
) -> None:
    """Evaluate the heads by the number of training songs, on splits by artist; store the rows."""
    rows = []
    tuning = split_songs(songs, "artist", TUNING_SEED)
    for count in SIZES:
        train = few_songs(tuning.train, count, TUNING_SEED)
        settings = tune(train, tuning.validation, vectors, few=True)
        for seed in SEEDS:
            split = split_songs(songs, "artist", seed)
            train = few_songs(pd.concat([split.train, split.validation]), count, seed)
            for model, found in all_heads(train, split.test, vectors, settings).items():
                row = {"model": model, "train": count, "seed": seed}
                rows.append(row | found.summary())
        store(rows)


# --- what it knew ---------------------------------------------------------------------------------


def names(songs: pd.DataFrame, encode: Callable[[list[str]], np.ndarray]) -> list[dict[str, Any]]:
    """Return how well artists' names alone tell their genres, to the encoder and by their letters.

    An artist's genre is the most frequent one of the songs.
    """
    artists = songs.groupby("artist_name")["genre"].agg(lambda g: g.value_counts().idxmax())
    vectors = dict(zip(artists.index, encode(list(artists.index)), strict=True))

    def tables(seed: int) -> tuple[pd.Series, pd.Series, pd.Series]:
        split = split_songs(songs, "artist", seed)
        return tuple(artists.loc[part["artist_name"].unique()] for part in split)

    def letters(train: pd.Series, test: pd.Series) -> tuple[Any, Any]:
        grams = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), min_df=2, sublinear_tf=True)
        return grams.fit_transform(train.index), grams.transform(test.index)

    def meanings(train: pd.Series, test: pd.Series) -> tuple[Any, Any]:
        return tuple(np.array([vectors[name] for name in part.index]) for part in (train, test))

    rows = []
    for name, make in (("letters of the name", letters), ("vector of the name", meanings)):
        train, validation, _ = tables(TUNING_SEED)
        learn, others = make(train, validation)
        strengths = (0.3, 1, 3, 10, 30)
        losses = [head(learn, train, others, validation, c).loss for c in strengths]
        strength = strengths[int(np.argmin(losses))]
        for seed in SEEDS:
            *learned, test = tables(seed)
            train = pd.concat(learned)
            learn, others = make(train, test)
            found = head(learn, train, others, test, strength)
            rows.append({"model": name, "seed": seed, "strength": strength} | found.summary())
            print(rows[-1], flush=True)
    return rows


def in_common(text: str, name: str) -> bool:
    """Whether a word of the name begins as a word of the text does (lyrics are lemmatised)."""
    begins = {word[:4] for word in text.split()}
    return any(word[:4] in begins for word in name.lower().split())


def match(
    texts: np.ndarray, songs: pd.DataFrame, names: pd.Series, vectors: np.ndarray, test: str
) -> dict[str, Any]:
    """Return how often a song's text lies nearer to its own name than to another song's.

    The other song is drawn from those of the same genre and decade. Songs are left out where a word
    of either name occurs in the lyrics, so a search for common words can only guess.
    """
    group = songs["genre"] + (songs["release_date"] // 10).astype(str)
    rng = np.random.default_rng(0)
    number = pd.Series(np.arange(len(songs)), index=songs.index)
    wins, artists = [], []
    for rows in number.groupby(group):
        mine = rng.permutation(rows[1].to_numpy())
        for own, other in zip(mine, np.roll(mine, 1), strict=True):
            lyrics = songs["lyrics"].iloc[own]
            both = names.iloc[own], names.iloc[other]
            if both[0] == both[1] or any(in_common(lyrics, name) for name in both):
                continue
            difference = texts[own] @ (vectors[own] - vectors[other])
            wins.append(0.5 if difference == 0 else float(difference > 0))
            artists.append(songs["artist_name"].iloc[own])
    mean, half = interval_over_songs(wins, artists)
    print(test, len(wins), f"{mean:.3f} ± {half:.3f}", flush=True)
    return {"test": test, "songs": len(wins), "share": mean, "half_width": half}


def matching(
    songs: pd.DataFrame, vectors: Vectors, encode: Callable[[list[str]], np.ndarray]
) -> list[dict[str, Any]]:
    """Return the shares of `match` for titles and artists, real, shuffled and synthetic."""
    rng = np.random.default_rng(0)
    drawn = songs.groupby("artist_name").sample(1, random_state=0)
    drawn = drawn.sample(min(MATCHED, len(drawn)), random_state=0)
    texts = vectors[SENTENCE][drawn.index]
    shuffled = [" ".join(rng.permutation(t.split())) for t in strip_footer(drawn["lyrics"])]
    found = []
    for column, what in (("track_name", "title"), ("artist_name", "artist")):
        named = encode(drawn[column].tolist())
        found.append(match(texts, drawn, drawn[column], named, what))
        if what == "title":
            shuffled_texts = encode(shuffled)
        found.append(match(shuffled_texts, drawn, drawn[column], named, f"{what}, words shuffled"))
    made = make_songs(1500, seed=5).groupby("artist_name").sample(1, random_state=0)
    named, texts = encode(made["track_name"].tolist()), encode(made["lyrics"].tolist())
    found.append(match(texts, made, made["track_name"], named, "title, synthetic songs"))
    return found


# --- all of it ------------------------------------------------------------------------------------


def lines(encoder: Any) -> list[dict[str, str]]:
    """Return the lines with both of their vectors, rounded to whole numbers from -127 to 127."""

    def packed(vector: np.ndarray) -> str:
        whole = np.round(127 * vector / np.abs(vector).max()).astype(np.int8)
        return base64.b64encode(whole.tobytes()).decode()

    return [
        {"line": line, SENTENCE: packed(sentence), TABLE: packed(table)}
        for line, sentence, table in zip(
            LINES, sentence_vectors(encoder, LINES), table_vectors(encoder, LINES), strict=True
        )
    ]


Models = Callable[[pd.DataFrame, pd.DataFrame, int], dict[str, Report]]
"""A function of training songs, test songs and a seed."""


def on_all_splits(
    songs: pd.DataFrame, models: Models, store: Callable[[list[dict[str, Any]]], None]
) -> None:
    """Evaluate models on all splits, as in the study; store the rows after each split."""
    rows: list[dict[str, Any]] = []
    for seed, by, collection in product(SEEDS, ("artist", "song"), COLLECTIONS):
        split = split_songs(songs, by, seed)
        if collection == WITHOUT_FOOTER:
            split = Split(*(part[~has_footer(part["lyrics"])] for part in split))
        train = pd.concat([split.train, split.validation])
        for model, found in models(train, split.test, seed).items():
            row = {"model": model, "split": by, "seed": seed, "variant": STANDARD}
            rows.append(row | {"collection": collection} | found.summary())
            print(seed, by, collection, model, found, flush=True)
        store(rows)


def read_vectors(folder: Path, songs: pd.DataFrame, encoder: Any, kinds: Sequence[str]) -> Vectors:
    """Return these vectors of the lyrics from `folder`, after computing what is not there."""
    lyrics, vectors = strip_footer(songs["lyrics"]).tolist(), {}
    makers = {TABLE: table_vectors, SENTENCE: sentence_vectors}
    for kind in kinds:
        path = folder / f"{songs_identity(songs)} {kind}.npy"
        if not path.exists():
            np.save(path, makers[kind](encoder, lyrics))
        vectors[kind] = np.load(path)
    return vectors


def main() -> None:
    """Measure each part, and store what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vectors", type=Path, required=True, help="where to keep the vectors")
    parser.add_argument("--encoder", default=ENCODER, help="a folder with the encoder's files")
    parser.add_argument("--parts", nargs="+", default=PARTS, choices=PARTS)
    options = parser.parse_args()
    songs = load_songs().reset_index(drop=True)
    encoder = load_encoder(options.encoder)
    encode = partial(sentence_vectors, encoder)
    # Sentence vectors take half an hour: these parts do without.
    kinds = (TABLE,) if set(options.parts) <= {"network", "joint"} else (TABLE, SENTENCE)
    vectors = read_vectors(options.vectors, songs, encoder, kinds)
    content: dict[str, Any] = {
        "encoder": {
            "name": ENCODER,
            "revision": REVISION,
            "file": "model.safetensors",
            "sha256": weights_hash(encoder),
            "most_pieces": encoder.max_seq_length,
        },
        "encoder_versions": versions(("sentence-transformers", "transformers")),
        "songs_identity": songs_identity(songs),
    }
    if RESULT.exists():
        old = json.loads(RESULT.read_text(encoding="utf-8"))
        if old["songs_identity"] == content["songs_identity"]:
            content |= {part: old[part] for part in ("settings", *PARTS) if part in old}

    def store(part: str, found: Any) -> None:
        content[part] = found
        command = "python benchmarks/borrowed.py --vectors DIR"
        write_result(RESULT, command, songs.attrs["source"], len(songs), **content)

    def heads() -> None:
        tuning = split_songs(songs, "artist", TUNING_SEED)
        settings = tune(tuning.train, tuning.validation, vectors)
        store("settings", settings)

        def found(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> dict[str, Report]:
            return all_heads(train, test, vectors, settings)

        on_all_splits(songs, found, partial(store, "heads"))

    def with_network() -> None:
        def found(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> dict[str, Report]:
            return {NETWORK: network(train, test, vectors, seed)}

        on_all_splits(songs, found, partial(store, "network"))

    def one_head() -> None:
        settings = content["settings"]
        tuning = split_songs(songs, "artist", TUNING_SEED)
        losses = [
            joint(tuning.train, tuning.validation, vectors, settings, weight).loss
            for weight in JOINT_WEIGHTS
        ]
        weight = JOINT_WEIGHTS[int(np.argmin(losses))]
        store("settings", settings | {JOINT: weight})

        def found(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> dict[str, Report]:
            return {JOINT: joint(train, test, vectors, settings, weight)}

        on_all_splits(songs, found, partial(store, "joint"))

    measured: dict[str, Callable[[], None]] = {
        "lines": lambda: store("lines", lines(encoder)),
        "heads": heads,
        "names": lambda: store("names", names(songs, encode)),
        "matching": lambda: store("matching", matching(songs, vectors, encode)),
        "few": lambda: few(songs, vectors, partial(store, "few")),
        "network": with_network,
        "joint": one_head,
    }
    for part in options.parts:
        measured[part]()


def weights_hash(encoder: Any) -> str:
    """Return the SHA-256 hash of the weights that the encoder was loaded from."""
    folder = Path(encoder[0].auto_model.config._name_or_path)
    if not folder.is_dir():
        from huggingface_hub import snapshot_download

        folder = Path(snapshot_download(ENCODER, revision=REVISION, local_files_only=True))
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
