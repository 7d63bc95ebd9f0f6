"""Typical mistakes in assignment 5: what each loses, and the hint that names it."""

LOOK = """
def look(query, keys, values, present):
    scores = keys @ query
    {weights}
    return weights @ values
"""
MANY = """
def attention(query, key, value, present):
    scores = query @ key.transpose(-2, -1){scale}
    scores = scores{masked}
    return {weights} @ value
"""
RIGHT = {
    "scale": " / query.shape[-1] ** 0.5",
    "masked": ".masked_fill(~present[:, None, None], -torch.inf)",
    "weights": "scores.softmax(dim=-1)",
}
LAYER = """
class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.output = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, vectors, present):
        query, key, value = (
            split(layer(vectors), {heads}) for layer in (self.query, self.key, {value})
        )
        mixed = join(attention(query, key, value, present))
        return {returned}
"""
SUMMARY = """
def summary(lyrics, words, positions):
    vectors, present = embed(lyrics, words, positions).unsqueeze(1), lyrics != 0
    mixed = attention(vectors, vectors, vectors, present).squeeze(1)
    mask = present.unsqueeze(2)
    return {mean}
"""
BLOCK = """
class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.attention = Attention(width, heads)
        self.each = nn.Sequential(
            nn.Linear(width, 2 * width), {activation}nn.Linear(2 * width, width)
        )
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, vectors, present):
        vectors = {first}
        return {second}
"""
PRE_NORM = {
    "activation": "nn.GELU(), ",
    "first": "vectors + self.attention(self.norm_1(vectors), present)",
    "second": "vectors + self.each(self.norm_2(vectors))",
}
NETWORK = """
class AttentionNetwork(nn.Module):
    def __init__(self, vocabulary_size, tokens, width, heads):
        super().__init__()
        self.words = nn.Embedding(vocabulary_size, width)
        nn.init.normal_(self.words.weight, std=0.3)
        self.positions = nn.Parameter(0.3 * torch.randn(tokens, width))
        self.block, self.norm = Block(width, heads), nn.LayerNorm(width)
        self.output = nn.Linear(width, len(GENRES))

    def forward(self, lyrics, features):
        present = lyrics != 0
        vectors = embed(lyrics, self.words.weight, {positions})
        vectors = self.norm(self.block(vectors, {attended}))
        mask = present.unsqueeze(2)
        return self.output({mean})
"""
MEAN = "(vectors * mask).sum(dim=1) / mask.sum(dim=1)"
PLAIN = {"positions": "self.positions", "attended": "present", "mean": MEAN}
TRAINED = """
def trained(lyrics, genre, vocabulary_size):
    torch.manual_seed(0)
    network = AttentionNetwork(vocabulary_size, lyrics.shape[1], width=32, heads=4)
    made = SongTensors(lyrics, torch.empty(len(lyrics), 0), {genre})
    genre_lib.fit(network, made, epochs={epochs}, batch_size=32, learning_rate=0.01,
                  one_cycle=True, device="cpu", progress=False)
    return network
"""
MISTAKES = [
    {
        "name": "scores divided by their sum instead of softmax",
        "part": "q1",
        "code": LOOK.format(
            weights="scores = scores.masked_fill(~present, 0)\n    weights = scores / scores.sum()"
        ),
        "loses": ["test_q1_softmax", "test_q1_padding"],
        "hint": "must be the softmax of the scores",
    },
    {
        "name": "one word's weights are masked after softmax",
        "part": "q1",
        "code": LOOK.format(weights="weights = scores.softmax(dim=0) * present"),
        "loses": ["test_q1_padding"],
        "hint": "not the weights after it",
    },
    {
        "name": "one word looks at padding, too",
        "part": "q1",
        "code": LOOK.format(weights="weights = scores.softmax(dim=0)"),
        "loses": ["test_q1_padding"],
        "hint": "Padding takes part",
    },
    {
        "name": "the scores are not scaled",
        "part": "q2",
        "code": MANY.format(**RIGHT | {"scale": ""}),
        "loses": ["test_q2_scaled"],
        "hint": "square root of the size",
    },
    {
        "name": "the scores are divided by the size, not its root",
        "part": "q2",
        "code": MANY.format(**RIGHT | {"scale": " / query.shape[-1]"}),
        "loses": ["test_q2_scaled"],
        "hint": "square root of the size",
    },
    {
        "name": "softmax along the queries",
        "part": "q2",
        "code": MANY.format(**RIGHT | {"weights": "scores.softmax(dim=-2)"}),
        # A column of padding alone gives NaN, and so does all that attends.
        "loses": ["test_q2_example", "test_q2_scaled", "test_q2_rows", "test_q2_padding"]
        + ["test_q3_attention", "test_q4_order", "test_q4_padding", "test_q5_both"]
        + ["test_q6_padding", "test_q6_bar"],
        "hint": "Softmax goes along the keys",
    },
    {
        "name": "the mask comes after softmax",
        "part": "q2",
        "code": MANY.format(
            **RIGHT | {"masked": "", "weights": "(scores.softmax(dim=-1) * present[:, None, None])"}
        ),
        "loses": ["test_q2_example", "test_q2_padding", "test_q3_attention", "test_q4_padding"]
        + ["test_q6_padding"],
        "hint": "weights masked after softmax no longer add up to 1",
    },
    {
        "name": "the mask is forgotten",
        "part": "q2",
        "code": MANY.format(**RIGHT | {"masked": ""}),
        "loses": ["test_q2_example", "test_q2_padding", "test_q3_attention", "test_q4_padding"]
        + ["test_q6_padding"],
        "hint": "Mask the keys",
    },
    {
        "name": "the queries are masked, not the keys",
        "part": "q2",
        "code": MANY.format(**RIGHT | {"masked": ".masked_fill(~present[:, None, :, None], -1e9)"}),
        "loses": ["test_q2_example", "test_q2_padding", "test_q3_attention", "test_q4_padding"]
        + ["test_q6_padding"],
        "hint": "Masking the queries, the rows, leaves padding among the keys",
    },
    {
        "name": "heads are viewed without a transpose",
        "part": "q3",
        "code": "def split(vectors, heads):\n"
        "    songs, tokens, width = vectors.shape\n"
        "    return vectors.reshape(songs, heads, tokens, width // heads)\n",
        "loses": ["test_q3_example", "test_q3_split", "test_q3_attention", "test_q6_padding"],
        "hint": "mixes tokens",
    },
    {
        "name": "each head takes every n-th number",
        "part": "q3",
        "code": "def split(vectors, heads):\n"
        "    return vectors.unflatten(-1, (-1, heads)).permute(0, 3, 1, 2)\n",
        "loses": ["test_q3_example", "test_q3_split"],
        "hint": "adjacent numbers",
    },
    {
        "name": "heads are joined without a transpose",
        "part": "q3",
        "code": "def join(vectors):\n"
        "    songs, heads, tokens, size = vectors.shape\n"
        "    return vectors.reshape(songs, tokens, heads * size)\n",
        "loses": ["test_q3_join", "test_q3_attention", "test_q6_padding"],
        "hint": "Transpose heads and tokens before you flatten",
    },
    {
        "name": "joined numbers of all heads alternate",
        "part": "q3",
        "code": "def join(vectors):\n    return vectors.permute(0, 2, 3, 1).flatten(2)\n",
        "loses": ["test_q3_join"],
        "hint": "those of the first head first",
    },
    {
        "name": "the output layer is forgotten",
        "part": "q3",
        "code": LAYER.format(heads="self.heads", value="self.value", returned="mixed"),
        "loses": ["test_q3_attention"],
        "hint": "through its layer output",
    },
    {
        "name": "one head, whatever it was told",
        "part": "q3",
        "code": LAYER.format(heads="1", value="self.value", returned="self.output(mixed)"),
        "loses": ["test_q3_attention"],
        "hint": "use the given number of heads",
    },
    {
        "name": "positions are missing",
        "part": "q4",
        "code": "def embed(lyrics, words, positions):\n    return F.embedding(lyrics, words)\n",
        "loses": ["test_q4_example", "test_q4_embed", "test_q4_order", "test_q4_padding"]
        + ["test_q6_bar"],
        "hint": "its id's and its position's vector",
    },
    {
        "name": "positions are looked up by id",
        "part": "q4",
        "code": "def embed(lyrics, words, positions):\n"
        "    vectors = F.embedding(lyrics, words)\n"
        "    if positions is None:\n"
        "        return vectors\n"
        "    return vectors + F.embedding(lyrics % len(positions), positions)\n",
        "loses": ["test_q4_example", "test_q4_embed", "test_q4_order", "test_q4_padding"]
        + ["test_q6_bar"],
        "hint": "not its id",
    },
    {
        "name": "padding is counted in the mean",
        "part": "q4",
        "code": SUMMARY.format(mean="mixed.mean(dim=1)"),
        "loses": ["test_q4_padding"],
        "hint": "neither in the sum over a song's words",
    },
    {
        "name": "padding is left out of the sum alone",
        "part": "q4",
        "code": SUMMARY.format(mean="(mixed * mask).mean(dim=1)"),
        "loses": ["test_q4_padding"],
        "hint": "nor in their number",
    },
    {
        "name": "a residual connection is forgotten",
        "part": "q5",
        "code": BLOCK.format(**PRE_NORM | {"second": "self.each(self.norm_2(vectors))"}),
        "loses": ["test_q5_residual", "test_q5_both"],
        "hint": "A residual connection is missing",
    },
    {
        "name": "the norm comes after the sum",
        "part": "q5",
        "code": BLOCK.format(
            **PRE_NORM
            | {
                "first": "self.norm_1(vectors + self.attention(vectors, present))",
                "second": "self.norm_2(vectors + self.each(vectors))",
            }
        ),
        "loses": ["test_q5_residual", "test_q5_norm", "test_q5_both"],
        "hint": "the sum is normalised",
    },
    {
        "name": "a song is normalised as a whole",
        "part": "q5",
        "code": BLOCK.format(
            **PRE_NORM
            | {
                "first": "vectors + self.attention("
                "F.layer_norm(vectors, vectors.shape[1:]), present)"
            }
        ),
        "loses": ["test_q5_norm", "test_q5_both", "test_q6_padding"],
        "hint": "normalised over more than one word",
    },
    {
        "name": "no norm before attention",
        "part": "q5",
        "code": BLOCK.format(**PRE_NORM | {"first": "vectors + self.attention(vectors, present)"}),
        "loses": ["test_q5_residual", "test_q5_norm", "test_q5_both"],
        "hint": "Attention gets vectors that aren't normalised",
    },
    {
        "name": "no activation between the layers",
        "part": "q5",
        "code": BLOCK.format(**PRE_NORM | {"activation": ""}),
        "loses": ["test_q5_each"],
        "hint": "one Linear layer in disguise",
    },
    {
        "name": "padding is counted in the network's mean",
        "part": "q6",
        "code": NETWORK.format(**PLAIN | {"mean": "vectors.mean(dim=1)"}),
        "loses": ["test_q6_padding"],
        "hint": "neither in the sum nor in the number of words for the mean",
    },
    {
        "name": "the network's block attends to padding",
        "part": "q6",
        "code": NETWORK.format(**PLAIN | {"attended": "torch.ones_like(present)"}),
        "loses": ["test_q6_padding"],
        "hint": "must be masked in the block",
    },
    {
        "name": "the network has no positions",
        "part": "q6",
        "code": NETWORK.format(**PLAIN | {"positions": "None"}),
        "loses": ["test_q6_bar"],
        "hint": "if it has no positions",
    },
    {
        "name": "genres and songs are shuffled apart",
        "part": "q6",
        "code": TRAINED.format(genre="genre[torch.randperm(len(genre))]", epochs=6),
        "loses": ["test_q6_bar"],
        "hint": "genres don't match the songs",
    },
    {
        "name": "trained for one epoch",
        "part": "q6",
        "code": TRAINED.format(genre="genre", epochs=1),
        "loses": ["test_q6_bar"],
        "hint": "for long enough",
    },
    {
        "name": "padding is turned around, too",
        "part": "q7",
        "code": "turned = validation.lyrics.flip(1)\n"
        "my_change_with = float((summary(validation.lyrics, word_table, position_table)\n"
        "                        - summary(turned, word_table, position_table)).abs().max())\n",
        "loses": ["test_q7_change"],
        "hint": "padding left at the end",
    },
    {
        "name": "the mean probability instead of the accuracy",
        "part": "q7",
        "code": "my_ceiling = float(probabilities.max(dim=1).values.mean())\n",
        "loses": ["test_q7_ceiling"],
        "hint": "the share of right answers",
    },
]
