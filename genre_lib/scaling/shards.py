"""Songs that don't fit in memory, in a folder of Parquet files. Explained in chapter *Scaling*."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from joblib import cpu_count
from tqdm import tqdm

from genre_lib.classifier.classifier import GenreClassifier
from genre_lib.data.checks import check_songs
from genre_lib.data.encoding import SongEncoder
from genre_lib.data.schema import GENRES
from genre_lib.data.splits import FOLDS, TEST_FOLDS, VALIDATION_FOLDS
from genre_lib.errors import GenreLibError, SongsError
from genre_lib.evaluation.report import Report, evaluate
from genre_lib.files import expand, written_whole
from genre_lib.scaling.make_shards import (
    ENCODED_FOLDER,
    import_parquet,
    in_parallel,
    read_description,
)
from genre_lib.scaling.mapped import MappedSongs
from genre_lib.scaling.processes import ONE_PROCESS, OneProcess
from genre_lib.training.history import History


class ShardSplit(NamedTuple):
    """Songs for training, for choosing settings or epochs, and for testing, from all shards."""

    train: ShardPart
    validation: ShardPart
    test: ShardPart


PARTS = ShardSplit._fields

SONGS_PER_PROCESS = 100_000
"""The number of songs above which starting another process for encoding pays off."""


class SplitRule(NamedTuple):
    """How songs are split; see `SongShards.split`."""

    by: str = "song"
    seed: int = 0
    test: bool = True

    def parts(self, songs: pd.DataFrame, shard: int) -> np.ndarray:
        """Return the part of each song of a shard, as a position in `PARTS`, shape (n,).

        By song, each shard is divided into ten random folds of equal size and genre shares. By
        artist, the fold is a hash of the artist's name, and so the same in all shards.
        """
        n = len(songs)
        if self.by == "artist":
            names = songs["artist_name"].astype(object).to_numpy()
            fold = pd.util.hash_array(names, hash_key=f"{self.seed:016}") % FOLDS
        else:
            random = np.random.default_rng((self.seed, shard))
            order = random.permutation(n)
            genre = pd.Index(GENRES).get_indexer(songs["genre"])
            order = order[np.argsort(genre[order], kind="stable")]
            fold = np.empty(n, int)
            fold[order] = (np.arange(n) + random.integers(FOLDS)) % FOLDS
        in_test = np.isin(fold, TEST_FOLDS) & self.test
        return np.where(np.isin(fold, VALIDATION_FOLDS), 1, np.where(in_test, 2, 0))


class SongShards:
    """The songs in a folder of Parquet files; each file is a shard that is read as a whole.

    The files have the same columns as a CSV file of songs.

    Raises
    ------
    SongsError
        When the folder is missing, has no Parquet files, or has one that can't be read.
    """

    def __init__(self, folder: str | Path):
        self.folder = expand(folder).resolve()
        self.paths = sorted(self.folder.glob("*.parquet"))
        description = read_description(self.folder)
        if not self.paths:
            raise SongsError(
                f"{folder} has no Parquet files: give the folder that they are in, or make songs "
                "with genre-lib synth."
            )
        self.songs = sum(_open_parquet(path).metadata.num_rows for path in self.paths)
        """The number of songs in all files."""
        if description and description["songs"] != self.songs:
            wanted, seed = description["songs"], description["seed"]
            raise SongsError(
                f"{folder} has {self.songs:,} of {wanted:,} songs: make the others with "
                f"genre-lib synth --songs {wanted} --seed {seed} --out {folder}."
            )
        self.source = (description or {}).get(
            "source", f"{self.songs:,} songs from the folder {self.folder.name}"
        )
        """The source of the songs, in words."""

    def split(self, by: str = "song", seed: int = 0, test: bool = True) -> ShardSplit:
        """Split the songs 70/10/20 into train, validation and test, a `ShardPart` each.

        Parameters
        ----------
        by
            `"song"`, or `"artist"`: an artist's songs stay together, even across shards (sizes
            and shares are then approximate).
        seed
            The split's number.
        test
            Whether to have test songs; otherwise these songs are used for training.

        Raises
        ------
        SongsError
            When a file lacks a required column, all songs have the same genre, or there are too
            few songs.
        """
        rule = SplitRule(by, seed, test)
        names = ("genre", "artist_name") if by == "artist" else ("genre",)
        counts = np.zeros((len(self.paths), len(PARTS)), int)
        genres: set[str] = set()
        for number, path in enumerate(self.paths):
            songs = _read(path, names, names)
            counts[number] = np.bincount(rule.parts(songs, number), minlength=len(PARTS))
            genres.update(songs["genre"].unique())
        if len(genres) == 1:
            raise SongsError(f"All songs here are {genres.pop()}: a network needs two genres.")
        if not counts.sum(axis=0)[: 3 if test else 2].all():
            raise SongsError(f"{self.folder.name} has too few {by}s for a split: add songs.")
        return ShardSplit(*(ShardPart(self, rule, counts, part) for part in range(len(PARTS))))

    def identity(self) -> list[Any]:
        """Return the name, size and time of each file, which change if its content does."""
        stats = [(path.name, path.stat()) for path in self.paths]
        return [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]


@dataclass(frozen=True, eq=False)
class ShardPart:
    """The songs of one part of a split.

    Results are cached in the folder `encoded` next to the shards, under a name that depends on
    everything that they are computed from.
    """

    shards: SongShards
    rule: SplitRule
    counts: np.ndarray
    """The number of songs by shard and part, shape (shards, 3)."""
    part: int
    """The position in `PARTS`."""

    def __len__(self) -> int:
        return int(self.counts[:, self.part].sum())

    def tables(self, columns: Sequence[str], progress: bool = False) -> Iterator[pd.DataFrame]:
        """Yield the checked songs with these columns, one shard at a time.

        Raises
        ------
        SongsError
            As `genre_lib.data.checks.check_songs` does.
        """
        paths = tqdm(self.shards.paths, "reading", unit="shard", disable=not progress)
        for number, path in enumerate(paths):
            songs, parts = _read_checked(path, columns, self.rule, number)
            if (parts == self.part).any():
                yield songs[parts == self.part]

    def fit(
        self,
        encoder: SongEncoder,
        inputs: Sequence[str],
        processes: OneProcess = ONE_PROCESS,
        progress: bool = False,
    ) -> SongEncoder:
        """Return an encoder with the settings of `encoder`, fitted to the columns `inputs`."""

        def make(path: Path) -> None:
            encoder.fit_tables(self.tables(inputs, progress))
            path.write_text(encoder.to_json(), encoding="utf-8")

        name = self._name("encoder", self.part, encoder.settings, inputs)
        learned = self._cached(f"{name}.json", make, processes)
        return SongEncoder.from_json(learned.read_text(encoding="utf-8"))

    def encode(
        self,
        encoder: SongEncoder,
        inputs: Sequence[str],
        processes: OneProcess = ONE_PROCESS,
        progress: bool = False,
    ) -> MappedSongs:
        """Return the songs as tensors in files, encoded from the columns `inputs`.

        All parts of the split are encoded together, in parallel.
        """
        tokens = encoder.settings["max_tokens"] if "lyrics" in inputs else 0
        scores = encoder.settings["features"]
        features = len(scores) if set(scores) <= set(inputs) else 0

        def make(folder: Path) -> None:
            folders = [
                MappedSongs.create(folder / name, int(songs), tokens, features)
                for name, songs in zip(PARTS, self.counts.sum(axis=0), strict=True)
            ]
            starts = np.cumsum(self.counts, axis=0) - self.counts
            text = encoder.to_json()
            tasks = [
                (path, inputs, self.rule, number, text, folders, starts[number].tolist())
                for number, path in enumerate(self.shards.paths)
            ]
            jobs = min(cpu_count(), self.shards.songs // SONGS_PER_PROCESS + 1)
            in_parallel(_encode_shard, tasks, jobs, "encoding", progress)

        name = self._name("songs", encoder.to_json(), inputs)
        made = self._cached(name, make, processes)
        return MappedSongs(made / PARTS[self.part], genres=encoder.genres)

    def _name(self, kind: str, *depends: Any) -> str:
        text = json.dumps([self.shards.identity(), self.rule, *depends])
        return f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"

    def _cached(self, name: str, make: Callable[[Path], None], processes: OneProcess) -> Path:
        """Return the path of a name in the folder `encoded`, after `make` if it doesn't exist."""
        target = self.shards.folder / ENCODED_FOLDER / name
        # The first of several processes on a host makes it.
        while not processes.is_first_on_host and not target.exists():
            time.sleep(0.2)
        if target.exists():
            return target
        try:
            with written_whole(target) as new:
                make(new)
        except OSError as error:
            if target.exists():  # another process was faster
                return target
            raise GenreLibError(
                f"The encoded songs could not be written in {target.parent} "
                f"({error.strerror or error}): free some disk space, or copy the shards to a "
                "writable folder."
            ) from error
        return target


