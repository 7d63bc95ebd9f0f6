"""The networks of the page "Try it": `live/network.js` computes what torch does."""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
import unicodedata
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from course_tools.live import FOLDER, RESULT, TASKS, export
from genre_lib import FEATURES, GENRES, TOPIC_FEATURES, GenreClassifier, make_songs
from genre_lib.classifier.words import genre_pull
from genre_lib.data.encoding import tokens
from genre_lib.errors import GenreLibError
from genre_lib.evaluation.report import mean_probabilities
from genre_lib.models import topic_words
from genre_lib.plots.words import mask_slur

NODE = shutil.which("node")
DRIVER = Path(__file__).with_name("answers.mjs")


def node_version(of: str) -> float:
    """The version of node, or of what it is built with; 0 without node."""
    if NODE is None:
        return 0.0
    command = [NODE, "--print", f"process.versions.{of}"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return float(".".join(printed.strip().split(".")[:2]))


pytestmark = pytest.mark.skipif(
    node_version("node") < 18, reason="node 18 or newer is not installed"
)


class Made(NamedTuple):
    """Small networks as trained, as rounded, and as files."""

    trained: dict[str, GenreClassifier]
    rounded: dict[str, nn.Module]
    folder: Path
    header: dict[str, Any]


def train(songs: pd.DataFrame, **settings: Any) -> dict[str, GenreClassifier]:
    classifiers = {task: GenreClassifier(export.live_recipe(task)) for task in TASKS}
    for classifier in classifiers.values():
        classifier.fit(songs, progress=False, device="cpu", **settings)
    return classifiers


@pytest.fixture(scope="module")
def made(session_songs: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Made:
    songs, folder = session_songs.copy(), tmp_path_factory.mktemp("live")
    songs.loc[songs.index[::2], "valence"] = 0.7  # so several cuts are at the same score
    trained = train(songs, batch_size=64)
    header, content = export.pack_networks(trained)
    header["typical"] = export.typical_songs(songs)
    export.write_networks(folder, header, content)
    # From the files, so that what was written is compared, not what was to be written.
    header = json.loads((folder / export.HEADER).read_text(encoding="utf-8"))
    content = (folder / export.NUMBERS).read_bytes()
    return Made(trained, export.unpack_networks(trained, header, content), folder, header)


@pytest.fixture(scope="module")
def others() -> pd.DataFrame:
    """500 songs that no network has seen; a few scores are at an end of a slider or on a cut."""
    songs = make_songs(500, seed=2)[["lyrics", *FEATURES]].copy()
    songs.loc[songs.index[:10], "energy"] = 0.0
    songs.loc[songs.index[10:20], ["instrumentalness", "valence"]] = 1.0
    songs.loc[songs.index[20:40], "valence"] = 0.7
    return songs


def ask(folder: Path, songs: pd.DataFrame, **change: Any) -> dict[str, Any]:
    """Return what `live/network.js` answers to songs, with these changes to the header."""
    rows = zip(songs["lyrics"], songs[list(FEATURES)].to_numpy().tolist(), strict=True)
    question = {
        "folder": str(folder),
        "change": change,
        "songs": [{"lyrics": lyrics, "scores": scores} for lyrics, scores in rows],
    }
    command, sent = [str(NODE), str(DRIVER)], json.dumps(question)
    ran = subprocess.run(
        command, input=sent, capture_output=True, text=True, encoding="utf-8", timeout=120
    )
    if ran.returncode:
        raise RuntimeError(ran.stderr)
    return json.loads(ran.stdout)


def with_scores(texts: list[str], others: pd.DataFrame) -> pd.DataFrame:
    """Songs with these lyrics, and scores of other songs."""
    return others.iloc[: len(texts)].assign(lyrics=texts)


CHORUS = "love night heart road money time "
NASTY = {
    "empty": "",
    "only white space": " \n\t\x1c \x85\u2028 ",
    "only unknown words": "qqzx vvkq xxyw qqzx",
    "one word": "love",
    "punctuation": "don't stop — it's o'clock!!! (yeah), \"love\" ... love-heart; road/night",
    "underscores": "love_heart _ __love__ road",
    "capitals": "LOVE Me, NiGhT ROAD",
    "accents": "Café naïve cafe\u0301 ÉLAN love Ünïcode",
    "letters that change their length": "İstanbul ΟΔΟΣ ΣΑΣ ΑΣ' straße LOVE ﬁ ǅ",
    "emoji": "love 😍😍 👩\u200d👩\u200d👧 road🎸night ❤\ufe0f",
    "right to left": "אהבה love حب \u200fnight\u200e نِيل",
    "other scripts": "愛してる love ความรัก प्रेम 사랑",
    "digits": "1999 24/7 ²³ ٣٤ Ⅷ ① love4you",
    "NUL and line breaks": "love\x00night\nroad\r\nheart\x1ctime\x85money\u2028love",
    "byte order mark": "\ufefflove night\ufeff",
    "control characters around": "\x1c\x1f love night \x1d",
    "footer": "love night road lyric commercial",
    "footer and white space": "love night road lyric commercial \n\x1c",
    "footer in capitals": "love night road Lyric Commercial",
    "footer twice": "love lyric commercial lyric commercial",
    "footer after a control character": "love night\x1clyric commercial",
    "footer alone": " lyric commercial",
    "footer without a space": "lovelyric commercial",
    "footer inside": "love lyric commercial night",
    "chorus": CHORUS + "people " + CHORUS * 3 + "money",
    "one word repeated": "love " * 150,
    "199 words": "love night " * 99 + "road",
    "200 words": "love night road money " * 50,
    "201 words": "love night road money " * 50 + "heart",
    "typed special tokens": "love <pad> night <unk> road!!<pad>!! a<unk>b <PAD> <pad>",
}


@pytest.fixture(scope="module")
def nasty(made: Made, others: pd.DataFrame) -> pd.DataFrame:
    words = made.header["words"].split()[2:]
    long = " ".join(words[7 * i % len(words)] for i in range(5000))
    return with_scores([*NASTY.values(), long], others)


@pytest.fixture(scope="module")
def asked(made: Made, others: pd.DataFrame, nasty: pd.DataFrame) -> dict[str, Any]:
    """The answers to the 500 songs, then to the nasty texts."""
    return ask(made.folder, pd.concat([others, nasty]))


@torch.no_grad()
def logits(made: Made, networks: dict[str, nn.Module], task: str, songs: pd.DataFrame) -> Any:
    encoded = made.trained[task].encode(songs)
    return networks[task].eval()(encoded.lyrics, encoded.features)


@pytest.mark.parametrize("task", TASKS)
def test_logits_and_probabilities_are_those_of_the_rounded_network(
    made, others, nasty, asked, task
):
    songs = pd.concat([others, nasty])
    want = logits(made, made.rounded, task, songs)
    got = torch.tensor([answer[task]["logits"] for answer in asked["answers"]])
    assert got.shape == (len(songs), 8, 7)
    assert (got - want).abs().max() < 1e-3
    probabilities = torch.tensor([answer[task]["probabilities"] for answer in asked["answers"]])
    assert (probabilities - mean_probabilities(want)).abs().max() < 1e-4


@pytest.mark.parametrize("task", TASKS)
def test_first_answers_are_those_of_the_trained_network(made, others, asked, task):
    networks = {name: classifier.trained for name, classifier in made.trained.items()}
    want = mean_probabilities(logits(made, networks, task, others)).argmax(dim=1).numpy()
    answers = asked["answers"][: len(others)]
    got = np.array([answer[task]["probabilities"] for answer in answers]).argmax(axis=1)
    assert len(np.unique(want)) >= 4  # or the networks would have learned too little for a test
    assert (got == want).mean() >= 0.995


def test_tokens_are_those_of_the_encoder(made, others, nasty, asked):
    songs = pd.concat([others, nasty])
    want = made.trained["lyrics"].encode(songs).lyrics.numpy()
    for text, row, answer in zip(songs["lyrics"], want, asked["answers"], strict=True):
        ids = [token["id"] for token in answer["tokens"]]
        assert ids + [0] * (len(row) - len(ids)) == row.tolist(), text[:80]


def test_a_tokens_position_is_where_it_is_in_the_text(nasty, asked):
    for text, answer in zip(nasty["lyrics"], asked["answers"][-len(nasty) :], strict=True):
        units = text.encode("utf-16-le")  # JavaScript counts these
        end = 0
        for token in answer["tokens"]:
            assert token["start"] >= end
            end = token["end"]
            typed = units[2 * token["start"] : 2 * end].decode("utf-16-le")
            assert "".join(letter.lower() for letter in typed) == token["word"]


@pytest.mark.skipif(
    node_version("unicode") < float(unicodedata.unidata_version.rpartition(".")[0]),
    reason="node knows fewer characters than Python",
)
def test_every_letter_and_sign_is_read_as_the_encoder_reads_it(made, others):
    # Unassigned code points may be assigned in the Unicode version of node or of `tokenizers`.
    letters = [chr(code) for code in range(0x110000)]
    assigned = [letter for letter in letters if unicodedata.category(letter) not in ("Cs", "Cn")]
    text = " ".join(f"a{letter}b" for letter in assigned)
    want = tokens(text)
    asked = ask(made.folder, with_scores([text], others), max_tokens=len(text))
    assert [token["word"] for token in asked["answers"][0]["tokens"]] == want


def test_a_words_pull_is_that_of_genre_pull(made, others):
    words = made.header["words"].split(" ")[2:]
    texts = [" ".join(words[start : start + 200]) for start in range(0, len(words), 200)]
    asked = ask(made.folder, with_scores([*texts, "qqzx love!"], others))
    classifier = copy.copy(made.trained["lyrics"])
    classifier.network = made.rounded["lyrics"]
    want = genre_pull(classifier)
    got = pd.DataFrame({word: asked["pulls"][word]["pull"] for word in words}, index=GENRES).T
    assert got.index.equals(want.index)
    assert (got - want).abs().to_numpy().max() < 1e-3
    assert want.abs().to_numpy().max() > 0.1  # or zeros would pass, too
    assert all(asked["pulls"][word]["known"] for word in words)
    for word in ("qqzx", "!"):
        assert asked["pulls"][word] == {"known": False, "pull": [0] * 7}


def test_stored_examples_are_what_the_book_s_networks_answer():
    examples = json.loads(RESULT.read_text(encoding="utf-8"))["examples"]
    typical = json.loads((FOLDER / export.HEADER).read_text(encoding="utf-8"))["typical"]
    songs = pd.DataFrame([typical[one["genre"]] for one in examples], columns=list(FEATURES))
    asked = ask(FOLDER, songs.assign(lyrics=[one["lyrics"] for one in examples]))
    for example, answer in zip(examples, asked["answers"], strict=True):
        for task in TASKS:
            want, got = example["probabilities"][task], answer[task]["probabilities"]
            assert np.allclose(got, want, atol=1e-3)
        for token in example["tokens"]:
            want = {"known": token["pull"] is not None, "pull": token["pull"] or [0] * 7}
            got = asked["pulls"][token["word"]]
            assert got["known"] == want["known"] and np.allclose(
                got["pull"], want["pull"], atol=1e-2
            )


def test_slurs_are_masked_as_in_figures(made, others):
    words = ["n" + "igga", "n" + "iggas😍", "f" + "ags", "f" + "agsx", "night", "love", "x"]
    asked = ask(made.folder, with_scores([" ".join(words).replace("😍", "é")], others))
    want = [mask_slur(word.replace("😍", "é")) for word in words]
    assert asked["answers"][0]["masked"] == want
    assert want[0] != words[0] and want[4] == words[4]


def test_an_answer_takes_milliseconds(made, others):
    words = made.header["words"].split(" ")[2:202]
    asked = ask(made.folder, with_scores([" ".join(words)] * 50, others))
    assert len(asked["answers"][0]["tokens"]) == 200
    # The fastest, because the machine may be doing other things, too.
    assert min(answer["milliseconds"] for answer in asked["answers"]) < 10


@pytest.mark.parametrize(
    "text",
    ["love " * 200_000, "love" + " " * 500_000 + "night", "!" * 500_000, "ab" * 500_000],
    ids=["words", "white space", "punctuation", "one word"],
)
def test_long_texts_take_no_quadratic_time(made, others, text):
    asked = ask(made.folder, with_scores([text] * 3, others))
    assert min(answer["milliseconds"] for answer in asked["answers"]) < 300


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda header: {"format": header["format"] - 1}, "format 1"),
        (lambda header: {"bytes": header["bytes"] + 4}, "bytes"),
        (lambda header: {"checksum": header["checksum"] ^ 1}, "checksum"),
        (lambda header: {"words": header["words"] + " more"}, "form.rarity|embedding.weight"),
        (lambda header: {"words": header["words"].rpartition(" ")[0]}, "rarity|embedding.weight"),
        (lambda header: {"folds": 4}, "embedding.weight"),
        (lambda header: {"topics": 0}, "bins"),
        (lambda header: {"scores": header["scores"][:-1]}, "bins"),
        (lambda header: {"genres": header["genres"][:-1]}, "embedding.weight"),
        (lambda header: {"tensors": {}}, "undefined"),
    ],
)
def test_a_header_that_does_not_fit_is_named(made, others, change, message):
    with pytest.raises(RuntimeError, match=message) as error:
        ask(made.folder, others[:1], **change(made.header))
    assert str(error.value).strip().endswith("or run `make live`.")
    assert "The networks" in str(error.value)


