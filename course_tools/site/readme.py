"""Write the results into README from the stored files: `python -m course_tools.site.readme`."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from course_tools.notebooks.chapters import ROOT
from genre_lib.study.plan import COLLECTIONS
from genre_lib.study.results import read_result
from genre_lib.study.tables import summarise

START, END = "<!-- results -->", "<!-- end of results -->"
ROWS = [
    (
        "lyrics",
        [
            "TF-IDF + logistic regression",
            "fastText",
            "TF-IDF × naive Bayes",
            "LightGBM on words and form",
            "first lyrics",
            "attention lyrics",
            "course lyrics",
        ],
    ),
    ("22 scores", ["LightGBM", "LightGBM with N", "first features", "course features"]),
    ("both", ["LightGBM stack", "full stack", "first combined", "course combined"]),
]
COLUMNS = [(split, collection) for split in ("song", "artist") for collection in COLLECTIONS]


def results() -> str:
    """The README's results as Markdown, every figure from `benchmarks/results/`."""
    study, original = read_result("study"), read_result("original")
    table = summarise(pd.DataFrame(study["cells"])).xs("standard", level="variant")

    def cells(model: str) -> str:
        rows = (table.loc[split, collection, model] for split, collection in COLUMNS)
        return " | ".join(
            f"{100 * row['accuracy_mean']:.1f} ± {100 * row['accuracy_std']:.1f}" for row in rows
        )

    def splits(model: str) -> int:
        return int(table.xs(model, level="model")["runs"].min())

    by_task = pd.DataFrame(original["runs"]).groupby("task")
    runs, seeds = by_task["test"].mean(), by_task["seed"].nunique().min()
    lines = [
        "Test accuracy in percent, mean ± standard deviation over "
        f"{splits('course lyrics')} splits (`first` and `attention`: {splits('first lyrics')}) of "
        f"{study['rows']:,} real songs, "
        "split by song (at random) or by artist (no artist on both sides), with all songs and "
        "without those whose lyrics end in a scraped footer that gives the genre away.",
        "",
        f"| input | model | {' | '.join(f'by {s}, {c}' for s, c in COLUMNS)} |",
        "|---|---|---|---|---|---|",
        f"| none | the largest genre | {cells('majority')} |",
    ]
    for name, models in ROWS:
        for model in models:
            shown = f"**{model}**" if model.startswith("course") else model
            lines.append(f"| {name} | {shown} | {cells(model)} |")
    again = ", ".join(
        f"{task} {100 * original['published'][task]['test']:.1f} → {100 * runs[task]:.1f}"
        for task in ("lyrics", "features", "combined")
    )
    lines += [
        "",
        "The original blog post's three networks, published → reproduced here (mean of "
        f"{seeds} seeds, {original['rows']:,} songs): {again}. "
        "Chapter 12 says what differs.",
        "",
        f"Sources: [study.json](benchmarks/results/study.json) (`{study['command']}`, "
        f"{study['date']}) and [original.json](benchmarks/results/original.json) "
        f"(`{original['command']}`, {original['date']}).",
    ]
    return "\n".join(lines)


def with_results(readme: str) -> str:
    """`readme` with what stands between its two markers replaced."""
    pattern = re.compile(f"{START}.*{END}", re.DOTALL)
    return pattern.sub(lambda _: f"{START}\n{results()}\n{END}", readme)


def main() -> None:
    """Rewrite README.md."""
    path = Path(ROOT, "README.md")
    path.write_text(with_results(path.read_text("utf8")), "utf8")


if __name__ == "__main__":
    main()
