"""What is true of a place in a picture: boxes and points with a name, and the same as a text for tables and people.

Places are in pixels from the upper left corner of the picture: the middle of the first pixel is (0.5, 0.5).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from dlspec.wording import plural

NOTHING = "nothing"
"""the text of a picture without any"""
DIGITS = 2
"""decimals of a pixel in texts"""

CROWD = "crowd"
"""what stands after a box of a crowd in texts"""

_PLACE = re.compile(rf"(?P<name>.*\S)\s*\((?P<numbers>[^()]*)\)(?P<crowd>\s+{CROWD})?")


class Box(NamedTuple):
    """An upright box around something: x0 < x1 and y0 < y1, in pixels."""

    name: str
    x0: float
    y0: float
    x1: float
    y1: float
    crowd: bool = False
    """many things in one box (COCO's iscrowd), or one that is hard to tell (VOC's difficult): it need not be found, is
    not wrong when it is, and is not trained on"""

    @classmethod
    def at(cls, name: str, corners: Iterable[float], crowd: bool = False) -> Box:
        """A box at x0, y0, x1, y1."""
        x0, y0, x1, y1 = corners
        return cls(name, x0, y0, x1, y1, crowd)

    @property
    def corners(self) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1"""
        return self[1:5]


class Point(NamedTuple):
    """A place with a name, in pixels.  One that cannot be seen is not there at all."""

    name: str
    x: float
    y: float


def boxes_text(boxes: Iterable[Box]) -> str:
    """`cat (10, 20, 50.5, 60); dog (…) crowd`, or `nothing`."""
    return _text((one.name, one.corners, f" {CROWD}" if one.crowd else "") for one in boxes)


def points_text(points: Iterable[Point]) -> str:
    """`nose (10, 20.25); left eye (…)`, or `nothing`."""
    return _text((one.name, one[1:], "") for one in points)


def boxes_of(text: str) -> tuple[Box, ...]:
    """The boxes of such a text.  Raises ValueError where it is none."""
    return tuple(Box.at(name, numbers, crowd) for name, numbers, crowd in _parsed(text, 4))


def points_of(text: str) -> tuple[Point, ...]:
    """The points of such a text.  Raises ValueError where it is none."""
    return tuple(Point(name, *numbers) for name, numbers, _ in _parsed(text, 2))


def text_of(value: Any) -> str | None:
    """The text of some boxes or points; None of anything else, and of none, which says not what is lacking."""
    if not isinstance(value, tuple) or not value or not isinstance(value[0], Box | Point):
        return None
    return boxes_text(value) if isinstance(value[0], Box) else points_text(value)


def _text(places: Iterable[tuple[str, Iterable[float], str]]) -> str:
    said = [f"{name} ({', '.join(_number(one) for one in numbers)}){suffix}" for name, numbers, suffix in places]
    return "; ".join(said) or NOTHING


def _number(value: float) -> str:
    return f"{round(float(value), DIGITS) + 0.0:g}" if abs(value) < 1e4 else f"{value:.{DIGITS}f}"


def _parsed(text: str, count: int) -> list[tuple[str, list[float], bool]]:
    if text.strip() == NOTHING:
        return []
    found = []
    for piece in text.split("; "):
        match = _PLACE.fullmatch(piece.strip())
        numbers = [float(one) for one in match["numbers"].split(",")] if match else []
        crowd = match is not None and match["crowd"] is not None
        wrong = match is None or len(numbers) != count or (crowd and count != 4)
        if match is None or wrong or not all(map(math.isfinite, numbers)):
            raise ValueError(
                f"expected a name and {plural(count, 'number')}, as 'cat (1, 2, …)', or '{NOTHING}', got '{text}'"
            )
        found.append((match["name"], numbers, crowd))
    return found
