"""Tables of boxes and points that nobody has described: which columns are which, by their names and values."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dlspec.data import part_files
from dlspec.data.box_guesses import as_asked, asked
from dlspec.data.image_table import _found, _may_name_pictures
from dlspec.data.picture_tables import MISSING, PictureTable, pictures_column, read_table
from dlspec.data.point_table import pairs_of
from dlspec.numeric.printable import shown
from dlspec.proposals import Facts, Line, Lines, Proposal
from dlspec.types import DataError, Place
from dlspec.wording import plural

FORMS = {
    "corners": (
        ("xmin", "ymin", "xmax", "ymax"), ("x0", "y0", "x1", "y1"), ("x1", "y1", "x2", "y2"),
        ("left", "top", "right", "bottom"),
    ),
    "corner_and_size": (("x", "y", "w", "h"), ("x", "y", "width", "height"), ("left", "top", "width", "height")),
    "middle_and_size": (("cx", "cy", "w", "h"), ("xcenter", "ycenter", "width", "height")),
}  # fmt: skip
"""what columns of boxes are called, in small letters, without a head that all have (bbox_) and without _"""
LABELS = ("class", "label", "category", "name", "classname", "labelname", "object", "species", "type", "kind")
FEWEST = 10


class Named(NamedTuple):
    """A table that names pictures: its files by part, the columns under each other as words, and where pictures are."""

    parts: Mapping[str, str]
    columns: dict[str, list[str | None]]
    counts: Mapping[str, int]
    file: str
    folder: str


def boxes(reader: type[PictureTable], path: str) -> Proposal | None:
    """The proposal for a table of boxes."""
    if os.path.isdir(path):
        return part_files.but_others(lambda one, _: boxes(reader, one), path, _tables_in(reader, path), None)
    named = _named(reader, path)
    found = None if named is None else _box_columns(named.columns)
    if named is None or found is None:
        return None
    columns, form = found
    label = next((one for one in named.columns if _plain(one) in LABELS and one != named.file), None)
    if label is None and form == "corners" and _plain(columns[0]) in ("x1", "x0"):
        return None  # two points
    files = named.columns[named.file]
    rows = Counter(files)
    there = [
        any(cell is not None for cell in cells) for cells in zip(*(named.columns[c] for c in columns), strict=True)
    ]
    task, goal, several = asked(list(rows.values()))
    with_box = dict.fromkeys(files, False) | {one: True for one, is_there in zip(files, there, strict=True) if is_there}
    values = [one for one, is_there in zip(named.columns[label], there, strict=True) if is_there] if label else []
    counts = Counter(one for one in values if one is not None) if label else Counter({"object": sum(there)})
    lines = [Line("columns", list(columns), "the columns of the box's numbers")]
    lines += [Line("form", form, "what those numbers are")] if form != "corners" else []
    lines += [Line("label", label, "the column of the box's class")] if label != "class" else []
    listed = ", ".join(f"{shown(str(name))} ({many:,})" for name, many in counts.most_common(12))
    empty = sum(not any_there for any_there in with_box.values())
    classes = f"{plural(len(counts), 'class', 'classes')}: {listed}"
    seen = f"{plural(len(rows), 'picture')}, {empty:,} of them without a box; {classes}; {several}"
    return _proposal(named, path, task, lines, goal, 5 + len(counts), seen, list(map(str, counts)))


def points(reader: type[PictureTable], path: str) -> Proposal | None:
    """The proposal for a table of points."""
    if os.path.isdir(path):
        return part_files.but_others(lambda one, _: points(reader, one), path, _tables_in(reader, path), None)
    named = _named(reader, path)
    if named is None:
        return None
    pairs = pairs_of([name for name in named.columns if name != named.file])
    pairs = {name: own for name, own in pairs.items() if all(_numbers(named.columns[one]) for one in own)}
    own = [column for pair in pairs.values() for column in pair]
    if not pairs or (_box_columns({name: named.columns[name] for name in own}) and len(pairs) == 2 and _is_box(named)):
        return None
    if len(set(named.columns[named.file])) < len(named.columns[named.file]):
        raise DataError("some pictures have several rows; keep one row a picture", where=Place(shown(path)))
    lines: list[Line] = [Line("points", list(pairs), "the points, each with a column of x and one of y")]
    missing = sum(cell is None for one in own for cell in named.columns[one]) // 2
    which = f"{plural(len(pairs), 'point')} ({', '.join(map(shown, pairs))[:200]})"
    seen = f"{plural(len(named.columns[named.file]), 'picture')} with {which}"
    seen += f", {missing:,} of which are not marked" if missing else ""
    task: Lines = (Line("name", "landmarks", "where points with names are"),)
    sided = [name for name in pairs if "left" in name.lower()]
    couples = [[one, other] for one in sided if (other := _right_of(one)) in pairs]
    if couples:
        task = (*task, Line("mirrored", couples, "pairs that change places in a mirror: input.augment.flip needs them"))
    goal = (Line("optimize", "nme", "decides on dev which epoch is kept; or pck, accuracy"),)
    return _proposal(named, path, task, lines, goal, 2 * len(pairs), seen, ["left"])


def _proposal(
    named: Named,
    path: str,
    task: Lines,
    own: Sequence[Line],
    goal: Lines,
    outputs: int,
    seen: str,
    classes: Sequence[str],
) -> Proposal:
    """classes: those that a mirror might change, by their names."""
    from dlspec.data.picture_guesses import looks

    written = list(dict.fromkeys(one for one in named.columns[named.file] if one is not None))
    look = looks([os.path.join(named.folder, one) for one in written], classes)
    files = named.parts["all"] if "all" in named.parts else dict(named.parts)
    lines = [Line("path", files, path=True)]
    lines += [Line("file", named.file, "the column of file names")] if named.file != "file" else []
    if named.folder != os.path.dirname(path) or len(named.parts) > 1:
        lines.append(Line("folder", named.folder, "what file names are relative to", path=True))
    return Proposal(
        Facts("picture", len(written), outputs, look.shape, look.alike),
        task, (*lines, *own), part_files.division(named.counts), as_asked(look.input, task, look.shape),
        goal, (seen, *look.seen), special=3,
    )  # fmt: skip


def _named(reader: type[PictureTable], path: str) -> Named | None:
    """A table that names pictures, with those that belong to it; None where it is none.  Raises DataError."""
    from dlspec.data.columns import words

    ending = os.path.splitext(path.removesuffix(".gz"))[1].lower()
    if ending not in reader.suffixes or not os.path.getsize(path) or not _may_name_pictures(path):
        return None
    parts = part_files.family(path)
    columns: dict[str, list[str | None]] = {}
    counts: dict[str, int] = {}
    for part, file in parts.items():
        table = read_table(file, None, "utf-8")
        counts[part] = len(table.rows)
        for name, values in table.columns.items():
            cells = [None if cell in MISSING else cell for cell in words(values).tolist()]
            columns.setdefault(name, []).extend(cells)
    total = sum(counts.values())
    columns = {name: cells for name, cells in columns.items() if len(cells) == total}
    file = pictures_column({name: [one or "" for one in cells] for name, cells in columns.items()})
    if file is None:
        return None
    if total < FEWEST:
        raise DataError(
            f"{plural(total, 'row')}: too few to be divided; at least {FEWEST} are needed", where=Place(shown(path))
        )
    some = [one for one in columns[file] if one is not None]
    return Named(parts, columns, counts, file, _found(os.path.dirname(path), some, path))


def _tables_in(reader: type[PictureTable], folder: str) -> list[str]:
    from dlspec.data.image_table import ImageTable
    from dlspec.data.table_guesses import tables_in

    return tables_in(ImageTable, folder)


def _box_columns(columns: Mapping[str, Any]) -> tuple[tuple[str, str, str, str], str] | None:
    """The columns of boxes as they are called, and their form; None where there are none."""
    plain = {_plain(name): name for name in columns}
    for head in ("", "bbox", "box"):
        own = {name.removeprefix(head): given for name, given in plain.items() if name.startswith(head)}
        for form, ways in FORMS.items():
            for way in ways:
                if all(one in own and _numbers(columns[own[one]]) for one in way):
                    a, b, c, d = (own[one] for one in way)
                    return (a, b, c, d), form
    return None


def _is_box(named: Named) -> bool:
    """Whether the table says a class of each box."""
    return any(_plain(one) in LABELS for one in named.columns if one != named.file)


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace(" ", "").replace("-", "").replace(".", "")


def _numbers(cells: Sequence[Any]) -> bool:
    """Whether all that is there are numbers, and something is."""
    some = [one for one in cells if one is not None]
    try:
        return bool(some) and all(float(one) == float(one) for one in some)
    except (TypeError, ValueError):
        return False


def _right_of(name: str) -> str:
    return name.replace("left", "right").replace("Left", "Right").replace("LEFT", "RIGHT")
