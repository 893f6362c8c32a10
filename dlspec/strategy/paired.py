"""Two predictors over the same examples: how much they differ, and whether that could be the luck of the examples.

Paired, since an example that is hard for one is hard for the other: what both have in common cancels out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from dlspec.strategy.intervals import drawn_units, wilson
from dlspec.types import Share, Statistics

MOST_ROWS = 30_000_000
"""rows drawn in all replicates together, beyond which fewer replicates are made"""
LEAST_REPLICATES = 200


class Side(NamedTuple):
    """One predictor: its evaluator's `combine` and `shares`, and its statistics, a row an example."""

    combine: Callable[[Statistics, np.ndarray | None], Mapping[str, float]]
    statistics: Statistics
    shares: Mapping[str, Share] = {}


class Difference(NamedTuple):
    """A metric of one side minus that of the other, the interval of it, and how likely chance alone makes as much.

    low, high and p are NaN where nothing is known: the metric has no value, or no draw of examples shows a spread.
    """

    value: float
    low: float
    high: float
    p: float


def differences(
    one: Side,
    other: Side,
    n: int,
    *,
    groups: Sequence[str] | None = None,
    seed: int = 0,
    replicates: int = 1000,
    confidence: float = 0.95,
) -> dict[str, Difference]:
    """One minus other for every metric that both have, row i of both being the same example.

    The paired bootstrap (Efron & Tibshirani 1993, chapters 13 and 16): both are scored on the same drawn examples, or
    on whole groups of them, as in `intervals`; p is twice the share of draws on the wrong side of 0, so that p < 0.05
    where the 95 % interval leaves 0 out.  Draws where a metric has no value are left out; where more than half have
    none, nothing is known.

    A metric that is a plain share of the same rows for both, which no group ties together, has McNemar's exact p and
    Newcombe's interval instead: they hold for few errors, where the bootstrap is too sure.
    """
    values, others = one.combine(one.statistics, None), other.combine(other.statistics, None)
    names = [name for name in values if name in others]
    many, unit = drawn_units(n, groups)
    alone = many == n
    found_of = {name: shared_hits(one.shares.get(name), other.shares.get(name)) for name in names if alone}
    shares = {name: both for name, both in found_of.items() if both is not None}
    drawn: dict[str, list[float]] = {name: [] for name in names if name not in shares}
    if drawn and n:
        random = np.random.default_rng(seed)
        for _ in range(min(replicates, max(LEAST_REPLICATES, MOST_ROWS // n))):
            counts = np.bincount(random.integers(0, many, many), minlength=many).astype(np.float64)
            weights = counts if alone else counts[unit]
            left, right = one.combine(one.statistics, weights), other.combine(other.statistics, weights)
            for name, found in drawn.items():
                found.append(left[name] - right[name])
    result = {}
    for name in names:
        value = float(values[name] - others[name])
        if name in shares:
            table = agreement(*shares[name])
            low, high = newcombe(*table, confidence=confidence)
            result[name] = Difference(value, low, high, mcnemar(table[1], table[2]))
        else:
            result[name] = Difference(value, *_spread(np.array(drawn[name]), confidence))
    return result


def mcnemar(only_one: int, only_other: int) -> float:
    """The exact two-sided p of McNemar's test (1947): of the examples that one alone got right, does one have more?

    Were the two equally good, each of those examples would be one's or the other's by the toss of a coin.
    """
    from scipy.special import bdtr

    tossed = only_one + only_other
    return min(1.0, 2 * float(bdtr(min(only_one, only_other), tossed, 0.5)))


def newcombe(both: int, only_one: int, only_other: int, neither: int, confidence: float = 0.95) -> tuple[float, float]:
    """The interval of the difference of two paired shares (Newcombe 1998b, Statistics in Medicine 17, method 10).

    Wilson's intervals of the two shares, joined by their correlation; holds for few examples, and for no difference.
    """
    n = both + only_one + only_other + neither
    if not n:
        return -1.0, 1.0
    one, other = (both + only_one) / n, (both + only_other) / n
    low_one, high_one = wilson(both + only_one, n, confidence)
    low_other, high_other = wilson(both + only_other, n, confidence)
    margins = (both + only_one) * (only_other + neither) * (both + only_other) * (only_one + neither)
    excess = both * neither - only_one * only_other
    if excess > 0:
        excess = max(excess - n / 2, 0)
    correlation = excess / math.sqrt(margins) if margins else 0.0
    below = _joined(one - low_one, high_other - other, correlation)
    above = _joined(high_one - one, other - low_other, correlation)
    return one - other - below, one - other + above


def _joined(a: float, b: float, correlation: float) -> float:
    return math.sqrt(max(0.0, a * a - 2 * correlation * a * b + b * b))


def shared_hits(one: Share | None, other: Share | None) -> tuple[np.ndarray, np.ndarray] | None:
    """The hits of both where their metric is a plain share of the same rows; None where it is not."""
    if one is None or other is None or one.rows is None or other.rows is None or one.metric or other.metric:
        return None
    rows, others = np.asarray(one.rows), np.asarray(other.rows)
    if not all(array.dtype == bool or ((array == 0) | (array == 1)).all() for array in (rows, others)):
        return None
    if one.among is None and other.among is None:
        return rows, others
    if one.among is None or other.among is None or not np.array_equal(one.among, other.among):
        return None
    return rows[one.among], others[one.among]


def agreement(one: np.ndarray, other: np.ndarray) -> tuple[int, int, int, int]:
    """How many rows are 1 for both, for one alone, for the other alone, for neither."""
    one, other = np.asarray(one, bool), np.asarray(other, bool)
    cells = (one & other, one & ~other, ~one & other, ~one & ~other)
    return tuple(int(cell.sum()) for cell in cells)  # type: ignore[return-value]


def _spread(drawn: np.ndarray, confidence: float) -> tuple[float, float, float]:
    known = drawn[np.isfinite(drawn)]
    if 2 * len(known) < len(drawn) or not len(known):
        return math.nan, math.nan, math.nan
    if known.min() == known.max():
        # Equal in every draw: nothing speaks for a difference.  Another constant is one example, or none that varies.
        return math.nan, math.nan, 1.0 if known[0] == 0 else math.nan
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    beyond = min((known <= 0).sum(), (known >= 0).sum()) + 1
    return float(low), float(high), min(1.0, 2 * float(beyond) / (len(known) + 1))
