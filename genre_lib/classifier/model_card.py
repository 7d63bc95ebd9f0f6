"""A page about a trained network, for people who might use it. Chapter 12, *Conclusion*.

Model cards were proposed by Mitchell et al. (2019, arXiv:1810.03993).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from genre_lib.classifier.recipes import Recipe
from genre_lib.data.schema import GENRES

LIMITS = """\
## What it is for

Learning how such networks are built and evaluated. Whatever the song, the answer is one of
{genres}.

## What it is not for

- **Decisions about people**, such as what an artist is paid, shown or filed under: see above
  how often it errs, and look at each genre, because errors are not spread evenly.
- **Songs unlike those that it was trained on.** The course's songs have mostly English lyrics,
  were popular enough for their lyrics to be on the web, and end in 2019.
- **Describing genres.** It has learned how one data set was put together. Who assigned the
  labels, and how, is not documented; artists with two genres show that they are noisy. Some
  genres are tied to slurs and obscene words, because such lyrics were collected for them.

## Data

The course's songs are those of "Music Dataset: Lyrics and Metadata from 1950 to 2019"
(doi 10.17632/3t9vbwxgr5.3, CC BY 4.0), or invented where the source says synthetic. Real lyrics
remain the property of others; the vocabulary in this folder has single words only.
"""


def model_card(
    recipe: Recipe, vocabulary: int, notes: Mapping[str, Any], genres: Sequence[str] = GENRES
) -> str:
    """Return a Markdown page: what was trained on what, how good it is, and its limits.

    Examples
    --------
    >>> from genre_lib import get_recipe
    >>> print(model_card(get_recipe("course", "features"), 0, {"data": "3 songs"})[:60])
    # The network `course features`
    <BLANKLINE>
    It reads 22 scores per song
    """
    inputs = [f"the lyrics ({vocabulary:,} words known)"] if "lyrics" in recipe.sees else []
    if "features" in recipe.sees:
        inputs.append(f"{len(recipe.features)} scores per song")
    lines = [
        f"# The network `{recipe.name} {recipe.task}`",
        "",
        f"It reads {' and '.join(inputs)} (class `{recipe.network.__name__}`).",
        "",
        f"Trained on: {notes.get('data', 'not recorded')}.",
        "",
        "## How good it is",
        "",
    ]
    measured = {name: notes[name] for name in ("validation", "test") if name in notes}
    if measured:
        lines += [
            "| songs | number | accuracy | base rate | macro-F1 | calibration error |",
            "|---|---|---|---|---|---|",
        ]
    for name, found in measured.items():
        shares = ("accuracy", "base_rate", "macro_f1", "calibration_error")
        cells = " | ".join(f"{found[share]:.1%}" for share in shares)
        lines.append(f"| {name} | {found['songs']:,} | {cells} |")
    if not measured:
        lines.append("No accuracy is recorded: evaluate the network before you use it.")
    elif "split" in notes:
        kind = "known artists" if notes["split"] == "song" else "new artists"
        lines += ["", f"One split by {notes['split']} (seed {notes['seed']}), so songs by {kind}."]
    return "\n".join([*lines, "", LIMITS.format(genres=", ".join(genres))])
