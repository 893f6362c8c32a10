"""Files with a word a line, as the CoNLL shared tasks have them: sentences, documents, comments, columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dlspec.data import sources, text_files
from dlspec.types import Complaint, DataError, Place
from dlspec.wording import plural

DOCUMENT = "-DOCSTART-"
COMMENT = re.compile(r"#(\s|$|\w+ *=)")
COUNTED = re.compile(r"\d+([-.]\d+)?")
"""the first column of CoNLL-U: 3; 3-4 of a word that is written as one, 3.1 of one that is not written"""
MOST = 20
"""so many faults are named one by one"""


@dataclass
class Sentences:
    """What a file holds: of each sentence its rows of cells, the line of each, and its document."""

    file: str
    rows: list[list[list[str]]] = field(default_factory=list)
    lines: list[list[int]] = field(default_factory=list)
    documents: list[int] = field(default_factory=list)
    """0 where the file does not say"""
    width: int = 0
    """columns"""
    delimiter: str = "tab"
    counted: bool = False
    """whether the first column counts the words of a sentence"""
    said: list[str] = field(default_factory=list)
    """what was passed over or replaced, in words"""

    @property
    def words(self) -> int:
        return sum(map(len, self.rows))


def read(file: str, *, delimiter: str | None = None, encoding: str = "utf-8") -> Sentences:
    """Sentences end at empty lines and at -DOCSTART-.

    A line that begins with # and has not the columns of the others is a comment.  delimiter: `tab` or `blanks`; None:
    found.  Raises DataError that names the lines whose columns are not as many as those of the others.
    """
    data, said = text_files.mended(sources.contents(file), encoding)
    lines = text_files.decoded(file, data, encoding).split("\n")
    full = [one for one in lines if one.strip()]
    if not full:
        raise DataError("this file is empty", where=Place(file))
    tabs = sum("\t" in one for one in full)
    delimiter = delimiter or ("tab" if 2 * tabs > len(full) else "blanks")
    found = Sentences(file, delimiter=delimiter, said=list(said))
    widths = Counter(len(cells(one, delimiter)) for one in full if one[0] != "#" and not one.startswith(DOCUMENT))
    if not widths:
        raise DataError("this file holds comments alone", where=Place(file))
    found.width = max(widths, key=lambda one: (widths[one], one))
    _fill(found, lines)
    return found


def cells(line: str, delimiter: str) -> list[str]:
    """The columns of a line.  Blanks are plain ones and tabs: others may be part of a word."""
    if delimiter == "tab":
        return [one.strip(" ") for one in line.split("\t")]
    return re.split(r"[ \t]+", line.strip(" \t"))


def _fill(found: Sentences, lines: Sequence[str]) -> None:
    comments, document, faults = 0, 0, list[Complaint]()
    current: list[list[str]] = []
    numbers: list[int] = []
    for number, line in enumerate([*lines, ""], 1):
        begins_document = line.startswith(DOCUMENT)
        if not line.strip() or begins_document:
            if current:
                found.rows.append(current)
                found.lines.append(numbers)
                found.documents.append(document)
                current, numbers = [], []
            document += begins_document
            continue
        row = cells(line, found.delimiter)
        if len(row) != found.width and COMMENT.match(line):
            comments += 1
            continue
        if len(row) != found.width:
            faults.append(Complaint(Place(found.file, number), _ragged(row, line, found)))
        current.append(row)
        numbers.append(number)
    if faults:
        more = [Complaint(Place(found.file), plural(len(faults) - MOST, "more line is so", "more lines are so"))] * (
            len(faults) > MOST
        )
        raise DataError(faults[:MOST] + more)
    if not found.rows:
        raise DataError("this file has no words", where=Place(found.file))
    found.said += [f"comments passed over: {comments:,}"] * bool(comments)
    _count(found)


def _count(found: Sentences) -> None:
    """Whether words are counted; lines of CoNLL-U that are no words of their own go, and are told."""
    found.counted = found.width > 2 and all(
        rows[0][0].split("-")[0] == "1" and all(COUNTED.fullmatch(row[0]) for row in rows) for rows in found.rows
    )
    if not found.counted:
        return
    kept = [[place for place, row in enumerate(rows) if row[0].isdigit()] for rows in found.rows]
    gone = found.words - sum(map(len, kept))
    if gone:
        found.rows = [[rows[place] for place in own] for rows, own in zip(found.rows, kept, strict=True)]
        found.lines = [[lines[place] for place in own] for lines, own in zip(found.lines, kept, strict=True)]
        found.said.append(f"lines passed over that stand for several words, or for unwritten ones (3-4, 3.1): {gone:,}")


def _ragged(row: Sequence[str], line: str, found: Sentences) -> str:
    between = "tabs" if found.delimiter == "tab" else "blanks"
    shown = line if len(line) <= 60 else f"{line[:60]}…"
    have, want = (f"{count} column{'s' * (count != 1)}" for count in (len(row), found.width))
    return f"has {have}, expected {want} as on most lines (with {between} between them), got '{shown}'"


def summary(found: Sentences, columns: str) -> str:
    """What a file holds, in a sentence."""
    documents = len(set(found.documents)) if any(found.documents) else 0
    of = f" in {documents:,} documents" if documents else ""
    said = "".join(f"; {one}" for one in found.said)
    size = f"{plural(len(found.rows), 'sentence')}{of}, {plural(found.words, 'word')}"
    return f"{Path(found.file).name}: {size}, {columns}{said}"
