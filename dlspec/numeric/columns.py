"""What a column of a table holds: numbers, categories, dates, or the name of the row."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Literal

import numpy as np

from dlspec.numeric.written_dates import YEAR_FIRST, YEAR_LAST, first_of, year_first
from dlspec.numeric.written_dates import moment as written

Kind = Literal["numeric", "categorical", "date", "identifier", "constant", "empty"]

ISO = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?\s?(Z|[+-]\d{2}(:?\d{2})?)?)?")
DAY, WEEK, YEAR = 86_400.0, 604_800.0, 365.2425 * 86_400.0
FEWEST = 10
"""rows below which nothing is called an identifier"""


def kind_of(name: str, values: np.ndarray, maximum_categories: int) -> Kind:
    """What a column of train holds, told from its values, and from its name where they are whole and all distinct.

    values: float64 with NaN, or object with str and None, as in Rows.
    """
    if values.dtype != object:
        present = values[~np.isnan(values)]
        if not len(present):
            return "empty"
        if len(present) == len(values) and present.min() == present.max():
            return "constant"
        return "identifier" if _numbered(name, present) else "numeric"
    words = [value for value in values if value is not None]
    if not words:
        return "empty"
    distinct = set(words)
    if len(distinct) == 1 and len(words) == len(values):
        return "constant"
    if all(map(_dated, distinct)) and not moments(values, first_of(distinct)[0])[1].any():
        return "date"
    nearly_all = len(words) >= FEWEST and len(distinct) >= 0.9 * len(words)
    # Cabins and tickets: too many to have a number each, and most of them of a row or two.
    mostly_names = len(distinct) > maximum_categories and len(distinct) > 0.5 * len(words)
    return "identifier" if nearly_all or mostly_names else "categorical"


def _numbered(name: str, present: np.ndarray) -> bool:
    """Whole numbers, all distinct, that are called an id, or that lie too densely to be distinct by chance.

    Dense: n numbers drawn from a range of R are all distinct with a probability of about exp(-n² / 2R) (the birthday
    problem); below 1 in 10,000 they were numbered by somebody.  So a numbered table is known from a part of its rows.
    """
    count = len(present)
    if count < FEWEST or (present % 1 != 0).any() or len(np.unique(present)) < count:
        return False
    span = present.max() - present.min() + 1
    return names_a_row(name) or count**2 / (2 * span) > math.log(10_000)


def names_a_row(name: str) -> bool:
    """Whether a column's name says that it names the row: PassengerId, user_id, index."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return not {"id", "ids", "uuid", "guid", "index", "unnamed"}.isdisjoint(part.lower() for part in parts)


LARGEST = 1e100
"""numbers beyond are refused: their square is no finite number, so they have no deviation"""


