"""Typical mistakes in assignment 3: what each loses, and the hint that names it."""

MEAN = """
class MeanNetwork(nn.Module):
    def __init__(self, vocabulary_size, width):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, width)
        self.output = nn.Linear(width, 7)

    def forward(self, lyrics, features):
        words = (lyrics != 0).unsqueeze(2)
        vectors = self.embedding(lyrics)
        return self.output({mean})
"""
SCORES = """
class FeaturesNetwork(nn.Module):
    def __init__(self, n_features, hidden, drop):
        super().__init__()
        self.first = nn.Linear(n_features, hidden)
        self.last = nn.Linear(hidden, 7)
        self.drop = drop

    def forward(self, lyrics, features):
        {body}
"""
COMBINED = """
class CombinedNetwork(nn.Module):
    def __init__(self, vocabulary_size, n_features):
        super().__init__()
        self.words = MeanNetwork(vocabulary_size, 32)
        self.scores = FeaturesNetwork(n_features, 64, 0.2)
        self.embedding = nn.Embedding(vocabulary_size, 7)

    def forward(self, lyrics, features):
        return {joined}
"""
TRAINED = """
def trained(network, lyrics, features, genre):
    torch.manual_seed(0)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.003)
    network.train()
    for _ in range(10):
        for rows in torch.randperm(len(genre)).split(64):
            loss = F.cross_entropy(network(lyrics[rows], features[rows]), {genre})
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return {network}
"""
MISTAKES = [
    {
        "name": "padding is counted in the mean",
        "part": "q1",
        "code": MEAN.format(mean="vectors.mean(dim=1)"),
        "loses": ["test_q1_padding", "test_q5_padding"],
        "hint": "neither in the sum of the vectors",
    },
    {
        "name": "padding is left out of the sum alone",
        "part": "q1",
        "code": MEAN.format(mean="(vectors * words).mean(dim=1)"),
        "loses": ["test_q1_padding", "test_q5_padding"],
        "hint": "nor in the number of words",
    },
    {
        "name": "a sum instead of a mean",
        "part": "q1",
        "code": MEAN.format(mean="(vectors * words).sum(dim=1)"),
        "loses": ["test_q1_mean"],
        "hint": "It changes a sum",
    },
    {
        "name": "a song without words",
        "part": "q1",
        "code": MEAN.format(mean="(vectors * words).sum(dim=1) / words.sum(dim=1)"),
        "loses": ["test_q1_empty"],
        "hint": "divided by 0",
    },
    {
        "name": "the bias is forgotten",
        "part": "q2",
        "code": "def count_mean(vocabulary_size, width):\n"
        "    return vocabulary_size * width + width * 7\n",
        "loses": ["test_q2_example", "test_q2_formula"],
        "hint": "bias of each of the seven logits",
    },
    {
        "name": "a number worked out beforehand",
        "part": "q2",
        "code": "def count_mean(vocabulary_size, width):\n    return 75\n",
        "loses": ["test_q2_formula"],
        "hint": "must be computed from the two sizes",
    },
    {
        "name": "every set is scaled by itself",
        "part": "q3",
        "code": "def scaled(train_features, features):\n"
        "    deviation = features.std(dim=0)\n"
        "    deviation = torch.where(deviation > 0, deviation, 1.0)\n"
        "    return (features - features.mean(dim=0)) / deviation\n",
        "loses": ["test_q3_from_training", "test_q3_constant"],
        "hint": "they are a leak",
    },
    {
        "name": "division by a deviation of 0",
        "part": "q3",
        "code": "def scaled(train_features, features):\n"
        "    return (features - train_features.mean(dim=0)) / train_features.std(dim=0)\n",
        "loses": ["test_q3_constant"],
        "hint": "divided by 0",
    },
    {
        "name": "no non-linearity between the layers",
        "part": "q4",
        "code": SCORES.format(
            body="hidden = F.dropout(self.first(features), self.drop, self.training)\n"
            "        return self.last(hidden)"
        ),
        "loses": ["test_q4_non_linear"],
        "hint": "Put ReLU between them",
    },
    {
        "name": "dropout in evaluation mode, too",
        "part": "q4",
        "code": SCORES.format(
            body="hidden = F.dropout(F.relu(self.first(features)), self.drop)\n"
            "        return self.last(hidden)"
        ),
        # every test that needs the same answer twice is lost with it
        "loses": ["test_q4_dropout", "test_q5_padding", "test_q6_mode"],
        "hint": "off in evaluation mode",
    },
    {
        "name": "softmax in the network",
        "part": "q4",
        "code": SCORES.format(
            body="hidden = F.dropout(F.relu(self.first(features)), self.drop, self.training)\n"
            "        return self.last(hidden).softmax(dim=1)"
        ),
        "loses": ["test_q4_logits"],
        "hint": "cross-entropy applies softmax itself",
    },
    {
        "name": "the words are ignored",
        "part": "q5",
        "code": COMBINED.format(joined="self.scores(lyrics, features)"),
        "loses": ["test_q5_words", "test_q6_words"],
        "hint": "ignores the lyrics",
    },
    {
        "name": "the scores are ignored",
        "part": "q5",
        "code": COMBINED.format(joined="self.words(lyrics, features)"),
        "loses": ["test_q5_scores", "test_q6_scores"],
        "hint": "ignores the features",
    },
    {
        "name": "a branch is cut off from the gradient",
        "part": "q6",
        "code": COMBINED.format(
            joined="self.words(lyrics, features) + self.scores(lyrics, features).detach()"
        ),
        "loses": ["test_q6_scores"],
        "hint": "no gradient reaches its branch for scores",
    },
    {
        "name": "padding is counted in the fusion",
        "part": "q5",
        "code": COMBINED.format(
            joined="self.embedding(lyrics).mean(dim=1) + self.scores(lyrics, features)"
        ),
        "loses": ["test_q5_padding"],
        "hint": "must ignore zeros",
    },
    {
        "name": "labels and songs are not aligned",
        "part": "q6",
        "code": TRAINED.format(genre="genre[: len(rows)]", network="network.eval()"),
        "loses": ["test_q6_bar", "test_q6_words", "test_q6_scores"],
        "hint": "genres that don't match the songs",
    },
    {
        "name": "training mode is left on",
        "part": "q6",
        "code": TRAINED.format(genre="genre[rows]", network="network"),
        "loses": ["test_q6_mode"],
        "hint": "Return it after network.eval()",
    },
    {
        "name": "the vocabulary of all songs",
        "part": "q7",
        "code": "all_words = SongEncoder(scale=False).fit(songs).words\n"
        "my_weights = count_mean(len(all_words), 32)\n",
        "loses": ["test_q7_words"],
        "hint": "match the 2,400 training songs",
    },
    {
        "name": "validation songs are scaled by themselves",
        "part": "q7",
        "code": "by_itself = scaled(validation.features, validation.features)\n"
        "my_loudest = float(by_itself[:, list(genre_lib.FEATURES).index('loudness')].max())\n",
        "loses": ["test_q7_scale"],
        "hint": "its scale is not that of the 2,400 training songs",
    },
]
