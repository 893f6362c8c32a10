"""Labels that are likely wrong: what a network that never saw them contradicts, most doubtful first.

The probabilities must be out of sample: a network has learned the labels that it was trained on, wrong ones too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dlspec.types import ClassLabels, NumberLabels

FAR_OUT = 3.0
"""quartile distances beyond the quartiles from which a residual is far out (Tukey 1977, chapter 2)"""
LEAST = 8
"""numbers that quartiles are taken of, at least"""


class Suspect(NamedTuple):
    """A label that is likely wrong."""

    row: int
    suggested: int | float
    """the class (its place among the names) or number that is more likely right"""
    probability: float
    """of the suggested class; NaN for a number"""
    doubt: float
    """the larger, the likelier the label is wrong; comparable within one audit alone"""


def suspects(labels: ClassLabels | NumberLabels) -> list[Suspect]:
    """The labels that are likely wrong, the most doubtful first.

    Classes: confident learning (Northcutt, Jiang & Chuang 2021, JAIR 70) by cleanlab.  Numbers: residuals that are far
    out (Tukey 1977).  Rows whose label is none of the classes, or whose guess is no finite number, are passed over.
    """
    found = _classes(labels) if isinstance(labels, ClassLabels) else _numbers(labels)
    return sorted(found, key=lambda one: (-one.doubt, one.row))


def _classes(labels: ClassLabels) -> list[Suspect]:
    from cleanlab.filter import find_label_issues

    probabilities = np.asarray(labels.probabilities, np.float64)
    given = np.asarray(labels.given)
    rows = np.flatnonzero((given >= 0) & np.isfinite(probabilities).all(axis=1))
    present = np.unique(given[rows])
    if len(present) < 2:
        return []
    # A class that nobody was given has no threshold of its own: it is left out, so that it is suggested nowhere.
    kept = probabilities[np.ix_(rows, present)]
    kept = np.clip(kept, 1e-12, None)
    kept /= kept.sum(axis=1, keepdims=True)
    own = np.searchsorted(present, given[rows])
    wrong = find_label_issues(own, kept, filter_by="prune_by_noise_rate", n_jobs=1)
    guess = kept.argmax(axis=1)
    doubt = kept.max(axis=1) - kept[np.arange(len(own)), own]
    return [
        Suspect(int(rows[i]), int(present[guess[i]]), float(kept[i, guess[i]]), float(doubt[i]))
        for i in np.flatnonzero(wrong & (guess != own))
    ]


def _numbers(labels: NumberLabels) -> list[Suspect]:
    guess = np.asarray(labels.guess, np.float64)
    residual = guess - np.asarray(labels.given, np.float64)
    rows = np.flatnonzero(np.isfinite(residual))
    if len(rows) < LEAST:
        return []
    low, high = np.quantile(residual[rows], [0.25, 0.75])
    if low == high:
        return []
    away = np.maximum(low - residual[rows], residual[rows] - high) / (high - low)
    return [
        Suspect(int(row), float(guess[row]), float("nan"), float(out))
        for row, out in zip(rows, away, strict=True)
        if out > FAR_OUT
    ]
