"""Pictures and the boxes in them, out of a table: a row a box, empty cells where there is none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from dlspec.data import sources
from dlspec.data.box_faults import Drawn, Faults
from dlspec.data.boxed_pictures import MOST, classes_of, said, same_classes
from dlspec.data.picture_tables import Found, PictureTable
from dlspec.proposals import Proposal
from dlspec.types import Place, Splits

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
    classes: tuple[str, ...] | None = None
    """the classes that there are: a box of another is left out and named; left out: all that occur"""
    most: int = Field(MOST, ge=1)
    """boxes that a picture may have; one with more is taken for a mistake"""
    strict: bool = False
    """refuse the data where a picture is broken or a box wrong, instead of leaving it out and naming it"""

    @classmethod
    def recognize(cls, path: str, target: str | None = None) -> Proposal | None:
        """A table, alone or in a folder, that names pictures and has columns that are called as those of boxes are."""
        from dlspec.data.place_guesses import boxes

        return boxes(cls, path)

    def places(self, data: Joined, rows_of: Sequence[Sequence[int]], found: Found) -> list[Any]:
        from dlspec.data.columns import words

        label = [] if self.label is None else [self.label]
        self._has(data.files[0], list(data.columns), [*self.columns, *label])
        words_in: dict[int, str] = {}
        numbers = found.numbers(self.columns, words_in.setdefault).tolist()
        classes = words(data.columns[self.label]).tolist() if self.label is not None else [NO_CLASS] * len(data)
        faults = Faults(strict=self.strict)
        result: list[Any] = []
        for rows, size in zip(rows_of, found.sizes(), strict=True):
            drawn = []
            for row in rows:
                wrong = self._wrong(numbers[row], classes[row], words_in.get(row), len(rows) > 1)
                if wrong is not None:
                    faults.add("row", *wrong, partial(found.place, row))
                elif not math.isnan(numbers[row][0]):
                    drawn.append(Drawn(classes[row], self._raw(numbers[row]), False, row))
            if len(drawn) > self.most:
                message = f"this picture has {len(drawn):,} boxes; if that is no mistake, raise data.most"
                faults.add("picture", f"with more than {self.most:,} boxes", message, partial(found.place, rows[0]))
                result.append(None)
                continue
            result.append(
                faults.boxes(drawn, size, found.place, known=self.classes, said=lambda one: self._said(numbers[one.at]))
            )
        found.notes += faults.settle()
        if not any(result) and not self._elsewhere:
            raise faults.why("there is no box to learn from", data.files[0])
        return result

    def load(self, *, truth: bool = True) -> Splits:
        splits = super().load(truth=truth)
        if truth:
            files = sources.parts(self.path)
            counts = {part: classes_of(own.column("y")) for part, own in splits.parts.items()}
            if self.classes is None:
                same_classes(counts, lambda part, _: Place(files[part]))
        return splits

    def said(self, y: Sequence[Any]) -> str:
        return said([one for one in y if one is not None])

    def _wrong(
        self, numbers: Sequence[float], label: str | None, words: str | None, others: bool
    ) -> tuple[str, str] | None:
        """The kind of what is wrong with a row, and what; None where it is a box, or says that nothing is there."""
        empty = [math.isnan(one) for one in numbers]
        if words is not None:
            return "without numbers", words
        if all(empty) and (label is None or self.label is None):
            message = "this row says that nothing is in a picture that has other rows; take it out"
            return ("of nothing, where other rows have something", message) if others else None
        if any(empty) or label is None:
            gone = [name for name, is_empty in zip(self.columns, empty, strict=True) if is_empty]
            gone += [str(self.label)] if label is None else []
            message = f"{' and '.join(gone)} missing; where nothing is in a picture, leave all empty"
            return "with empty cells", message
        return None

    def _said(self, numbers: Sequence[float]) -> str:
        return ", ".join(f"{name} {one:g}" for name, one in zip(self.columns, numbers, strict=True))

    def _raw(self, numbers: Sequence[float]) -> list[float]:
        a, b, c, d = numbers
        if self.form == "corners":
            return [a, b, c, d]
        if self.form == "corner_and_size":
            return [a, b, a + c, b + d]
        return [a - c / 2, b - d / 2, a + c / 2, b + d / 2]
