"""A table of what several annotators answered, as CSV: a column an annotator, or a row an answer."""

from __future__ import annotations

from typing import NamedTuple

from dlspec.data.filled_table import as_id, filled
from dlspec.recipe.component import nearest
from dlspec.types import DataError, Place

LONG = ("annotator", "answer")
"""columns, beside id, of a table with a row an answer"""
ALIASES = {"rater": "annotator", "label": "answer"}
PASSED_OVER = ("truth", "split", "group", "note", "comment")
"""columns of a table with a column an annotator that are no annotator"""


class Answer(NamedTuple):
    """What one annotator said of one example, and in which line of the file."""

    text: str
    line: int


def read_answers(file: str) -> dict[str, dict[str, Answer]]:
    """Annotator → id → answer; what is empty was not answered.  An annotator's name is that of the column, or given.

    Wide: `id`, then a column an annotator.  Long: `id`, `annotator`, `answer`, a row an answer.
    Raises DataError that names the line, where an example is answered twice, or there are fewer than two annotators.
    """
    names, rows = _rows(file)
    if "id" not in names:
        near = nearest("id", names)
        hint = f"did you mean '{near}'?" if near else f"it has {', '.join(names) or 'none'}"
        raise DataError(
            f"a table of annotators' answers has a column 'id'; {hint} (id and a column an annotator; or id, annotator "
            "and answer)",
            where=Place(file, 1),
        )
    known = [ALIASES.get(name, name) for name in names]
    found = _long(file, known, rows) if all(name in known for name in LONG) else _wide(file, names, rows)
    if len(found) < 2:
        who = f"one alone, '{next(iter(found))}'" if found else "none"
        raise DataError(
            f"agreement is between two annotators at least, and this table has {who}; give a column for each (or rows "
            "of id, annotator, answer), or state the human level itself as a number (accuracy: 0.99)",
            where=Place(file),
        )
    return found


def _rows(file: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The names of the columns, each its own, and every row with its line."""
    names, rows = filled(file)
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"two columns are called '{twice}'", where=Place(file, 1))
    return names, [(line, [cell.strip() for cell in row]) for line, row in rows]


def _wide(file: str, names: list[str], rows: list[tuple[int, list[str]]]) -> dict[str, dict[str, Answer]]:
    annotators = [(at, name) for at, name in enumerate(names) if name != "id" and name.lower() not in PASSED_OVER]
    found: dict[str, dict[str, Answer]] = {name: {} for _, name in annotators}
    lines: dict[str, int] = {}
    for line, row in rows:
        example = _id(file, line, row[names.index("id")])
        if example in lines:
            raise DataError(f"'{example}' stands in line {lines[example]} already; keep one", where=Place(file, line))
        lines[example] = line
        for at, name in annotators:
            if row[at]:
                found[name][example] = Answer(row[at], line)
    return found


def _long(file: str, names: list[str], rows: list[tuple[int, list[str]]]) -> dict[str, dict[str, Answer]]:
    own, who, what = (names.index(name) for name in ("id", *LONG))
    found: dict[str, dict[str, Answer]] = {}
    for line, row in rows:
        example, annotator = _id(file, line, row[own]), row[who]
        if not annotator:
            raise DataError("this row has no annotator", where=Place(file, line))
        mine = found.setdefault(annotator, {})
        if example in mine:
            raise DataError(
                f"'{annotator}' has answered '{example}' in line {mine[example].line} already; keep one",
                where=Place(file, line),
            )
        if row[what]:
            mine[example] = Answer(row[what], line)
    return found


def _id(file: str, line: int, example: str) -> str:
    if not example:
        raise DataError("this row has no id", where=Place(file, line))
    return as_id(example)
