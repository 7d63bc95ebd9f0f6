"""Typical mistakes in assignment 2: what each loses, and the hint that names it."""

VOCABULARY = """
def vocabulary(texts, min_count):
    counts = Counter(word for text in {texts} for word in text.lower().split())
    kept = [word for word, count in counts.items() if count {least} min_count]
    kept.sort(key=lambda word: {key})
    return {{word: i for i, word in enumerate(["<pad>", "<unk>", *kept])}}
"""
EPOCH = """
def train_one_epoch(network, loader, optimiser):
    {mode}
    total = songs_seen = 0
    for lyrics, lengths, genres in loader:
        loss = F.cross_entropy({logits}, genres)
        {clear}
        loss.backward()
        optimiser.step()
        total += loss.item() * {weight}
        songs_seen += {weight}
    return total / songs_seen
"""
GOOD_EPOCH = {
    "mode": "network.train()",
    "logits": "network(lyrics, lengths)",
    "clear": "optimiser.zero_grad()",
    "weight": "len(genres)",
}
MISTAKES = [
    {
        "name": "the vocabulary comes from all songs",
        "part": "q1",
        "code": VOCABULARY.format(
            texts="[*songs['lyrics'], *texts]", least=">=", key="(-counts[word], word)"
        ),
        "loses": [
            "test_q1_example",
            "test_q1_minimum",
            "test_q1_order",
            "test_q1_only_these_texts",
        ],
        "hint": "Using those of validation and test songs would be a leak",
    },
    {
        "name": "more often instead of at least as often",
        "part": "q1",
        "code": VOCABULARY.format(texts="texts", least=">", key="(-counts[word], word)"),
        "loses": [
            "test_q1_example",
            "test_q1_minimum",
            "test_q1_order",
            "test_q1_only_these_texts",
        ],
        "hint": "exactly min_count times gets an id",
    },
    {
        "name": "ids in the order of the alphabet",
        "part": "q1",
        "code": VOCABULARY.format(texts="texts", least=">=", key="word"),
        "loses": ["test_q1_order"],
        "hint": "follow the words' frequency",
    },
    {
        "name": "unknown words are left out",
        "part": "q2",
        "code": "def encode(text, words, longest=None):\n"
        "    return [words[w] for w in text.lower().split()[:longest] if w in words]\n",
        "loses": ["test_q2_example", "test_q2_unknown"],
        "hint": "An unknown word keeps its position",
    },
    {
        "name": "a fixed length",
        "part": "q3",
        "code": "def collate(rows):\n"
        "    lyrics = torch.zeros(len(rows), 100, dtype=torch.long)\n"
        "    for i, (ids, genre) in enumerate(rows):\n"
        "        lyrics[i, : len(ids)] = torch.tensor(ids)\n"
        "    lengths = torch.tensor([len(ids) for ids, genre in rows])\n"
        "    return lyrics, lengths, torch.tensor([genre for ids, genre in rows])\n",
        "loses": ["test_q3_example", "test_q3_padding"],
        "hint": "longest row of this batch",
    },
    {
        "name": "padding is counted",
        "part": "q3",
        "code": "def collate(rows):\n"
        "    lists, genres = zip(*rows)\n"
        "    lists = [torch.tensor(ids) for ids in lists]\n"
        "    lyrics = nn.utils.rnn.pad_sequence(lists, batch_first=True)\n"
        "    return lyrics, torch.full((len(rows),), lyrics.shape[1]), torch.tensor(genres)\n",
        "loses": ["test_q3_example", "test_q3_lengths"],
        "hint": "without the padding",
    },
    {
        "name": "the batches are not shuffled",
        "part": "q4",
        "code": "def batches(rows, size, seed):\n"
        "    return [collate(rows[i : i + size]) for i in range(0, len(rows), size)]\n",
        "loses": ["test_q4_shuffled"],
        "hint": "Unshuffled songs come genre by genre",
    },
    {
        "name": "the last batch is dropped",
        "part": "q4",
        "code": "def batches(rows, size, seed):\n"
        "    order = random.Random(seed).sample(rows, len(rows))\n"
        "    return [collate(order[i : i + size]) for i in range(0, len(rows) - size + 1, size)]\n",
        "loses": ["test_q4_example", "test_q4_every_row"],
        "hint": "smaller batch is dropped",
    },
    {
        "name": "lyrics and genres are shuffled apart",
        "part": "q4",
        "code": "def batches(rows, size, seed):\n"
        "    chance = random.Random(seed)\n"
        "    lists = chance.sample([ids for ids, genre in rows], len(rows))\n"
        "    genres = chance.sample([genre for ids, genre in rows], len(rows))\n"
        "    order = list(zip(lists, genres))\n"
        "    return [collate(order[i : i + size]) for i in range(0, len(rows), size)]\n",
        "loses": ["test_q4_aligned", "test_q7_bar"],
        "hint": "not lyrics and genres apart",
    },
    {
        "name": "training mode is forgotten",
        "part": "q5",
        "code": EPOCH.format(**GOOD_EPOCH | {"mode": "pass"}),
        "loses": ["test_q5_mode"],
        "hint": "Call network.train()",
    },
    {
        "name": "softmax before cross-entropy",
        "part": "q5",
        "code": EPOCH.format(**GOOD_EPOCH | {"logits": "network(lyrics, lengths).softmax(dim=1)"}),
        "loses": ["test_q5_step", "test_q5_cleared", "test_q5_mean"],
        "hint": "Softmax before F.cross_entropy",
    },
    {
        "name": "gradients are not cleared",
        "part": "q5",
        "code": EPOCH.format(**GOOD_EPOCH | {"clear": "pass"}),
        "loses": ["test_q5_cleared", "test_q7_bar"],
        "hint": "Clear them before backward",
    },
    {
        "name": "a mean of means",
        "part": "q5",
        "code": EPOCH.format(**GOOD_EPOCH | {"weight": "1"}),
        "loses": ["test_q5_mean"],
        "hint": "mean of the batches' means",
    },
    {
        "name": "no evaluation mode",
        "part": "q6",
        "code": "def accuracy(network, loader):\n"
        "    with torch.no_grad():\n"
        "        right = [network(b[0], b[1]).argmax(dim=1) == b[2] for b in loader]\n"
        "    return torch.cat(right).float().mean().item()\n",
        "loses": ["test_q6_mode"],
        "hint": "Call network.eval()",
    },
    {
        "name": "gradients are tracked while evaluating",
        "part": "q6",
        "code": "def accuracy(network, loader):\n"
        "    network.eval()\n"
        "    right = [network(b[0], b[1]).argmax(dim=1) == b[2] for b in loader]\n"
        "    return torch.cat(right).float().mean().item()\n",
        "loses": ["test_q6_no_gradients"],
        "hint": "torch.no_grad()",
    },
    {
        "name": "the network is never trained",
        "part": "q7",
        "code": "def train_network(rows, vocabulary_size):\n"
        "    return MeanNetwork(vocabulary_size)\n",
        "loses": ["test_q7_bar"],
        "hint": "It may be untrained",
    },
    {
        "name": "the vocabulary of all songs",
        "part": "q8",
        "code": "my_vocabulary = len(vocabulary(texts, 3))\n",
        "loses": ["test_q8_vocabulary"],
        "hint": "Words of the 500 new songs don't count",
    },
    {
        "name": "different unknown words, each once",
        "part": "q8",
        "code": "new_words = {word for text in texts[2000:] for word in text.split()}\n"
        "my_unknown = len(new_words - set(words)) / len(new_words)\n",
        "loses": ["test_q8_shares"],
        "hint": "counting every occurrence",
    },
    {
        "name": "a neighbour's number",
        "part": "q8",
        "code": "my_unknown = 0.0731\n",
        "loses": ["test_q8_shares"],
        "hint": "my_unknown is the share of words in the new songs",
    },
]
