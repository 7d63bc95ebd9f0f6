"""From a table to tensors: what is learned, from whom, and that nothing else leaks in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from tokenizers.pre_tokenizers import Whitespace
from torch.utils.data import DataLoader

from genre_lib import SongEncoder
from genre_lib.data.encoding import PAD_ID, UNKNOWN_ID
from genre_lib.data.schema import FEATURES, GENRES
from genre_lib.errors import GenreLibError, SongsError

LINES = ["Blue moon blue night", "moon river, river wide", "Night train"]


def table(lines=LINES, genres=("blues", "jazz", "pop")):
    songs = pd.DataFrame({"lyrics": lines, "genre": genres[: len(lines)]})
    for number, name in enumerate(FEATURES):
        songs[name] = np.linspace(0, 1, len(lines)) * (number % 2)
    return songs


def test_words_get_ids_by_frequency_and_lines_are_filled_up():
    encoder = SongEncoder(min_frequency=2, max_tokens=5).fit(table())
    assert encoder.words[:2] == ["<pad>", "<unk>"]
    assert set(encoder.words[2:]) == {"blue", "moon", "night", "river"}
    rows = encoder.encode(table()).lyrics
    assert rows.shape == (3, 5)
    as_words = [[encoder.words[i] for i in row] for row in rows.tolist()]
    assert as_words == [
        ["blue", "moon", "blue", "night", "<pad>"],
        ["moon", "river", "<unk>", "river", "<unk>"],
        ["night", "<unk>", "<pad>", "<pad>", "<pad>"],
    ]


def test_frequent_words_come_first_and_equally_frequent_ones_in_alphabetical_order():
    songs = pd.DataFrame({"lyrics": ["river moon moon", "blue river moon", "night night blue"]})
    encoder = SongEncoder(min_frequency=2).fit(songs)
    assert encoder.words == ["<pad>", "<unk>", "moon", "blue", "night", "river"]


def test_the_vocabulary_and_the_scaling_come_from_the_training_songs_alone():
    encoder = SongEncoder(min_frequency=1).fit(table(LINES[:2]))
    assert "train" not in encoder.words
    assert encoder.encode(table(["train"])).lyrics[0, :2].tolist() == [UNKNOWN_ID, PAD_ID]
    scaled = encoder.encode(table(LINES[:2])).features
    assert torch.allclose(scaled.mean(dim=0), torch.zeros(22), atol=1e-6)
    outside = table(LINES[:1])
    outside[list(FEATURES)] = 1.0
    expected = (1.0 - 0.5) / 0.5  # mean and deviation of the two training values 0 and 1
    assert encoder.encode(outside).features[0, 1] == pytest.approx(expected)
    # A score that never changed in training has no deviation to divide by.
    assert encoder.encode(outside).features[0, 0] == pytest.approx(1.0)


def test_the_footer_is_dropped_unless_asked_for():
    songs = table(["moon lyric commercial"])
    assert "commercial" not in SongEncoder(min_frequency=1).fit(songs).words
    assert "commercial" in SongEncoder(min_frequency=1, footer=True).fit(songs).words


def test_genres_are_numbered_as_in_the_schema(songs):
    tensors = SongEncoder().fit(songs).encode(songs)
    assert [GENRES[g] for g in tensors.genre.tolist()] == songs["genre"].tolist()
    assert tensors.lyrics.shape == (1500, 200) and tensors.features.shape == (1500, 22)


def test_missing_inputs_give_empty_tensors(songs):
    encoder = SongEncoder().fit(songs)
    only_lyrics = encoder.encode(songs[["lyrics"]])
    assert only_lyrics.features.shape == (1500, 0) and (only_lyrics.genre == -1).all()
    assert encoder.encode(songs[list(FEATURES)]).lyrics.shape == (1500, 0)


def test_an_encoder_survives_json(songs):
    encoder = SongEncoder(min_frequency=3).fit(songs)
    twin = SongEncoder.from_json(encoder.to_json())
    for mine, its in zip(encoder.encode(songs)[:], twin.encode(songs)[:], strict=True):
        assert torch.equal(mine, its)
    assert twin.words == encoder.words


def test_training_twice_gives_the_same_ids(songs):
    assert SongEncoder().fit(songs).words == SongEncoder().fit(songs).words


def test_a_batch_by_index_equals_a_data_loader(songs):
    tensors = SongEncoder().fit(songs).encode(songs)
    (loaded,) = DataLoader(torch.utils.data.Subset(tensors, [5, 3, 8]), batch_size=3)
    for by_index, by_loader in zip(tensors[torch.tensor([5, 3, 8])], loaded, strict=True):
        assert torch.equal(by_index, by_loader)


def test_an_encoder_that_has_learned_nothing_says_so(songs):
    with pytest.raises(GenreLibError, match=r"learned nothing yet: call fit"):
        SongEncoder().encode(songs)


def test_what_was_not_learned_from_is_not_encoded_as_if_it_had_been(songs):
    words, scores = songs[["lyrics"]], songs[list(FEATURES)]
    assert SongEncoder().fit(words).encode(songs).features.shape == (1500, 0)
    assert SongEncoder().fit(scores).encode(songs).lyrics.shape == (1500, 0)
    encoder = SongEncoder().fit(songs).fit(scores)  # learns anew, and forgets the words
    assert encoder.encode(songs).lyrics.shape == (1500, 0)


def test_nothing_is_learned_from_no_songs(songs):
    for tables in ([], [songs[:0]], [songs[:0], songs[:0]]):
        with pytest.raises(SongsError, match="There are no songs here to learn from"):
            SongEncoder().fit_tables(tables)
    some = SongEncoder().fit_tables([songs[:0], songs, songs[:0]])
    assert np.array_equal(some.mean, SongEncoder().fit(songs).mean)


def test_typed_special_tokens_are_no_special_tokens(songs):
    encoder = SongEncoder().fit(songs)
    ids = encoder.encode(pd.DataFrame({"lyrics": ["<pad> love"]})).lyrics[0]
    assert ids[:3].tolist() == [UNKNOWN_ID] * 3 and encoder.words[ids[3]] == "love"


def test_tables_one_by_one_teach_the_same_as_all_at_once(songs):
    whole, pieces = SongEncoder().fit(songs), SongEncoder()
    pieces.fit_tables([songs[:100], songs[100:800], songs[800:]])
    assert pieces.words == whole.words
    assert np.allclose(pieces.mean, whole.mean) and np.allclose(pieces.deviation, whole.deviation)


def test_a_vocabulary_has_no_limit():
    lyrics = [" ".join(f"w{row}x{place}" for place in range(100)) for row in range(350)]
    encoder = SongEncoder(min_frequency=1).fit(pd.DataFrame({"lyrics": lyrics}))
    assert len(encoder.words) == 35_002


def test_a_word_has_an_id_of_its_own_from_its_fifth_use_on():
    encoder = SongEncoder().fit(pd.DataFrame({"lyrics": ["often rare"] * 4 + ["often"]}))
    assert encoder.words == ["<pad>", "<unk>", "often"]
    for text in ("rare often", "rare, often"):
        ids = encoder.encode(pd.DataFrame({"lyrics": [text]})).lyrics[0]
        assert ids[ids > 0].tolist() == [1] * (1 + ("," in text)) + [2]


@pytest.mark.parametrize("columns", [["lyrics"], list(FEATURES), ["lyrics", *FEATURES]])
def test_tensors_have_the_same_types_whatever_is_in_the_table(songs, columns):
    encoded = SongEncoder().fit_encode(songs[[*columns, "genre"]])
    types = [torch.int32, torch.float32, torch.int64]
    assert [tensor.dtype for tensor in encoded[:]] == types


@pytest.mark.parametrize("step", ["fit", "encode"])
def test_some_of_the_scores_are_not_taken_for_none_of_them(songs, step):
    encoder = SongEncoder().fit(songs)
    with pytest.raises(SongsError, match="have scores, but not 'energy': add it"):
        getattr(encoder, step)(songs.drop(columns="energy"))


@pytest.mark.parametrize("step", ["fit", "fit_encode"])
@pytest.mark.parametrize("names", [["energie"], ["energie", "valence"]])
def test_a_misspelled_score_is_not_taken_for_a_missing_one(songs, step, names):
    with pytest.raises(SongsError, match="not 'energie': did you mean 'energy'"):
        getattr(SongEncoder(features=names), step)(songs)


@pytest.mark.parametrize("value", [-1, 0, 2.5, "5"])
@pytest.mark.parametrize("name", ["min_frequency", "max_tokens"])
def test_a_limit_is_a_whole_number_of_at_least_1(name, value):
    with pytest.raises(GenreLibError, match=f"'{name}' is {value}: it must be a whole number"):
        SongEncoder(**{name: value})


@pytest.mark.parametrize(
    ("genre", "hint"), [("Hip-Hop", "did you mean 'hip hop'"), (None, "use one of .blues")]
)
def test_an_unknown_genre_is_no_number(songs, genre, hint):
    encoder = SongEncoder().fit(songs)
    songs.loc[4, "genre"] = genre
    with pytest.raises(SongsError, match=f"column 'genre', row 5: .*{hint}"):
        encoder.encode(songs)


@pytest.mark.parametrize("value", [np.nan, np.inf, -7.5, 87, "loud"])
@pytest.mark.parametrize("step", ["fit", "encode"])
def test_a_score_that_is_not_from_0_to_1_is_named(songs, step, value):
    encoder = SongEncoder(scale=False).fit(songs)
    songs = songs.astype({"energy": object})
    songs.loc[6, "energy"] = value
    with pytest.raises(SongsError, match=f"Song 7 of this table has {value} for 'energy'"):
        getattr(encoder, step)(songs)


@pytest.mark.parametrize("step", ["fit", "encode"])
@pytest.mark.parametrize("value", [None, np.nan, 99])
def test_a_song_without_lyrics_is_named(songs, step, value):
    encoder = SongEncoder().fit(songs)
    songs["lyrics"] = songs["lyrics"].astype(object)
    songs.loc[6, "lyrics"] = value
    with pytest.raises(SongsError, match=f"Song 7 of this table has {value} for 'lyrics'"):
        getattr(encoder, step)(songs)
    assert len(encoder.words) > 2  # what it had learned before is still there


def test_scores_are_left_as_they_are_if_so_asked(songs):
    features = SongEncoder(scale=False).fit(songs).encode(songs).features
    assert np.array_equal(features.numpy(), songs[list(FEATURES)].to_numpy(dtype=np.float32))
    some = SongEncoder(scale=False, features=("energy", "valence")).fit(songs).encode(songs)
    expected = songs[["energy", "valence"]].to_numpy(dtype=np.float32)
    assert np.array_equal(some.features.numpy(), expected)


def test_fitting_and_encoding_at_once_is_the_same_as_one_after_the_other(songs):
    at_once, after = SongEncoder(), SongEncoder()
    found, expected = at_once.fit_encode(songs), after.fit(songs).encode(songs)
    assert all(map(torch.equal, found[:], expected[:])) and at_once.words == after.words


def test_plain_lines_get_the_tokens_that_the_library_gives(songs):
    def reference(line):
        return [token for token, _ in Whitespace().pre_tokenize_str(line.lower())]

    encoder = SongEncoder(max_tokens=7).fit(songs)
    lines = ["Love NIGHT", "  two   spaces ", "don't stop", "naïve", "", "a " * 20]
    encoded = encoder.encode(pd.DataFrame({"lyrics": lines})).lyrics
    for line, row in zip(lines, encoded, strict=True):
        found = [encoder.words[i] for i in row if i != PAD_ID]
        known = [word if word in encoder.words else "<unk>" for word in reference(line)]
        assert found == known[:7] and (row[len(found) :] == PAD_ID).all()


def test_batches_hold_every_song_once_in_a_new_order_each_time(songs):
    tensors = SongEncoder(scale=False).fit_encode(songs)

    def order(batches):
        rows = [tuple(row) for _, features, _ in batches for row in features.tolist()]
        return [places[row] for row in rows]

    places = {tuple(row): i for i, row in enumerate(tensors.features.tolist())}
    assert len(places) == len(songs)
    sizes = [len(genre) for _, _, genre in tensors.batches(400)]
    assert sizes == [400, 400, 400, 300]
    torch.manual_seed(0)
    first, second = order(tensors.batches(400)), order(tensors.batches(400))
    torch.manual_seed(0)
    assert order(tensors.batches(400)) == first != second
    assert sorted(first) == sorted(second) == order(tensors.in_order(400)) == list(range(1500))
    for lyrics, features, genre in tensors.batches(400):  # a song's three tensors stay together
        row = places[tuple(features[0].tolist())]
        assert torch.equal(lyrics[0], tensors.lyrics[row]) and genre[0] == tensors.genre[row]


def test_a_sample_is_spread_over_all_songs(songs):
    tensors = SongEncoder().fit_encode(songs)
    assert torch.equal(tensors.sample(500).genre, tensors.genre[::3])
    assert len(tensors.sample(499)) == 375 and len(tensors.sample(10**6)) == 1500
