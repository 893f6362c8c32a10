"""What a slice may be cut by: a column of facts, divided into cells, and conditions that join neighbouring cells."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

MOST_VALUES = 60
"""values of a column of words that are looked at, the most frequent first"""
FINE, STEP = 16, 5
"""ranges of more cells than the former end at every so many cells"""
LONG = 0.5
"""a column of words is a text where more of its values differ: its length is looked at as well"""
LENGTHS = (0.04, 0.16)
"""shares of the rows that ranges are told apart by"""


@dataclass(frozen=True)
class Condition:
    """What holds of the examples of a slice: a column's word, a range of its numbers, or that it is missing."""

    column: str
    value: str | None = None
    """the word that it is; None: a range"""
    low: float = -math.inf
    """the least number that belongs"""
    high: float = math.inf
    """where numbers stop to belong"""
    upto: float | None = None
    """the greatest number that occurs below `high`, where few occur: it is what is said"""
    missing: bool = False
    unit: str | None = None
    """of a column of dates, what its numbers count since 1970: D (days) or s (seconds)"""

    def holds(self, values: np.ndarray) -> np.ndarray:
        """(N,) values of the column → (N,) whether each fits."""
        if values.dtype.kind == "M":
            values = _counted(values)
        if values.dtype.kind in "OU":
            if self.missing:
                return np.array([one is None or one == "" for one in values], bool)
            return np.array([one is not None and str(one) == self.value for one in values], bool)
        if self.missing:
            return np.isnan(values)
        return (values >= self.low) & (values < self.high)

    def __str__(self) -> str:
        if self.missing:
            return f"{self.column} is missing"
        if self.value is not None:
            return f"{self.column} = {self.value}"
        if self.upto is not None and self.low == self.upto:
            return f"{self.column} = {f'{self.low:g}' if self.unit is None else self._said(self.low)}"
        above = "" if math.isinf(self.low) else f"{self._said(self.low)} ≤ "
        if math.isinf(self.high):
            return f"{self.column} ≥ {self._said(self.low)}"
        below = f" ≤ {self._said(self.upto)}" if self.upto is not None else f" < {self._said(self.high)}"
        return f"{above}{self.column}{below}"

    def _said(self, value: float) -> str:
        if self.unit is None:
            return _short(value)
        day, _, hour = str(np.datetime64(int(value), self.unit)).partition("T")  # type: ignore[call-overload]
        return f"{day} {hour.removesuffix(':00')}".removesuffix(" 00:00").strip()


@dataclass(frozen=True)
class Column:
    """A column of facts in cells: every row is in one, and a candidate joins the cells from start to before stop."""

    name: str
    codes: np.ndarray
    """(N,) the cell of each row"""
    cells: int
    candidates: Sequence[tuple[int, int, str]]
    """start, stop, and of which kind it is: those of one kind are about equally easily high by luck"""
    conditions: Sequence[Condition]
    """one a candidate"""
    coarse: Sequence[int]
    """the few candidates that are paired with those of other columns"""


def widened(facts: Mapping[str, Any], like: Collection[str] | None = None) -> dict[str, np.ndarray]:
    """Facts as float64, dates or words, and of every text (words of which most differ) its length as a column as well.

    like: the names of what came of other rows of the same columns: texts are those that were texts there.
    """
    result: dict[str, np.ndarray] = {}
    for name, given in facts.items():
        values = np.asarray(given)
        if values.dtype.kind == "M":
            result[name] = values
            continue
        if values.dtype.kind in "biuf":
            result[name] = np.array(values, float) if values.dtype.kind != "b" else values.astype(str).astype(object)
            continue
        result[name] = values.astype(object)
        known = [str(one) for one in values.tolist() if one is not None and one != ""]
        length = f"length of {name}"
        text = len(set(known)) > LONG * len(values) and len(set(map(len, known))) > 1
        if text if like is None else length in like:
            result[length] = np.array([math.nan if one is None else len(str(one)) for one in values.tolist()], float)
    return result


def column(name: str, values: np.ndarray, cells: int, least: int, paired: int) -> Column | None:
    """A column in at most so many cells; None where it tells nothing.

    values: (N,) float64 (NaN: missing), datetime64 (NaT: missing) or words (None or "": missing).
    least: rows that a slice must have.
    paired: how many candidates may be paired with those of others.
    """
    if values.dtype.kind == "M":
        made = _numbers(name, _counted(values), cells, paired, np.datetime_data(values.dtype)[0])
    else:
        made = _words(name, values, least) if values.dtype.kind in "OU" else _numbers(name, values, cells, paired)
    if made is None or not made.candidates:
        return None
    return made


