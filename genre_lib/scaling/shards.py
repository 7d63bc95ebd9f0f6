"""More songs than memory holds, in a folder of Parquet files. Explained in chapter *Scaling*."""

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
from genre_lib.files import written_whole
from genre_lib.scaling.make_shards import ENCODED, about_folder, in_parallel, parquet
from genre_lib.scaling.mapped import MappedSongs
from genre_lib.scaling.processes import ONE_PROCESS, OneProcess
from genre_lib.training.history import History


class ShardSplit(NamedTuple):
    """Songs to learn from, to choose by, and to be judged on, as parts of all shards."""

    train: ShardPart
    validation: ShardPart
    test: ShardPart


PARTS = ShardSplit._fields

WORTH_A_PROCESS = 100_000
"""Songs that take longer to encode than a process takes to start."""


class Rule(NamedTuple):
    """How songs are divided: `by` song or artist, the split's number, and whether for a test."""

    by: str = "song"
    seed: int = 0
    test: bool = True

    def parts(self, songs: pd.DataFrame, shard: int) -> np.ndarray:
        """Return for each song of a shard the position in `PARTS` of the part that it falls to.

        By song: folds of ten, drawn anew in each shard, equal in size and genre shares. By artist:
        the fold is a hash of the artist's name, so that songs in other shards fall to the same.
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
    """The songs of a folder of Parquet files, each file a shard that is read at once.

    The files hold what a CSV file of songs holds, in columns of the same names.

    Raises
    ------
    SongsError
        When there is no such folder, no Parquet file in it, or one that is none.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder).expanduser().resolve()
        self.paths = sorted(self.folder.glob("*.parquet"))
        about = about_folder(self.folder)
        if not self.paths:
            raise SongsError(
                f"{folder} has no Parquet files: give the folder that they are in, or make songs "
                "with genre-lib synth."
            )
        self.songs = sum(_open(path).metadata.num_rows for path in self.paths)
        """How many songs the files hold."""
        if about and about["songs"] != self.songs:
            raise SongsError(
                f"{folder} holds {self.songs:,} of {about['songs']:,} songs: make the others with "
                f"genre-lib synth --songs {about['songs']} --seed {about['seed']} --out {folder}."
            )
        self.source = (about or {}).get(
            "source", f"{self.songs:,} songs from the folder {self.folder.name}"
        )
        """Where the songs are from, in words."""

    def split(self, by: str = "song", seed: int = 0, test: bool = True) -> ShardSplit:
        """Divide the songs 70/10/20 into train, validation and test, a `ShardPart` each.

        Parameters
        ----------
        by
            `"song"`, or `"artist"`: then an artist's songs stay together, in whatever shards they
            are, and the shares hold nearly.
        seed
            The split's number.
        test
            Without a test, its songs are left for training.

        Raises
        ------
        SongsError
            When a file lacks a column that it takes, all songs have one genre, or too few are
            there.
        """
        rule = Rule(by, seed, test)
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
            raise SongsError(f"{self.folder.name} has too few {by}s to be divided: add songs.")
        return ShardSplit(*(ShardPart(self, rule, counts, part) for part in range(len(PARTS))))

    def identity(self) -> list[Any]:
        """What changes when the files do."""
        stats = [(path.name, path.stat()) for path in self.paths]
        return [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]


