"""What may be wrong with boxes, whatever the format: found, told by file and line, and left out or refused."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from dlspec.data.picture_tables import SLACK
from dlspec.numeric.places import Box
from dlspec.types import Complaint, DataError, Place
from dlspec.wording import plural

OVER = 0.01
"""share of a picture's side by which a box may reach over its edge: drawn too far by hand; it is cut there"""
TOLD = 3
"""faults of a kind that are told in full in a note"""
KEPT = 25
"""faults of a kind that are kept in words; of the others the number alone"""


class Drawn(NamedTuple):
    """A box as a file has it, not yet looked at."""

    name: str | None
    """its class; None: the file names none that is known"""
    corners: Sequence[float]
    """left, top, right, bottom; NaN where the file has no number"""
    crowd: bool = False
    at: int = 0
    """which of its file: a line, or a place in a list"""


class Faults:
    """What is wrong, by kind: all of it is counted, some of each kind told."""

    def __init__(self, *, strict: bool) -> None:
        self.strict = strict
        self.counts: dict[tuple[str, str], int] = {}
        self.told: dict[tuple[str, str], list[Complaint]] = {}
        self.over = 0

    def add(self, what: str, kind: str, message: str, where: Callable[[], Place], *, many: int = 1) -> None:
        """what: "box", "picture", …, of which `many` are left out.  where: asked for those alone that are told."""
        key = (what, kind)
        self.counts[key] = self.counts.get(key, 0) + many
        told = self.told.setdefault(key, [])
        if len(told) < KEPT:
            told.append(Complaint(where(), message))

    def settle(self) -> list[str]:
        """A note on each kind.  Raises DataError of all, where strict."""
        from dlspec.data.pictures import MOST

        if self.strict and self.counts:
            complaints = [one for told in self.told.values() for one in told][:MOST]
            more = sum(self.counts.values()) - len(complaints)
            if more > 0:
                kinds = ", ".join(
                    f"{plural(many, what, _more(what))} {kind}" for (what, kind), many in self.counts.items()
                )
                complaints.append(Complaint(Place(), f"in all {kinds}; strict: false leaves them out"))
            raise DataError(complaints)
        notes = []
        for (what, kind), many in self.counts.items():
            told = self.told[what, kind]
            rest = "; …" if len(told) > TOLD else ""
            notes.append(f"left out {plural(many, what, _more(what))} {kind}: {'; '.join(map(str, told[:TOLD]))}{rest}")
        if self.over:
            notes.append(
                f"cut at the picture's edge, over which they reach by a little: {plural(self.over, 'box', 'boxes')}"
            )
        return notes

    def why(self, message: str, file: str) -> DataError:
        """An error that nothing is left of a file, with what was wrong before."""
        some = [one for told in self.told.values() for one in told[:TOLD]]
        return DataError([Complaint(Place(file), message), *some])

    def boxes(
        self,
        drawn: Iterable[Drawn],
        size: tuple[int, int] | None,
        where: Callable[[int], Place],
        *,
        known: Collection[str] | None = None,
        said: Callable[[Drawn], str] | None = None,
    ) -> tuple[Box, ...]:
        """The boxes of one picture that are right, cut to it.

        size: width and height of the picture; None where they are not known.  where: of a box's `at`.
        known: the classes there are; None: any.  said: a box as its own file has it, for the message.
        """
        own: dict[Box, None] = {}
        for one in drawn:
            if one.name is None or (known is not None and one.name not in known):
                listed = ", ".join(sorted(known)[:10]) if known else ""
                what = "no class" if one.name is None else f"the class '{one.name}'"
                hint = f", and the classes are {listed}{', …' if len(known or ()) > 10 else ''}" if known else ""
                self._box(one, "of no known class", f"has {what}{hint}", where, said)
                continue
            wrong = fault(one.corners, size)
            if wrong is not None:
                self._box(one, *wrong, where, said)
                continue
            corners, far = cut(one.corners, size)
            self.over += far
            box = Box.at(one.name, corners, one.crowd)
            if box in own:
                self._box(one, "drawn twice", "is in its picture twice", where, said)
            own[box] = None
        return tuple(own)

    def _box(
        self, one: Drawn, kind: str, message: str, where: Callable[[int], Place], said: Callable[[Drawn], str] | None
    ) -> None:
        text = ", ".join(f"{number:g}" for number in one.corners) if said is None else said(one)
        self.add("box", kind, f"the box ({text}) {message}", lambda: where(one.at))


def fault(corners: Sequence[float], size: tuple[int, int] | None) -> tuple[str, str] | None:
    """The kind of what is wrong with a box (of several such), and what it is; None where it is right."""
    x0, y0, x1, y1 = corners
    if not (math.isfinite(x0) and math.isfinite(y0) and math.isfinite(x1) and math.isfinite(y1)):
        return "without numbers", "should have four finite numbers"
    if x1 < x0 or y1 < y0:
        which = "left is right of right" if x1 < x0 else "top is below bottom"
        return "turned inside out", f"is turned inside out: {which}; are the corners swapped, or sizes taken for them?"
    if x1 == x0 or y1 == y0:
        return "without area", "has no area"
    if size is None:
        return None
    width, height = size
    across, down = max(SLACK, OVER * width), max(SLACK, OVER * height)
    inside = x0 >= -across and y0 >= -down and x1 <= width + across and y1 <= height + down
    if not inside or x0 >= width or y0 >= height or x1 <= 0 or y1 <= 0:
        return "outside of the picture", f"is not within its picture, which is {width}×{height} (width × height)"
    return None


def cut(corners: Sequence[float], size: tuple[int, int] | None) -> tuple[tuple[float, float, float, float], bool]:
    """The box within its picture, and whether it reached over the edge by more than a pixel's half."""
    x0, y0, x1, y1 = corners
    if size is None:
        return (x0, y0, x1, y1), False
    width, height = float(size[0]), float(size[1])
    far = x0 < -SLACK or y0 < -SLACK or x1 > width + SLACK or y1 > height + SLACK
    return (max(x0, 0.0), max(y0, 0.0), min(x1, width), min(y1, height)), far


def _more(what: str) -> str:
    return f"{what}es" if what.endswith("x") else f"{what}s"
