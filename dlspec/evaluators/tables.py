"""Predictions in a table, whoever wrote it: its columns as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dlspec.numeric.chunks import is_chunked
from dlspec.recipe.component import nearest
from dlspec.types import DataError

if TYPE_CHECKING:
    import numpy as np


def number_column(columns: Mapping[str, Sequence[Any]], name: str) -> np.ndarray:
    """A column of numbers as float64, NaN where missing.

    Raises DataError where the table has no such column, or where it holds something else.
    """
    import numpy as np

    if name not in columns:
        near = nearest(name, list(columns))
        hint = f"did you mean '{near}'?" if near else f"it has {', '.join(list(columns)[:20])}"
        raise DataError(f"the table of predictions has no column '{name}'; {hint}")
    try:
        return np.array(columns[name], np.float64)
    except (TypeError, ValueError):
        word = next(value for value in columns[name] if not _is_number(value))
        raise DataError(f"column '{name}' of the table of predictions should hold numbers, got '{word}'") from None


def _is_number(value: Any) -> bool:
    try:
        return value is None or float(value) is not None
    except (TypeError, ValueError):
        return False


def few_whole_numbers(columns: Mapping[str, Sequence[Any]], most: int = 20) -> bool:
    """Whether truths and guesses are whole numbers of few different values, as numbered classes are."""
    known: set[Any] = set()
    for name in ("truth", "guess"):
        values = columns.get(name)
        if values is None:
            continue
        for value in values:
            known.add(value)
            if len(known) > most + 1:
                return False
    known.discard(None)
    return 0 < len(known) <= most and all(isinstance(v, int) or (isinstance(v, float) and v == int(v)) for v in known)


def steps(columns: Mapping[str, Sequence[Any]]) -> bool:
    """Whether truths and guesses are texts of two numbers or more, not all of them whole, as no names of labels are."""
    from dlspec.numeric.forecasts import numbers_of

    given = [one for name in ("truth", "guess") for one in columns.get(name, ())]
    if not given or not all(isinstance(one, str) and ";" in one for one in given):
        return False
    try:
        return any(not number.is_integer() for one in given for own in numbers_of(one) for number in own)
    except ValueError:
        return False


def tags(columns: Mapping[str, Sequence[Any]]) -> bool:
    """Whether truths and guesses are tags of entities, as many in each row, with blanks between (O B-person)."""
    truths, guesses = (columns.get(name) for name in ("truth", "guess"))
    if truths is None or guesses is None or not all(isinstance(one, str) for one in (*truths, *guesses)):
        return False
    rows = [(truth.split(), guess.split()) for truth, guess in zip(truths, guesses, strict=True)]
    whole = [tag for pair in rows for own in pair for tag in own]
    return (
        all(len(truth) == len(guess) for truth, guess in rows)
        and all(map(is_chunked, whole))
        and any("-" in tag for tag in whole)
    )


def sentences(columns: Mapping[str, Sequence[Any]], words: float = 3.0, different: float = 0.5) -> bool:
    """Whether truths and guesses are texts of several words, most of them said once, as no names of classes are."""
    truths, guesses = (columns.get(name) for name in ("truth", "guess"))
    if tags(columns) or steps(columns):
        return False
    if not truths or not guesses or not all(one is None or isinstance(one, str) for one in (*truths, *guesses)):
        return False
    known = [one for one in truths if one]
    long = sum(len(one.split()) for one in known) >= words * max(len(known), 1)
    return bool(known) and long and len(set(known)) >= different * len(known)
