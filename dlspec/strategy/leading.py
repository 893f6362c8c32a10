"""Whether the best of many trials is better than the others beyond chance, and which simpler one does as well.

The best of many is best by luck, too: each of the others is told from it only where chance alone, given as many tries,
makes as much less often than in one of twenty cases.  What is not told from it may be the true best (Hsu 1984, Annals
of Statistics 12: comparisons with the best need no more than one a rival).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dlspec.strategy.paired import Side, agreement, differences, mcnemar, shared_hits

CONFIDENCE = 0.95
Z = 1.959963984540054
"""of the standard normal distribution, 95 % lie within plus and minus so much"""


class Mean(NamedTuple):
    """A mean over trainings, its 95 % interval, and its standard error; NaN where there is no spread to tell by."""

    value: float
    low: float
    high: float
    error: float


def fold_mean(folds: Sequence[float]) -> Mean:
    """The mean over k folds.

    Its standard error is s / √k (Breiman et al. 1984, section 3.4).  Since trainings of two folds share most of their
    examples, the interval is Student's with the variance (1/k + 1/(k − 1)) s² (Nadeau & Bengio 2003, equation 9: a fold
    is tested on 1/(k − 1) of what it is trained on).
    """
    from scipy.special import stdtrit

    values = np.asarray(folds, np.float64)
    k, mean, spread = len(values), float(values.mean()), float(values.std(ddof=1))
    half = float(stdtrit(k - 1, (1 + CONFIDENCE) / 2)) * spread * math.sqrt(1 / k + 1 / (k - 1))
    return Mean(mean, mean - half, mean + half, spread / math.sqrt(k))


def seed_mean(values: Sequence[float], low: float, high: float) -> Mean:
    """The mean over trainings that differ by their seeds; low, high: of their mean, were other examples drawn.

    The luck of the seeds and that of the examples add up, with Welch's degrees of freedom.  Of one training, it is the
    interval over the examples alone.
    """
    from scipy.special import stdtrit

    mean = float(np.mean(values))
    examples = (high - low) / (2 * Z)
    if len(values) < 2:
        return Mean(mean, low, high, examples)
    seeds = float(np.var(values, ddof=1)) / len(values)
    variance = seeds + (0.0 if math.isnan(examples) else examples**2)
    half = math.sqrt(variance) * float(stdtrit(_freedom(variance, [(seeds, len(values))]), (1 + CONFIDENCE) / 2))
    return Mean(mean, mean - half, mean + half, math.sqrt(variance))


def chance_over_folds(one: Sequence[float], other: Sequence[float]) -> float:
    """The two-sided p of two trials over the same k folds: the corrected resampled t-test (Nadeau & Bengio 2003).

    1 where no fold differs; 0 where all differ by the same.
    """
    from scipy.special import stdtr

    apart = np.asarray(one, np.float64) - np.asarray(other, np.float64)
    k, mean, spread = len(apart), float(apart.mean()), float(apart.std(ddof=1))
    if not spread > 1e-12 * max(1.0, abs(mean)):
        return 1.0 if abs(mean) < 1e-12 else 0.0
    t = mean / (spread * math.sqrt(1 / k + 1 / (k - 1)))
    return 2 * float(stdtr(k - 1, -abs(t)))


def chance_over_examples(
    one: Side,
    other: Side,
    metric: str,
    n: int,
    *,
    groups: Sequence[str] | None = None,
    seeds: tuple[Sequence[float], Sequence[float]] | None = None,
) -> float:
    """The two-sided p of two trials over the same dev examples, row i of both being the same example.

    McNemar's exact p of a metric that is a share of rows; else by the spread of the paired bootstrap, taken as normal:
    a bootstrap's own p is never as small as many trials ask for.  seeds: the value of each training, where there are
    several; their spread is added.  1 where nothing shows a spread.
    """
    from scipy.special import ndtr, stdtr

    repeated = seeds is not None and len(seeds[0]) > 1
    both = shared_hits(one.shares.get(metric), other.shares.get(metric)) if groups is None and not repeated else None
    if both is not None:
        _, only_one, only_other, _ = agreement(*both)
        return mcnemar(only_one, only_other)
    found = differences(one, other, n, groups=groups)[metric]
    spread = 0.0 if math.isnan(found.high) else (found.high - found.low) / (2 * Z)
    if not repeated:
        return 2 * float(ndtr(-abs(found.value) / spread)) if spread > 0 else 1.0
    assert seeds is not None
    parts = [(float(np.var(some, ddof=1)) / len(some), len(some)) for some in seeds]
    variance = spread**2 + sum(part for part, _ in parts)
    if not variance > 0:
        return 1.0
    apart = float(np.mean(seeds[0]) - np.mean(seeds[1]))
    return 2 * float(stdtr(_freedom(variance, parts), -abs(apart) / math.sqrt(variance)))


def adjusted(chances: Sequence[float]) -> list[float]:
    """Each p against the best, as it is where there are so many rivals (Bonferroni); NaN, which tells nothing, is 1."""
    return [1.0 if math.isnan(p) else min(1.0, p * len(chances)) for p in chances]


class Candidate(NamedTuple):
    """A trial, by what decides which is the simplest."""

    number: int
    value: float
    parameters: int | None
    seen: int | None
    """examples that it was trained on, each as often as it was"""


def simplest(best: Candidate, error: float, others: Sequence[Candidate], *, highest: bool) -> Candidate:
    """The simplest trial within one standard error of the best (Breiman et al. 1984; Hastie et al. 2009, section 7.10).

    Simplest: fewest parameters, then fewest examples seen.  What has no known number of parameters is not simpler.
    """
    margin = 0.0 if math.isnan(error) else error
    sign = 1 if highest else -1
    near = [best, *(one for one in others if sign * (best.value - one.value) <= margin * (1 + 1e-9))]

    def order(one: Candidate) -> tuple[float, float, float, int]:
        parameters = math.inf if one.parameters is None else one.parameters
        return parameters, math.inf if one.seen is None else one.seen, -sign * one.value, one.number

    return min(near, key=order)


def _freedom(variance: float, parts: Sequence[tuple[float, int]]) -> float:
    """Welch's degrees of freedom of a variance; parts: variance, from how many values; what is beyond them is known."""
    uncertain = sum(part**2 / (many - 1) for part, many in parts)
    return min(1e9, variance**2 / uncertain) if uncertain > 0 else 1e9
