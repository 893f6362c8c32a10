"""A table that nobody has described: how it has to be read, and which column is to be predicted."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec.data import part_files, sources
from dlspec.data.questions import EACH, FEW
from dlspec.numeric.columns import kind_of
from dlspec.numeric.picture_formats import shown
from dlspec.proposals import Line, Lines
from dlspec.recipe.component import nearest
from dlspec.types import DataError, Place

if TYPE_CHECKING:
    import numpy as np

    from dlspec.data.columns import Joined
    from dlspec.data.delimited import Table
    from dlspec.data.tabular import TableReader

FEWEST = 10
"""rows below which nothing can be divided into train, dev and test"""
NAMED = ("target", "targets", "label", "labels", "class", "classes", "y", "outcome", "response", "truth")
"""what a target is called"""
OFTEN = re.compile(
    r"(survived|species|diagnosis|sentiment|attrition|(is[_ ]?)?(churn(ed)?|fraud|spam|default(ed)?|converted)|medv"
    r"|.*(price|value)|.*[_ ](target|label|class))$",
    re.IGNORECASE,
)
"""what is mostly what one wants to know, where nothing is called target or label"""
MARKERS = {
    "n/a",
    "na",
    "n.a.",
    "#n/a",
    "missing",
    "unknown",
    "undefined",
    "none",
    "nil",
    "nan",
    "--",
    "---",
    ".",
    "...",
}
"""words among numbers that stand for a missing one"""
SHEETS = (".xlsx", ".xls", ".ods")


@dataclass(frozen=True)
class Opened:
    """A table as it can be read: the settings that it takes, its typed columns, all files under each other."""

    settings: Lines
    given: Mapping[str, Any]
    """the same settings as values"""
    data: Joined
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
    more, columns, dropped, doubted = _typed(reader, data, target)
    why = "a file a split, as their names say" if len(parts) > 1 else ""
    settings = (Line("path", files, why, path=True), *lines, *more)
    given |= {line.key: line.value for line in more}
    seen = tuple(
        f"{shown(Path(t.file).name)}: {len(t.rows):,} rows, {len(t.columns)} columns, {', '.join(t.notes)}"
        for t in tables
    )
    counts = {part: len(table.rows) for part, table in zip(parts, tables, strict=True)}
    return Opened(settings, given, data, parts, counts, columns, seen, (*_told(lines), *doubts, *doubted), dropped)


def target_of(columns: Mapping[str, np.ndarray], wanted: str | None, file: str, but: Sequence[str] = ()) -> Line:
    """The column to predict, and why it was taken; not `sure` where it is a guess.

    but: columns that cannot be it.  Raises DataError where the wanted one is not there, or where none can be it.
    """
    names = [name for name in columns if name not in but]
    if wanted is not None:
        if wanted not in columns:
            near = nearest(wanted, list(columns))
            hint = f"; did you mean '{near}'?" if near else f"; columns: {', '.join(map(shown, columns))}"
            raise DataError(f"there is no column '{shown(wanted)}' (--target){hint}", where=Place(shown(file)))
        return Line("target", wanted, "what is to be predicted, as --target said")
    called = [name for name in names if name.strip().lower() in NAMED]
    if called:
        return Line("target", called[-1], "what is to be predicted, by its name")
    fit = [name for name in names if _can_be(name, columns[name])]
    if not fit:
        raise DataError(
            "no column can be told to be the target: each names rows, holds dates, or is the same everywhere; "
            f"name it with --target (columns: {', '.join(map(shown, names[:40]))})",
            where=Place(shown(file)),
        )
    often = [name for name in fit if OFTEN.match(name)]
    alike = [name for name in fit if name.strip().lower() == Path(file).name.partition(".")[0].lower()]
    if alike:
        chosen, why = alike[0], "as the file is called so, too"
    elif often and fit[-1] not in often:
        chosen, why = often[-1], "by its name"
    else:
        last = fit[-1] == list(columns)[-1]
        chosen, why = fit[-1], "the last column" if last else "the last column that can be one"
    others = [shown(name) for name in fit if name != chosen]
    some = f" ({', '.join(others[:6])}{', …' * (len(others) > 6)})" if others else ""
    return Line("target", chosen, f"a guess, {why}; another: --target NAME{some}", sure=False)


def _can_be(name: str, values: np.ndarray) -> bool:
    kind = kind_of(name, values, FEW)
    if kind not in ("numeric", "categorical"):
        return False
    words = [one for one in values.tolist() if one is not None] if values.dtype == object else []
    if words and not 1 < len(set(words)) <= max(FEW, len(words) / EACH):
        return False
    return bool(words) or values[values == values].min() < values[values == values].max()


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


def _typed(
    reader: type[TableReader], data: Joined, target: str | None
) -> tuple[list[Line], dict[str, np.ndarray], dict[str, str], list[str]]:
    """Every column as numbers or words; the settings that this takes; columns that cannot be; and what is doubtful."""
    import pyarrow as pa

    from dlspec.data.columns import typed, without_missing

    decimal = _decimal(data)
    lines = [Line("decimal", ",", "numbers are written 1,5")] if decimal == "," else []
    extra = sorted({one for name in data.columns for one in _markers(data, name)})
    if extra:
        markers = list(reader.model_fields["missing"].default)
        why = f"what stands for a missing value: the usual, and {', '.join(map(shown, extra))} among numbers here"
        lines.append(Line("missing", [*markers, *extra], why))
        data.columns.update({n: without_missing(c, extra) for n, c in data.columns.items()})
    columns, text, dropped, doubts = dict[str, Any](), list[str](), dict[str, str](), list[str]()
    for name, column in data.columns.items():
        words = pa.types.is_string(column.type)
        if words and _codes(column):
            text.append(name)
        try:
            columns[name] = typed(data, name, decimal=decimal, keep_text=name in text)
        except DataError as error:
            if name == target or not words:
                raise
            columns[name] = typed(data, name, decimal=decimal, keep_text=True)
            text.append(name)
            dropped[name] = error.complaints[0].message
            doubts.append(f"not used: {error.complaints[0].message}")
    if text:
        codes = [name for name in text if name not in dropped]
        why = "read as words: " + ("numbers with a leading 0 are codes" if codes else "not all cells are numbers")
        lines.append(Line("text", text, why))
    return lines, columns, dropped, doubts


def _distinct(data: Joined, name: str) -> list[str]:
    import pyarrow as pa
    import pyarrow.compute as pc

    column = data.columns[name]
    return pc.unique(column).drop_null().to_pylist() if pa.types.is_string(column.type) else []


def _decimal(data: Joined) -> str:
    """A comma, where it makes numbers of a column of words, and no column has numbers with points."""
    from dlspec.data.columns import PLAIN, THOUSANDS

    commas = 0
    for name in data.columns:
        words = _distinct(data, name)
        if words and all(re.match(PLAIN, one) for one in words) and any("." in one for one in words):
            return "."
        if words and any("," in one for one in words) and all(re.match(PLAIN, one.replace(",", ".")) for one in words):
            commas += not all(re.match(THOUSANDS, one) for one in words if "," in one)
    return "," if commas else "."


def _markers(data: Joined, name: str) -> set[str]:
    """Words for the missing in a column that holds numbers but for them."""
    from dlspec.data.columns import PLAIN

    words = _distinct(data, name)
    strange = {one for one in words if not re.match(PLAIN, one.replace(",", "."))}
    return strange if 0 < len(strange) < len(words) and all(one.lower() in MARKERS for one in strange) else set()


def _codes(column: Any) -> bool:
    """Whole numbers, some of which begin with a 0: postcodes, numbers of articles."""
    import pyarrow.compute as pc

    whole = pc.match_substring_regex(column, r"^\d+$")
    led = pc.match_substring_regex(column, r"^0\d+$")
    return bool(pc.all(whole).as_py()) and bool(pc.any(led).as_py())