@pytest.mark.parametrize(
    "key",
    [
        "genres",
        "scores",
        "topics",
        "folds",
        "max_tokens",
        "footer",
        "slurs",
        "words",
        "tensors",
        "bytes",
        "checksum",
    ],
)
def test_a_header_without_a_key_is_named(made, others, tmp_path, key):
    shutil.copytree(made.folder, tmp_path, dirs_exist_ok=True)
    header = {name: value for name, value in made.header.items() if name != key}
    (tmp_path / export.HEADER).write_text(json.dumps(header), encoding="utf-8")
    with pytest.raises(RuntimeError, match=f'The networks\' header has no "{key}": load'):
        ask(tmp_path, others[:1])


def test_each_tensor_that_does_not_fit_is_named(made, others):
    tensors = made.header["tensors"]
    for (name, tensor), part in zip(tensors.items(), cycle(("shape", "type", "offset"))):
        wrong = {"shape": [*tensor["shape"], 1], "type": "int16", "offset": made.header["bytes"]}
        changed = tensors | {name: tensor | {part: wrong[part]}}
        with pytest.raises(RuntimeError, match=f'The networks\' tensor "{re.escape(name)}" is'):
            ask(made.folder, others[:1], tensors=changed)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda content: content[:-1], "bytes, not"),
        (lambda content: b"", "has 0 bytes"),
        (lambda content: content + b"\0", "bytes, not"),
        (lambda content: content[:999] + bytes([content[999] ^ 1]) + content[1000:], "checksum"),
    ],
    ids=["truncated", "empty", "too long", "one bit changed"],
)
def test_spoilt_numbers_are_noticed(made, others, tmp_path, spoil, message):
    shutil.copytree(made.folder, tmp_path, dirs_exist_ok=True)
    path = tmp_path / export.NUMBERS
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(RuntimeError, match=message):
        ask(tmp_path, others[:1])


