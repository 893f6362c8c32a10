"""A table that nobody has described: which files it is, and how they have to be read."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec.data import part_files, sources
from dlspec.numeric.printable import shown
from dlspec.proposals import Line, Lines
from dlspec.types import DataError, Place
from dlspec.wording import plural

if TYPE_CHECKING:
    import numpy as np

    from dlspec.data.delimited import Table
    from dlspec.data.tabular import TableReader

FEWEST = 10
"""rows below which nothing can be divided into train, dev and test"""
SHEETS = (".xlsx", ".xls", ".ods")


@dataclass(frozen=True)
class Opened:
    """A table as it can be read: the settings that it takes, its typed columns, all files under each other."""

    settings: Lines
    parts: Mapping[str, str]
    counts: Mapping[str, int]
    columns: Mapping[str, np.ndarray]
    seen: tuple[str, ...]
    doubts: tuple[str, ...]
    dropped: Mapping[str, str]
    """columns that cannot be read as they are: name → why"""


def is_table(reader: type[TableReader], path: str) -> bool:
    """Whether a file's ending is a table's, or the file is text with rows of several cells."""
    ending = Path(path.removesuffix(".gz")).suffix.lower()
    if os.path.isdir(path) or os.path.getsize(path) == 0:
        return not os.path.isdir(path) and ending in reader.suffixes
    if ending in SHEETS:
        raise DataError("this is a spreadsheet's own format; save it as CSV", where=Place(shown(path)))
    if ending in reader.suffixes:
        return True
    if ending not in ("", ".dat", ".data", ".asc", ".psv", ".gz"):
        return False
    try:
        table = _tables(reader, {"all": path}, {})[0]
    except DataError:
        return False
    return len(table.columns) > 1


def tables_in(reader: type[TableReader], folder: str) -> list[str]:
    """The tables directly in a folder, but .txt, which are read-me files more often than not."""
    endings = set(reader.suffixes) - {".txt", ".gz"}
    entries = sorted(Path(folder).iterdir())
    return [
        str(one)
        for one in entries
        if one.is_file()
        and not one.name.startswith(".")
        and Path(one.name.removesuffix(".gz")).suffix.lower() in endings
    ]


def opened(reader: type[TableReader], path: str, target: str | None) -> Opened:
    """Read a table, and those that belong to it by their names.  Raises DataError, with the mend."""
    from dlspec.data.columns import Joined, without_missing
    from dlspec.data.type_guesses import typed_columns

    parts = part_files.family(path)
    given, lines = _encoding(reader, parts)
    tables = _tables(reader, parts, given)
    if _first_row_is_header(reader, tables, given):
        given["header"] = True
        lines.append(Line("header", True, "row 1 is unlike the others, so that it was taken for a header"))
        tables = _tables(reader, parts, given)
    parts, tables, doubts = _alike(parts, tables, target)
    files = parts["all"] if "all" in parts else dict(parts)
    count = sum(len(table.rows) for table in tables)
    if len(tables[0].columns) == 1:
        raise DataError(
            f"there is one column, '{shown(next(iter(tables[0].columns)))}', and nothing to predict it from; is this a "
            "table, with cells delimited by commas, semicolons, tabs or |?",
            where=Place(shown(path)),
        )
    if count < FEWEST:
        raise DataError(
            f"{count} row{'s' * (count != 1)}: too few to be divided into train, dev and test; at least {FEWEST} are "
            "needed, and some hundreds to learn from",
            where=Place(shown(path)),
        )
    markers = set(reader.model_fields["missing"].default)
    names = list(tables[0].columns)
    cleaned = [t._replace(columns={n: without_missing(c, markers) for n, c in t.columns.items()}) for t in tables]
    data = Joined.of(cleaned, names)
    more, columns, dropped, doubted = typed_columns(reader, data, target)
    why = "a file a split, as their names say" if len(parts) > 1 else ""
    settings = (Line("path", files, why, path=True), *lines, *more)
    seen = tuple(
        f"{shown(Path(t.file).name)}: {plural(len(t.rows), 'row')}, {plural(len(t.columns), 'column')}, "
        f"{', '.join(t.notes)}"
        for t in tables
    )
    counts = {part: len(table.rows) for part, table in zip(parts, tables, strict=True)}
    return Opened(settings, parts, counts, columns, seen, (*_told(lines), *doubts, *doubted), dropped)


def _encoding(reader: type[TableReader], parts: Mapping[str, str]) -> tuple[dict[str, Any], list[Line]]:
    for file in parts.values():
        data = sources.contents(file)
        if Path(file.removesuffix(".gz")).suffix.lower() == ".parquet" or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            continue
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            if b"\0" in data[:4096]:
                continue  # no text at all, which the reader says better
            try:
                data.decode("cp1252")
                found = "cp1252"
            except UnicodeDecodeError:
                found = "latin-1"
            line = data.count(b"\n", 0, error.start) + 1
            why = f"no UTF-8 (line {line}); a guess that fits the West of Europe: look at letters with accents"
            return {"encoding": found}, [Line("encoding", found, why)]
    return {}, []


def _tables(reader: type[TableReader], parts: Mapping[str, str], given: Mapping[str, Any]) -> list[Table]:
    own = reader(path=next(iter(parts.values())), **given)
    return [own._table(file) for file in parts.values()]


def _first_row_is_header(reader: type[TableReader], tables: Sequence[Table], given: Mapping[str, Any]) -> bool:
    """Whether no header was found because a name in it is a number: words above columns of numbers."""
    from dlspec.data.delimited import NUMBER

    table = tables[0]
    if "column_1" not in table.columns or len(table.rows) < 3:
        return False
    above = 0
    for column in table.columns.values():
        first, *below = [one.as_py() for one in column[:50]]
        if not isinstance(first, str):
            return False
        if first and not NUMBER.fullmatch(first):
            above += all(NUMBER.fullmatch(one) or not one for one in below) and any(below)
    return above > 0 and len({c[0].as_py() for c in table.columns.values()}) == len(table.columns)


def _told(lines: Sequence[Line]) -> list[str]:
    return [f"{line.key} {line.value}: {line.why}" for line in lines]


def _alike(
    parts: Mapping[str, str], tables: Sequence[Table], target: str | None
) -> tuple[dict[str, str], list[Table], list[str]]:
    """The files that have train's columns; of the others, why they were left out."""
    want = set(tables[0].columns)
    kept, kept_tables, doubts = dict[str, str](), list[Any](), list[str]()
    for (part, file), table in zip(parts.items(), tables, strict=True):
        lacking, extra = want - set(table.columns), set(table.columns) - want
        if not lacking and not extra:
            kept[part] = file
            kept_tables.append(table)
            continue
        which = ", ".join(f"'{shown(one)}'" for one in sorted(lacking or extra)[:3])
        how = f"has no column {which}" if lacking else f"has columns that train has not ({which})"
        rest = "; dlspec predict takes such a table" if lacking and not extra and len(lacking) == 1 else ""
        doubts.append(f"{shown(Path(file).name)} is not used: it {how}{rest}")
    if list(kept) == ["train"]:
        kept = {"all": kept["train"]}
    return kept, kept_tables, doubts
