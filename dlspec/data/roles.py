"""Columns that are no features: truths, ids, groups, times and weights, each complete or refused with its rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from dlspec.data.columns import Joined, typed, words
from dlspec.data.sources import some
from dlspec.numeric import written_dates
from dlspec.numeric.written_dates import first_of, moment, year_first
from dlspec.types import Complaint, DataError, Place


class Truths(NamedTuple):
    """y of every row, None where missing, and the places of the rows that have one."""

    y: list[Any]
    present: list[int]


def truths(data: Joined, name: str, *, decimal: str, keep_text: bool, strict: bool) -> Truths:
    """Words as str; numbers as int where all of them are whole, else as float."""
    import numpy as np

    values = typed(data, name, decimal=decimal, keep_text=keep_text, strict=strict)
    if values.dtype == object:
        y = values.tolist()
        return Truths(y, [i for i, one in enumerate(y) if one is not None])
    there = ~np.isnan(values)
    whole = values[there]
    y = values.tolist()
    if (whole == np.round(whole)).all() and (np.abs(whole) < 2**53).all():
        y = np.where(there, values, 0).astype(np.int64).tolist()
    if not there.all():
        y = [one if is_there else None for one, is_there in zip(y, there.tolist(), strict=True)]
    return Truths(y, np.flatnonzero(there).tolist())


def several_truths(data: Joined, names: Sequence[str], *, decimal: str, text: Sequence[str], strict: bool) -> Truths:
    """Of several columns: y is a mapping, column → truth, None where missing; present is who has any of them."""
    found = {name: truths(data, name, decimal=decimal, keep_text=name in text, strict=strict).y for name in names}
    y = [dict(zip(names, row, strict=True)) for row in zip(*found.values(), strict=True)]
    return Truths(y, [i for i, one in enumerate(y) if any(value is not None for value in one.values())])


def ids(data: Joined, name: str) -> list[str]:
    """Ids out of a column; raises DataError where one stands twice in a file."""
    values = complete(data, name)
    for start, end in zip(data.starts, data.starts[1:], strict=False):
        first: dict[str, int] = {}
        for i in range(start, end):
            if values[i] in first:
                raise data.bad(
                    [first[values[i]], i], f"column '{name}' is the id, and '{values[i]}' stands in {{rows}}"
                )
            first[values[i]] = i
    return values


def complete(data: Joined, name: str) -> list[str]:
    """A column's texts; raises DataError where one is missing."""
    values = words(data.columns[name]).tolist()
    absent = [i for i, value in enumerate(values) if value is None]
    if absent:
        raise data.bad(absent, f"column '{name}' is missing in {{rows}}; every example needs one")
    return values


def texts(data: Joined, name: str) -> list[str]:
    """A column's texts, "" where missing."""
    return ["" if one is None else one for one in words(data.columns[name])]


def weights(data: Joined, name: str, *, decimal: str) -> list[float]:
    """Numbers of at least 0; raises DataError where one is missing or is none."""
    import numpy as np

    values = typed(data, name, decimal=decimal)
    if values.dtype == object:
        raise DataError(f"the weight '{name}' holds words, not numbers", where=Place(data.files[0]))
    wrong = np.flatnonzero(~(values >= 0))
    if len(wrong):
        raise data.bad(wrong, f"the weight '{name}' is missing or below 0 in {{rows}}")
    return values.tolist()


def times(data: Joined, name: str, *, decimal: str, use: str = "orders the examples (data.split.time)") -> list[Any]:
    """What to order by: numbers as they are, texts as dates (ISO 8601; also 2024/3/31 and 2024-03; and 31/12/2020 or
    12/31/2020, where a number above 12 in the column tells which is the day).

    use: what the column is for, in words.  Raises DataError where one is missing or is no date.
    """
    import numpy as np

    values, faults = typed(data, name, decimal=decimal), list[Complaint]()
    if values.dtype != object:
        absent = np.flatnonzero(np.isnan(values))
        moments: list[Any] = values.tolist()
    else:
        distinct = list(dict.fromkeys(values.tolist()))
        first, why = first_of(distinct)
        known = {text: moment(text) or moment(year_first(text, first)) for text in distinct}
        moments = [known[text] for text in values]
        absent = np.array([i for i, text in enumerate(values) if text is None], dtype=int)
        strange = [i for i, one in enumerate(moments) if one is None and values[i] is not None]
        if strange:
            shown = [f"'{one[:30]}'" for one in dict.fromkeys(values[strange].tolist())]
            which = some("", shown, 3).removeprefix("s").strip()
            why = f"; {why}" if why and not first else ""
            wrong = data.bad(
                strange,
                f"column '{name}' {use}, and {which} in {{rows}} {'is' if len(shown) == 1 else 'are'} no date; write "
                f"dates as 2024-03-31 or 2024-03-31 14:05, or give a column of numbers{why}",
            )
            faults += wrong.complaints
    if len(absent):
        faults += data.bad(absent, f"column '{name}' {use} and is missing in {{rows}}").complaints
    if faults:
        raise DataError(faults)
    return moments


def taken_as(data: Joined, name: str) -> list[str]:
    """What is to be said of how dates of a column were read: nothing where they begin with the year."""
    return written_dates.taken_as(name, *first_of(dict.fromkeys(words(data.columns[name]).tolist())))
