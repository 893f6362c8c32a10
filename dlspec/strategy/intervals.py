"""Confidence intervals of metrics: the percentile bootstrap over rows or groups, and Wilson's for plain shares."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from dlspec.types import Statistics

MOST_ROWS = 30_000_000
"""rows drawn in all replicates together, beyond which fewer replicates are made"""
LEAST_REPLICATES = 200


class Interval(NamedTuple):
    """A value and the bounds that it could as well have been, were other examples drawn."""

    value: float
    low: float
    high: float


def wilson(successes: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a share (Wilson 1927): low and high; holds for few examples and for shares of 0 and 1.

    Without examples nothing is known: 0 to 1.
    """
    if n == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return low, high


def intervals(
    combine: Callable[[Statistics, np.ndarray | None], Mapping[str, float]],
    statistics: Statistics,
    n: int,
    *,
    groups: Sequence[str] | None = None,
    proportions: Mapping[str, np.ndarray] | None = None,
    seed: int = 0,
    replicates: int = 1000,
    confidence: float = 0.95,
) -> dict[str, Interval]:
    """Value, low and high of every metric: the percentile bootstrap (Efron & Tibshirani 1993, chapter 13).

    `combine(statistics, weights)` gives every metric, `weights` (N,) saying how often each row was drawn.  `groups`
    names the group of each row (one patient, one speaker): whole groups are drawn, since rows of one group are alike;
    a row whose group is "" is drawn alone.  `proportions` holds 0/1 rows of the metrics that are plain shares; where
    no two rows share a group, their interval is Wilson's.

    Replicates where a metric cannot be computed (NaN) are dropped.  Low and high are NaN, which says that no interval
    is known, where more than half were dropped, and where all that remain are equal: a bootstrap over rows without a
    single error shows no spread, yet the next hundred rows may well hold one.

    Deterministic by seed.  Above 30,000 rows there are fewer replicates, 30,000,000 / n, but at least 200.
    """
    values = combine(statistics, None)
    units, unit = drawn_units(n, groups)
    alone = units == n
    shares = dict(proportions or {}) if alone else {}
    if n and not all(name in shares for name in values):
        replicates = min(replicates, max(LEAST_REPLICATES, MOST_ROWS // n))
        random = np.random.default_rng(seed)
        drawn = []
        for _ in range(replicates):
            counts = np.bincount(random.integers(0, units, units), minlength=units).astype(np.float64)
            drawn.append(combine(statistics, counts if alone else counts[unit]))
    found = {}
    for name, value in values.items():
        if name in shares:
            low, high = wilson(float(np.sum(shares[name])), n, confidence)
        else:
            low, high = _percentiles(np.array([one[name] for one in drawn] if n else []), confidence)
        found[name] = Interval(float(value), low, high)
    return found


def drawn_units(n: int, groups: Sequence[str] | None) -> tuple[int, np.ndarray]:
    """How many units are drawn, and of each row which; n units where no two rows share a group."""
    if groups is None:
        return n, np.arange(n)
    numbers: dict[str | int, int] = {}
    unit = [numbers.setdefault(group or row, len(numbers)) for row, group in enumerate(groups)]
    return len(numbers), np.array(unit, np.int64)


def _percentiles(drawn: np.ndarray, confidence: float) -> tuple[float, float]:
    known = drawn[~np.isnan(drawn)]
    if 2 * len(known) < len(drawn) or not len(known) or known.min() == known.max():
        return math.nan, math.nan
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