def test_lyrics_are_answered_before_all_numbers_have_come(made):
    """From the pieces that a song needs, its answer is the whole file's; a rare word needs more."""
    command = [str(NODE), str(DRIVER.with_name("early.mjs"))]
    songs = ["love night road", "qqzx love", "", made.header["words"].split(" ")[-1]]
    sent = json.dumps({"folder": str(made.folder), "songs": songs})
    ran = subprocess.run(command, input=sent, capture_output=True, text=True, check=True)
    found = json.loads(ran.stdout)
    assert all(song["early"] == song["late"] for song in found)
    few, unknown, none, all_words = (song["needs"] for song in found)
    assert none < few < all_words < made.header["bytes"] and few == max(few, unknown)
    assert found[0]["others"] == made.header["bytes"]  # of the other network and of a word


@pytest.mark.parametrize("scores", [[0.5] * 21, [0.5] * 23, [0.5] * 21 + [None]])
def test_scores_that_are_no_numbers_are_refused(made, scores):
    question = {"folder": str(made.folder), "songs": [{"lyrics": "love", "scores": scores}]}
    command, sent = [str(NODE), str(DRIVER)], json.dumps(question)
    ran = subprocess.run(command, input=sent, capture_output=True, text=True)
    assert ran.returncode == 1 and "need 22 finite scores" in ran.stderr


