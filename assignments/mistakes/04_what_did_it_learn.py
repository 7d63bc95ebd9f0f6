"""Typical mistakes in assignment 4: what each loses, and the hint that names it."""

NEAREST = """
def nearest(vectors, words, word, n):
    position = words.index(word)
    order = ({alike}).argsort(descending=True).tolist()
    return [words[i] for i in order{others}][:n]
"""
DIVIDED = (
    "(vectors / vectors.norm(dim=1, keepdim=True)) @ (vectors[position] / vectors[position].norm())"
)
COSINE = "torch.cosine_similarity(vectors, vectors[position].unsqueeze(0))"
INTERVAL = """
def paired_interval(first, second, ratio):
    first, second = np.asarray(first), np.asarray(second)
    n = len(first)
    half = {factor} * {deviation} * np.sqrt({overlap})
    return float((first - second).mean()), float(half)
"""
STUDENT = {
    "factor": "stats.t.ppf(0.975, n - 1)",
    "deviation": "(first - second).std(ddof=1)",
    "overlap": "1 / n + ratio",
}
MISTAKES = [
    {
        "name": "the product of vectors instead of the cosine",
        "part": "q1",
        "code": NEAREST.format(alike="vectors @ vectors[position]", others=" if i != position"),
        "loses": ["test_q1_cosine"],
        "hint": "not by the dot product of the vectors",
    },
    {
        "name": "the word is its own neighbour",
        "part": "q1",
        "code": NEAREST.format(alike=COSINE, others=""),
        "loses": ["test_q1_example", "test_q1_cosine", "test_q1_not_itself"],
        "hint": "not its own neighbour",
    },
    {
        "name": "a vector of zeros is divided by its length",
        "part": "q1",
        "code": NEAREST.format(alike=DIVIDED, others=" if i != position"),
        "loses": ["test_q1_not_itself"],
        "hint": "becomes NaN",
    },
    {
        "name": "the matrix is transposed",
        "part": "q2",
        "code": "def confusion(truth, answers, genres):\n"
        "    matrix = np.zeros((genres, genres), dtype=int)\n"
        "    np.add.at(matrix, (answers, truth), 1)\n"
        "    return matrix\n",
        "loses": ["test_q2_rows_are_truth"],
        "hint": "The matrix is transposed",
    },
    {
        "name": "pairs that occur twice count once",
        "part": "q2",
        "code": "def confusion(truth, answers, genres):\n"
        "    matrix = np.zeros((genres, genres), dtype=int)\n"
        "    matrix[truth, answers] += 1\n"
        "    return matrix\n",
        "loses": ["test_q2_example", "test_q2_rows_are_truth"],
        "hint": "some pairs are not counted",
    },
    {
        "name": "precision instead of recall",
        "part": "q3",
        "code": "def recalls(matrix):\n"
        "    answered = matrix.sum(axis=0)\n"
        "    return np.where(answered > 0, np.diag(matrix) / np.maximum(answered, 1), np.nan)\n",
        "loses": ["test_q3_recall", "test_q3_empty"],
        "hint": "gives precision",
    },
    {
        "name": "right answers among the errors",
        "part": "q4",
        "code": "def surest_errors(probabilities, truth, n):\n"
        "    return np.argsort(-probabilities.max(axis=1), kind='stable')[:n]\n",
        "loses": ["test_q4_example", "test_q4_only_errors", "test_q4_order"],
        "hint": "Only songs with a wrong answer",
    },
    {
        "name": "labels are not aligned after sorting",
        "part": "q4",
        "code": "def surest_errors(probabilities, truth, n):\n"
        "    wrong = np.flatnonzero(probabilities.argmax(axis=1) != truth)\n"
        "    return np.argsort(-probabilities.max(axis=1)[wrong], kind='stable')[:n]\n",
        "loses": ["test_q4_example", "test_q4_only_errors", "test_q4_order"],
        "hint": "song's own row in the table",
    },
    {
        "name": "the least sure first",
        "part": "q4",
        "code": "def surest_errors(probabilities, truth, n):\n"
        "    wrong = np.flatnonzero(probabilities.argmax(axis=1) != truth)\n"
        "    return wrong[np.argsort(probabilities.max(axis=1)[wrong], kind='stable')][:n]\n",
        "loses": ["test_q4_order"],
        "hint": "The surest error must come first",
    },
    {
        "name": "all bins weigh the same",
        "part": "q5",
        "code": "def calibration_error(probabilities, truth):\n"
        "    sureness = probabilities.max(axis=1)\n"
        "    right = probabilities.argmax(axis=1) == truth\n"
        "    bins = np.minimum((10 * sureness).astype(int), 9)\n"
        "    each = [abs(sureness[bins == b].mean() - right[bins == b].mean())\n"
        "            for b in np.unique(bins)]\n"
        "    return float(np.mean(each))\n",
        "loses": ["test_q5_weights"],
        "hint": "A plain mean over the bins",
    },
    {
        "name": "one bin for all",
        "part": "q5",
        "code": "def calibration_error(probabilities, truth):\n"
        "    right = probabilities.argmax(axis=1) == truth\n"
        "    return float(abs(probabilities.max(axis=1).mean() - right.mean()))\n",
        "loses": ["test_q5_weights", "test_q5_bins"],
        "hint": "not over all songs at once",
    },
    {
        "name": "the splits are not paired",
        "part": "q6",
        "code": INTERVAL.format(
            **STUDENT | {"deviation": "np.sqrt(first.var(ddof=1) + second.var(ddof=1))"}
        ),
        "loses": ["test_q6_paired"],
        "hint": "split by split",
    },
    {
        "name": "1.96 for a handful of splits",
        "part": "q6",
        "code": INTERVAL.format(**STUDENT | {"factor": "1.96"}),
        "loses": ["test_q6_student"],
        "hint": "larger than 1.96",
    },
    {
        "name": "splits that overlap are taken for independent",
        "part": "q6",
        "code": INTERVAL.format(**STUDENT | {"overlap": "1 / n"}),
        "loses": ["test_q6_overlap"],
        "hint": "wide enough for splits that overlap",
    },
    {
        "name": "the deviation divides by n",
        "part": "q6",
        "code": INTERVAL.format(**STUDENT | {"deviation": "(first - second).std()"}),
        "loses": ["test_q6_student"],
        "hint": "the standard deviation divides by n - 1",
    },
    {
        "name": "the recipe is chosen on test songs",
        "part": "q7",
        "code": "def chosen(validation, test):\n"
        "    name = max(test, key=lambda recipe: np.mean(test[recipe]))\n"
        "    return name, float(np.mean(test[name]))\n",
        "loses": ["test_q7_on_validation"],
        "hint": "chosen by its test accuracy",
    },
    {
        "name": "the luckiest split decides",
        "part": "q7",
        "code": "def chosen(validation, test):\n"
        "    name = max(validation, key=lambda recipe: max(validation[recipe]))\n"
        "    return name, float(np.mean(test[name]))\n",
        "loses": ["test_q7_by_mean"],
        "hint": "best single split may be sampling noise",
    },
    {
        "name": "scored on the songs that were learned from",
        "part": "q8",
        "code": "by_model = [\n"
        "    np.mean([model.fit(s.train[columns], s.train['genre'])"
        ".score(s.train[columns], s.train['genre'])\n"
        "             for s in (genre_lib.split_songs(songs, seed=i) for i in range(5))])\n"
        "    for model in (LinearDiscriminantAnalysis(), GaussianNB())\n"
        "]\n"
        "my_difference = by_model[0] - by_model[1]\n",
        "loses": ["test_q8_difference"],
        "hint": "evaluate on the validation songs",
    },
    {
        "name": "1.96 for five splits",
        "part": "q8",
        "code": "my_half = half * 1.96 / stats.t.ppf(0.975, 4)\n",
        "loses": ["test_q8_interval"],
        "hint": "by Student's t",
    },
]
