"""Confidence intervals of metrics, each by the means that covers best: of shares, of mean losses, of anything else."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from dlspec.strategy.means import as_many_rows, mean_interval, mean_of, transformed_t, wilson
from dlspec.types import Share, Statistics

__all__ = ["Interval", "drawn_units", "intervals", "wilson"]

MOST_DRAWN = 10_000
"""units above which nothing is drawn: by then a jackknife says the same, of far fewer scorings"""
MOST_ROWS = 30_000
"""rows above which nothing is drawn either"""
BLOCKS = 200
"""a jackknife leaves out no more parts of the units, one after the other"""
MOST_LEFT_OUT = 50_000
"""rows that a jackknife looks at; of more, about so many by chance, whose standard error shrinks with 1 / √units"""
LEAST_UNITS = 1000
"""but no fewer units than these"""

Combine = Callable[[Statistics, np.ndarray | None], Mapping[str, float]]


class Interval(NamedTuple):
    """A value and the bounds that it could as well have been, were other examples drawn."""

    value: float
    low: float
    high: float


def intervals(
    combine: Combine,
    statistics: Statistics,
    n: int,
    *,
    groups: Sequence[str] | None = None,
    shares: Mapping[str, Share] | None = None,
    only: Collection[str] | None = None,
    seed: int = 0,
    replicates: int = 1000,
    confidence: float = 0.95,
) -> dict[str, Interval]:
    """Value, low and high of every metric, or of those that `only` names.

    `combine(statistics, weights)` gives every metric, `weights` (N,) saying how often each row was drawn.  `groups`
    names the group of each row (one patient, one speaker): whole groups are drawn, since rows of one group are alike;
    a row whose group is "" is drawn alone.

    `shares` says which metrics are means over rows.  Their intervals take no drawing: Wilson's of hits, Hall's of
    losses (see `means`); they hold for few rows, and where no row is an error.  Of a share of other things than rows
    (of pairs, a mean of shares) it is Wilson's of as many rows as would vary as much; how much, a jackknife says, which
    leaves out one unit after the other, or one of 200 blocks of them (Shao & Tu 1995).

    The others have the bootstrap's: bias-corrected and accelerated (BCa, Efron 1987), its quantiles moved outwards as
    Student's t is from the normal (Hesterberg 2015), since a bootstrap of few rows is too narrow.  Above 10,000 units
    (or 30,000 rows) nothing is drawn: the jackknife's standard error and skewness make Hall's interval.

    Draws where a metric cannot be computed (NaN) are dropped.  Low and high are NaN, which says that no interval is
    known, where more than half were dropped, and where all that remain are equal.

    Deterministic by seed.
    """
    values = _values(combine, statistics, n, shares or {}, only)
    units, unit = drawn_units(n, groups)
    found = {}
    for name, value in values.items():
        if n and shares and name in shares and shares[name].rows is not None:
            known = not math.isnan(value)
            ends = mean_interval(shares[name], unit, units, confidence) if known else (math.nan, math.nan)
            found[name] = Interval(float(value), *ends)
    others = [name for name in values if name not in found]
    bounded = [name for name in others if shares and name in shares]
    if n == 0 or not others:
        found |= {name: Interval(float(values[name]), math.nan, math.nan) for name in others}
        return {name: found[name] for name in values}
    many = units > MOST_DRAWN or n > MOST_ROWS
    bounds = _left_out(combine, statistics, values, others if many else bounded, bounded, unit, units, seed, confidence)
    rest = [name for name in others if name not in bounds]
    if rest:
        bounds |= _drawn(combine, statistics, values, rest, unit, units, seed, replicates, confidence)
    found |= {name: Interval(float(values[name]), *bounds[name]) for name in others}
    return {name: found[name] for name in values}


def _values(
    combine: Combine, statistics: Statistics, n: int, shares: Mapping[str, Share], only: Collection[str] | None
) -> dict[str, float]:
    """Every metric, or those that `only` names; where these are means over rows, the others are not worked out."""
    if only and n and all(name in shares and shares[name].rows is not None for name in only):
        means = {name: mean_of(shares[name]) for name in only}
        if not any(math.isnan(value) for value in means.values()):
            return means
    return {name: value for name, value in combine(statistics, None).items() if only is None or name in only}


def drawn_units(n: int, groups: Sequence[str] | None) -> tuple[int, np.ndarray]:
    """How many units are drawn, and of each row which; n units where no two rows share a group."""
    if groups is None:
        return n, np.arange(n)
    numbers: dict[str | int, int] = {}
    unit = [numbers.setdefault(group or row, len(numbers)) for row, group in enumerate(groups)]
    return len(numbers), np.array(unit, np.int64)


def influences(
    combine: Combine, statistics: Statistics, names: Sequence[str], unit: np.ndarray, units: int, seed: int
) -> dict[str, np.ndarray]:
    """How much each block of units raises each metric, per unit of its share: jackknife pseudo-values less their mean.

    Blocks are single units where there are no more than 200.
    """
    random = np.random.default_rng([seed, 1])
    block = (np.arange(units) if units <= BLOCKS else random.permutation(units) % BLOCKS)[unit]
    blocks = min(units, BLOCKS)
    without: dict[str, list[float]] = {name: [] for name in names}
    for left_out in range(blocks):
        scored = combine(statistics, (block != left_out).astype(np.float64))
        for name, values in without.items():
            values.append(scored[name])
    found = {}
    for name, values in without.items():
        left = np.array(values)
        left = left[np.isfinite(left)]
        found[name] = (blocks - 1) * (left.mean() - left) if len(left) > blocks / 2 else np.zeros(0)
    return found


def _drawn(
    combine: Combine,
    statistics: Statistics,
    values: Mapping[str, float],
    names: Sequence[str],
    unit: np.ndarray,
    units: int,
    seed: int,
    replicates: int,
    confidence: float,
) -> dict[str, tuple[float, float]]:
    random, alone = np.random.default_rng(seed), units == len(unit)
    drawn = np.empty((replicates, len(names)))
    for one in range(replicates):
        counts = np.bincount(random.integers(0, units, units), minlength=units).astype(np.float64)
        scored = combine(statistics, counts if alone else counts[unit])
        drawn[one] = [scored[name] for name in names]
    varies = [name for name, column in zip(names, drawn.T, strict=True) if _known(column) is not None]
    skewed = influences(combine, statistics, varies, unit, units, seed) if varies else {}
    return {
        name: bca(column, values[name], skewed.get(name, np.zeros(0)), units, confidence)
        for name, column in zip(names, drawn.T, strict=True)
    }


def bca(
    drawn: np.ndarray, value: float, influence: np.ndarray, units: int, confidence: float = 0.95, *, expand: bool = True
) -> tuple[float, float]:
    """The BCa interval (Efron 1987; Efron & Tibshirani 1993, chapter 14) out of draws and jackknife influences.

    `expand`: with t instead of normal quantiles, and √(n / (n − 1)) (Hesterberg 2015, section 5.3).
    """
    from scipy.special import ndtr, ndtri, stdtrit

    known = _known(drawn)
    if known is None or math.isnan(value):
        return math.nan, math.nan
    z = float(ndtri((1 + confidence) / 2))
    if expand and units > 1:
        z = float(stdtrit(units - 1, (1 + confidence) / 2)) * math.sqrt(units / (units - 1))
    below = ((known < value).sum() + 0.5 * (known == value).sum() + 0.5) / (len(known) + 1)
    bias = float(ndtri(below))
    squares = float((influence**2).sum())
    acceleration = float((influence**3).sum()) / (6 * squares**1.5) if squares > 0 else 0.0
    ends = []
    for side in (-z, z):
        slope = max(1 - acceleration * (bias + side), 0.05)
        ends.append(float(ndtr(bias + (bias + side) / slope)))
    low, high = np.quantile(known, ends)
    return float(min(low, value)), float(max(high, value))


def _left_out(
    combine: Combine,
    statistics: Statistics,
    values: Mapping[str, float],
    names: Sequence[str],
    bounded: Sequence[str],
    unit: np.ndarray,
    units: int,
    seed: int,
    confidence: float,
) -> dict[str, tuple[float, float]]:
    """Intervals out of a jackknife: Wilson's for the metrics that are `bounded` by 0 and 1, Hall's for the others."""
    if not names:
        return {}
    shrunk = 1.0
    kept = max(LEAST_UNITS, units * MOST_LEFT_OUT // len(unit))
    if kept < units:
        chosen = np.zeros(units, bool)
        chosen[np.random.default_rng([seed, 2]).choice(units, kept, replace=False)] = True
        rows = np.flatnonzero(chosen[unit])
        statistics = {name: array[rows] for name, array in statistics.items()}
        unit = (np.cumsum(chosen) - 1)[unit[rows]]
        shrunk, units = math.sqrt(kept / units), kept
    found = influences(combine, statistics, names, unit, units, seed)
    return {
        name: (as_many_rows if name in bounded else transformed_t)(values[name], found[name], confidence, shrunk=shrunk)
        for name in names
    }


def _known(drawn: np.ndarray) -> np.ndarray | None:
    """The draws that have a value; None where most have none, or where they show no spread."""
    known = drawn[np.isfinite(drawn)]
    if 2 * len(known) < len(drawn) or not len(known) or known.min() == known.max():
        return None
    return known
