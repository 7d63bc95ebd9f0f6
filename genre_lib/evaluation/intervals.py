"""How precise a mean is. Explained in chapter *Evaluation*."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats


def interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float]:
    """Return the mean of a few runs and the half-width of its confidence interval.

    The interval uses Student's t distribution, as a few runs estimate their spread poorly.

    Examples
    --------
    >>> mean, half_width = interval([0.50, 0.52, 0.51])
    >>> round(mean, 3), round(half_width, 3)
    (0.51, 0.025)
    """
    runs = np.asarray(values)
    quantile = stats.t.ppf(0.5 + level / 2, len(runs) - 1)
    return float(runs.mean()), float(quantile * runs.std(ddof=1) / np.sqrt(len(runs)))