def numbers(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A column as float64, NaN where missing, true and false as 1 and 0; and where there is no finite number."""
    if values.dtype != object:
        return values, np.abs(values) > LARGEST
    return _parsed(values, _number)


def _number(word: str) -> float:
    truth = {"true": 1.0, "false": 0.0}.get(word.lower())
    number = float(word) if truth is None else truth
    if not abs(number) <= LARGEST:
        raise ValueError
    return number


def moments(values: np.ndarray, first: str = "") -> tuple[np.ndarray, np.ndarray]:
    """A column of dates or moments as seconds since 1970 (UTC), NaN where missing; and where there is none.

    first: what dates that end with the year begin with, `day` or `month`; "": it is not known, and they are none.
    """
    if values.dtype != object:
        return values, ~np.isnan(values)
    return _parsed(values, partial(_moment, first=first))


def _dated(word: str) -> bool:
    return any(one.fullmatch(word.strip()) for one in (ISO, YEAR_FIRST, YEAR_LAST))


def undecided(values: np.ndarray) -> str:
    """Why a column of what may be dates is none: day and month cannot be told apart; "" where it is no such column."""
    words = {one for one in values.tolist() if one is not None} if values.dtype == object else set()
    if not words or not all(map(_dated, words)):
        return ""
    first, why = first_of(sorted(words))
    return "" if first else why


def dates(values: np.ndarray) -> np.ndarray | None:
    """A column of words as datetime64, if all of them are dates or moments; None where one is not, or there is none."""
    found, wrong = as_dates(values)
    return None if wrong or np.isnat(found).all() else found


def as_dates(values: np.ndarray, first: str | None = None) -> tuple[np.ndarray, bool]:
    """A column of words as datetime64, as they are written, whatever their zone; and whether one is no date.

    In days where there are no times, else in seconds; NaT where it is missing or no date.
    first: as in moments(); None: it is told from the column itself.
    """
    words = np.array([word or None for word in values.tolist()], object)
    if first is None:
        first = first_of(sorted({word for word in words.tolist() if word}))[0]
    seconds, wrong = _parsed(words, lambda word: _read(word, first).replace(tzinfo=UTC).timestamp())
    missing = np.isnan(seconds)
    found = np.floor(np.where(missing, 0.0, seconds)).astype("M8[s]")
    found[missing] = np.datetime64("NaT")
    days = all(len(word.strip()) <= len("2000-01-01") for word in set(words.tolist()) if word)
    return found.astype("M8[D]") if days else found, bool(wrong.any())


def _moment(word: str, first: str) -> float:
    return _read(word, first).timestamp()


def _read(word: str, first: str) -> datetime:
    if not ISO.fullmatch(word):
        found = written(year_first(word, first) or (word.strip() if YEAR_FIRST.fullmatch(word.strip()) else None))
        if found is None:
            raise ValueError
        return found
    moment = datetime.fromisoformat(word.replace(" +", "+").replace(" Z", "Z"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _parsed(values: np.ndarray, parse: Callable[[str], float]) -> tuple[np.ndarray, np.ndarray]:
    known: dict[str | None, float] = {None: math.nan}
    wrong = set()
    for word in set(values.tolist()) - {None}:
        try:
            known[word] = parse(word)
        except (ValueError, OverflowError):
            known[word] = math.nan
            wrong.add(word)
    parsed = np.array([known[word] for word in values.tolist()], np.float64)
    mask = np.zeros(len(values), bool) if not wrong else np.array([word in wrong for word in values.tolist()], bool)
    return parsed, mask


def words(values: np.ndarray, *, numeric: bool = False) -> list[str | None]:
    """A column as text: 3.0 is "3", whether it was read as a number or (where train had numbers) as the text "3.0"."""
    if values.dtype != object:
        known = {value: spelt(value) for value in set(values[~np.isnan(values)].tolist())}
        return [known.get(value) for value in values.tolist()]
    if numeric:
        again = {word: _respelt(word) for word in set(values.tolist()) - {None}}
        return [again.get(word) for word in values.tolist()]
    return values.tolist()


def spelt(value: float) -> str:
    """A number as a category: 3.0 is "3"."""
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)


def _respelt(word: str) -> str:
    try:
        return spelt(_number(word))
    except (ValueError, OverflowError):
        return word


def date_parts(seconds: np.ndarray) -> dict[str, np.ndarray]:
    """Numbers a network can read a moment by: days since 1970, and where it lies in the year, the week and the day.

    The last three are angles, given as sine and cosine, so that December lies beside January.
    """
    parts = {"days": seconds / DAY}
    # The 1st of January 1970 was a Thursday; weeks start on Monday.
    for name, phase in (
        ("year", seconds / YEAR % 1),
        ("week", (seconds / DAY // 1 + 3) % 7 / 7),
        ("day", seconds % DAY / DAY),
    ):
        parts[f"{name} sine"] = np.sin(2 * np.pi * phase)
        parts[f"{name} cosine"] = np.cos(2 * np.pi * phase)
    return parts
