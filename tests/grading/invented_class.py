"""An invented class for assignment 2: each student's notebook differs as honest students' do.

A part's solution is drawn from several; inside one, ``«a¦b»`` draws again, and names, comments and
``print`` differ, too. Everything follows from the seed.
"""

from __future__ import annotations

import json
import random
import re

from course_tools.grading.results import Grade

PARTS = {
    "q1": [
        """
def vocabulary(texts, min_count):
    counts = Counter()
    for text in texts:
        counts.update(text.lower().split())
    «kept = [w for w in counts if counts[w] >= min_count]¦kept = [w for w, n in counts.items() \
if n >= min_count]¦kept = list(filter(lambda w: counts[w] >= min_count, counts))»
    «kept = sorted(kept, key=lambda w: (-counts[w], w))¦kept.sort()
    kept.sort(key=counts.get, reverse=True)»
    result = {"<pad>": 0, "<unk>": 1}
    «for w in kept:
        result[w] = len(result)¦for i, w in enumerate(kept):
        result[w] = i + 2¦result.update({w: i + 2 for i, w in enumerate(kept)})»
    return result
""",
        """
def vocabulary(texts, min_count):
    counts = {}
    for text in texts:
        for w in text.«lower().split()¦lower().strip().split()»:
            «counts[w] = counts.get(w, 0) + 1¦if w not in counts:
                counts[w] = 0
            counts[w] += 1¦if w in counts:
                counts[w] += 1
            else:
                counts[w] = 1»
    pairs = «sorted(counts.items(), key=lambda x: (-x[1], x[0]))¦sorted(counts.items(), \
key=lambda x: x[0])
    pairs = sorted(pairs, key=lambda x: x[1], reverse=True)»
    result = {}
    result["<pad>"] = 0
    result["<unk>"] = 1
    number = 2
    for w, n in pairs:
        if n «>= min_count:
            result[w] = number
            number += 1¦< min_count:
            continue
        result[w] = number
        number = number + 1»
    return result
""",
        """
def vocabulary(texts, min_count):
    everything = " ".join(texts).lower().split()
    counts = Counter(everything)
    order = sorted(«set(everything)¦counts¦counts.keys()», key=lambda w: [-counts[w], w])
    words = ["<pad>", "<unk>"] + [w for w in order if counts[w] >= min_count]
    return «dict(zip(words, range(len(words))))¦{words[i]: i for i in range(len(words))}»
""",
        """
def vocabulary(texts, min_count):
    words = []
    for text in texts:
        words «+= text.lower().split()¦.extend(text.lower().split())¦= words + \
text.lower().split()»
    series = __import__("pandas").Series(words).value_counts()
    series = series[series >= min_count]
    «table = series.reset_index()
    table.columns = ["word", "n"]
    table = table.sort_values(["n", "word"], ascending=[False, True])
    ordered = table["word"].tolist()¦ordered = sorted(series.index, key=lambda w: (-series[w], w))»
    result = dict.fromkeys(["<pad>", "<unk>"])
    for w in ordered:
        result[w] = None
    for number, w in enumerate(result):
        result[w] = number
    return result
""",
    ],
    "q2": [
        """
def encode(text, words, longest):
    ids = []
    for w in text.lower().split():
        «if w in words:
            ids.append(words[w])
        else:
            ids.append(words["<unk>"])¦ids.append(words.get(w, words["<unk>"]))¦try:
            ids.append(words[w])
        except KeyError:
            ids.append(words["<unk>"])»
    return ids[:longest]
""",
        """
def encode(text, words, longest):
    tokens = text.lower().split()
    «tokens = tokens[:longest]¦if len(tokens) > longest:
        tokens = tokens[0:longest]»
    return «[words.get(w, 1) for w in tokens]¦[words[w] if w in words else 1 for w in tokens]¦\
list(map(lambda w: words.get(w, words["<unk>"]), tokens))»
""",
        """
def encode(text, words, longest):
    ids = []
    position = 0
    tokens = text.lower().split()
    while position < «min(len(tokens), longest)¦len(tokens) and position < longest»:
        ids.append(words.get(tokens[position], «1¦words["<unk>"]»))
        position += 1
    return ids
""",
        """
def encode(text, words, longest):
    ids = []
    for i, w in enumerate(text.lower().split()):
        if «i >= longest¦i == longest¦len(ids) == longest»:
            break
        «number = words.get(w)
        if number is None:
            number = words["<unk>"]
        ids.append(number)¦ids += [words[w] if w in words.keys() else words["<unk>"]]»
    return ids
""",
    ],
    "q3": [
        """
def collate(rows):
    lengths = [len(ids) for ids, genre in rows]
    longest = max(lengths)
    lyrics = torch.zeros(«len(rows), longest¦(len(rows), longest)», dtype=torch.long)
    for i, «(ids, genre)¦row» in enumerate(rows):
        «lyrics[i, :len(rows[i][0])] = torch.tensor(rows[i][0])¦for j, number in \
enumerate(rows[i][0]):
            lyrics[i, j] = number»
    genres = torch.tensor([«genre for ids, genre in rows¦row[1] for row in rows»])
    return lyrics, torch.tensor(lengths), genres
""",
        """
def collate(rows):
    longest = max(len(row[0]) for row in rows)
    padded, lengths, genres = [], [], []
    for ids, genre in rows:
        «padded.append(ids + [0] * (longest - len(ids)))¦missing = longest - len(ids)
        padded.append(list(ids) + missing * [0])¦filled = list(ids)
        while len(filled) < longest:
            filled.append(0)
        padded.append(filled)»
        lengths.append(len(ids))
        genres.append(genre)
    return «torch.tensor(padded), torch.tensor(lengths), torch.tensor(genres)¦\
tuple(torch.tensor(x, dtype=torch.long) for x in (padded, lengths, genres))¦\
torch.LongTensor(padded), torch.LongTensor(lengths), torch.LongTensor(genres)»
""",
        """
def collate(rows):
    tensors = []
    for row in rows:
        tensors.append(torch.tensor(row[0], dtype=torch.long))
    lengths = torch.tensor(«[t.shape[0] for t in tensors]¦[len(t) for t in tensors]¦list(map(len, \
tensors))»)
    lyrics = nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=0)
    «genres = torch.tensor([row[1] for row in rows], dtype=torch.long)¦genres = \
torch.zeros(len(rows), dtype=torch.long)
    for i in range(len(rows)):
        genres[i] = rows[i][1]»
    return lyrics, lengths, genres
""",
        """
def collate(rows):
    longest = 0
    for ids, genre in rows:
        if len(ids) > longest:
            longest = len(ids)
    lyrics = torch.stack([F.pad(torch.tensor(ids), (0, longest - len(ids))) for ids, genre in rows])
    genres = torch.«tensor¦as_tensor»([genre for ids, genre in rows])
    lengths = «(lyrics != 0).sum(dim=1)¦torch.tensor([len(ids) for ids, genre in rows])»
    return lyrics, lengths, genres
""",
    ],
    "q4": [
        """
def batches(rows, size, seed):
    shuffled = «list(rows)¦rows.copy()¦rows[:]¦[row for row in rows]»
    random.Random(seed).shuffle(shuffled)
    made = []
    for start in range(0, len(shuffled), size):
        «made.append(collate(shuffled[start:start + size]))¦part = shuffled[start:start + size]
        made.append(collate(part))¦end = min(start + size, len(shuffled))
        made += [collate(shuffled[start:end])]»
    return made
""",
        """
def batches(rows, size, seed):
    «generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(rows), generator=generator).tolist()¦chance = random.Random(seed)
    order = list(range(len(rows)))
    chance.shuffle(order)»
    made = []
    «for start in range(0, len(order), size):
        made.append(collate([rows[i] for i in order[start:start + size]]))¦while order:
        made.append(collate([rows[i] for i in order[:size]]))
        order = order[size:]»
    return made
""",
        """
def batches(rows, size, seed):
    «random.seed(seed)
    shuffled = random.sample(rows, k=len(rows))¦shuffled = random.Random(seed).sample(rows, \
k=len(rows))»
    made, current = [], []
    for row in shuffled:
        current.append(row)
        if len(current) «== size¦>= size»:
            made.append(collate(current))
            current = []
    if «current¦len(current) > 0¦current != []»:
        made.append(collate(current))
    return made
""",
        """
def batches(rows, size, seed):
    number = «(len(rows) + size - 1) // size¦-(-len(rows) // size)»
    shuffled = sorted(rows, key=lambda row, chance=random.Random(seed): chance.random())
    return [collate(shuffled[i * size:(i + 1) * size]) for i in range(number)]
""",
    ],
    "q5": [
        """
def train_one_epoch(network, batches, optimiser):
    network.train()
    «total = 0.0
    seen = 0¦total, seen = 0, 0»
    for lyrics, lengths, genres in batches:
        optimiser.zero_grad()
        logits = network(lyrics, lengths)
        loss = «F.cross_entropy(logits, genres)¦nn.functional.cross_entropy(logits, genres)»
        loss.backward()
        optimiser.step()
        «total += loss.item() * genres.size(0)¦total = total + float(loss) * len(lyrics)¦\
total += loss.detach().item() * len(genres)»
        seen += «genres.size(0)¦len(lyrics)¦genres.shape[0]»
    return total / seen
""",
        """
def train_one_epoch(network, batches, optimiser):
    network.train()
    losses, sizes = [], []
    for batch in batches:
        lyrics, lengths, genres = batch
        loss = «nn.CrossEntropyLoss()(network(lyrics, lengths), genres)¦F.cross_entropy(\
network(lyrics, lengths), genres)»
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
        sizes.append(len(genres))
    «return sum(x * n for x, n in zip(losses, sizes)) / sum(sizes)¦total = 0
    for x, n in zip(losses, sizes):
        total += x * n
    return total / sum(sizes)¦losses, sizes = torch.tensor(losses), torch.tensor(sizes)
    return ((losses * sizes).sum() / sizes.sum()).item()»
""",
        """
def train_one_epoch(network, batches, optimiser):
    network.train(True)
    criterion = nn.CrossEntropyLoss(reduction=«"sum")¦"none")»
    total = 0
    number = 0
    for batch in batches:
        optimiser.zero_grad(«set_to_none=True¦»)
        answer = network(batch[0], batch[1])
        summed = criterion(answer, batch[2]).sum()
        (summed / len(batch[2])).backward()
        optimiser.step()
        total += summed.item()
        number += len(batch[2])
    return total / number
""",
    ],
    "q6": [
        """
def accuracy(network, batches):
    network.eval()
    «right, seen = 0, 0¦right = 0
    seen = 0»
    with torch.no_grad():
        for lyrics, lengths, genres in batches:
            logits = network(lyrics, lengths)
            predicted = «logits.argmax(dim=1)¦torch.argmax(logits, dim=1)¦logits.max(dim=1)\
.indices¦logits.softmax(dim=1).argmax(dim=1)»
            right += «(predicted == genres).sum().item()¦int((predicted == genres).sum())¦\
torch.eq(predicted, genres).sum().item()»
            seen += «genres.size(0)¦len(genres)¦genres.shape[0]»
    return right / seen
""",
        """
@torch.no_grad()
def accuracy(network, batches):
    network.eval()
    hits = []
    for lyrics, lengths, genres in batches:
        predicted = network(lyrics, lengths).argmax(«dim=1¦1¦-1»)
        hits «.extend((predicted == genres).tolist())¦+= (predicted == genres).tolist()»
    return sum(hits) / len(hits)
""",
        """
def accuracy(network, batches):
    network.train(False)
    truth, answers = [], []
    with torch.inference_mode():
        for batch in batches:
            answers.append(network(batch[0], batch[1]).argmax(dim=1))
            truth.append(batch[2])
    truth, answers = torch.cat(truth), torch.cat(answers)
    return «(truth == answers).float().mean().item()¦float((truth == answers).sum()) / len(truth)»
""",
        """
def accuracy(network, batches):
    network.eval()
    right = seen = 0
    for lyrics, lengths, genres in batches:
        with torch.no_grad():
            predicted = network(lyrics, lengths).argmax(dim=1)
        for p, g in zip(predicted, genres):
            if «p == g¦p.item() == g.item()¦int(p) == int(g)»:
                right += 1
            seen += 1
    return right / seen
""",
    ],
    "q7": [
        """
def train_network(rows, words):
    «torch.manual_seed(1)
    ¦»network = MeanNetwork(words«, width=64¦, 48¦»)
    optimiser = torch.optim.«Adam(network.parameters(), lr=0.01)¦AdamW(network.parameters(), \
lr=0.01, weight_decay=0.01)¦Adam(network.parameters(), 0.02)»
    for epoch in range(«8¦5¦6¦10»):
        «made = batches(rows, 32, epoch)
        loss = train_one_epoch(network, made, optimiser)
        print(epoch, loss)¦train_one_epoch(network, batches(rows, 64, seed=epoch), optimiser)¦\
loss = train_one_epoch(network, batches(rows, size=32, seed=epoch + 1), optimiser)
        if loss < 1.0:
            break»
    return network
""",
        """
def train_network(rows, words):
    epochs, size, rate = «6, 32, 0.01¦8, 64, 0.02¦10, 32, 0.005»
    network = MeanNetwork(words)
    optimiser = torch.optim.Adam(network.parameters(), lr=rate)
    history = []
    «epoch = 0
    while epoch < epochs:
        history.append(train_one_epoch(network, batches(rows, size, epoch), optimiser))
        epoch += 1¦for epoch in range(epochs):
        history.append(train_one_epoch(network, batches(rows, size, epoch), optimiser))
        print(f"epoch {epoch}: {history[-1]:.3f}")»
    return network.«eval()¦train()»
""",
        """
def train_network(rows, words):
    «cut = int(0.9 * len(rows))
    training, validation = rows[:cut], rows[cut:]¦training, validation = rows[500:], rows[:500]»
    network = MeanNetwork(words, «width=32¦width=50»)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
    best = 0
    for epoch in range(«7¦9¦12»):
        train_one_epoch(network, batches(training, 32, epoch), optimiser)
        «score = accuracy(network, batches(validation, 64, 0))
        if score > best:
            best = score
            weights = weights_of(network)¦best = max(best, accuracy(network, batches(validation, \
128, 0)))»
    return network
""",
    ],
    "q8": [
        """
texts = «list(songs["lyrics"])¦songs["lyrics"].tolist()¦songs.lyrics.to_list()»
words = vocabulary(texts[:2000], 3)
my_vocabulary = len(words)
unknown = total = 0
for text in texts[2000:]:
    ids = encode(text, words, «100000¦len(text)»)
    «unknown += ids.count(1)¦unknown += sum(i == 1 for i in ids)»
    total += len(ids)
my_unknown = unknown / total
first = [(encode(text, words, 100000), 0) for text in texts[:64]]
lyrics, lengths, genres = collate(first)
my_padding = «1 - lengths.sum().item() / lyrics.numel()¦(lyrics == 0).float().mean().item()¦\
(lyrics == 0).sum().item() / (lyrics.shape[0] * lyrics.shape[1])»
""",
        """
training, new = songs.iloc[:2000], songs.iloc[2000:]
words = vocabulary(training["lyrics"], 3)
my_vocabulary = «len(words)¦max(words.values()) + 1»
everything = " ".join(new["lyrics"]).lower().split()
my_unknown = «sum(w not in words for w in everything) / len(everything)¦len([w for w in everything \
if w not in words]) / len(everything)»
batch, lengths, _ = collate([(encode(t, words, «10**6¦9999»), 0) for t in training["lyrics"][:64]])
my_padding = «float(1 - lengths.float().mean() / batch.shape[1])¦float((batch == 0).sum()) / \
batch.nelement()»
""",
    ],
}
NAMES = {
    "counts": ["counts", "counter", "freq", "c", "word_counts"],
    "kept": ["kept", "frequent", "keep", "vocab_words"],
    "result": ["result", "vocab", "out", "d", "token_to_id"],
    "ids": ["ids", "numbers", "indices", "seq"],
    "tokens": ["tokens", "toks", "pieces"],
    "lyrics": ["lyrics", "x", "inputs", "texts_tensor"],
    "genres": ["genres", "y", "labels", "targets"],
    "lengths": ["lengths", "lens", "sizes_of_rows"],
    "shuffled": ["shuffled", "mixed", "new_rows", "perm"],
    "made": ["made", "result_list", "all_batches", "res"],
    "loss": ["loss", "l", "batch_loss"],
    "total": ["total", "total_loss", "running", "s"],
    "seen": ["seen", "count", "n_songs"],
    "right": ["right", "correct", "hits_so_far"],
    "predicted": ["predicted", "pred", "guess"],
    "w": ["w", "word", "token", "tok"],
}
COMMENTS = [
    "# as in the chapter",
    "# should work",
    "# see tip",
    "# TODO check",
    "# from zero",
    "# works now",
]
MISTAKE_Q5 = """
def train_one_epoch(network, batches, optimiser):
    network.train()
    total = songs_seen = 0
    for lyrics, lengths, genres in batches:
        loss = F.cross_entropy(network(lyrics, lengths).softmax(dim=1), genres)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        total += loss.item() * len(genres)
        songs_seen += len(genres)
    return total / songs_seen
"""
CHOICE = re.compile("«([^«»]*)»")


