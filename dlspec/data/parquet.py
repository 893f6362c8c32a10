"""Parquet → columns of text or numbers, by the types that the file declares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlspec.data.delimited import Table
from dlspec.types import DataError, Place

if TYPE_CHECKING:
    import pyarrow as pa


def read(file: str, data: bytes) -> Table:
    """The columns of a Parquet file, rows counted from 1.

    Integers and floats become float64; text, dictionaries, booleans (true, false), dates and times (ISO 8601) text.
    Raises DataError where it is none, is empty, or holds lists or other nested columns.
    """
    import numpy as np
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = parquet.read_table(pa.BufferReader(data), use_threads=False)
        table.validate(full=True)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).split("\n")[0].split(". ")[0]
        raise DataError(f"this is no Parquet file, or a broken one ({reason})", where=Place(file)) from None
    if not table.num_rows or not table.num_columns:
        raise DataError("this Parquet file has no rows", where=Place(file))
    names = table.column_names
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"column '{twice[0]}' stands in this file more than once; rename one", where=Place(file))
    columns = {name: _plain(file, name, table[name].combine_chunks()) for name in names}
    return Table(file, columns, np.arange(1, table.num_rows + 1), ["Parquet"])


def _plain(file: str, name: str, column: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if pa.types.is_integer(kind) and kind != pa.uint64():
        return pc.cast(column, pa.int64())  # float64 later: as ids and groups, large ones must stay exact
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return pc.cast(column, pa.float64(), safe=False)
    if pa.types.is_null(kind):
        return pc.cast(column, pa.float64())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pc.utf8_trim_whitespace(pc.cast(column, pa.string()))
    if pa.types.is_timestamp(kind):
        return pc.cast(_in_seconds(column), pa.string())
    if pa.types.is_boolean(kind) or pa.types.is_temporal(kind):
        return pc.cast(column, pa.string())
    raise DataError(f"column '{name}' is of type {kind}; numbers, text and dates can be read", where=Place(file))


def _in_seconds(moments: pa.Array) -> pa.Array:
    """Moments without fractions of a second, where they have none: `05:00:00`, not `05:00:00.000`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        return pc.cast(moments, pa.timestamp("s", moments.type.tz))
    except pa.ArrowInvalid:
        return moments
