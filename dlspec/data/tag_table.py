"""What a person saw in examples: a table of tags, several an example, as dlspec writes it or a spreadsheet has it."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from dlspec.data.filled_table import as_id, filled
from dlspec.recipe.component import nearest
from dlspec.types import DataError, Place

BETWEEN = ";"
"""stands between the tags of one example"""
WORDS = ("tags", "tag")
"""columns whose cells hold tags in words; any other is a tag of its own, marked where it holds"""
NOTES = (
    "note",
    "notes",
    "comment",
    "comments",
    "split",
    "kind",
    "size",
    "truth",
    "guess",
    "part",
    "what",
    "prediction",
    "file",
    "path",
)
"""columns that are no tags: what a person noted, and what errors/<split>.csv says of an error"""
NOT_MARKED = ("", "0", "0.0", "no", "n", "false", "f", "none", "-", "–")
LONGEST_MARK = 20
"""characters; a longer cell is a sentence, not a mark"""


def read_tags(file: str | Path) -> dict[str, tuple[str, ...]]:
    """Id → its tags, in the order of the file; of an id on several rows, those of all of them.

    Read are `id,tags` with `;` between tags, and a column a tag whose cell is neither empty nor 0, no or false; both
    may stand in one table.  An id without a tag is kept: it was listed, and nothing was said of it.
    Raises DataError that names file and line.
    """
    file = str(file)
    found: dict[str, dict[str, None]] = {}
    names, rows = filled(file)
    own, words, marks = _columns(file, names)
    for line, row in rows:
        if not row[own]:
            raise DataError("this row has tags and no id; an id says whose they are", where=Place(file, line))
        tags = found.setdefault(as_id(row[own]), {})
        for at in words:
            tags.update(dict.fromkeys(filter(None, map(as_tag, row[at].split(BETWEEN)))))
        for at, tag in marks.items():
            if _marked(file, line, tag, row[at].strip()):
                tags[tag] = None
    return {name: tuple(tags) for name, tags in found.items()}


def write_tags(file: str | Path, tags: Mapping[str, Iterable[str]]) -> None:
    """Id → tags as a table that `read_tags` reads; whenever the process dies, the old table is there or the new one."""
    path = Path(file).resolve()  # a link stays a link
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, new = tempfile.mkstemp(prefix=".", suffix=path.suffix, dir=path.parent)
    try:
        with open(handle, "w", newline="", encoding="utf-8", errors="backslashreplace") as text:
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(("id", "tags"))
            for name, some in tags.items():
                writer.writerow((name, f"{BETWEEN} ".join(dict.fromkeys(filter(None, map(as_tag, some))))))
            text.flush()
            os.fsync(text.fileno())
        os.chmod(new, path.stat().st_mode & 0o777 if path.exists() else 0o644)
        os.replace(new, path)
    except BaseException:
        Path(new).unlink(missing_ok=True)
        raise


def as_tag(text: str) -> str:
    """A tag as the table can hold it: on one line, single blanks, without what stands between tags."""
    return " ".join(text.replace(BETWEEN, ",").split())


def _columns(file: str, names: list[str]) -> tuple[int, list[int], dict[int, str]]:
    """Where the id stands, where tags in words stand, and the columns that are a tag each."""
    low = [name.lower() for name in names]
    if "id" not in low:
        near = nearest("id", low)
        hint = f"; did you mean '{near}'?" if near else f"; it has {', '.join(names) or 'none'}"
        raise DataError(f"a table of tags has a column 'id'{hint}", where=Place(file, 1))
    twice = [name for name in dict.fromkeys(low) if name and low.count(name) > 1]
    if twice:
        raise DataError(f"more than one column is called '{twice[0]}'; keep one", where=Place(file, 1))
    words = [at for at, name in enumerate(low) if name in WORDS]
    marks = {at: as_tag(name) for at, name in enumerate(names) if name and low[at] not in ("id", *WORDS, *NOTES)}
    if not words and not marks:
        raise DataError(
            f"no column holds tags; beside 'id' give a column 'tags' ('blurry{BETWEEN} dark') or a column a tag, "
            "marked where it holds",
            where=Place(file, 1),
        )
    return low.index("id"), words, marks


def _marked(file: str, line: int, tag: str, cell: str) -> bool:
    """Whether a cell marks the tag of its column."""
    if len(cell) > LONGEST_MARK:
        raise DataError(
            f"column '{tag}' holds '{cell[:LONGEST_MARK]}…', which is no mark (x, 1, yes); "
            "call the column 'note' if it is one, or 'tags' if it holds tags in words",
            where=Place(file, line),
        )
    return cell.lower() not in NOT_MARKED