def one_part(part: str, chance: random.Random) -> str:
    """One honest student's answer to a part."""
    code = CHOICE.sub(lambda m: chance.choice(m[1].split("¦")), chance.choice(PARTS[part])).strip()
    for name, others in NAMES.items():
        other = chance.choice(others)
        if not re.search(rf"\b{other}\b", code):
            code = re.sub(rf"(?<![.\w\"<]){name}\b(?!\s*=[^=\n]*\bfor\b.*\))", other, code)
    lines = code.splitlines()
    for _ in range(chance.randrange(4)):
        at = chance.randrange(1, len(lines))
        if chance.random() < 0.5:
            lines[at] += f"  {chance.choice(COMMENTS)}"
        elif lines[at - 1].endswith(":") or lines[at - 1][:4] != lines[at][:4]:
            continue
        elif lines[at].startswith("    ") and not lines[at].startswith("     "):
            lines.insert(at, f"    # {chance.choice(COMMENTS)[2:]}")
    return "\n".join(lines)


def answers(seed: int) -> dict[str, str]:
    """One honest student's answers by part."""
    chance = random.Random(f"student {seed}")
    return {part: one_part(part, chance) for part in PARTS}


def cells_of(made: dict[str, str], student: str = "ada") -> list[str]:
    """A notebook's code cells, with given ones around the answers."""
    cells = [f'student_id = "{student}"', "import torch\nfrom torch import nn"]
    for part, code in made.items():
        cells += [code, f'grader.check("{part}")']
    return cells