def fit_shards(
    classifier: GenreClassifier,
    split: ShardSplit,
    *,
    processes: OneProcess = ONE_PROCESS,
    progress: bool = True,
    **settings: Any,
) -> History:
    """Train a classifier on a split of shards, as its `fit` does on tables.

    Parameters
    ----------
    classifier
        The classifier to train.
    split
        The songs, of which those for training and validation are used.
    processes
        The strategy of the training run, if it has several processes.
    progress
        Whether to show progress bars.
    settings
        Further arguments of `genre_lib.fit`.

    Raises
    ------
    GenreLibError
        As `genre_lib.fit` does, or when the encoded songs can't be written.
    """
    inputs = classifier.recipe.inputs
    classifier.encoder = split.train.fit(classifier.encoder, inputs, processes, progress)
    train, validation = (
        part.encode(classifier.encoder, inputs, processes, progress)
        for part in (split.train, split.validation)
    )
    return classifier.fit_encoded(
        train, validation, progress=progress, strategy=processes, **settings
    )


def evaluate_shards(classifier: GenreClassifier, part: ShardPart) -> Report:
    """Evaluate a classifier on a part of a split of shards."""
    return evaluate(classifier.trained, part.encode(classifier.encoder, classifier.recipe.inputs))


def _encode_shard(
    path: Path,
    inputs: Sequence[str],
    rule: SplitRule,
    number: int,
    encoder: str,
    folders: Sequence[MappedSongs],
    starts: Sequence[int],
) -> None:
    songs, parts = _read_checked(path, inputs, rule, number)
    encode = SongEncoder.from_json(encoder).encode
    for part, (mapped, start) in enumerate(zip(folders, starts, strict=True)):
        mapped.write(start, encode(songs[parts == part]))


