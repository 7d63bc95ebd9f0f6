"""The networks. Every one is called as `network(lyrics, features)` and takes what it needs.

`lyrics` are token ids of shape (batch, tokens), `features` scores of shape (batch, 22). The answer
is a tensor of logits of shape (batch, 7), or (batch, members, 7) from a network whose members each
answer for themselves; they are trained one by one and their probabilities averaged. The attribute
`sees` names what a network looks at, so that one training loop and one command serve all of them.
A network with a method `adapt` learns some constants from the training songs before training, such
as how rare each word is.

Three families, explained in chapters 4 to 6: the post's, rebuilt layer for layer; a first version
of ours; and the course's.
"""

from genre_lib.models.course import (
    CombinedNetwork,
    FeaturesNetwork,
    LyricsNetwork,
    ScoreBins,
    SharedEnsemble,
    WordBag,
)
from genre_lib.models.first import (
    DenseFeaturesNetwork,
    LateCombinedNetwork,
    MeanLyricsNetwork,
)
from genre_lib.models.original import (
    OriginalCombinedNetwork,
    OriginalFeaturesNetwork,
    OriginalLyricsNetwork,
)
from genre_lib.models.parts import Lookup, count_parameters

__all__ = [
    "CombinedNetwork",
    "DenseFeaturesNetwork",
    "FeaturesNetwork",
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
    "count_parameters",
]