def test_very_small_numbers_are_read(made, others, tmp_path):
    trained = copy.deepcopy(made.trained)
    ensemble = trained["features"].trained.ensemble
    with torch.no_grad():  # numbers below 6e-5 have a form of their own in 16 bits
        ensemble.second.weight *= 1e-4
        ensemble.second.bias *= 1e-4
        ensemble.output *= 1e4
    header, content = export.pack_networks(trained)
    export.write_networks(tmp_path, header, content)
    rounded = export.unpack_networks(trained, header, content)
    want = logits(made, rounded, "features", others[:50])
    answers = ask(tmp_path, others[:50])["answers"]
    got = torch.tensor([answer["features"]["logits"] for answer in answers])
    assert (got - want).abs().max() < 1e-3 and want.abs().max() > 0.5


def test_numbers_that_16_bits_can_not_store_are_refused(made):
    trained = copy.deepcopy(made.trained)
    trained["features"].trained.ensemble.output.data[0, 0, 0] = 1e5
    with pytest.raises(GenreLibError, match=r"features\.ensemble\.output has numbers that float16"):
        export.pack_networks(trained)


def test_rounding_is_less_than_half_a_step(made):
    stored = made.header["tensors"]["branches.embedding.weight"]
    assert stored["type"] == "int8" and len(stored["scale"]) == 35
    for task in ("lyrics", "combined"):
        want = made.trained[task].trained.branches.embedding.weight.detach()
        got = made.rounded[task].branches.embedding.weight.detach()
        steps = (got - want).abs() / torch.tensor(stored["scale"])
        # A score that is exactly on a cut must stay there.
        bins = made.trained[task].trained.bins.state_dict()
        assert all(torch.equal(bins[n], t) for n, t in made.rounded[task].bins.state_dict().items())
        assert 0.4 < steps.max() <= 0.5 + 1e-4
        assert torch.allclose(
            want.abs().amax(dim=0) / torch.tensor(stored["scale"]), torch.tensor(127.0)
        )