def _read_checked(
    path: Path, inputs: Sequence[str], rule: SplitRule, number: int
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the genre and the inputs of a shard's songs, and the part of each song."""
    needed = ["genre", *inputs]
    artist = ["artist_name"] if rule.by == "artist" else []
    songs = check_songs(_read(path, needed + artist), path.name, needed + artist)
    return songs[needed], rule.parts(songs, number)


def _open_parquet(path: Path) -> Any:
    library = import_parquet()
    try:
        return library.ParquetFile(path)
    except (OSError, ValueError) as error:  # pyarrow's errors are subclasses
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0].rstrip(".")
        raise SongsError(
            f"{path.name} can't be read as a Parquet file ({reason}): make or copy it again."
        ) from error


def _read(path: Path, needed: Sequence[str], only: Sequence[str] | None = None) -> pd.DataFrame:
    """Return a file's songs, or `only` some of its columns; those `needed` are required."""
    file = _open_parquet(path)
    names = file.schema_arrow.names
    if not file.metadata.num_rows or not set(needed) <= set(names):
        check_songs(pd.DataFrame(columns=names), path.name, needed)  # raises an error
    try:
        table = file.read(columns=list(only) if only else None)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise SongsError(f"{path.name} is damaged ({reason}): make or copy it again.") from error
    for position, field in enumerate(table.schema):
        if hasattr(field.type, "index_type"):  # replace categories with their values
            plain = table.column(position).cast(field.type.value_type)
            table = table.set_column(position, field.name, plain)
    return table.to_pandas(ignore_metadata=True)
