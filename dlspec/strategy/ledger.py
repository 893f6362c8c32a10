"""The ledger: human level, train, train-dev, dev and test, the gaps between them, and which of them is the largest.

Ng, Machine Learning Yearning (2018), chapters 20 to 43.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from dlspec.strategy.intervals import Interval, intervals
from dlspec.strategy.paired import Side
from dlspec.strategy.verdict import BY_RECIPE, verdict
from dlspec.types import Metric

LEVELS = ("human", "train", "train_dev", "dev", "test")
STEPS = ("avoidable bias", "variance", "data mismatch", "overfitting to dev")
"""what is between each level and the next"""
MOST_NEEDED = 25
"""more examples than this many times those there are would settle nothing in practice: the gaps look equal"""


class Level(NamedTuple):
    """A level before it is scored: what predicted it (`side`), or its value with bounds, where these are known.

    `n` examples (of a human level that was given as a number: 0), `groups` of each.  A human level without bounds is
    taken as it is.
    """

    name: str
    n: int
    side: Side | None = None
    groups: Sequence[str] | None = None
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan


class Scored(NamedTuple):
    """A level's score with its interval, over n examples."""

    name: str
    value: float
    low: float
    high: float
    n: int


class Gap(NamedTuple):
    """How much worse `below` scores than `above`, whichever way the metric goes: above 0 where it is worse."""

    name: str
    above: str
    below: str
    value: float
    low: float
    high: float


class Ledger(NamedTuple):
    """Levels from the best that is possible down, the gaps between neighbours, and what they come to."""

    metric: str
    best: str
    levels: list[Scored]
    gaps: list[Gap]
    largest: str | None
    """the gap that is surely above 0 and surely larger than every other"""
    verdict: str
    needed: int | None
    """where none is: how many more examples of `needed_of` would settle it; None: no number in reach would"""
    needed_of: str | None


class Standing(NamedTuple):
    """How the widest gap stands: surely the largest, or beside which rival (None: beside no gap at all, 0)."""

    top: Gap
    sure: bool
    rival: Gap | None = None
    needed: int | None = None
    needed_of: str | None = None


def lay_out(
    levels: Sequence[Level],
    metric: Metric,
    *,
    apart: bool = False,
    ways: Mapping[str, str] = BY_RECIPE,
    seed: int = 0,
    confidence: float = 0.95,
) -> Ledger:
    """Score the levels and set them against each other; any subset of LEVELS, in any order.

    apart: dev was given apart from train, so that without a train_dev what is between train and dev may be data
    mismatch too.  Where levels are missing, a gap has the names of all that it spans, joined by " + ".

    ways: what a person writes to have a level that is missing.

    Intervals of gaps, and of differences between them, join those of the levels, which are of different examples (but
    for a human level that was measured: on dev), by the method of variance estimates recovery (Newcombe 1998a,
    Statistics in Medicine 17, method 10; Zou & Donner 2008); it keeps their lopsidedness, and two gaps that share a
    level share its luck.  A gap is named the largest where the interval of it, and that of its difference from each
    other gap, lie above 0.
    """
    order = {name: place for place, name in enumerate(LEVELS)}
    given = sorted(levels, key=lambda level: order[level.name])
    assert len({level.name for level in given}) == len(given), [level.name for level in given]
    scored = [_scored(level, metric, seed, confidence) for level in given]
    scored = [level for level in scored if not math.isnan(level.value)]
    worse = 1 if metric.best == "min" else -1
    pairs = list(pairwise(scored))
    terms = [{above.name: -worse, below.name: worse} for above, below in pairs]
    gaps = [
        Gap(_named(above.name, below.name, apart), above.name, below.name, *_joined(scored, weights))
        for (above, below), weights in zip(pairs, terms, strict=True)
    ]
    standing = _standing(scored, gaps, terms)
    largest = standing.top.name if standing and standing.sure else None
    says = verdict(scored, gaps, metric, standing, ways)
    needed, needed_of = (standing.needed, standing.needed_of) if standing else (None, None)
    return Ledger(metric.name, metric.best, scored, gaps, largest, says, needed, needed_of)


def as_json(ledger: Ledger) -> dict[str, Any]:
    """The ledger as ledger.json has it; numbers that are not known are NaN."""
    return {
        **ledger._asdict(),
        "levels": [level._asdict() for level in ledger.levels],
        "gaps": [gap._asdict() for gap in ledger.gaps],
    }


