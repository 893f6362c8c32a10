"""Boxes and points that are true of a picture, whatever the reader gave: tuples of them, or their text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from dlspec.evaluators.truths import some
from dlspec.numeric.places import Box, Point, boxes_of, points_of
from dlspec.types import DataError, Examples

P = TypeVar("P", Box, Point)


def boxes(examples: Examples, *, most: int | None = None) -> list[tuple[Box, ...]]:
    """The boxes of each example, none or several.  Raises DataError that names the examples without a truth.

    most: how many one example may have.
    """
    found = _places(examples, Box, boxes_of, "boxes, as Box(name, x0, y0, x1, y1, crowd)")
    many = [one.id for one, own in zip(examples, found, strict=True) if most is not None and len(own) > most]
    if many:
        raise DataError(
            f"{len(many):,} of {len(examples):,} pictures have more than one box ({some(many)}), and this task finds "
            "one at most; leave the others out"
        )
    return found


def points(examples: Examples) -> list[tuple[Point, ...]]:
    """The points of each example that can be seen.  Raises DataError that names the examples without a truth."""
    return _places(examples, Point, points_of, "points, as Point(name, x, y)")


def _places(
    examples: Examples, kind: type[P], parse: Callable[[str], Sequence[P]], expected: str
) -> list[tuple[P, ...]]:
    found: list[tuple[P, ...]] = []
    missing, strange = list[str](), list[str]()
    for name, value in zip(examples.ids, examples.column("y"), strict=True):
        try:
            found.append(_one(value, kind, parse))
        except ValueError:
            (missing if value is None else strange).append(name)
    if missing:
        raise DataError(f"the target is missing in {len(missing):,} of {len(examples):,} examples: {some(missing)}")
    if strange:
        raise DataError(
            f"the target should be {expected}, but in {len(strange):,} of {len(examples):,} examples it is something "
            f"else: {some(strange)}"
        )
    return found


def _one(value: Any, kind: type[P], parse: Callable[[str], Sequence[P]]) -> tuple[P, ...]:
    """Raises ValueError where it is none of these."""
    if isinstance(value, str):
        return tuple(parse(value))
    if not isinstance(value, tuple | list):
        raise ValueError(value)
    needed = len(kind._fields) - len(kind._field_defaults)
    made = []
    for one in value:
        if isinstance(one, str) or not hasattr(one, "__len__") or not needed <= len(one) <= len(kind._fields):
            raise ValueError(one)
        made.append(kind(str(one[0]), *map(float, one[1:needed]), *map(bool, one[needed:])))
    return tuple(made)
