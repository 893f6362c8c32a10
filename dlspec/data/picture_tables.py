"""What readers of tables of places share: a table whose rows name pictures, its cells as numbers, every fault named."""

from __future__ import annotations

import abc
import math
import os
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from pydantic import PrivateAttr

from dlspec.data import sources
from dlspec.data.base import Reader
from dlspec.data.column_names import refuse_missing
from dlspec.data.sources import Encoding, Source
from dlspec.numeric.printable import identity
from dlspec.recipe.component import DataPath
from dlspec.types import Complaint, DataError, Examples, Place, Splits
from dlspec.wording import plural

if TYPE_CHECKING:
    import numpy as np

    from dlspec.data.columns import Joined
    from dlspec.numeric.picture_paths import PictureFiles

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?", "-")
SLACK = 0.51
"""pixels that a place may lie outside of its picture: some count pixels from their middles, some from 1"""

R = TypeVar("R", bound="PictureTable")


class PictureTable(Reader):
    """Tables (.csv, .tsv, .txt, .parquet, each packed as .gz, too) with a column of picture files and others of places.

    A picture's id is its file's name as the table writes it.  Places are in pixels of the picture as it is shown, x to
    the right and y down, from the upper left corner.
    """

    kind: ClassVar[str] = "picture"
    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".tsv", ".txt", ".parquet", ".gz")

    path: Source
    """the file; or {train: …, dev: …, test: …} where each has a file of its own"""
    file: str = "file"
    """the column of file names, relative to `folder`, or absolute"""
    folder: DataPath | None = None
    """the folder that the file names are relative to; left out: the table's own"""
    delimiter: str | None = None
    """what stands between cells: one character, or `tab`; left out: found"""
    encoding: Encoding = "utf-8"
    """how the text is written: utf-8, latin-1, cp1252, …"""
    strict: bool = False
    """refuse the data where a picture is broken, instead of leaving that picture out and naming it"""
    _elsewhere: bool = PrivateAttr(False)

    @classmethod
    def for_kind(cls, kind: str, path: str) -> Reader | None:
        """None: a table of pictures that a network of another task is given is image_table's."""
        return None

    def files(self) -> list[str]:
        return list(sources.parts(self.path).values())

    def at(self: R, path: str) -> R:
        other = self.model_copy(update={"path": path})
        other._elsewhere = True
        return other

    @abc.abstractmethod
    def places(self, data: Joined, rows_of: Sequence[Sequence[int]], found: Found) -> list[Any]:
        """The truth of each picture, out of its rows, None of one that is left out; what is wrong goes to `found`."""

    def load(self, *, truth: bool = True) -> Splits:
        from dlspec.data import roles
        from dlspec.data.columns import Joined, without_missing
        from dlspec.data.pictures import faulty
        from dlspec.numeric.picture_paths import PictureFiles

        parts = sources.parts(self.path)
        tables = [read_table(file, self.delimiter, self.encoding) for file in parts.values()]
        tables = [
            table._replace(columns={n: without_missing(c, MISSING) for n, c in table.columns.items()})
            for table in tables
        ]
        for table in tables:
            self._has(table.file, list(table.columns), [self.file])
        names = [name for name in tables[0].columns if all(name in table.columns for table in tables)]
        data = Joined.of(tables, names)
        written = roles.complete(data, self.file)
        paths, ids, rows_of, starts = list[str](), list[str](), list[list[int]](), [0]
        for (part, file), (start, end) in zip(parts.items(), pairwise(data.starts), strict=True):
            home = self._home(file, written[start])
            own: dict[str, list[int]] = {}
            for row in range(start, end):
                own.setdefault(written[row], []).append(row)
            paths += [os.path.join(home, one) for one in own]
            ids += [identity(one) if part == "all" else f"{part}:{identity(one)}" for one in own]
            rows_of += own.values()
            starts.append(len(ids))
        files = PictureFiles("", paths)
        if not truth:
            return Splits({"all": Examples(ids, files)}, notes=(plural(len(ids), "picture"),))
        found = Found(data, files, rows_of)
        found.pictures_are_there(written)
        broken, notes = faulty(files, strict=self.strict)
        y = self.places(data, rows_of, found)
        found.refuse()
        notes = [*found.notes, *notes]
        whole = Examples(ids, files, y)
        kept = {
            part: whole.take([i for i in range(low, high) if i not in broken and y[i] is not None])
            for part, (low, high) in zip(parts, pairwise(starts), strict=True)
        }
        said = [f"{Path(t.file).name}: {plural(len(t.rows), 'row')}, {', '.join(t.notes)}" for t in tables]
        return Splits(kept, notes=(*said, self.said(y), *notes))

    def said(self, y: Sequence[Any]) -> str:
        """How many pictures and places there are, in a sentence."""
        empty = sum(not one for one in y)
        return f"{plural(len(y), 'picture')} with {sum(map(len, y)):,} places, {empty:,} of them without any"

    def _has(self, file: str, have: Sequence[str], wanted: Sequence[str]) -> None:
        refuse_missing([("file" if name == self.file else "columns", name) for name in wanted], have, file)

    def _home(self, table: str, first: str) -> str:
        """Where a table's pictures are; another table than the recipe's may have its own beside it."""
        own = os.path.dirname(os.path.abspath(table))
        if self.folder is None or (self._elsewhere and os.path.exists(os.path.join(own, first))):
            return own
        return self.folder


