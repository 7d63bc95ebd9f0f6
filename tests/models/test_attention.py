"""The block of a transformer: what torch computes, whom it may look at, and what it can't see."""

from __future__ import annotations

import torch
from torch import nn

from genre_lib.models import Attention, AttentionNetwork, Block

V = 50
WORDS = torch.tensor([[5, 9, 7, 3], [8, 4, 0, 0]], dtype=torch.int32)
NONE = torch.empty(2, 0)


def test_attention_is_torchs():
    torch.manual_seed(0)
    ours, theirs = Attention(width=8, heads=2), nn.MultiheadAttention(8, 2, batch_first=True)
    parts = [ours.query, ours.key, ours.value]
    theirs.in_proj_weight.data = torch.cat([part.weight.data for part in parts])
    theirs.in_proj_bias.data = torch.cat([part.bias.data for part in parts])
    theirs.out_proj.load_state_dict(ours.output.state_dict())
    vectors, present = torch.randn(2, 4, 8), WORDS != 0
    expected, weights = theirs(
        vectors, vectors, vectors, key_padding_mask=~present, average_attn_weights=False
    )
    torch.testing.assert_close(ours(vectors, present), expected)
    torch.testing.assert_close(ours.weights(vectors, present), weights)


def test_nobody_looks_at_padding_and_it_changes_nothing():
    torch.manual_seed(0)
    network = AttentionNetwork(V, tokens=6).eval()
    vectors, present = network.embed(WORDS)
    weights = network.block.attention.weights(vectors, present)
    assert (weights[1, :, :, 2:] == 0).all()
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(2, 2, 4))
    alone = network(WORDS[1:, :2], NONE[1:])
    torch.testing.assert_close(network(WORDS, NONE)[1:], alone)
    torch.testing.assert_close(network(nn.functional.pad(WORDS, (0, 2)), NONE)[1:], alone)


def test_only_positions_let_it_see_the_order_of_words():
    other = WORDS[:, [2, 0, 3, 1]]
    torch.manual_seed(0)
    blind, seeing = (AttentionNetwork(V, positions=p).eval() for p in (False, True))
    torch.testing.assert_close(blind(WORDS, NONE)[0], blind(other, NONE)[0])
    assert not torch.allclose(seeing(WORDS, NONE)[0], seeing(other, NONE)[0], atol=1e-3)


def test_a_block_adds_to_what_is_there():
    block = Block(width=8, heads=2, dropout=0.0)
    for last in (block.attention.output, block.each[-1]):
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
    vectors = torch.randn(2, 4, 8)
    assert torch.equal(block(vectors, WORDS != 0), vectors)


def test_lyrics_without_a_word_have_an_answer():
    assert torch.isfinite(AttentionNetwork(V).eval()(torch.zeros(2, 4).int(), NONE)).all()