@dataclass(frozen=True, eq=False)
class ShardPart:
    """The songs of one part of a split, to learn from or to be scored on.

    What it computes is kept in the folder `encoded` beside the shards, under a name that depends
    on all that it is computed from, and is computed once.
    """

    shards: SongShards
    rule: Rule
    counts: np.ndarray
    """Songs by shard and part, shape (shards, 3)."""
    part: int

    def __len__(self) -> int:
        return int(self.counts[:, self.part].sum())

    def tables(self, columns: Sequence[str], progress: bool = False) -> Iterator[pd.DataFrame]:
        """Yield the checked songs, one shard at a time, with these columns.

        Raises
        ------
        SongsError
            Naming file, column, row and value, as for a CSV file.
        """
        paths = tqdm(self.shards.paths, "reading", unit="shard", disable=not progress)
        for number, path in enumerate(paths):
            songs, parts = _checked(path, columns, self.rule, number)
            if (parts == self.part).any():
                yield songs[parts == self.part]

    def fit(
        self,
        encoder: SongEncoder,
        inputs: Sequence[str],
        processes: OneProcess = ONE_PROCESS,
        progress: bool = False,
    ) -> SongEncoder:
        """Return an encoder with these settings that has learned from the columns `inputs`."""

        def make(path: Path) -> None:
            encoder.fit_tables(self.tables(inputs, progress))
            path.write_text(encoder.to_json(), encoding="utf-8")

        name = self._name("encoder", self.part, encoder.settings, inputs)
        learned = self._made(f"{name}.json", make, processes)
        return SongEncoder.from_json(learned.read_text(encoding="utf-8"))

    def encode(
        self,
        encoder: SongEncoder,
        inputs: Sequence[str],
        processes: OneProcess = ONE_PROCESS,
        progress: bool = False,
    ) -> MappedSongs:
        """Return the songs as tensors in files, encoded from the columns `inputs`.

        All parts of the split are encoded at once, in parallel.
        """
        tokens = encoder.settings["max_tokens"] if "lyrics" in inputs else 0
        scores = encoder.settings["features"]
        features = len(scores) if set(scores) <= set(inputs) else 0

        def make(folder: Path) -> None:
            made = [
                MappedSongs.create(folder / name, int(songs), tokens, features)
                for name, songs in zip(PARTS, self.counts.sum(axis=0), strict=True)
            ]
            starts = np.cumsum(self.counts, axis=0) - self.counts
            text = encoder.to_json()
            tasks = [
                (path, inputs, self.rule, number, text, made, starts[number].tolist())
                for number, path in enumerate(self.shards.paths)
            ]
            jobs = min(cpu_count(), self.shards.songs // WORTH_A_PROCESS + 1)
            in_parallel(_encode_shard, tasks, jobs, "encoding", progress)

        name = self._name("songs", encoder.to_json(), inputs)
        return MappedSongs(self._made(name, make, processes) / PARTS[self.part])

    def _name(self, kind: str, *depends: Any) -> str:
        text = json.dumps([self.shards.identity(), self.rule, *depends])
        return f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"

    def _made(self, name: str, make: Callable[[Path], None], processes: OneProcess) -> Path:
        """Return the path of that name in the folder `encoded`; `make` it if it is not there."""
        target = self.shards.folder / ENCODED / name
        # Of several processes on a host, the first makes it.
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
                f"({error.strerror or error}): make room there, or copy the shards to a folder "
                "that can be written."
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
    """Train a classifier on the parts of a split of shards, as its `fit` does on tables.

    Parameters
    ----------
    classifier
        What learns vocabulary, scaling and weights.
    split
        What `SongShards.split` returned: of it the training and the validation songs are used.
    processes
        The strategy of the training, where it is one of several processes.
    progress
        Whether to show bars.
    settings
        Further arguments of `genre_lib.fit`; errors are its, too.
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
    """Score a classifier on a part of a split of shards."""
    return evaluate(classifier.trained, part.encode(classifier.encoder, classifier.recipe.inputs))


def _encode_shard(
    path: Path,
    inputs: Sequence[str],
    rule: Rule,
    number: int,
    encoder: str,
    made: Sequence[MappedSongs],
    starts: Sequence[int],
) -> None:
    songs, parts = _checked(path, inputs, rule, number)
    encode = SongEncoder.from_json(encoder).encode
    for part, (mapped, start) in enumerate(zip(made, starts, strict=True)):
        mapped.write(start, encode(songs[parts == part]))


def _checked(
    path: Path, inputs: Sequence[str], rule: Rule, number: int
) -> tuple[pd.DataFrame, np.ndarray]:
    """The genre and the inputs of a shard's songs, and the part that each falls to."""
    needed = ["genre", *inputs]
    artist = ["artist_name"] if rule.by == "artist" else []
    songs = check_songs(_read(path, needed + artist), path.name, needed + artist)
    return songs[needed], rule.parts(songs, number)


def _open(path: Path) -> Any:
    library = parquet()
    try:
        return library.ParquetFile(path)
    except (OSError, ValueError) as error:  # pyarrow's own errors are both
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0].rstrip(".")
        raise SongsError(
            f"{path.name} can't be read as a Parquet file ({reason}): make or copy it anew."
        ) from error


def _read(path: Path, needed: Sequence[str], only: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a file, or `only` some of its columns; those `needed` must be there."""
    file = _open(path)
    names = file.schema_arrow.names
    if not file.metadata.num_rows or not set(needed) <= set(names):
        check_songs(pd.DataFrame(columns=names), path.name, needed)  # says what is missing
    try:
        table = file.read(columns=list(only) if only else None)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise SongsError(f"{path.name} is damaged ({reason}): make or copy it anew.") from error
    for place, field in enumerate(table.schema):
        if hasattr(field.type, "index_type"):  # categories become what they stand for
            plain = table.column(place).cast(field.type.value_type)
            table = table.set_column(place, field.name, plain)
    return table.to_pandas(ignore_metadata=True)