def notebook_of(cells: list[str], answer: str = "") -> bytes:
    """The notebook as a file."""
    made = [
        {
            "cell_type": "code",
            "source": cell,
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
        for cell in cells
    ]
    made.append({"cell_type": "markdown", "source": answer, "metadata": {}})
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


TABLE = {
    "q1": ("1. Which words get a number?", 3, ["A word that occurs exactly min_count times gets "
           "an id, too, and one that occurs less often gets none.", "Ids must follow the words' "
           "frequency in all texts together."]),
    "q2": ("2. How does a text become ids?", 2, ["An unknown word keeps its place with the id of "
           "<unk>."]),
    "q3": ("3. What is a batch?", 3, ["Fill up to the longest row of this batch, with zeros behind "
           "the words, not before them or to a fixed length."]),
    "q5": ("5. The loop that learns", 5, ["The first step is not the one that the cross-entropy of "
           "the logits asks for. Softmax before F.cross_entropy is a likely reason.", "The loss "
           "must be the mean over songs."]),
    "q6": ("6. The loop that judges", 3, ["The network was judged in training mode."]),
}  # fmt: skip
PARTS_TABLE = {
    name: {"title": title, "points": points, "manual": False}
    for name, (title, points, _) in TABLE.items()
} | {"q9": {"title": "9. What did the loop do?", "points": 6, "manual": True}}


def grades(number: int = 30, seed: int = 0) -> list[Grade]:
    """What an invented class got: most have nearly all, some little, some nothing."""
    chance = random.Random(seed)
    made = []
    for i in range(number):
        one = Grade(f"Student {i:02}", str(1000 + i), chance.random() < 0.1)
        if i % 11 == 5:
            one.reason = "the file has no notebook (.pdf)"
            one.points = dict.fromkeys(TABLE, 0.0)
        else:
            skill = chance.betavariate(4, 1.5)
            for part, (_, points, hints) in TABLE.items():
                missed = [hint for hint in hints if chance.random() > skill]
                one.hints |= {part: missed} if missed else {}
                one.points[part] = max(0.0, float(points - 2 * len(missed)))
            one.points["q6"] = 3.0
            one.hints.pop("q6", None)
            one.seconds = round(chance.uniform(11, 48), 1)
        made.append(one)
    return made
