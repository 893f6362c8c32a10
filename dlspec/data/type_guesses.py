"""Columns of a table that nobody has described, as numbers or words, and the settings that this takes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dlspec.numeric.picture_formats import shown
from dlspec.proposals import Line
from dlspec.types import DataError

if TYPE_CHECKING:
    import numpy as np

    from dlspec.data.columns import Joined
    from dlspec.data.tabular import TableReader

MARKERS = {
    "n/a",
    "na",
    "n.a.",
    "#n/a",
    "missing",
    "unknown",
    "undefined",
    "none",
    "nil",
    "nan",
    "--",
    "---",
    ".",
    "...",
}
"""words among numbers that stand for a missing one"""


def typed_columns(
    reader: type[TableReader], data: Joined, target: str | None
) -> tuple[list[Line], dict[str, np.ndarray], dict[str, str], list[str]]:
    """Every column as numbers or words; the settings that this takes; columns that cannot be; and what is doubtful."""
    import pyarrow as pa

    from dlspec.data.columns import typed, without_missing

    decimal = _decimal(data)
    lines = [Line("decimal", ",", "numbers are written 1,5")] if decimal == "," else []
    extra = sorted({one for name in data.columns for one in _markers(data, name)})
    if extra:
        markers = list(reader.model_fields["missing"].default)
        why = f"what stands for a missing value: the usual, and {', '.join(map(shown, extra))} among numbers here"
        lines.append(Line("missing", [*markers, *extra], why))
        data.columns.update({n: without_missing(c, extra) for n, c in data.columns.items()})
    columns, text, dropped, doubts = dict[str, Any](), list[str](), dict[str, str](), list[str]()
    for name, column in data.columns.items():
        words = pa.types.is_string(column.type)
        if words and _codes(column):
            text.append(name)
        try:
            columns[name] = typed(data, name, decimal=decimal, keep_text=name in text)
        except DataError as error:
            if name == target or not words:
                raise
            columns[name] = typed(data, name, decimal=decimal, keep_text=True)
            text.append(name)
            dropped[name] = error.complaints[0].message
            doubts.append(f"not used: {error.complaints[0].message}")
    if text:
        codes = [name for name in text if name not in dropped]
        why = "read as words: " + ("numbers with a leading 0 are codes" if codes else "not all cells are numbers")
        lines.append(Line("text", text, why))
    return lines, columns, dropped, doubts


def _distinct(data: Joined, name: str) -> list[str]:
    import pyarrow as pa
    import pyarrow.compute as pc

    column = data.columns[name]
    return pc.unique(column).drop_null().to_pylist() if pa.types.is_string(column.type) else []


def _decimal(data: Joined) -> str:
    """A comma, where it makes numbers of a column of words, and no column has numbers with points."""
    from dlspec.data.columns import PLAIN, THOUSANDS

    commas = 0
    for name in data.columns:
        words = _distinct(data, name)
        if words and all(re.match(PLAIN, one) for one in words) and any("." in one for one in words):
            return "."
        if words and any("," in one for one in words) and all(re.match(PLAIN, one.replace(",", ".")) for one in words):
            commas += not all(re.match(THOUSANDS, one) for one in words if "," in one)
    return "," if commas else "."


def _markers(data: Joined, name: str) -> set[str]:
    """Words for the missing in a column that holds numbers but for them."""
    from dlspec.data.columns import PLAIN

    words = _distinct(data, name)
    strange = {one for one in words if not re.match(PLAIN, one.replace(",", "."))}
    return strange if 0 < len(strange) < len(words) and all(one.lower() in MARKERS for one in strange) else set()


def _codes(column: Any) -> bool:
    """Whole numbers, some of which begin with a 0: postcodes, numbers of articles."""
    import pyarrow.compute as pc

    whole = pc.match_substring_regex(column, r"^\d+$")
    led = pc.match_substring_regex(column, r"^0\d+$")
    return bool(pc.all(whole).as_py()) and bool(pc.any(led).as_py())