def _words(name: str, values: np.ndarray, least: int) -> Column | None:
    words = ["" if one is None else str(one) for one in values.tolist()]
    frequent = [word for word, count in Counter(words).most_common(MOST_VALUES) if count >= least]
    if not frequent or (len(frequent) == 1 and words.count(frequent[0]) == len(words)):
        return None
    place = {word: at for at, word in enumerate(frequent)}
    codes = np.array([place.get(word, len(frequent)) for word in words], np.int64)
    conditions = [Condition(name, missing=True) if not word else Condition(name, word) for word in frequent]
    candidates = [(at, at + 1, "word") for at in range(len(frequent))]
    return Column(name, codes, len(frequent) + 1, candidates, conditions, range(len(frequent)))


def _counted(dates: np.ndarray) -> np.ndarray:
    """Dates as what they count in their unit since 1970, float64 (NaN: missing)."""
    return np.where(np.isnat(dates), math.nan, dates.astype(np.int64).astype(float))


def _numbers(name: str, values: np.ndarray, most: int, paired: int, unit: str | None = None) -> Column | None:
    known = np.sort(values[np.isfinite(values)])
    different = np.unique(known)
    gaps = np.isnan(values)
    if len(different) < 2 and not (len(different) and gaps.any()):
        return None
    few = len(different) <= most
    cuts = different[1:] if few else _cuts(known, most, unit)
    count = len(cuts) + 1
    codes = np.searchsorted(cuts, values, side="right")
    codes[gaps] = count
    bounds = [-math.inf, *cuts.tolist(), math.inf]
    sizes = np.bincount(codes, minlength=count + 1)
    total = np.concatenate([[0], np.cumsum(sizes[:count])])
    candidates, conditions = [], []
    for start in range(count):
        for stop in range(start + 1, count + 1):
            if stop - start == count or _too_fine(start, stop, count):
                continue
            share = (total[stop] - total[start]) / len(values)
            kind = "half-line" if start == 0 or stop == count else _length(share)
            upto = float(different[stop - 1]) if few else None
            candidates.append((start, stop, kind))
            low = float(different[start]) if few and start else bounds[start]
            if few and start == 0 and stop == 1:
                low = float(different[0])
            conditions.append(Condition(name, low=low, high=bounds[stop], upto=upto, unit=unit))
    ends = _spread(total, 4 if paired >= 10 else 2, STEP if count > FINE else 1)
    coarse = [at for at, (start, stop, _) in enumerate(candidates) if start in ends and stop in ends][:paired]
    if gaps.any():
        candidates.append((count, count + 1, "word"))
        conditions.append(Condition(name, missing=True))
    return Column(name, codes, count + 1, candidates, conditions, coarse)


def _too_fine(start: int, stop: int, count: int) -> bool:
    """Whether a long range ends where a neighbouring cell would do as well (Walther 2010): only short ones are fine."""
    half = start == 0 or stop == count
    return not half and stop - start > FINE and bool(start % STEP or stop % STEP)


def _length(share: float) -> str:
    """The kind that a range of so many of the rows is of."""
    return next((f"range up to {one:g}" for one in LENGTHS if share <= one), "range")


def _spread(total: np.ndarray, parts: int, step: int) -> set[int]:
    """The cell bounds, every so many of them and the last, that come nearest to equal parts."""
    allowed = np.append(np.arange(0, len(total) - 1, step), len(total) - 1)
    wanted = np.linspace(0, total[-1], parts + 1)
    return {int(allowed[np.abs(total[allowed] - one).argmin()]) for one in wanted}


def _cuts(known: np.ndarray, most: int, unit: str | None = None) -> np.ndarray:
    """Cut points at quantiles, rounded as far as they stay apart: a person reads 0.35 better than 0.348719."""
    cuts = np.unique(np.quantile(known, np.linspace(0, 1, most + 1)[1:-1], method="nearest"))
    gaps = (
        np.diff(np.concatenate([[2 * cuts[0] - cuts[1]], cuts, [2 * cuts[-1] - cuts[-2]]])) if len(cuts) > 1 else None
    )
    if gaps is None:
        return cuts
    room = np.minimum(gaps[:-1], gaps[1:]) / 4
    if unit is not None:
        return np.array([_begun(cut, gap, unit) for cut, gap in zip(cuts, room, strict=True)])
    rounded = [round(cut, int(max(-300, -math.floor(math.log10(gap))))) for cut, gap in zip(cuts, room, strict=True)]
    return np.unique(np.array(rounded))


def _begun(cut: float, room: float, unit: str) -> float:
    """When the year, else month, day, hour or minute of a moment began, where that is no further off than the room."""
    moment = np.datetime64(int(cut), unit)  # type: ignore[call-overload]
    begins = (moment.astype(f"M8[{longer}]").astype(f"M8[{unit}]").astype(int) for longer in ("Y", "M", "D", "h", "m"))
    return next((float(one) for one in begins if cut - one <= room), cut)


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1e4 and value == int(value) and abs(value) < 1e15 else f"{value:.6g}"
