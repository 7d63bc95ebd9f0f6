"""The networks. Each is called as `network(lyrics, features)` and uses one or both of them.

`lyrics` are token ids of shape (batch, tokens), `features` scores, by default of shape (batch, 22);
what a network doesn't look at may have the shape (batch, 0). A network
returns logits of shape (batch, genres), or (batch, members, genres) if it has several members, for
the course's seven genres or for as many as the argument `genres` says: each member
has a loss of its own in training, and their predicted probabilities are averaged. There may be
more members in training than in evaluation: parts with a loss of their own but no say in the
answer. (The course's lyrics network has 8 members, and 5 such branches.) The attribute `sees`
names the inputs that a network looks at, so that one training loop and one command serve all
networks. A network must have a parameter to train. If it has a method `adapt`, this is called with
training songs, as `SongTensors`, before training: it computes constants, such as how rare each
word is.

Chapters 6 to 8 explain three families: the networks of the original post, rebuilt layer by layer;
simple first versions; and the course's.

Examples
--------
>>> import torch
>>> lyrics, features = torch.ones(3, 20).int(), torch.rand(3, 22)
>>> list(LyricsNetwork(vocabulary=50)(lyrics, features).shape)  # in training: 8 + 5 members
[3, 13, 7]
"""

from genre_lib.models.attention import Attention, AttentionNetwork, Block
from genre_lib.models.course import (
    CombinedNetwork,
    FeaturesNetwork,
    Head,
    LyricsNetwork,
    ScoreBins,
    SharedEnsemble,
)
from genre_lib.models.first import (
    DenseFeaturesNetwork,
    LateCombinedNetwork,
    MeanLyricsNetwork,
)
from genre_lib.models.form import Form, topic_words
from genre_lib.models.original import (
    OriginalCombinedNetwork,
    OriginalFeaturesNetwork,
    OriginalLyricsNetwork,
)
from genre_lib.models.parts import Lookup, count_parameters
from genre_lib.models.words import WordBag, WordBranches

__all__ = [
    "Attention",
    "AttentionNetwork",
    "Block",
    "CombinedNetwork",
    "DenseFeaturesNetwork",
    "FeaturesNetwork",
    "Form",
    "Head",
    "LateCombinedNetwork",
    "Lookup",
    "LyricsNetwork",
    "MeanLyricsNetwork",
    "OriginalCombinedNetwork",
    "OriginalFeaturesNetwork",
    "OriginalLyricsNetwork",
    "ScoreBins",
    "SharedEnsemble",
    "WordBag",
    "WordBranches",
    "count_parameters",
    "topic_words",
]
