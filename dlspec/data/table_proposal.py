"""What readers of tables propose alike: the target and what is asked, how rows are divided, what columns are for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dlspec.data import part_files
from dlspec.data.column_guesses import Roles, missing, roles, told
from dlspec.data.label_guesses import asked_columns, asked_labels, separator_in, several_columns
from dlspec.data.questions import Asked, asked
from dlspec.data.table_guesses import Opened
from dlspec.data.target_guesses import target_of
from dlspec.numeric.printable import shown
from dlspec.proposals import Line, Lines
from dlspec.types import DataError, Place


class Common(NamedTuple):
    """What a table proposes, whatever goes in."""

    target: Line
    asked: Asked
    roles: Roles
    data: Lines
    split: Lines
    count: int
    train: int
    """how many rows are learned from"""
    truths: list[str]
    """the target of each row that has one, as words"""
    called: str
    """the column to predict, or several with commas between them"""
    seen: tuple[str, ...]
    doubts: tuple[str, ...]


def common(opened: Opened, path: str, wanted: str | None, *, but: Sequence[str] = (), features: bool = True) -> Common:
    """wanted: the target's name where the user gave it.  but: columns that are no targets, and no features.

    features: whether the other columns go in.  Raises DataError, with the mend, where nothing can be learned.
    """
    import numpy as np

    out = [*but, *opened.dropped]
    several = several_columns(opened.columns, wanted, path, but=out, features=features)
    target = Line("target", *several) if several else target_of(opened.columns, wanted, path, out)
    names = [str(one) for one in target.value] if several else [str(target.value)]
    name = names[0]
    absent = np.logical_and.reduce([missing(opened.columns[one]) for one in names])
    present = opened.columns[name][~missing(opened.columns[name])]
    called = ", ".join(names)
    if absent.all():
        raise DataError(f"the target '{shown(called)}' is missing in every row", where=Place(shown(path)))
    mark = None if several else separator_in(present.tolist())
    try:
        if several:
            question = asked_columns(opened.columns, names, target.why)
        elif mark is not None:
            question = asked_labels(present.tolist(), name, mark)
        else:
            question = asked(present, name)
    except DataError as error:
        raise DataError(error.complaints[0].message, where=Place(shown(path))) from None
    lines = [Line("target", target.value, target.why)]
    doubts = [] if target.sure else [f"the target, '{shown(name)}': {target.why}"]
    if absent.any() and mark is not None:
        why = f"{absent.sum():,} of {len(absent):,} rows have an empty cell: none of the labels is true of them"
        lines.append(Line("keep_missing_target", True, why))
    elif absent.any():
        why = f"{absent.sum():,} of {len(absent):,} rows have no target; they are left out, and counted"
        lines.append(Line("drop_missing_target", True, why))
    out += names[1:]
    own = {one: column for one, column in opened.columns.items() if one not in out}
    found = roles(own, name, divided="dev" in opened.counts, droppable=features)
    extra = [one for one in opened.dropped if features]
    data = (*opened.settings, *lines, *_dropped(found.data, extra, opened.dropped))
    split = (*part_files.division(opened.counts), *found.split)
    if any(line.key in ("group", "time") and line.sure for line in found.split):
        split = tuple(line for line in split if line.key != "folds")  # whole groups and times fold otherwise
    truths = names if several else [str(one) for one in present.tolist()]
    seen = (*opened.seen, "", *told(opened.columns, name, entered=() if features else but), "", *question.seen)
    count = len(absent) if mark else int((~absent).sum())
    doubts = [*doubts, *opened.doubts, *question.doubts]
    learned = part_files.trained(opened.counts)
    return Common(target, question, found, data, split, count, learned, truths, called, seen, tuple(doubts))


def _dropped(lines: Lines, extra: Sequence[str], why: Mapping[str, str]) -> Lines:
    """`drop` with the columns that cannot be read, too."""
    if not extra:
        return lines
    reason = "; ".join(f"{shown(name)}: {why[name]}" for name in extra)
    before = next((line for line in lines if line.key == "drop"), None)
    if before is None:
        return (*lines, Line("drop", list(extra), f"left out: {reason}"))
    joined = Line("drop", [*before.value, *extra], f"{before.why}; {reason}")
    return tuple(joined if line is before else line for line in lines)
