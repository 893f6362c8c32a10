"""Rows out of what a Python caller has: dicts, lists, arrays, tables of pandas, polars or pyarrow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from numbers import Real
from typing import Any

import numpy as np

from dlspec.numeric.columns import spelt
from dlspec.numeric.rows import Rows
from dlspec.types import DataError
from dlspec.wording import plural


def rows_of(given: Any, order: Sequence[str], used: Sequence[str]) -> Rows:
    """Rows of a list of dicts, one dict, a dict of lists, a table with named columns, or a 2-D array.

    order: the columns of train, which an array has all, or of which it has the `used`.  Raises DataError.
    """
    if isinstance(given, np.ndarray):
        return _from_array(given, order, used)
    if isinstance(given, Mapping):
        whole = any(isinstance(v, list | tuple | np.ndarray) for v in given.values())
        return _from_columns(given if whole else {name: [value] for name, value in given.items()})
    names = getattr(given, "column_names", None) or getattr(given, "columns", None)
    if names is not None:
        return _from_columns({str(name): _listed(given[name]) for name in names})
    rows = list(given)
    if rows and not isinstance(rows[0], Mapping):
        return _from_array(np.array(rows, dtype=object), order, used)
    for number, row in enumerate(rows):
        absent = [name for name in used if name not in row]
        if absent:
            raise DataError(f"row {number} has no '{absent[0]}'; give it, or None where it is not known")
    names = dict.fromkeys(name for row in rows for name in row)
    return _from_columns({str(name): [row.get(name) for row in rows] for name in (names or order)})


def column_of(values: Sequence[Any]) -> np.ndarray:
    """float64 where all that is there are numbers (missing: NaN), else an object array of str (missing: None).

    True and False alone are the words, as a file has them.
    """
    if any(isinstance(value, bool | np.bool_) for value in values):
        values = [str(value) if isinstance(value, bool | np.bool_) else value for value in values]
    plain = [_plain(value) for value in values]
    if all(value is None or isinstance(value, float) for value in plain):
        return np.array([np.nan if value is None else value for value in plain], np.float64)
    column = np.empty(len(plain), object)
    column[:] = [spelt(value) if isinstance(value, float) else value for value in plain]
    return column


def _plain(value: Any) -> float | str | None:
    # pandas' NA and NaT equal nothing, and may not be asked.
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return None
    if isinstance(value, str):
        return value or None
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else str(value.astype("datetime64[s]"))
    if isinstance(value, Real | np.bool_) or hasattr(value, "__float__"):
        number = float(value)
        return None if np.isnan(number) else number
    return str(value)


def _listed(column: Any) -> list[Any]:
    for method in ("to_pylist", "to_list", "tolist"):
        if hasattr(column, method):
            return getattr(column, method)()
    return list(column)


def _from_columns(columns: Mapping[str, Any]) -> Rows:
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        (a, n), (b, m) = min(lengths.items(), key=_second), max(lengths.items(), key=_second)
        raise DataError(f"the columns differ in length: '{a}' has {plural(n, 'value')}, '{b}' has {m}")
    return Rows({name: column_of(_listed(values)) for name, values in columns.items()})


def _second(pair: tuple[str, int]) -> int:
    return pair[1]


def _from_array(array: np.ndarray, order: Sequence[str], used: Sequence[str]) -> Rows:
    if array.ndim != 2 or array.shape[1] not in (len(order), len(used)):
        some = "" if len(order) == len(used) else f", or the {len(used)} that are used"
        raise DataError(
            f"got an array of shape {array.shape}; expected (rows, {len(order)}), the columns of train in their order"
            f"{some}; or give rows as dicts, with names"
        )
    names = order if array.shape[1] == len(order) else used
    return Rows({name: column_of(array[:, place].tolist()) for place, name in enumerate(names)})
