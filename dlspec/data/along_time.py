"""The rows of a table laid out along time: a row a step, what comes twice or is missing mended as told, or refused."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from dlspec.data.regular import Clock, clock_of, steps_of
from dlspec.data.roles import times as times_of
from dlspec.data.sources import some
from dlspec.types import Complaint, DataError, Place
from dlspec.wording import plural

if TYPE_CHECKING:
    import numpy as np

    from dlspec.data.columns import Joined

ZONE = re.compile(r"(?<=:\d\d)(\.\d+)? ?(Z|[+-]\d\d(:?\d\d)?)$")
"""what ends a time of day that has a zone"""
MOST_STEPS = 20
"""steps for each row, from which on the guess of what a step is must be wrong"""


class Timeline(NamedTuple):
    """A series of equal steps."""

    values: np.ndarray
    """(n, F); NaN where a value is missing, and all along a step that no row is of"""
    labels: list[str]
    """what the file calls each step's time, or what it would"""
    clock: Clock
    notes: list[str]


def laid_out(
    data: Joined,
    time: str,
    columns: Mapping[str, np.ndarray],
    *,
    decimal: str = ".",
    frequency: str | None = None,
    duplicates: str = "fail",
    gaps: str = "fail",
    moments: Sequence[Any] | None = None,
    clock: Clock | None = None,
) -> Timeline:
    """Rows sorted by time, a row a step.

    columns: the values of each row, float64.  duplicates: fail, or which of several rows counts, or how they are
    joined (first, last, mean, sum).  gaps: fail, last (the value before stands for it), skip (it stays NaN).
    moments: the rows' times, and clock: what a step is, where they are known.
    Raises DataError with all that is wrong: it names rows and times, and says what to do.
    """
    import numpy as np

    times = moments_of(data, time, decimal=decimal) if moments is None else moments
    texts = [str(one) for one in data.columns[time].to_pylist()]
    try:
        clock = clock or clock_of(times, frequency)
    except DataError as error:
        raise DataError(error.complaints[0].message, where=Place(data.files[0])) from None
    steps, off = steps_of(times, clock, between=frequency is not None)
    faults = list[Complaint]()
    if off.any():
        row = int(off.argmax())
        faults += data.bad(
            [row],
            f"most rows are {clock.words} apart, but '{texts[row]}' in {{rows}} lies between two steps "
            f"({plural(int(off.sum()), 'row does', 'rows do')}{''.join(f'; {one}' for one in zones(texts))}); "
            "mend these times, or join rows: data.frequency (day, week, month, …) with data.duplicates: mean or sum",
        ).complaints
    order = np.argsort(steps, kind="stable")
    notes = zones(texts)
    if (np.diff(steps) < 0).any():
        notes.append(f"rows are not in order of '{time}'; they are sorted by it")
    count = int(steps.max()) + 1
    if count > MOST_STEPS * len(steps):
        faults += data.bad(
            [int(order[-1])],
            f"most rows are {clock.words} apart, and there are {count:,} such steps up to '{texts[order[-1]]}' in "
            f"{{rows}}, for {plural(len(steps), 'row')}; say what a step is: data.frequency (day, week, month, …)",
        ).complaints
        raise DataError(faults)
    if duplicates == "fail":
        faults += _doubled(data, steps, order[~off[order]], texts, clock, frequency)
    values = np.stack([columns[name] for name in columns], axis=1)
    values, rows, said = _joined(steps, order, values, "first" if duplicates == "fail" else duplicates)
    notes += said
    whole = np.full((count, values.shape[1]), np.nan)
    there = np.zeros(count, bool)
    places = np.unique(steps)
    whole[places], there[places] = values, True
    labels = [clock.told(step) for step in range(count)]
    if frequency is None:
        for step, row in zip(places.tolist(), rows.tolist(), strict=True):
            labels[step] = texts[row]
    if gaps == "fail":
        faults += _lacking(data, whole, there, rows, labels, list(columns), clock)
    if faults:
        raise DataError(faults)
    whole, said = _mended(whole, there, labels, gaps)
    return Timeline(whole, labels, clock, [*notes, *said])


def moments_of(data: Joined, time: str, *, decimal: str = ".") -> list[Any]:
    """The time of every row: a number, or a datetime.  Raises DataError that names rows without one."""
    return times_of(data, time, decimal=decimal, use="tells the time of every row (data.time)")


@contextlib.contextmanager
def told_with(faults: Sequence[Complaint]) -> Iterator[None]:
    """What is wrong within is told together with these faults, which are told in any case."""
    try:
        yield
    except DataError as error:
        raise DataError([*faults, *error.complaints]) from None
    if faults:
        raise DataError(faults)


