"""Intervals of means over rows, without drawing any: Wilson's of hits, Hall's of losses; rows of a group are alike."""

from __future__ import annotations

import math

import numpy as np

from dlspec.types import Share


def wilson(successes: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a share (Wilson 1927): low and high; holds for few examples and for shares of 0 and 1.

    Without examples nothing is known: 0 to 1.
    """
    from statistics import NormalDist

    if n == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return low, high


def mean_of(share: Share) -> float:
    """The metric that is a mean over rows; NaN where it is over none."""
    rows = np.asarray(share.rows) if share.among is None else np.asarray(share.rows)[np.asarray(share.among, bool)]
    return float((share.metric or float)(float(rows.mean()))) if len(rows) else math.nan


def mean_interval(share: Share, unit: np.ndarray, units: int, confidence: float = 0.95) -> tuple[float, float]:
    """Low and high of a metric that is a mean over rows; `unit` (N,) says of each row which of the units it is in.

    Hits have Wilson's interval.  Where units hold several rows, it is that of as many rows as would vary as much were
    they drawn alone (Korn & Graubard 1998; Dean & Pagano 2015); where all are hits, or none, of as many as there are
    units that weigh alike.  Losses have Hall's transformed t.  NaN where losses do not vary.
    """
    rows = np.asarray(share.rows)
    among = np.ones(len(rows)) if share.among is None else np.asarray(share.among, np.float64)
    hit = rows.dtype == bool or bool(((rows == 0) | (rows == 1)).all())
    values = rows.astype(np.float64) * among
    if units < len(rows):
        values, among = np.bincount(unit, values, units), np.bincount(unit, among, units)
    elif share.among is not None:
        values, among = values[among > 0], among[among > 0]
    turn = share.metric or float
    if hit:
        low, high = _share(values, among, confidence)
    else:
        low, high = transformed_t(*ratio(values, among), confidence)
        low = max(low, min(0.0, float(rows.min()))) if low == low else low
    return turn(low), turn(high)


def ratio(values: np.ndarray, among: np.ndarray) -> tuple[float, np.ndarray]:
    """Σ values / Σ among over units, and how much each unit that counts raises it: (v − mean · a) · units / Σ a."""
    total = among.sum()
    if not total > 0:
        return math.nan, np.zeros(0)
    mean = float(values.sum() / total)
    counts = among > 0
    return mean, (values[counts] - mean * among[counts]) * (counts.sum() / total)


def transformed_t(
    value: float, influence: np.ndarray, confidence: float = 0.95, *, shrunk: float = 1.0
) -> tuple[float, float]:
    """The interval of something like a mean: Student's t, its skewness removed by Hall's cubic (Hall 1992, JRSS B 54).

    `influence` (M,): how much each of M units raises the value, their mean being 0, so that its standard error is
    their deviation / √M.  With T = (value − truth) / σ and skewness γ, g(T) = T + γT²/3 + γ²T³/27 + γ/(6M) has hardly
    any skewness left; it is monotone, so it can be turned back.  `shrunk`: these units are a sample of more; the
    standard error of all is so many times theirs.
    """
    from scipy.special import stdtrit

    if len(influence) < 2:
        return math.nan, math.nan
    deviation = float(influence.std())
    if not deviation > 0 or not math.isfinite(deviation):
        return math.nan, math.nan
    skewness, count = float(((influence / deviation) ** 3).mean()), len(influence) / shrunk**2
    t = float(stdtrit(len(influence) - 1, (1 + confidence) / 2)) / math.sqrt(count)
    deviation = float(influence.std(ddof=1))
    low = value - deviation * _untransformed(t, skewness, count)
    return low, value - deviation * _untransformed(-t, skewness, count)


def as_many_rows(
    value: float, influence: np.ndarray, confidence: float = 0.95, *, shrunk: float = 1.0
) -> tuple[float, float]:
    """Wilson's interval of a share of other things than rows, over as many rows as would vary as much.

    `influence` and `shrunk` as in `transformed_t`.  NaN where there is no spread.
    """
    from scipy.special import ndtri, stdtrit

    count = len(influence)
    variance = float(influence.var(ddof=1)) * shrunk**2 / count if count > 1 else 0.0
    if not variance > 0 or not 0 < value < 1:
        return math.nan, math.nan
    ends = (1 + confidence) / 2
    effective = value * (1 - value) / variance * float(ndtri(ends) / stdtrit(count - 1, ends)) ** 2
    return wilson(value * effective, effective, confidence)


def _untransformed(y: float, skewness: float, count: float) -> float:
    if abs(skewness) < 1e-6:
        return y
    return 3 / skewness * (float(np.cbrt(1 + skewness * (y - skewness / (6 * count)))) - 1)


def _share(hits: np.ndarray, among: np.ndarray, confidence: float) -> tuple[float, float]:
    """Wilson's interval of Σ hits / Σ among, the rows of a unit being alike as far as they show it."""
    from scipy.special import ndtri, stdtrit

    total, successes = float(among.sum()), float(hits.sum())
    if not among.size or among.max() <= 1 or total == 0:
        return wilson(successes, total, confidence)
    share = successes / total
    counts = among > 0
    units = int(counts.sum())
    alike = total**2 / float((among**2).sum())
    """as many units of one size as would weigh alike"""
    if successes in (0, total) or units < 2:
        effective = alike
    else:
        left = hits - share * among
        variance = float((left**2).sum()) * units / (units - 1) / total**2
        effective = min(share * (1 - share) / variance, total)
        ends = (1 + confidence) / 2
        effective *= float(ndtri(ends) / stdtrit(units - 1, ends)) ** 2
    return wilson(share * effective, effective, confidence)