def test_a_typical_song_is_one_that_could_be():
    songs = make_songs(2000, seed=3)
    typical = pd.DataFrame(export.typical_songs(songs), index=list(FEATURES)).T
    assert typical.index.tolist() == list(GENRES)
    found = topic_words(torch.tensor(typical[list(TOPIC_FEATURES)].to_numpy())).numpy()
    topics = torch.tensor(songs[list(TOPIC_FEATURES)].to_numpy())
    real = pd.DataFrame(topic_words(topics).numpy(), columns=["N", "missing"])
    for genre, (words, missing) in zip(GENRES, found, strict=True):
        of_genre = real[songs["genre"].to_numpy() == genre]
        assert abs(words - of_genre["N"].median()) < 1
        assert of_genre["missing"].min() <= missing <= of_genre["missing"].quantile(0.95)
    means = songs.groupby("genre")[list(TOPIC_FEATURES)].mean().loc[list(GENRES)]
    assert typical[list(TOPIC_FEATURES)].idxmax(axis=1).equals(means.idxmax(axis=1))
    energy = songs.groupby("genre")["energy"].median()
    assert typical["energy"].tolist() == energy[list(GENRES)].round(2).tolist()


def test_networks_that_can_not_be_computed_together_are_refused(session_songs, made):
    songs = session_songs[:300]
    other_words = dict(made.trained, lyrics=train(songs, epochs=1)["lyrics"])
    with pytest.raises(GenreLibError, match="differ in words or scores"):
        export.pack_networks(other_words)
    other_seed = copy.deepcopy(made.trained)
    other_seed["lyrics"].trained.branches.bias.data += 0.01
    with pytest.raises(GenreLibError, match=r"differ in branches\.bias: train both"):
        export.pack_networks(other_seed)
    scaled = copy.deepcopy(made.trained)
    scaled["features"].encoder.settings["scale"] = True
    with pytest.raises(GenreLibError, match="scores as they are"):
        export.pack_networks(scaled)


def test_make_live_writes_networks_and_figures(monkeypatch, tmp_path, others, capsys):
    songs = make_songs(600, seed=4)
    monkeypatch.setattr(export, "load_songs", lambda: songs)
    folder = tmp_path / "live"
    export.main(["--out", str(folder), "--result", str(tmp_path / "live.json")])
    header = json.loads((folder / export.HEADER).read_text(encoding="utf-8"))
    result = json.loads((tmp_path / "live.json").read_text(encoding="utf-8"))
    assert header["made"]["data"] == result["data"] == songs.attrs["source"]
    assert result["command"] == "make live" and result["validation_songs"] == 60
    size = sum(path.stat().st_size for path in folder.iterdir())
    assert sum(result["bytes"][name] for name in ("header", "numbers")) == size
    for task in TASKS:
        found = result["networks"][task]
        assert header["made"]["validation"][task] == found["exported"]
        assert found["course"]["songs"] == 60
        assert found["rounding"]["same_answer"] >= 0.9
        change = found["live"]["accuracy"] - found["course"]["accuracy"]
        assert found["vocabulary"]["accuracy_change"] == pytest.approx(change)
    assert result["networks"]["features"]["vocabulary"]["accuracy_change"] == 0
    assert "lyrics: course" in capsys.readouterr().out
    assert len(ask(folder, others[:2])["answers"]) == 2


def test_files_that_are_too_large_are_not_written(monkeypatch, tmp_path, made):
    monkeypatch.setattr(export, "LIMIT", 10_000)
    with pytest.raises(GenreLibError, match=r"more than 10,000: raise MIN_FREQUENCY"):
        export.write_networks(tmp_path, made.header, bytes(10_000))
    assert not list(tmp_path.iterdir())


def test_the_books_networks_are_small_enough_and_can_be_loaded(others):
    if not (export.FOLDER / export.HEADER).is_file():
        pytest.skip("`make live` has not been run")
    size = sum((export.FOLDER / name).stat().st_size for name in (export.HEADER, export.NUMBERS))
    assert size <= export.LIMIT
    for answer in ask(export.FOLDER, others[:5])["answers"]:
        for task in TASKS:
            assert sum(answer[task]["probabilities"]) == pytest.approx(1)
