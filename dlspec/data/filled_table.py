"""A small table that a person filled in, by hand or in a spreadsheet: its header, and its rows with their lines."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from dlspec.types import DataError, Place

Rows = Iterator[tuple[int, list[str]]]
"""the line that a row ends in, and its cells"""
_SURROGATE = re.compile(r"\\u(dc[89a-f][0-9a-f])")


def as_id(cell: str) -> str:
    """An id as the data has it: \\udce9 in a table that dlspec wrote is a byte of a file's name that is no UTF-8."""
    return _SURROGATE.sub(lambda found: chr(int(found[1], 16)), cell)


def filled(file: str) -> tuple[list[str], Rows]:
    """The names of the columns, and the rows as they come; rows without a word are passed over.

    Separated by whichever of comma, semicolon and tab the header has most of: a spreadsheet may write its own.
    Raises DataError that names file and line, of a row only when it is come to.
    """
    try:
        with open(file, "rb") as opened:
            text = opened.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"byte {error.start} is not UTF-8; save the table as CSV in UTF-8", where=Place(file)) from None
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=Place(file)) from None
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=text.partition("\n")[0].count))
    every = _each(file, lines)
    names = [name.strip() for name in next(every, (0, []))[1]]
    return names, _of_width(file, every, len(names))


def _each(file: str, lines: Iterator[list[str]]) -> Rows:
    try:
        for row in lines:
            yield lines.line_num, row  # type: ignore[attr-defined]
    except csv.Error as error:
        raise DataError(f"this is no table: {error}", where=Place(file, lines.line_num)) from None  # type: ignore[attr-defined]


def _of_width(file: str, rows: Rows, width: int) -> Rows:
    for line, row in rows:
        if any(cell.strip() for cell in row):
            if len(row) != width:
                raise DataError(f"{len(row)} cells, where the header has {width}", where=Place(file, line))
            yield line, row
