"""Pictures and the boxes in them, out of a table: a row a box, empty cells where there is none."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from dlspec.data.picture_tables import Found, PictureTable, outside
from dlspec.proposals import Proposal

if TYPE_CHECKING:
    from dlspec.data.columns import Joined

NO_CLASS = "object"


class BoxTable(PictureTable):
    """A table with a row a box: a column of picture files, four of numbers, one of classes.

    A picture without any box has one row whose numbers and class are empty; a picture with several boxes has several
    rows.  x: the file's path, which is read when it is needed.  y: the boxes, as tuples of dlspec.numeric.places.Box.
    """

    summary: ClassVar[str] = "pictures of your own with boxes: a table with a row a box"
    name: Literal["box_table"] = "box_table"

    columns: tuple[str, str, str, str] = ("xmin", "ymin", "xmax", "ymax")
    """the columns of the box's numbers, in the order of `form`"""
    form: Literal["corners", "corner_and_size", "middle_and_size"] = "corners"
    """what they are: left, top, right, bottom; or left, top, width, height; or middle x, middle y, width, height"""
    label: str | None = "class"
    """the column of the box's class; null: there is one class, `object`"""

    @classmethod
    def recognize(cls, path: str, target: str | None = None) -> Proposal | None:
        """A table, alone or in a folder, that names pictures and has columns that are called as those of boxes are."""
        from dlspec.data.place_guesses import boxes

        return boxes(cls, path)

    def places(self, data: Joined, rows_of: Sequence[Sequence[int]], found: Found) -> list[Any]:
        from dlspec.data.columns import words
        from dlspec.numeric.places import Box

        label = [] if self.label is None else [self.label]
        self._has(data.files[0], list(data.columns), [*self.columns, *label])
        numbers = found.numbers(self.columns).tolist()
        classes = words(data.columns[self.label]).tolist() if self.label is not None else [NO_CLASS] * len(data)
        result: list[Any] = []
        for rows, size in zip(rows_of, found.sizes(), strict=True):
            own = []
            for row in rows:
                empty = [math.isnan(one) for one in numbers[row]]
                if all(empty) and (classes[row] is None or self.label is None):
                    if len(rows) > 1:
                        found.add(row, "this row says that nothing is in a picture that has other rows; take it out")
                elif any(empty) or classes[row] is None:
                    gone = [name for name, is_empty in zip(self.columns, empty, strict=True) if is_empty]
                    gone += [str(self.label)] if classes[row] is None else []
                    found.add(row, f"{' and '.join(gone)} missing; where nothing is in a picture, leave all empty")
                elif (wrong := self._wrong(numbers[row], size)) is not None:
                    found.add(row, wrong)
                else:
                    own.append(Box.at(classes[row], self._corners(numbers[row], size)))
            result.append(tuple(own))
        return result

    def said(self, y: Sequence[Any]) -> str:
        counts = Counter(box.name for own in y for box in own)
        empty = sum(not own for own in y)
        listed = ", ".join(f"{name} ({many:,})" for name, many in sorted(counts.items())[:20])
        return f"{len(y):,} pictures, {empty:,} without boxes; {counts.total():,} boxes: {listed}"

    def _wrong(self, numbers: Sequence[float], size: tuple[int, int] | None) -> str | None:
        """What is wrong with a box, in words."""
        x0, y0, x1, y1 = self._raw(numbers)
        said = ", ".join(f"{name} {one:g}" for name, one in zip(self.columns, numbers, strict=True))
        if x1 < x0 or y1 < y0:
            which = "left is right of right" if x1 < x0 else "top is below bottom"
            return f"the box ({said}) is turned inside out: {which}; are the corners swapped, or data.form another?"
        if x1 == x0 or y1 == y0:
            return f"the box ({said}) has no area"
        if size is not None and outside((x0, y0, x1, y1), *size):
            return f"the box ({said}) is not within its picture, which is {size[0]}×{size[1]} (width × height)"
        return None

    def _corners(self, numbers: Sequence[float], size: tuple[int, int] | None) -> list[float]:
        """Clipped to the picture: a pixel's half may lie outside, where pixels are counted otherwise."""
        corners = self._raw(numbers)
        return (
            corners if size is None else [min(max(one, 0.0), most) for one, most in zip(corners, size * 2, strict=True)]
        )

    def _raw(self, numbers: Sequence[float]) -> list[float]:
        a, b, c, d = numbers
        if self.form == "corners":
            return [a, b, c, d]
        if self.form == "corner_and_size":
            return [a, b, a + c, b + d]
        return [a - c / 2, b - d / 2, a + c / 2, b + d / 2]
