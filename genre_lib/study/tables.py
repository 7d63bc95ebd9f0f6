"""Means, differences and a table from a study's rows. Chapter *Evaluation*."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pandas as pd

from genre_lib.evaluation.intervals import interval_over_splits, verdict
from genre_lib.study.plan import COLLECTIONS, STANDARD

LESS_IS_BETTER = ("loss", "calibration_error", "seconds")
"""Measures that are lower for a better model."""


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """Return means and deviations over splits, per split, collection, variant and model."""
    measures = ["accuracy", "macro_f1", "top2_accuracy", "calibration_error", "seconds"]
    by = rows.groupby(["split", "collection", "variant", "model"], sort=False)
    table = by[measures].agg(["mean", "std"])
    table.columns = ["_".join(pair) for pair in table.columns]
    return table.assign(base_rate=by["base_rate"].mean(), runs=by.size())


def compare(
    rows: pd.DataFrame,
    pairs: Iterable[tuple[str, str]],
    measure: str = "accuracy",
    variant: str = STANDARD,
) -> pd.DataFrame:
    """Return the mean differences of pairs of models, times 100, on the splits that both have.

    For shares such as accuracy, these are points. Where a pair has fewer than two splits in common,
    there is no interval, and no row.

    Parameters
    ----------
    rows
        A study's rows.
    pairs
        Names of two models each: the table's difference is the first minus the second.
    measure
        A column of `rows`. Of those in `LESS_IS_BETTER`, a negative difference is "better".
    variant
        The variant of the first model; the second model's is the standard one. To judge an
        ablation, compare a model with itself.

    Returns
    -------
    DataFrame
        One row per pair, kind of split and collection, with columns `difference`, `half_width`
        (of the 95% interval, `interval_over_splits`), `splits` and `verdict`.
    """
    key = ["split", "collection", "variant", "model", "seed"]
    values = 100 * rows.set_index(key)[measure].sort_index()
    found = []
    for model, other in pairs:
        for split, collection in rows[["split", "collection"]].drop_duplicates().to_numpy():
            try:
                ours = values.loc[split, collection, variant, model]
                theirs = values.loc[split, collection, STANDARD, other]
            except KeyError:
                continue
            differences = (ours - theirs).dropna()
            if len(differences) < 2:
                continue
            mean, half = interval_over_splits(differences)
            gain = -mean if measure in LESS_IS_BETTER else mean
            found.append(
                {
                    "model": model,
                    "other": other,
                    "split": split,
                    "collection": collection,
                    "difference": mean,
                    "half_width": half,
                    "splits": len(differences),
                    "verdict": verdict(gain, half),
                }
            )
    return pd.DataFrame(found)


def overall(verdicts: Iterable[str]) -> str:
    """Return the conclusion about a pair of models on both kinds of split and both collections.

    Examples
    --------
    >>> overall(["better"] * 4), overall(["better"] * 3 + ["level"]), overall(["better"] * 3)
    ('better', 'level', 'level')
    """
    found = list(verdicts)
    agreed = len(set(found)) == 1 and len(found) == 2 * len(COLLECTIONS)
    return found[0] if agreed else "level"


def markdown_table(rows: pd.DataFrame) -> str:
    """Return a Markdown table: percentages as mean ± standard deviation, if there is one."""
    lines = [
        "| split | songs | variant | model | splits | accuracy | macro-F1 | top-2 "
        "| calibration error | seconds |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in summarise(rows).reset_index().to_dict("records"):
        shares = [
            _mean_and_deviation(100 * row[f"{m}_mean"], 100 * row[f"{m}_std"])
            for m in ("accuracy", "macro_f1", "top2_accuracy", "calibration_error")
        ]
        lines.append(
            f"| {row['split']} | {row['collection']} | {row['variant']} | {row['model']} "
            f"| {row['runs']} | {' | '.join(shares)} | {row['seconds_mean']:.1f} |"
        )
    return "\n".join(lines)


def _mean_and_deviation(mean: float, deviation: float) -> str:
    return f"{mean:.1f}" if math.isnan(deviation) else f"{mean:.1f} ± {deviation:.1f}"
