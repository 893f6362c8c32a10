"""Coarse to fine: each axis narrowed to where the best trials lie, widened where the best of them is at an end.

The best k of a range are taken for k uniform draws from where it is good: that reaches beyond them by what lies between
two of them on average, as the largest of k numbers lies below what they are drawn from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from dlspec.recipe.tune import kind_of
from dlspec.tuning.space import Axis, Drawn, Space

FEWEST = 3
"""of the best that must have an axis, before anything is said of where it is good"""
EDGE = 0.05
"""a best trial that is nearer to an end of its axis, as a share of its length, may not have had room enough"""
WIDER = 0.25
"""by so much of its length an axis is widened then"""
LEAST = 0.02
"""no axis becomes shorter than this share of its length"""
DIGITS = 4


class Narrowed(NamedTuple):
    """An axis before and after, as a person reads it, and why."""

    axis: str
    old: str
    new: str
    why: str
    widened: bool = False


def narrowed(
    space: Space, best: Sequence[Drawn], takes: Callable[[Mapping[str, Any]], bool]
) -> tuple[dict[str, Any], list[Narrowed]]:
    """A space over where these trials lie, the best first, as it stands in a recipe; and what became of each axis.

    takes: whether the recipe takes a space (axis → what it is then): it may not reach as far as widening would.
    """
    told: list[Narrowed] = []
    made: dict[str, Any] = {}
    for axis in space.axes:

        def fits(new: Any, name: str = axis.name) -> bool:
            return takes({name: new})

        made[axis.name] = _axis(axis, space.given[axis.name], best, told, fits)
    return made, told


def _axis(
    axis: Axis, given: Mapping[str, Any], best: Sequence[Drawn], told: list[Narrowed], takes: Callable[[Any], bool]
) -> Any:
    have = [one for one in best if axis.name in one]
    if axis.kind == "choice":
        return _choice(axis, given, have, told, takes)
    if len(have) < FEWEST:
        why = f"{_count(len(have))} of the best {len(best)} {'has' if len(have) == 1 else 'have'} it, too few to tell"
        told.append(Narrowed(axis.name, _range(axis, axis.low, axis.high), _range(axis, axis.low, axis.high), why))
        return dict(given)
    values = [float(one[axis.name]) for one in have]  # type: ignore[arg-type]
    inner = _ends(axis, values)
    for wide in (True, False):
        low, high, ends = _widened(axis, values[0], *inner) if wide else (*inner, [])
        new = {**given, axis.kind: [_plain(axis, low), _plain(axis, high)]}
        if not ends or takes(new):
            break
    told.append(_said(axis, new[axis.kind], values, ends, at_end=not ends and _at_end(axis, values[0]) is not None))
    return new


def _ends(axis: Axis, values: Sequence[float]) -> tuple[float, float]:
    """Where it is good, within the axis."""
    if axis.kind == "integer":
        beyond = max(1, round((max(values) - min(values)) / (len(values) - 1)))
        return max(axis.low, min(values) - beyond), min(axis.high, max(values) + beyond)
    shares = [axis.share(value) for value in values]
    beyond = max((max(shares) - min(shares)) / (len(shares) - 1), LEAST / 2)
    low, high = max(0.0, min(shares) - beyond), min(1.0, max(shares) + beyond)
    return _rounded(axis, low), _rounded(axis, high)


def _at_end(axis: Axis, value: float) -> str | None:
    """Which end of its axis a value is at."""
    if axis.kind == "integer":
        room = math.floor(EDGE * (axis.high - axis.low))
        near = (value - axis.low <= room, axis.high - value <= room)
    else:
        near = (axis.share(value) <= EDGE, axis.share(value) >= 1 - EDGE)
    return "low" if near[0] else "high" if near[1] else None


def _widened(axis: Axis, value: float, low: float, high: float) -> tuple[float, float, list[str]]:
    """The ends with the one moved out at which the best lies; and which that is."""
    end = _at_end(axis, value)
    if end is None:
        return low, high, []
    if axis.kind == "integer":
        step = max(1, round(WIDER * (axis.high - axis.low)))
        return (axis.low - step, high, [end]) if end == "low" else (low, axis.high + step, [end])
    beyond = _rounded(axis, -WIDER if end == "low" else 1 + WIDER)
    return (beyond, high, [end]) if end == "low" else (low, beyond, [end])


def _rounded(axis: Axis, share: float) -> float:
    """The value at a share of the way, to few digits; the axis' own ends as they are."""
    if share in (0.0, 1.0):
        return axis.high if share else axis.low
    value = float(axis.at(share))  # type: ignore[arg-type]
    if axis.kind == "one_minus_log_uniform":
        return round(1 - float(f"{1 - value:.{DIGITS}g}"), 12)
    if axis.kind == "uniform":  # as fine as its length asks for
        digits = DIGITS - 1 - math.floor(math.log10(axis.high - axis.low))
        return round(value, digits)
    return float(f"{value:.{DIGITS}g}")


def _plain(axis: Axis, value: float) -> float | int:
    return int(value) if axis.kind == "integer" else value


def _said(axis: Axis, new: Sequence[float], values: Sequence[float], ends: Sequence[str], *, at_end: bool) -> Narrowed:
    why = f"the best {len(values)} lie in {_range(axis, min(values), max(values))}"
    if ends:
        why += f"; the best, {_number(values[0])}, is at the {ends[0]} end: widened beyond it"
    elif at_end:
        why += f"; the best, {_number(values[0])}, is at an end, beyond which the recipe takes no value"
    return Narrowed(axis.name, _range(axis, axis.low, axis.high), _range(axis, *new), why, bool(ends))


def _choice(
    axis: Axis, given: Mapping[str, Any], have: Sequence[Drawn], told: list[Narrowed], takes: Callable[[Any], bool]
) -> Any:
    places = sorted({int(one[axis.name]) for one in have}) or list(range(len(axis.options)))  # type: ignore[arg-type]
    gone = [str(axis.label(place)) for place in range(len(axis.options)) if place not in places]
    listed = [str(axis.label(place)) for place in range(len(axis.options))]
    why = f"none of the best {len(have)} has {' or '.join(gone)}" if gone else "the best have every one of them"
    if not have:
        why = "none of the best has it"
    told.append(Narrowed(axis.name, ", ".join(listed), ", ".join(listed[place] for place in places), why))
    options = [given["choice"][place] for place in places]
    for turn, place in enumerate(places):
        with_it = [one for one in have if one[axis.name] == place]
        for path, inner in axis.inner[place]:

            def fits(new: Any, turn: int = turn, path: tuple[str, ...] = path) -> bool:
                tried = [*options[:turn], _laid(options[turn], path, new), *options[turn + 1 :]]
                return takes({"choice": tried})

            old = _at(options[turn], path)
            options[turn] = _laid(options[turn], path, _axis(inner, old, with_it, told, fits))
    return {"choice": options}


def _at(option: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        option = option[key]
    assert kind_of(option) is not None
    return option


def _laid(option: Any, path: tuple[str, ...], new: Any) -> Any:
    """A value of a choice with one of its axes replaced."""
    if not path:
        return new
    return {key: _laid(one, path[1:], new) if key == path[0] else one for key, one in option.items()}


def _range(axis: Axis, low: float, high: float) -> str:
    return f"{_number(low)} to {_number(high)}"


def _number(value: float) -> str:
    return f"{value:.6g}"


def _count(many: int) -> str:
    return {0: "none", 1: "one"}.get(many, str(many))
