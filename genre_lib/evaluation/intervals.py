"""How sure one may be of a mean. Explained in chapter *Evaluation*."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats


def interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float]:
    """Return the mean of a few runs and the half-width of its t interval.

    Student's t, because five runs estimate their own spread poorly.
    """
    runs = np.asarray(values, float)
    reach = stats.t.ppf(0.5 + level / 2, len(runs) - 1)
    return float(runs.mean()), float(reach * runs.std(ddof=1) / np.sqrt(len(runs)))
