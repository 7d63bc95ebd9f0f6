"""Typical mistakes in assignment 1: what each loses, and the hint that names it."""

MISTAKES = [
    {
        "name": "a number worked out beforehand",
        "part": "q1",
        "code": "def base_rate(songs):\n    return 0.6\n",
        "loses": ["test_q1_other_songs"],
        "hint": "a number worked out for other songs",
    },
    {
        "name": "a count instead of a share",
        "part": "q1",
        "code": "def base_rate(songs):\n    return songs['genre'].value_counts().iloc[0]\n",
        "loses": ["test_q1_example", "test_q1_other_songs"],
        "hint": "A count",
    },
    {
        "name": "genres in the order of the alphabet",
        "part": "q2",
        "code": "def genre_means(songs, columns):\n"
        "    return songs.groupby('genre')[list(columns)].mean()\n",
        "loses": ["test_q2_order"],
        "hint": "order of GENRES",
    },
    {
        "name": "sums instead of means",
        "part": "q2",
        "code": "def genre_means(songs, columns):\n"
        "    table = songs.groupby('genre')[list(columns)].sum(min_count=1)\n"
        "    return table.reindex(list(GENRES))\n",
        "loses": ["test_q2_example", "test_q2_means"],
        "hint": "neither medians nor sums",
    },
    {
        "name": "the first words instead of the last",
        "part": "q3",
        "code": "def endings(songs, words=2):\n"
        "    first = [' '.join(text.split()[:words]) for text in songs['lyrics']]\n"
        "    return pd.Series(first).value_counts()\n",
        "loses": ["test_q3_example", "test_q3_words", "test_q3_sorted"],
        "hint": "last words of each song",
    },
    {
        "name": "endings in the order of the alphabet",
        "part": "q3",
        "code": "def endings(songs, words=2):\n"
        "    last = [' '.join(text.split()[-words:]) for text in songs['lyrics']]\n"
        "    return pd.Series(last).value_counts().sort_index(ascending=False)\n",
        "loses": ["test_q3_sorted"],
        "hint": "most frequent ending first",
    },
    {
        "name": "the words are taken away wherever they stand",
        "part": "q4",
        "code": "def without_ending(lyrics, ending):\n"
        "    return lyrics.str.replace(ending, '', regex=False).str.strip()\n",
        "loses": ["test_q4_middle"],
        "hint": "from the middle or the beginning",
    },
    {
        "name": "letters are stripped instead of words",
        "part": "q4",
        "code": "def without_ending(lyrics, ending):\n    return lyrics.str.rstrip(' ' + ending)\n",
        "loses": ["test_q4_example", "test_q4_middle", "test_q4_letters"],
        "hint": "never single letters",
    },
    {
        "name": "a text that is the ending stays",
        "part": "q4",
        "code": "def without_ending(lyrics, ending):\n"
        "    return lyrics.str.removesuffix(' ' + ending)\n",
        "loses": ["test_q4_whole"],
        "hint": "nothing but the ending",
    },
    {
        "name": "songs are divided instead of artists",
        "part": "q5",
        "code": "def split_by_artist(songs, test_share, seed):\n"
        "    test = songs.sample(frac=test_share, random_state=seed)\n"
        "    return songs.drop(test.index), test\n",
        # so many artists have a song in the test part that their share is wrong as well
        "loses": ["test_q5_artists", "test_q5_songs"],
        "hint": "An artist is on both sides",
    },
    {
        "name": "the first artists of the alphabet are the test part",
        "part": "q5",
        "code": "def split_by_artist(songs, test_share, seed):\n"
        "    artists = sorted(songs['artist_name'].unique())\n"
        "    chosen = artists[: round(test_share * len(artists))]\n"
        "    in_test = songs['artist_name'].isin(chosen)\n"
        "    return songs[~in_test], songs[in_test]\n",
        "loses": ["test_q5_seed"],
        "hint": "drawn at random with `seed`",
    },
    {
        "name": "the test songs are used for fitting",
        "part": "q6",
        "code": "def majority_accuracy(train, test):\n"
        "    return test['genre'].value_counts(normalize=True).iloc[0]\n",
        "loses": ["test_q6_learns_from_train", "test_q6_judges_on_test"],
        "hint": "learned from the test songs",
    },
    {
        "name": "the training songs are judged",
        "part": "q6",
        "code": "def majority_accuracy(train, test):\n"
        "    return (train['genre'] == train['genre'].mode()[0]).mean()\n",
        "loses": ["test_q6_example", "test_q6_learns_from_train", "test_q6_judges_on_test"],
        "hint": "not of the training songs",
    },
    {
        "name": "decades are learned from the test songs, too",
        "part": "q7",
        "code": "def decade_accuracy(train, test):\n"
        "    songs = pd.concat([train, test])\n"
        "    by_decade = songs['genre'].groupby(songs['release_date'] // 10 * 10)\n"
        "    answers = {decade: genres.mode()[0] for decade, genres in by_decade}\n"
        "    answered = (test['release_date'] // 10 * 10).map(answers)\n"
        "    return float((answered == test['genre']).mean())\n",
        "loses": ["test_q7_learns_from_train"],
        "hint": "only be learned from the test songs",
    },
    {
        "name": "a decade without training songs has no answer",
        "part": "q7",
        "code": "def decade_accuracy(train, test):\n"
        "    by_decade = train['genre'].groupby(train['release_date'] // 10 * 10)\n"
        "    answers = {decade: genres.mode()[0] for decade, genres in by_decade}\n"
        "    answered = (test['release_date'] // 10 * 10).map(answers)\n"
        "    return float((answered == test['genre']).mean())\n",
        "loses": ["test_q7_new_decade"],
        "hint": "left without an answer",
    },
    {
        "name": "the numbers of a neighbour",
        "part": "q8",
        "code": "theirs = genre_lib.make_songs(3000, seed=zlib.crc32(b'somebody else'))\n"
        "marked = theirs[theirs['lyrics'].str.endswith('lyric commercial')]\n"
        "my_base_rate, leak_base_rate = base_rate(theirs), base_rate(marked)\n"
        "leak_ending, leak_songs = 'lyric commercial', len(marked)\n",
        "loses": ["test_q8_own_songs", "test_q8_leak"],
        "hint": "somebody else's songs",
    },
    {
        "name": "rounded to two places",
        "part": "q8",
        "code": "found = endings(songs)\n"
        "marked = songs[songs['lyrics'].str.endswith(found.index[0])]\n"
        "my_base_rate, leak_base_rate = round(base_rate(songs), 2), base_rate(marked)\n"
        "leak_ending, leak_songs = found.index[0], len(marked)\n",
        "loses": ["test_q8_own_songs"],
        "hint": "Rounded numbers",
    },
    {
        "name": "the base rate of all songs twice",
        "part": "q8",
        "code": "found = endings(songs)\n"
        "my_base_rate = leak_base_rate = base_rate(songs)\n"
        "leak_ending, leak_songs = found.index[0], int(found.iloc[0])\n",
        "loses": ["test_q8_leak"],
        "hint": "those songs alone, not of all songs",
    },
]
