"""Columns of a table that nobody has described, as numbers or words, and the settings that this takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dlspec.numeric.printable import shown
from dlspec.proposals import Line
from dlspec.types import DataError

if TYPE_CHECKING:
    import numpy as np

    from dlspec.data.columns import Joined
    from dlspec.data.tabular import TableReader

HEAD = 1_000
"""cells that tell most columns for what they are, before all are looked at"""
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

    distinct = {name: _distinct(data, name) for name in data.columns}
    decimal = _decimal(data, distinct)
    lines = [Line("decimal", ",", "numbers are written 1,5")] if decimal == "," else []
    extra = sorted({one for words in distinct.values() for one in _markers(words)})
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


def _distinct(data: Joined, name: str) -> Any:
    """The different words of a column that is no plain column of numbers; none where it is one."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = data.columns[name]
    none = pa.array([], pa.string())
    if not pa.types.is_string(column.type):
        return none
    try:
        pc.cast(column[:HEAD], pa.float64())
        pc.cast(column, pa.float64())
    except pa.ArrowInvalid:
        return pc.unique(column).drop_null()
    return none


def _decimal(data: Joined, distinct: Mapping[str, Any]) -> str:
    """A comma, where it makes numbers of a column of words, and no column has numbers with points."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from dlspec.data.columns import PLAIN, THOUSANDS

    commas = False
    for name, words in distinct.items():
        if not len(words):
            head = data.columns[name][:HEAD]
            if pa.types.is_string(head.type) and pc.any(pc.match_substring(head, ".")).as_py():
                return "."
            continue
        with_comma = words.filter(pc.match_substring(words, ","))
        dotted = pc.replace_substring(words, ",", ".")
        if len(with_comma) and pc.all(pc.match_substring_regex(dotted, PLAIN)).as_py():
            commas |= not pc.all(pc.match_substring_regex(with_comma, THOUSANDS)).as_py()
    return "," if commas else "."


def _markers(words: Any) -> set[str]:
    """Words for the missing in a column that holds numbers but for them."""
    import pyarrow.compute as pc

    from dlspec.data.columns import PLAIN

    numbers = pc.match_substring_regex(pc.replace_substring(words, ",", "."), PLAIN)
    strange = words.filter(pc.invert(numbers))
    if not 0 < len(strange) < len(words) or len(strange) > len(MARKERS):
        return set()
    found = set(strange.to_pylist())
    return found if all(one.lower() in MARKERS for one in found) else set()


def _codes(column: Any) -> bool:
    """Whole numbers, some of which begin with a 0: postcodes, numbers of articles."""
    import pyarrow.compute as pc

    if not pc.all(pc.match_substring_regex(column[:HEAD], r"^\d+$")).as_py():
        return False
    whole = pc.match_substring_regex(column, r"^\d+$")
    led = pc.match_substring_regex(column, r"^0\d+$")
    return bool(pc.all(whole).as_py()) and bool(pc.any(led).as_py())
