"""What readers of tables propose alike: the target and what is asked, how rows are divided, what columns are for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dlspec.data import part_files
from dlspec.data.column_guesses import Roles, missing, roles, told
from dlspec.data.questions import Asked, asked
from dlspec.data.table_guesses import Opened
from dlspec.data.target_guesses import target_of
from dlspec.numeric.picture_formats import shown
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
    truths: list[str]
    """the target of each row that has one, as words"""
    seen: tuple[str, ...]
    doubts: tuple[str, ...]


def common(opened: Opened, path: str, wanted: str | None, *, but: Sequence[str] = (), features: bool = True) -> Common:
    """wanted: the target's name where the user gave it.  but: columns that are no targets, and no features.

    features: whether the other columns go in.  Raises DataError, with the mend, where nothing can be learned.
    """
    target = target_of(opened.columns, wanted, path, [*but, *opened.dropped])
    name = str(target.value)
    values = opened.columns[name]
    absent = missing(values)
    present = values[~absent]
    if not len(present):
        raise DataError(f"the target '{shown(name)}' is missing in every row", where=Place(shown(path)))
    try:
        question = asked(present, name)
    except DataError as error:
        raise DataError(error.complaints[0].message, where=Place(shown(path))) from None
    lines = [Line("target", name, target.why)]
    doubts = [] if target.sure else [f"the target, '{shown(name)}': {target.why}"]
    if absent.any():
        why = f"{absent.sum():,} of {len(values):,} rows have no target; they are left out, and counted"
        lines.append(Line("drop_missing_target", True, why))
    own = {one: column for one, column in opened.columns.items() if one not in but and one not in opened.dropped}
    found = roles(own, name, divided="dev" in opened.counts, droppable=features)
    extra = [one for one in opened.dropped if features]
    data = (*opened.settings, *lines, *_dropped(found.data, extra, opened.dropped))
    split = (*part_files.division(opened.counts), *found.split)
    if any(line.key in ("group", "time") and line.sure for line in found.split):
        split = tuple(line for line in split if line.key != "folds")  # whole groups and times fold otherwise
    seen = (*opened.seen, "", *told(opened.columns, name), "", *question.seen)
    return Common(
        target, question, found, data, split, len(present), [str(one) for one in present.tolist()], seen,
        (*doubts, *opened.doubts, *question.doubts),
    )  # fmt: skip


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
