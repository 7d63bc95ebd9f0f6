"""Means, differences and a table of a study's rows. Chapter *Evaluation*."""

from __future__ import annotations

import pandas as pd

from genre_lib.evaluation.intervals import interval
from genre_lib.study.plan import STANDARD


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """Return means and standard deviations over seeds, one row per split, variant and model."""
    measures = ["accuracy", "macro_f1", "top2_accuracy", "calibration_error", "seconds"]
    by = rows.groupby(["split", "variant", "model"], sort=False)
    table = by[measures].agg(["mean", "std"])
    table.columns = ["_".join(pair) for pair in table.columns]
    return table.assign(base_rate=by["base_rate"].mean(), runs=by.size())


def paired(
    rows: pd.DataFrame, model: str, peer: str, split: str, measure: str = "accuracy"
) -> tuple[float, float]:
    """Return the mean difference of `model` and `peer` on the same splits, and its half-width.

    The half-width is that of a 95 % interval. `measure` is a column of `rows`.
    """
    chosen = rows[(rows["split"] == split) & (rows["variant"] == STANDARD)]
    table = chosen.pivot(index="seed", columns="model", values=measure)
    return interval(table[model] - table[peer])


def markdown_table(rows: pd.DataFrame) -> str:
    """Return a Markdown table: percentages as mean ± standard deviation over seeds."""
    lines = [
        "| split | variant | model | accuracy | macro-F1 | top-2 | calibration error | seconds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in summarise(rows).reset_index().to_dict("records"):
        shares = [
            f"{100 * row[f'{m}_mean']:.1f} ± {100 * row[f'{m}_std']:.1f}"
            for m in ("accuracy", "macro_f1", "top2_accuracy", "calibration_error")
        ]
        lines.append(
            f"| {row['split']} | {row['variant']} | {row['model']} | {' | '.join(shares)} "
            f"| {row['seconds_mean']:.1f} |"
        )
    return "\n".join(lines)
