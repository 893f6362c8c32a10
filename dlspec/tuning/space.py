"""A space of recipes: axes, each a dotted key with the values it may take; axes within a choice are drawn with it."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dlspec.recipe.tune import inner_axes, kind_of

GRID_POINTS = 5
"""of a range, where it does not say how many"""

Value = bool | int | float | str | None


@dataclass(frozen=True)
class Axis:
    """One thing that is drawn.

    name: the dotted key of the recipe; of an axis within a choice, that of the choice, [place of the value], and the
    key within it.  kind: uniform, log_uniform, one_minus_log_uniform, integer or choice.
    """

    name: str
    kind: str
    low: float = math.nan
    high: float = math.nan
    options: tuple[Any, ...] = ()
    """of a choice, its values as they stand in the recipe"""
    inner: tuple[tuple[tuple[tuple[str, ...], Axis], ...], ...] = ()
    """of a choice, for each value the axes within it, with the keys that lead to them"""
    points: int | None = None

    def at(self, share: float) -> Value:
        """The value at a share of the way, 0 ≤ share < 1: a uniform share makes a draw.  Of a choice, its place."""
        if self.kind == "choice":
            return min(int(share * len(self.options)), len(self.options) - 1)
        if self.kind == "integer":
            return int(self.low) + min(int(share * self.width), self.width - 1)
        if self.kind == "uniform":
            return self.low + share * (self.high - self.low)
        if self.kind == "log_uniform":
            return _between_logs(self.low, self.high, share)
        return 1 - _between_logs(1 - self.high, 1 - self.low, 1 - share)

    def share(self, value: float) -> float:
        """How far along a range a value is, from 0 (low) to 1 (high), on the axis' own scale: what `at` turns round."""
        low, high = self.low, self.high
        if self.kind == "log_uniform":
            low, high, value = math.log(low), math.log(high), math.log(value)
        elif self.kind == "one_minus_log_uniform":
            low, high, value = -math.log(1 - low), -math.log(1 - high), -math.log(1 - value)
        return (value - low) / (high - low)

    @property
    def width(self) -> int:
        """How many whole numbers an integer axis has."""
        return int(self.high) - int(self.low) + 1

    def grid(self) -> list[Value]:
        """The values that a grid takes, both ends among them; of a choice, every place."""
        if self.kind == "choice":
            return list(range(len(self.options)))
        count = self.points or GRID_POINTS
        if self.kind == "integer":
            count = min(count, self.width)
            steps = [self.low + (self.high - self.low) * place / max(1, count - 1) for place in range(count)]
            return sorted({round(step) for step in steps})
        if count == 1:
            return [self.at(0.5)]
        inside = [self.at(place / (count - 1)) for place in range(1, count - 1)]
        return [self.low, *inside, self.high]

    def label(self, place: int) -> Value:
        """A value of a choice as a person reads it: a name stands for its mapping, and for its path."""
        option = self.options[place]
        if isinstance(option, Mapping):
            option = str(option.get("name", place))
        if isinstance(option, str) and os.path.isabs(option):
            return os.path.basename(option)
        if isinstance(option, tuple | list):
            return f"[{', '.join(map(str, option))}]"
        return option if isinstance(option, bool | int | float | str) or option is None else str(option)


Drawn = dict[str, Value]
"""axis → value, of those that were drawn; of a choice, the place"""


class Space:
    """The axes of a `tune.space`."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.given = dict(given)
        self.axes = [_axis(name, one) for name, one in given.items()]

    def every(self) -> list[Axis]:
        """All axes, those within choices after the choice."""
        return [one for axis in self.axes for one in _with_inner(axis)]

    def draw(self, pick: Callable[[Axis], Value]) -> Drawn:
        """Ask for each axis that is there; one within a choice only where that value was chosen."""
        drawn: Drawn = {}

        def ask(axis: Axis) -> None:
            drawn[axis.name] = place = pick(axis)
            if axis.kind == "choice":
                for _, inner in axis.inner[int(place)]:  # type: ignore[arg-type]
                    ask(inner)

        for axis in self.axes:
            ask(axis)
        return drawn

    def grid(self) -> Iterator[Drawn]:
        """Every point of the grid, the last axis changing fastest."""
        for parts in itertools.product(*(list(_points(axis)) for axis in self.axes)):
            yield {name: value for part in parts for name, value in part.items()}

    def grid_size(self) -> int:
        """How many points the grid has."""
        return math.prod(_count(axis) for axis in self.axes)

    def changes(self, drawn: Drawn) -> dict[str, Any]:
        """What was drawn as changes of a recipe: dotted key → value, choices with what was drawn within them."""
        return {axis.name: _made(axis, drawn) for axis in self.axes}

    def shown(self, drawn: Drawn) -> Drawn:
        """What was drawn as a person reads it: dotted key → number, text, or the name of what was chosen."""
        axes = {axis.name: axis for axis in self.every()}
        return {
            name: axes[name].label(int(value)) if axes[name].kind == "choice" else value  # type: ignore[arg-type]
            for name, value in drawn.items()
        }


def _axis(name: str, given: Mapping[str, Any]) -> Axis:
    kind = kind_of(given)
    assert kind is not None, (name, given)
    if kind != "choice":
        low, high = given[kind]
        return Axis(name, kind, float(low), float(high), points=given.get("points"))
    inner = tuple(
        tuple((path, _axis(f"{name}[{place}].{'.'.join(path)}", one)) for path, one in inner_axes(option) if path)
        for place, option in enumerate(given["choice"])
    )
    return Axis(name, "choice", options=tuple(given["choice"]), inner=inner)


def _with_inner(axis: Axis) -> Iterator[Axis]:
    yield axis
    for some in axis.inner:
        for _, one in some:
            yield from _with_inner(one)


def _points(axis: Axis) -> Iterator[Drawn]:
    for value in axis.grid():
        if axis.kind != "choice":
            yield {axis.name: value}
            continue
        within = [list(_points(one)) for _, one in axis.inner[int(value)]]  # type: ignore[arg-type]
        for parts in itertools.product(*within):
            yield {axis.name: value, **{name: held for part in parts for name, held in part.items()}}


def _count(axis: Axis) -> int:
    if axis.kind != "choice":
        return len(axis.grid())
    return sum(math.prod(_count(one) for _, one in some) for some in axis.inner)


def _made(axis: Axis, drawn: Drawn) -> Any:
    value = drawn[axis.name]
    if axis.kind != "choice":
        return value
    place = int(value)  # type: ignore[arg-type]
    return _filled(axis.options[place], {path: _made(one, drawn) for path, one in axis.inner[place]}, ())


def _filled(option: Any, values: Mapping[tuple[str, ...], Any], path: tuple[str, ...]) -> Any:
    if path in values:
        return values[path]
    if isinstance(option, Mapping):
        return {key: _filled(one, values, (*path, str(key))) for key, one in option.items()}
    return option


def _between_logs(low: float, high: float, share: float) -> float:
    return math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