def zones(texts: Sequence[str]) -> list[str]:
    """What is to be said of times that have several zones, or of which some have one: nothing where they are alike."""
    found = Counter(zone[2] if (zone := ZONE.search(one)) else "" for one in texts)
    if len(found) < 2:
        return []
    named = [one for one in found if one]
    said = f"times are of several zones: {', '.join(sorted(named)[:5])}" if len(named) > 1 else f"zone {named[0]}"
    bare = f", {found['']:,} of {len(texts):,} have none and are taken for UTC" if found[""] else ""
    return [f"{said}{bare}"]


def _doubled(
    data: Joined, steps: np.ndarray, order: np.ndarray, texts: Sequence[str], clock: Clock, frequency: str | None
) -> list[Complaint]:
    """What is wrong where several rows are of one step."""
    import numpy as np

    _, first, counts = np.unique(steps[order], return_index=True, return_counts=True)
    many = int((counts > 1).sum())
    if not many:
        return []
    several = order[first[counts > 1][0] : first[counts > 1][0] + counts[counts > 1][0]]
    step = clock.told(int(steps[several[0]]))
    which = f"'{texts[several[0]]}'" if frequency is None else f"the {frequency} of {step}"
    return data.bad(
        several,
        f"{which} stands in {{rows}}; {many:,} time{'s come' if many > 1 else ' comes'} more than once in all. "
        "Mend them, or say what several rows of one time mean: data.duplicates: mean, sum, first or last",
    ).complaints


def _joined(
    steps: np.ndarray, order: np.ndarray, values: np.ndarray, how: str
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """A row a step that there is, the first row of each, and what was done."""
    import numpy as np

    _, first, counts = np.unique(steps[order], return_index=True, return_counts=True)
    if counts.max() == 1:
        return values[order], order, []
    many = int((counts > 1).sum())
    sorted_values = values[order]
    if how in ("first", "last"):
        at = first if how == "first" else first + counts - 1
        found = sorted_values[at]
    else:
        known = ~np.isnan(sorted_values)
        total = np.add.reduceat(np.where(known, sorted_values, 0.0), first, axis=0)
        of = np.add.reduceat(known, first, axis=0)
        found = np.where(of > 0, total / np.maximum(of, 1) if how == "mean" else total, np.nan)
    joined = {"mean": "their mean", "sum": "their sum", "first": "the first", "last": "the last"}[how]
    return found, order[first], [f"{many:,} times have several rows ({int(counts.max()):,} at most); {joined} counts"]


def _lacking(
    data: Joined,
    whole: np.ndarray,
    there: np.ndarray,
    rows: np.ndarray,
    labels: Sequence[str],
    names: Sequence[str],
    clock: Clock,
) -> list[Complaint]:
    """What is wrong where steps have no row, and rows no value."""
    import numpy as np

    faults, absent, missing = list[Complaint](), np.flatnonzero(~there), np.isnan(whole) & there[:, None]
    mend = "data.gaps: last (the value before stands for it) or skip (no window goes over it)"
    row_of = np.full(len(whole), -1)
    row_of[there] = rows
    if len(absent):
        before = int(row_of[: absent[0]][-1])
        after = int(row_of[absent[0] :][there[absent[0] :].argmax()])
        runs = 1 + int((np.diff(absent) > 1).sum())
        faults += data.bad(
            [before, after],
            f"between {{rows}} a step of {clock.words} is missing: '{labels[absent[0]]}' "
            f"({len(absent):,} missing in {runs:,} place{'s' * (runs > 1)} in all). Add what is missing, or set {mend}",
        ).complaints
    if missing.any():
        step, column = np.argwhere(missing)[0].tolist()
        faults += data.bad(
            [int(row_of[step])],
            f"column '{names[column]}' is missing in {{rows}} ('{labels[step]}'; "
            f"{plural(int(missing.sum()), 'value')} in all). Fill it in, or set {mend}",
        ).complaints
    return faults


def _mended(whole: np.ndarray, there: np.ndarray, labels: Sequence[str], how: str) -> tuple[np.ndarray, list[str]]:
    """The series with what is missing filled, or left; and what was done."""
    import numpy as np

    from dlspec.numeric.windows import filled

    absent, missing = np.flatnonzero(~there), np.isnan(whole) & there[:, None]
    if not len(absent) and not missing.any():
        return whole, []
    what = []
    if len(absent):
        which = some("time", [labels[one] for one in absent], 3)
        what.append(f"{plural(len(absent), 'step has', 'steps have')} no row ({which})")
    if missing.any():
        what.append(f"{plural(int(missing.sum()), 'value is', 'values are')} missing")
    if how == "skip":
        return whole, [f"{' and '.join(what)}: no window goes over them"]
    before = np.flatnonzero(~np.isnan(whole).any(axis=1))
    start = int(before[0]) if len(before) else len(whole)
    result = whole.copy()
    result[start:] = filled(whole[None, start:], "last")[0]
    return result, [f"{' and '.join(what)}: the value before stands for each"]
