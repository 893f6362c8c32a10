"""Where a run stands with its goal: one metric decides among all that keep the limits; of none, the nearest is best.

Optimising and satisficing metrics are Ng's (Machine Learning Yearning, chapters 8 and 9).  A limit is missed by so much
of its bound, whatever its unit, and what is missed adds up: that is how near an infeasible run is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from dlspec.types import Metric


class Limit(Protocol):
    """What must hold of a figure: its name, <=, >=, < or >, and the bound."""

    @property
    def name(self) -> str: ...
    @property
    def sign(self) -> str: ...
    @property
    def bound(self) -> float: ...


class Held(NamedTuple):
    """A limit, what came of it, and by how much it is missed (0 where it is kept)."""

    limit: Limit
    value: float
    """NaN where it cannot be said, which keeps no limit"""
    by: float
    """in the limit's own unit"""
    relative: float
    """as a share of the bound; of a bound of 0, as it is"""

    @property
    def kept(self) -> bool:
        return _kept(self.limit, self.value)


class Standing(NamedTuple):
    """The metric that decides, and every limit."""

    metric: Metric
    value: float
    limits: tuple[Held, ...] = ()

    @property
    def feasible(self) -> bool:
        """Whether every limit is kept."""
        return all(one.kept for one in self.limits)

    @property
    def scores(self) -> dict[str, float]:
        """What it was made of."""
        return {self.metric.name: self.value, **{one.limit.name: one.value for one in self.limits}}

    @property
    def missed(self) -> tuple[Held, ...]:
        return tuple(one for one in self.limits if not one.kept)

    @property
    def miss(self) -> float:
        """By how much all limits together are missed, as shares of their bounds."""
        return sum(one.relative for one in self.limits)


def standing(metric: Metric, limits: Sequence[Limit], values: Mapping[str, float]) -> Standing:
    """What these values (by the limits' names, and the metric's) come to; what is not among them is not known."""
    held = tuple(hold(limit, values.get(limit.name, math.nan)) for limit in limits)
    return Standing(metric, values.get(metric.name, math.nan), held)


def hold(limit: Limit, value: float) -> Held:
    """A value held against a limit."""
    if _kept(limit, value):
        return Held(limit, value, 0.0, 0.0)
    if math.isnan(value):
        return Held(limit, value, math.inf, math.inf)
    by = abs(value - limit.bound)
    return Held(limit, value, by, by / abs(limit.bound) if limit.bound else by)


def _kept(limit: Limit, value: float) -> bool:
    """NaN keeps none."""
    if limit.sign == "<=":
        return value <= limit.bound
    if limit.sign == ">=":
        return value >= limit.bound
    return value < limit.bound if limit.sign == "<" else value > limit.bound


def ahead(one: Standing, other: Standing | None, margin: float = 0.0) -> bool:
    """Whether one is surely to be taken before the other.

    Feasible before infeasible; of the infeasible, which misses less; then by the metric, if better by more than the
    margin.  What has no value (NaN) is ahead of nothing.
    """
    if math.isnan(one.value):
        return False
    if other is None or math.isnan(other.value):
        return True
    mine, theirs = (not one.feasible, one.miss), (not other.feasible, other.miss)
    if mine != theirs:
        return mine < theirs
    better = one.value - other.value if one.metric.best == "max" else other.value - one.value
    return better > margin


def level(one: Standing, other: Standing) -> bool:
    """Whether both are equally good."""
    return not math.isnan(one.value) and not ahead(one, other) and not ahead(other, one)


def first(standings: Sequence[Standing]) -> int | None:
    """Which is to be taken, of equals the earliest; of none feasible, the nearest; None where none has a value."""
    best = None
    for place, one in enumerate(standings):
        if ahead(one, None if best is None else standings[best]):
            best = place
    return best


def said(one: Held) -> str:
    """`false_positive_rate <= 0.02 is missed by 0.013 (0.033; 65 % of the limit)`, or that it is kept."""
    limit = f"{one.limit.name} {one.limit.sign} {one.limit.bound:g}"
    if one.kept:
        return f"{limit} is kept ({one.value:.4g})"
    if math.isnan(one.value):
        return f"{limit} cannot be judged: it has no value"
    share = f"; {one.relative:.0%} of the limit" if one.limit.bound and one.by else ""
    return f"{limit} is missed by {one.by:.3g} ({one.value:.4g}{share})"


def sentence(one: Standing) -> str:
    """What a standing comes to, in a line."""
    if not one.limits:
        return ""
    if one.feasible:
        return f"feasible: {_limits(len(one.limits))} kept"
    return "not feasible: " + "; ".join(said(held) for held in one.missed)


def _limits(count: int) -> str:
    return "the limit is" if count == 1 else f"all {count} limits are"


def better_kept(before: Standing, now: Standing, better: bool) -> tuple[bool, str | None]:
    """Whether a change is to be kept, and why where limits say so; better: whether the metric is, beyond chance.

    One that breaks a limit that held is not; one that comes to keep all of them is.  Where both miss some, one is that
    misses surely less (by a tenth), or that is better and misses no more.
    """
    broken = [one for one, then in zip(now.limits, before.limits, strict=True) if then.kept and not one.kept]
    if broken:
        return False, f"it breaks a limit that held: {'; '.join(said(one) for one in broken)}"
    if now.feasible and not before.feasible:
        return True, "it keeps every limit, which the best before did not"
    if not now.feasible and now.miss < 0.9 * before.miss:
        return True, f"it comes nearer to the limits: {'; '.join(said(one) for one in now.missed)}"
    if not now.feasible and now.miss > before.miss:
        return False, f"it misses the limits by more: {'; '.join(said(one) for one in now.missed)}"
    return better, None


def as_json(one: Standing) -> dict[str, Any]:
    """metric, value, feasible, miss, and every limit."""
    return {
        "metric": one.metric.name,
        "value": one.value,
        "feasible": one.feasible,
        "miss": one.miss,
        "limits": [
            {
                "name": held.limit.name,
                "limit": f"{held.limit.sign} {held.limit.bound:g}",
                "value": held.value,
                "kept": held.kept,
                "missed_by": held.by,
                "relative": held.relative,
            }
            for held in one.limits
        ],
        "says": sentence(one),
    }
