"""Columns of text → numbers (float64, missing NaN) or words (object, missing None), and nothing in between."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dlspec.data.sources import some
from dlspec.types import DataError, Place

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from dlspec.data.delimited import Table

MOSTLY = 0.9
"""share of distinct values that are numbers, from which the others count as mistakes"""
PLAIN = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
THOUSANDS = r"^\s*[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?\s*$"
"""numbers as 1,036 or 12,345,678.9: a comma between thousands, or three decimals"""


@dataclass(frozen=True)
class Joined:
    """The rows of all the files under each other: types are told from all of them together."""

    columns: dict[str, pa.Array]
    files: list[str]
    starts: list[int]
    rows: np.ndarray

    @classmethod
    def of(cls, tables: Sequence[Table], names: Sequence[str]) -> Joined:
        """The columns of these names, which every table has."""
        import numpy as np
        import pyarrow as pa

        columns = {}
        for name in names:
            pieces = [table.columns[name] for table in tables]
            if len({piece.type for piece in pieces}) > 1:
                pieces = [piece.cast(pa.string()) for piece in pieces]
            columns[name] = pieces[0] if len(pieces) == 1 else pa.concat_arrays(pieces)
        starts = np.cumsum([0, *(len(table.rows) for table in tables)]).tolist()
        return cls(columns, [table.file for table in tables], starts, np.concatenate([t.rows for t in tables]))

    def __len__(self) -> int:
        return self.starts[-1]

    def bad(self, indices: Sequence[int] | np.ndarray, message: str) -> DataError:
        """An error about these rows: `{rows}` in the message names the first of them, by file."""
        first = int(indices[0])
        file = next(i for i in range(len(self.files)) if first < self.starts[i + 1])
        here = [int(self.rows[i]) for i in indices if self.starts[file] <= i < self.starts[file + 1]]
        rows = some("row", here)
        if len(here) < len(indices):
            rows += f", and {len(indices) - len(here):,} in other files"
        return DataError(message.replace("{rows}", rows), where=Place(self.files[file], here[0]))


def without_missing(column: pa.Array, markers: Collection[str]) -> pa.Array:
    """Text with nulls where a marker of the missing stands."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_string(column.type):
        return column
    found = pc.is_in(column, pa.array(sorted(markers), pa.string()))
    return pc.if_else(found, pa.scalar(None, pa.string()), column)


def typed(
    data: Joined,
    name: str,
    *,
    decimal: str = ".",
    keep_text: bool = False,
    strict: bool = True,
    keep: str | None = None,
) -> np.ndarray:
    """A column as float64 or as object array of str.

    keep_text: words, whatever they look like.  strict: refuse a column of numbers with a few that are none;
    keep: what is advised where they are words after all.
    Raises DataError that names the rows.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    column = data.columns[name]
    if not pa.types.is_string(column.type) and not keep_text:
        values = column.to_numpy(zero_copy_only=False).astype(np.float64)
        return _finite(data, name, values)
    if keep_text:
        return words(column)
    dotted = pc.replace_substring(column, ",", ".") if decimal == "," else column
    try:
        values = pc.cast(dotted, pa.float64()).to_numpy(zero_copy_only=False)
        if np.isfinite(values).sum() + column.null_count == len(values):
            return values
    except pa.ArrowInvalid:
        pass
    distinct = pc.unique(column).drop_null()
    plain = pc.replace_substring(distinct, ",", ".") if decimal == "," else distinct
    numbers = pc.match_substring_regex(plain, PLAIN)
    share = (pc.sum(numbers).as_py() or 0) / max(len(distinct), 1)
    if share == 1:  # numbers too large for a float
        values = pc.cast(dotted, pa.float64()).to_numpy(zero_copy_only=False)
        return _finite(data, name, values)
    if strict and decimal == ".":
        commas = pc.match_substring_regex(pc.replace_substring(distinct, ",", "."), PLAIN)
        strange = distinct.filter(pc.invert(numbers))
        if pc.all(pc.match_substring_regex(strange, THOUSANDS)).as_py() and len(strange):
            first = _rows_with(data, name, strange)
            shown = column[int(first[0])].as_py()
            raise data.bad(
                first,
                f"column '{name}' holds numbers with a comma in {{rows}} ('{shown}'), most likely between thousands; "
                f"take these commas out. If it stands before the decimals, set data.decimal: ','",
            )
        if share < MOSTLY and (pc.sum(commas).as_py() or 0) / max(len(distinct), 1) >= MOSTLY:
            first = _rows_with(data, name, distinct.filter(pc.invert(numbers)))[:1]
            shown = column[int(first[0])].as_py()
            raise data.bad(
                first,
                f"column '{name}' seems to hold numbers with a decimal comma ('{shown}' in {{rows}}); set "
                f"data.decimal: ',', or list the column under data.text if it is none",
            )
    if strict and share >= MOSTLY:
        raise _almost_numbers(data, name, distinct.filter(pc.invert(numbers)), keep)
    return words(column)


def words(column: pa.Array) -> np.ndarray:
    """Texts as an object array, None where missing; equal texts are one object."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    text = column if pa.types.is_string(column.type) else pc.cast(column, pa.string())
    coded = text.dictionary_encode()
    known = np.array([*coded.dictionary.to_pylist(), None], dtype=object)
    return known[coded.indices.fill_null(len(known) - 1).to_numpy()]


def _finite(data: Joined, name: str, values: np.ndarray) -> np.ndarray:
    import numpy as np

    infinite = np.flatnonzero(np.isinf(values))
    if len(infinite):
        raise data.bad(infinite, f"column '{name}' is infinite in {{rows}}; give numbers, or leave the cells empty")
    return values


def _rows_with(data: Joined, name: str, texts: pa.Array) -> np.ndarray:
    import numpy as np
    import pyarrow.compute as pc

    return np.flatnonzero(pc.is_in(data.columns[name], texts).to_numpy(zero_copy_only=False))


def _almost_numbers(data: Joined, name: str, strange: pa.Array, keep: str | None) -> DataError:
    shown = some("value", [f"'{text[:60]}'" for text in strange.to_pylist()])
    places = _rows_with(data, name, strange)
    words_kept = keep or f"list '{name}' under data.text"
    header = "set data.header: true if row 1 is a header, " if data.rows[places[0]] == 1 else ""
    return data.bad(
        places,
        f"column '{name}' holds numbers, but not in {{rows}}: {shown}; mend them, {header}add what stands for a "
        f"missing value to data.missing, or {words_kept} if it holds words",
    )
