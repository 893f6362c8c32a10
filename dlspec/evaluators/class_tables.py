"""Tables of class predictions that any tool wrote: which classes there are, and whether the numbers can be right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dlspec.evaluators.tables import few_whole_numbers, sentences, steps, tags
from dlspec.evaluators.truths import named, some
from dlspec.types import DataError, State

if TYPE_CHECKING:
    import numpy as np

PREFIX = "p_"
SLACK = 0.01
"""probabilities of a row may add up to this much more or less than 1: tables are often rounded to two decimals"""


def recognized(columns: Mapping[str, Sequence[Any]], *, asked: bool) -> State | None:
    """The state that `truth`, `guess` and `p_<class>` tell: classes in the order of their columns, else by name.

    Of two classes the last is the positive one, and the threshold is what the guesses, if given, have been cut at.
    """
    classes = [name.removeprefix(PREFIX) for name in columns if name.startswith(PREFIX)]
    if len(classes) == 1:
        if asked:
            raise DataError(
                f"there is one column of probabilities alone, {PREFIX}{classes[0]}; give one for each class"
            )
        return None
    if classes:
        threshold = _threshold(columns, classes) if len(classes) == 2 else None
        return {"classes": classes, "positive": classes[1] if threshold is not None else None, "threshold": threshold}
    if "guess" not in columns or not (asked or _words(columns) or few_whole_numbers(columns)):
        return None
    known = {name for column in ("truth", "guess") for name in named(columns[column]) if name is not None}
    classes = sorted(known, key=_by_number) if all(map(_is_number, known)) else sorted(known)
    two = len(classes) == 2
    return {
        "classes": classes,
        "positive": classes[1] if two else None,
        "threshold": 0.5 if two else None,
        "probabilities": False,
    }


def certain(guesses: Sequence[Any], classes: Sequence[str]) -> np.ndarray:
    """Guesses without probabilities as rows of 0 and 1 (N, C); NaN where there is none."""
    import numpy as np

    place = {name: i for i, name in enumerate(classes)}
    at = np.array([place.get(name, -1) if name is not None else -2 for name in named(guesses)], np.int64)
    rows = np.zeros((len(at), len(classes)))
    rows[np.flatnonzero(at >= 0), at[at >= 0]] = 1.0
    rows[at == -2] = np.nan
    return rows


def check(rows: np.ndarray, ids: Sequence[str], classes: Sequence[str]) -> None:
    """Raise DataError that names the rows whose probabilities are negative, or do not add up to 1 (or all to 0)."""
    import numpy as np

    total = rows.sum(axis=1)
    negative = (rows < 0).any(axis=1)
    wrong = ~np.isnan(total) & ((np.abs(total - 1) > SLACK) & ~(rows == 0).all(axis=1) | negative)
    if not wrong.any():
        return
    first = int(wrong.argmax())
    what = (
        f"in '{ids[first]}' one is {np.nanmin(rows[first]):g}"
        if negative[first]
        else f"those of '{ids[first]}' to {total[first]:.4g}"
    )
    names = some([f"{PREFIX}{name}" for name in classes])
    raise DataError(
        f"the probabilities ({names}) of {int(wrong.sum()):,} of {len(rows):,} examples do not add up to 1: {what}; "
        "write probabilities, not logits, one column a class"
    )


def disagreeing(columns: Mapping[str, Sequence[Any]], guess: Sequence[str | None]) -> list[str]:
    """What is to be said where the table's own guesses are not those that follow from its probabilities."""
    if "guess" not in columns:
        return []
    other = sum(a != b for a, b in zip(named(columns["guess"]), guess, strict=True))
    if not other:
        return []
    return [
        f"{other:,} of {len(guess):,} guesses are not the most probable class; the probabilities are what is scored "
        "(leave their columns out to score the guesses)"
    ]


def _threshold(columns: Mapping[str, Sequence[Any]], classes: Sequence[str]) -> float:
    """0.5, or what the guesses of the positive class begin at, where they all lie above all the others."""
    import numpy as np

    if "guess" not in columns:
        return 0.5
    try:
        probability = np.array(columns[PREFIX + classes[1]], np.float64)
    except (TypeError, ValueError):
        return 0.5  # from_columns says what is wrong
    positive = np.array([name == classes[1] for name in named(columns["guess"])], bool)
    above, under = probability[positive], probability[~positive]
    least, most = above.min(initial=1.0), under.max(initial=0.0)
    return 0.5 if most < 0.5 <= least or not most < least else float(least)


def _words(columns: Mapping[str, Sequence[Any]]) -> bool:
    known = [value for column in ("truth", "guess") for value in columns[column] if value is not None]
    words = bool(known) and all(isinstance(value, str | bool) for value in known)
    return words and not (sentences(columns) or tags(columns) or steps(columns))


def _is_number(name: str) -> bool:
    try:
        return float(name) == float(name)
    except ValueError:
        return False


def _by_number(name: str) -> tuple[float, str]:
    return float(name), name
