"""The section `tune`: which values of a recipe are searched, how, and for how many trials."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from dlspec.recipe.component import Section, nearest

RANGES = ("uniform", "log_uniform", "one_minus_log_uniform", "integer")
KINDS = (*RANGES, "choice")
MOST_POINTS = 10_000
"""of a grid, beyond which one must say so"""


class Stage(Section):
    """A finer search, over where the best trials of the one before lie."""

    trials: int | None = Field(None, ge=1)
    """how many recipes it tries; left out: as many as the first"""
    best: int | float = Field(0.2, gt=0)
    """how many of the trials before count as the best, or which share of them; 3 at least"""

    @field_validator("best")
    @classmethod
    def _best_are_some(cls, best: float) -> float:
        if isinstance(best, float) and best >= 1:
            message = f"expected a share below 1 (0.2) or a whole number of trials (5), got {best:g}"
            raise PydanticCustomError("best", "{message}", {"message": message})
        return best


class Tune(Section):
    """A search over values of the recipe.  `dlspec tune` runs it."""

    trials: int = Field(20, ge=1)
    """how many recipes are tried (a grid: at most so many)"""
    seed: int = Field(0, ge=0)
    """which values are drawn: by random, grid and qmc, trial n of a seed is always the same"""
    sampler: Literal["random", "grid", "qmc", "tpe", "cmaes"] = "random"
    """how values are chosen: at random; on a grid; quasi-randomly (Sobol), which leaves no gaps; or from what earlier
    trials scored (tpe: Bergstra et al. 2011; cmaes: Hansen 2016), which depends on the order they end in"""
    pruner: Literal["asha", "hyperband", "median"] | None = None
    """which trials are given up early, judged by dev's best epoch so far (with keep: last, by the latest): all but the
    best third after 1, 3, 9, … epochs (asha: Li et al. 2020; see `reduction`); the same in groups that are first judged
    later (hyperband: Li et al. 2018); or those below the median of the others"""
    reduction: int = Field(3, ge=2)
    """of asha and hyperband: one trial in so many goes on to so many times the epochs.  2, the best half after 1, 2, 4,
    … epochs, is gentler where those that win start slowly"""
    stages: tuple[Stage, ...] = ()
    """finer searches that follow, coarse to fine: each narrows every axis to where the best trials of the one before
    lie, as `dlspec tune --zoom` does; [{trials: 20, best: 5}]"""
    folds: int | None = Field(None, ge=2)
    """train every trial so many times, each time with another fold of train and dev together as dev (data.split.folds;
    test is cut off before, whole groups stay together), and score it by the mean.  What a pruner gives up, it gives up
    by the first of a trial's trainings, before the others begin"""
    seeds: int = Field(1, ge=1)
    """train every trial (each fold of it) with so many seeds, the recipe's train.seed and those after it, and score it
    by the mean"""
    space: dict[str, Any] = Field(min_length=1)
    """dotted key of the recipe → {uniform: [low, high]}, {log_uniform: …}, {one_minus_log_uniform: …} (1 - x is
    log-uniform: for momentum), {integer: [low, high]} or {choice: [value, …]}; a value of a choice may hold such axes
    itself, which are drawn where it is chosen.  `points` beside a range: how many a grid takes of it"""

    @field_validator("stages")
    @classmethod
    def _a_grid_has_no_stages(cls, stages: tuple[Stage, ...], info: ValidationInfo) -> tuple[Stage, ...]:
        if stages and info.data.get("sampler") == "grid":
            message = "a grid has its own points, between which nothing was tried; take `sampler: random` or `qmc`"
            raise PydanticCustomError("stages", "{message}", {"message": message})
        return stages

    @field_validator("space")
    @classmethod
    def _axes_can_be_drawn(cls, space: dict[str, Any]) -> dict[str, Any]:
        faults = [
            InitErrorDetails(
                type=_fault(what if at == path else f"{at.removeprefix(path + ', ')}: {what}"), loc=(path,), input=given
            )
            for path, given in space.items()
            for at, what in _faults(path, given, top=True)
        ]
        if faults:
            raise ValidationError.from_exception_data("space", faults)
        return space


def kind_of(given: Any) -> str | None:
    """Which kind of axis a value of a recipe is, if it is one: a mapping whose first word is a kind of axis."""
    if not isinstance(given, Mapping):
        return None
    found = [key for key in given if key in KINDS]
    return found[0] if len(found) == 1 and set(given) <= {found[0], "points"} else None


def inner_axes(given: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Axes that a value holds, with the keys that lead to them."""
    if kind_of(given) is not None:
        yield path, given
    elif isinstance(given, Mapping):
        for key, one in given.items():
            yield from inner_axes(one, (*path, str(key)))


def _faults(where: str, given: Any, *, top: bool = False) -> Iterator[tuple[str, str]]:
    kind = kind_of(given)
    if kind is None:
        if top:
            yield where, _no_axis(given)
        return
    held = given[kind]
    if kind == "choice":
        if not isinstance(held, Sequence) or isinstance(held, str) or not held:
            yield (
                where,
                f"choice takes a list of one value or more, got {list(held) if isinstance(held, tuple) else held!r}",
            )
            return
        for number, one in enumerate(held):
            for path, axis in inner_axes(one):
                yield from _faults(f"{where}, value {number + 1}, {'.'.join(path)}", axis)
        if "points" in given:
            yield where, "points are for a range; a choice has its values"
        return
    numbers = isinstance(held, Sequence) and len(held) == 2 and all(map(_number, held))
    if not numbers:
        yield where, f"{kind} takes [low, high], got {held!r}"
        return
    low, high = held
    if not low < high:
        yield where, f"{kind}: {low:g} is not below {high:g}"
    elif kind == "log_uniform" and low <= 0:
        yield where, f"log_uniform runs over numbers above 0, and the range begins at {low:g}; uniform takes any"
    elif kind == "one_minus_log_uniform" and not (low >= 0 and high < 1):
        yield where, f"one_minus_log_uniform runs from 0 to below 1, got {low:g} to {high:g}"
    elif kind == "integer" and not all(float(one).is_integer() for one in held):
        yield where, f"integer takes whole numbers, got {low:g} and {high:g}"
    points = given.get("points", 2)
    if not isinstance(points, int) or isinstance(points, bool) or points < 1:
        yield where, f"points is a whole number from 1 on, got {points!r}"


def _fault(message: str) -> PydanticCustomError:
    return PydanticCustomError("space", "{message}", {"message": message})


def _no_axis(given: Any) -> str:
    if isinstance(given, Mapping):
        near = next((guess for key in given if (guess := nearest(str(key), KINDS))), None)
        if near:
            return f"no axis; did you mean '{near}'?"
    return f"expected one of {', '.join(f'{{{kind}: …}}' for kind in KINDS)}, got {given!r}"


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
