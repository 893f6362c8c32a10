"""Whether a table asks several things of each row: labels in one cell, or several columns to predict."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dlspec.data.questions import EACH, FEW, Asked, asked
from dlspec.numeric.printable import shown
from dlspec.proposals import Line
from dlspec.recipe.component import nearest
from dlspec.types import DataError, Place
from dlspec.wording import plural

if TYPE_CHECKING:
    import numpy as np

SEPARATORS = (";", "|", ",")
OFTEN = 0.1
"""share of cells with several labels, from which a column holds such"""
LONGEST = 40
"""characters of a label, at most"""
LISTS = re.compile(r"(labels|tags|genres|categories|topics|classes|keywords)$", re.IGNORECASE)
"""what a column with several labels in a cell is called"""
MARKED = re.compile(r"(label|target|class|tag|y)[_ .:-]\w", re.IGNORECASE)
"""what columns of 0 and 1 are called, of which each is a label and none a feature"""
SHOWN = 8


def separator_in(values: Sequence[Any]) -> str | None:
    """What stands between the labels of these cells; None where they are no lists of labels that come again."""
    words = [one for one in values if isinstance(one, str)]
    for mark in SEPARATORS:
        several = [one for one in words if mark in one]
        if len(several) < max(2, OFTEN * len(words)) or not words:
            continue
        pieces = Counter(piece.strip() for one in words for piece in one.split(mark) if piece.strip())
        if max(map(len, pieces)) <= LONGEST and len(pieces) <= max(FEW, sum(pieces.values()) / EACH):
            return mark
    return None


def asked_labels(values: Sequence[str], name: str, mark: str) -> Asked:
    """multi_label over texts such as cat;dog."""
    held = [{piece.strip() for piece in one.split(mark) if piece.strip()} for one in values]
    counts = Counter(piece for one in held for piece in one)
    why = f"cells of '{shown(name)}' hold several labels, with '{mark}' between them"
    return _labels(counts, why, (Line("separator", mark, "what stands between the labels"),))


def several_columns(
    columns: Mapping[str, np.ndarray], wanted: str | None, file: str, *, but: Sequence[str], features: bool
) -> tuple[list[str], str] | None:
    """The columns to predict, where they are several, and why; None where they are not.

    wanted: what the user gave as --target; several with commas between them.  features: whether other columns go in,
    so that columns of 0 and 1 may be some.  Raises DataError where one that is wanted is not there.
    """
    if wanted is not None:
        names = [one.strip() for one in wanted.split(",") if one.strip()]
        if wanted in columns or len(names) < 2:
            return None
        for name in names:
            if name not in columns:
                near = nearest(name, list(columns))
                hint = f"did you mean '{near}'?" if near else f"columns: {', '.join(map(shown, columns))}"
                raise DataError(f"there is no column '{shown(name)}' (--target); {hint}", where=Place(shown(file)))
        return names, "what is to be predicted, as --target said"
    binary = [name for name in columns if name not in but and _is_binary(columns[name])]
    if features:
        binary = [name for name in binary if MARKED.match(name)]
        why = "columns of 0 and 1 that are called labels: several may be true of a row"
    else:
        others = [name for name in columns if name not in but and columns[name].dtype != object]
        binary = binary if len(binary) == len(others) else []
        why = "columns of 0 and 1 beside the names of pictures: several may be true of one"
    return (binary, why) if len(binary) > 1 else None


def asked_columns(columns: Mapping[str, np.ndarray], names: Sequence[str], why: str) -> Asked:
    """multi_label where all of them are 0 and 1, else multi_task.  Raises DataError as `asked` does."""
    import numpy as np

    if all(_is_binary(columns[name]) for name in names):
        return _labels(Counter({name: int(np.nansum(columns[name])) for name in names}), why, ())
    heads, outputs, seen, doubts = [], 0, list[str](), list[str]()
    for name in names:
        values = columns[name]
        absent = np.isnan(values) if values.dtype != object else np.equal(values, None).astype(bool)
        one = asked(values[~absent], name)
        heads.append(Line(name, one.task))
        outputs += one.outputs
        seen += [f"{shown(name)}: {text}" for text in one.seen]
        doubts += [f"{shown(name)}: {text}" for text in one.doubts]
    task = (Line("name", "multi_task", "a head for each column, over one network"), Line("heads", tuple(heads)))
    goal = (Line("optimize", "mean_score", "the mean of the heads' accuracy, R² or F1; or one of them: head.accuracy"),)
    return Asked(task, outputs, goal, tuple(seen), tuple(doubts))


def _labels(counts: Mapping[str, int], why: str, more: tuple[Line, ...]) -> Asked:
    often = sorted(counts, key=lambda one: -counts[one])
    listed = ", ".join(f"{shown(one)} ({counts[one]:,})" for one in often[:SHOWN]) + ", …" * (len(often) > SHOWN)
    task = (Line("name", "multi_label", f"several labels may be true of an example, or none: {why}"), *more)
    goal = (Line("optimize", "micro_f1", "decides on dev which epoch is kept; or macro_f1, mean_average_precision"),)
    return Asked(task, len(counts), goal, (f"{plural(len(counts), 'label')}: {listed}",), (why,))


def _is_binary(values: np.ndarray) -> bool:
    """0 and 1 alone, some of which may be missing; both of them."""
    import numpy as np

    if values.dtype == object:
        return False
    return set(np.unique(values[~np.isnan(values)]).tolist()) == {0.0, 1.0}