class Found:
    """What is wrong in a table of places, collected so that all is said at once."""

    def __init__(self, data: Joined, files: PictureFiles, rows_of: Sequence[Sequence[int]]) -> None:
        self.data, self.files, self.rows_of = data, files, rows_of
        self.complaints: list[Complaint] = []
        self.notes: list[str] = []

    def add(self, row: int, message: str) -> None:
        self.complaints += self.data.bad([row], message).complaints

    def place(self, row: int) -> Place:
        """File and line of a row."""
        return self.data.bad([row], "").complaints[0].where

    def refuse(self) -> None:
        """Raise DataError where something was wrong."""
        from dlspec.data.pictures import refused

        if self.complaints:
            raise refused(self.complaints, "{} more rows are wrong")

    def pictures_are_there(self, written: Sequence[str]) -> None:
        """Raise DataError that names every picture that is not there, with its row."""
        for path, rows in zip(self.files, self.rows_of, strict=True):
            if not os.path.exists(path):
                self.add(rows[0], f"there is no picture '{written[rows[0]]}' (data.folder); looked at {path}")
        self.refuse()

    def sizes(self) -> list[tuple[int, int] | None]:
        """Width and height of each picture; None where it cannot be read, and is left out."""
        heads = self.files.headers()
        return [None if isinstance(one, DataError) else (one.width, one.height) for one in heads]

    def numbers(self, names: Sequence[str], wrong: Callable[[int, str], Any] | None = None) -> np.ndarray:
        """The cells of some columns as float64 (rows, columns); empty ones NaN; words are complained of, each.

        wrong: called with the row and what is wrong with it, instead.
        """
        import numpy as np

        from dlspec.data.columns import words

        result = np.full((len(self.data), len(names)), np.nan)
        for k, name in enumerate(names):
            for row, cell in enumerate(words(self.data.columns[name]).tolist()):
                if cell is None:
                    continue
                try:
                    number = float(cell)
                except ValueError:
                    number = math.nan
                if math.isfinite(number):
                    result[row, k] = number
                else:
                    (wrong or self.add)(row, f"column '{name}' should hold numbers, got '{cell[:40]}'")
        return result


def read_table(file: str, delimiter: str | None, encoding: str) -> Any:
    """A table as `delimited.Table`.  Raises DataError."""
    from dlspec.data import delimited, parquet

    data = sources.contents(file)
    if Path(file.removesuffix(".gz")).suffix.lower() == ".parquet":
        return parquet.read(file, data)
    given = {"tab": "\t"}.get(delimiter or "", delimiter)
    return delimited.read(file, data, delimiter=given, header=True, encoding=encoding, missing=MISSING)


def outside(numbers: Sequence[float], width: int, height: int) -> bool:
    """Whether x, y (and again) lie outside of a picture."""
    return any(not -SLACK <= one <= most + SLACK for one, most in zip(numbers, (width, height) * 2, strict=False))


def pictures_column(columns: Mapping[str, Sequence[Any]]) -> str | None:
    """The first column nearly all of whose words end as names of pictures do."""
    from dlspec.numeric.picture_formats import SUFFIXES

    for name, values in columns.items():
        some = [one for one in values[:200] if isinstance(one, str)]
        if some and sum(os.path.splitext(one)[1].lower() in SUFFIXES for one in some) >= 0.9 * len(values[:200]):
            return name
    return None
