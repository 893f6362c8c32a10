"""How far annotators agree: Cohen's and Fleiss' kappa, Krippendorff's alpha, and what most of them say.

Answers are an array (A, N), a row an annotator and a column an example; what was not answered is NaN.  Of classes they
are numbers that name the class.  Where agreement cannot be told (all gave one answer to everything), it is NaN.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np

REPLICATES = 1000
TENTATIVE, RELIABLE = 0.667, 0.8
"""alpha from which Krippendorff (2004, section 11.4) draws tentative conclusions, and from which he relies on data"""


class Agreement(NamedTuple):
    """A coefficient, 1 where all agree and 0 where they agree as by chance, with its 95 % interval."""

    value: float
    low: float
    high: float


def cohen_kappa(one: np.ndarray, other: np.ndarray) -> tuple[float, int]:
    """Kappa of two annotators (Cohen 1960), and how many examples both have answered."""
    both = ~(np.isnan(one) | np.isnan(other))
    one, other = one[both], other[both]
    n = len(one)
    if not n:
        return math.nan, 0
    names, codes = np.unique(np.concatenate([one, other]), return_inverse=True)
    shares = [np.bincount(part, minlength=len(names)) / n for part in (codes[:n], codes[n:])]
    by_chance = float(shares[0] @ shares[1])
    if by_chance >= 1:
        return math.nan, n
    return (float((one == other).mean()) - by_chance) / (1 - by_chance), n


def fleiss_kappa(answers: np.ndarray) -> float:
    """Kappa of several annotators (Fleiss 1971), over the examples that two or more have answered.

    Examples may have different numbers of answers: each counts as much as any other.
    """
    counts = _counts(answers)
    counts = counts[counts.sum(axis=1) >= 2]
    if not len(counts):
        return math.nan
    many = counts.sum(axis=1)
    agreeing = float(((counts * (counts - 1)).sum(axis=1) / (many * (many - 1))).mean())
    shares = counts.sum(axis=0) / counts.sum()
    by_chance = float(shares @ shares)
    return (agreeing - by_chance) / (1 - by_chance) if by_chance < 1 else math.nan


def krippendorff_alpha(
    answers: np.ndarray, kind: Literal["nominal", "interval"], *, seed: int = 0, replicates: int = REPLICATES
) -> Agreement:
    """Alpha = 1 − observed/expected disagreement (Krippendorff 2011), over the examples that two or more have answered.

    nominal: answers differ or not.  interval: by the square of their difference.  The interval is the bootstrap's over
    examples; its bounds are NaN where no draw shows a spread.
    """
    answers = answers[:, (~np.isnan(answers)).sum(axis=0) >= 2]
    if not answers.shape[1]:
        return Agreement(math.nan, math.nan, math.nan)
    many = (~np.isnan(answers)).sum(axis=0).astype(np.float64)
    if kind == "nominal":
        kept = _counts(answers).astype(np.float64)
        within = (many**2 - (kept**2).sum(axis=1)) / (many - 1)
    else:
        middle = np.nanmean(answers)  # less is lost to rounding where numbers are far from 0
        kept = np.stack([np.nansum(answers - middle, axis=0), np.nansum((answers - middle) ** 2, axis=0)], axis=1)
        within = 2 * (many * kept[:, 1] - kept[:, 0] ** 2) / (many - 1)

    def alpha(weights: np.ndarray) -> np.ndarray:
        """Of examples drawn so often (R, N)."""
        n, sums = weights @ many, weights @ kept
        between = n**2 - (sums**2).sum(axis=1) if kind == "nominal" else 2 * (n * sums[:, 1] - sums[:, 0] ** 2)
        with np.errstate(invalid="ignore", divide="ignore"):
            found: np.ndarray = np.where(between > 1e-12 * n, 1 - (weights @ within) * (n - 1) / between, np.nan)
        return found

    units = len(many)
    value = float(alpha(np.ones((1, units)))[0])
    random = np.random.default_rng(seed)
    drawn = np.concatenate(
        [
            alpha(random.multinomial(units, np.full(units, 1 / units), size=1).astype(np.float64))
            for _ in range(replicates)
        ]
    )
    known = drawn[~np.isnan(drawn)]
    if 2 * len(known) < replicates or known.min() == known.max():
        return Agreement(value, math.nan, math.nan)
    low, high = np.quantile(known, [0.025, 0.975])
    return Agreement(value, float(low), float(high))


def together(answers: np.ndarray, kind: Literal["nominal", "interval"]) -> np.ndarray:
    """What most annotators say of each example (N,): the most frequent class, of numbers the median.

    NaN where fewer than three have answered, for two have no majority.  Of classes that are equally frequent, the one
    that is more frequent among all answers.
    """
    enough = (~np.isnan(answers)).sum(axis=0) >= 3
    result = np.full(answers.shape[1], np.nan)
    if not enough.any():
        return result
    if kind == "interval":
        result[enough] = np.nanmedian(answers[:, enough], axis=0)
        return result
    names = np.unique(answers[~np.isnan(answers)])
    counts = _counts(answers).astype(np.float64)
    overall = counts.sum(axis=0) / (1 + counts.sum())
    result[enough] = names[(counts + overall)[enough].argmax(axis=1)]
    return result


def _counts(answers: np.ndarray) -> np.ndarray:
    """How often each example was given each answer (N, C), answers in ascending order."""
    given = ~np.isnan(answers)
    names, codes = np.unique(answers[given], return_inverse=True)
    column = np.broadcast_to(np.arange(answers.shape[1]), answers.shape)[given]
    cells = np.bincount(column * max(1, len(names)) + codes, minlength=answers.shape[1] * max(1, len(names)))
    return cells.reshape(answers.shape[1], max(1, len(names)))