def _scored(level: Level, metric: Metric, seed: int, confidence: float) -> Scored:
    value, low, high = level.value, level.low, level.high
    if level.side is not None:
        side = level.side
        found = intervals(
            side.combine,
            side.statistics,
            level.n,
            groups=level.groups,
            shares=side.shares,
            seed=seed,
            confidence=confidence,
            only=[metric.name],
        )
        value, low, high = found.get(metric.name, Interval(math.nan, math.nan, math.nan))
    elif level.name == "human" and math.isnan(low):
        low = high = value
    return Scored(level.name, value, low, high, level.n)


def _named(above: str, below: str, apart: bool) -> str:
    steps = list(STEPS[LEVELS.index(above) : LEVELS.index(below)])
    if len(steps) > 1 and "data mismatch" in steps and not apart:
        steps.remove("data mismatch")
    return " + ".join(steps)


def _reach(level: Scored, weight: float) -> tuple[float, float]:
    """How far below and above its value `weight` times this level reaches."""
    below, above = level.value - level.low, level.high - level.value
    return (weight * below, weight * above) if weight > 0 else (-weight * above, -weight * below)


def _joined(scored: Sequence[Scored], weights: Mapping[str, float]) -> tuple[float, float, float]:
    """Value, low and high of a weighted sum of levels, which are independent but for what people answered on dev."""
    parts = [level for level in scored if weights.get(level.name)]
    value = sum(weights[level.name] * level.value for level in parts)
    reach = {level.name: _reach(level, weights[level.name]) for level in parts}
    measured = "dev" in reach and any(level.name == "human" and level.n for level in parts)
    if measured and weights["human"] * weights["dev"] > 0:
        # Annotators answered examples of dev: what is luck of the one may be luck of the other.
        (below, above), (more, most) = reach["dev"], reach.pop("human")
        reach["dev"] = below + more, above + most
    below, above = (math.sqrt(sum(one[side] ** 2 for one in reach.values())) for side in (0, 1))
    return value, value - below, value + above


def _standing(scored: Sequence[Scored], gaps: Sequence[Gap], terms: Sequence[Mapping[str, float]]) -> Standing | None:
    """How the widest gap stands against 0 and against every other; None without a gap."""
    if not gaps:
        return None
    top = max(range(len(gaps)), key=lambda i: gaps[i].value)
    others: list[tuple[Gap | None, Mapping[str, float]]] = [(None, terms[top])]
    for i, gap in enumerate(gaps):
        if i != top:
            names = {*terms[top], *terms[i]}
            others.append((gap, {name: terms[top].get(name, 0) - terms[i].get(name, 0) for name in names}))
    open_ = [(gap, weights) for gap, weights in others if not _joined(scored, weights)[1] > 0]
    if not open_:
        return Standing(gaps[top], True)
    needs = [(gap, *_needed(scored, weights)) for gap, weights in open_]
    hopeless = next((need for need in needs if need[1] is None), None)
    rival, needed, needed_of = hopeless or max(needs, key=lambda need: need[1] or 0)
    return Standing(gaps[top], False, rival, needed, needed_of)


def _needed(scored: Sequence[Scored], weights: Mapping[str, float]) -> tuple[int | None, str | None]:
    """How many more examples of which level would lift the low end of this sum above 0, were its value to stay.

    A level's part of the interval shrinks with 1 / √n, and loses its lopsidedness.  It is the one that contributes
    most; where its examples alone cannot do it, all levels would have to grow alike, and the number is still of that
    one.
    """
    value, low, _ = _joined(scored, weights)
    parts = {level.name: _reach(level, weights[level.name]) for level in scored if weights.get(level.name) and level.n}
    if not value > 0 or math.isnan(low) or not parts:
        return None, None
    most = max(parts, key=lambda name: parts[name][0])
    rest = (value - low) ** 2 - parts[most][0] ** 2
    times = (sum(parts[most]) / 2) ** 2 / (value**2 - rest) if value**2 > rest else math.inf
    if times > MOST_NEEDED:
        times = (value - low) ** 2 / value**2
    if times > MOST_NEEDED:
        return None, None
    n = next(level.n for level in scored if level.name == most)
    return max(1, math.ceil(n * (times - 1))), most
