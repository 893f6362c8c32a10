"""Do probabilities mean what they say: shares seen against probabilities given, and the expected calibration error."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

NORMAL_95 = 1.959963984540054
"""the normal quantile of a two-sided 95 % interval"""


class Reliability(NamedTuple):
    """A reliability diagram: one entry of each array a bin that holds anything (Guo et al. 2017)."""

    probability: np.ndarray
    """mean of the probabilities in the bin"""
    share: np.ndarray
    """how often it happened"""
    low: np.ndarray
    high: np.ndarray
    """Wilson's 95 % interval of the share"""
    count: np.ndarray
    """of every bin, the empty ones too"""
    error: float
    """expected calibration error: the mean over examples of |share − probability| of their bin"""
    by_chance: float
    """what that error would be about, were the probabilities right: few examples alone make shares differ"""


def reliability(probabilities: np.ndarray, happened: np.ndarray, bins: int = 10) -> Reliability:
    """Probabilities (N,) against what happened (N,) of 0 and 1, in bins of equal width (Naeini et al. 2015).

    A bin reaches from its lower edge to just below its upper one; 1 is in the last.  Without examples, NaN.
    """
    place = np.minimum((probabilities * bins).astype(int), bins - 1)
    count = np.bincount(place, minlength=bins)
    held = count > 0
    n = count[held]
    given = np.bincount(place, probabilities, bins)[held] / n
    seen = np.bincount(place, happened, bins)[held] / n
    z = NORMAL_95
    centre = (seen + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(seen * (1 - seen) / n + z * z / (4 * n * n))
    if not len(probabilities):
        return Reliability(given, seen, given, seen, count, math.nan, math.nan)
    # Were each probability right, the bin's sum would have this variance; the mean of |normal| is √(2/π) deviations.
    variance = np.bincount(place, probabilities * (1 - probabilities), bins)
    return Reliability(
        given,
        seen,
        np.clip(centre - half, 0, seen),
        np.clip(centre + half, seen, 1),
        count,
        float(n @ np.abs(seen - given) / n.sum()),
        float(np.sqrt(2 / math.pi * variance).sum() / n.sum()),
    )


def roc(scores: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ROC curve from (0, 0) to (1, 1): false and true positive rate at every threshold (Fawcett 2006).

    scores (N,), positive (N,) of 0 and 1.  Equal scores are one step, and corners alone are kept: a point between two
    others on a straight line is left out.  Without a positive or without a negative there is none: empty arrays.
    """
    order = np.argsort(-scores, kind="stable")
    hits = positive[order].astype(bool)
    if not hits.any() or hits.all():
        return np.array([]), np.array([])
    last_of_equals = np.append(np.diff(scores[order]) != 0, True)
    right = np.append(0, np.cumsum(hits)[last_of_equals])
    false = np.append(0, np.cumsum(~hits)[last_of_equals])
    bends = np.diff(right[:-1]) * np.diff(false[1:]) != np.diff(right[1:]) * np.diff(false[:-1])
    corner = np.concatenate([[True], bends, [True]])
    return false[corner] / false[-1], right[corner] / right[-1]
