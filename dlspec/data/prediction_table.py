"""Tables of predictions that any tool wrote, CSV or Parquet: columns as Python and NumPy hold them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec.data import sources
from dlspec.recipe.component import nearest
from dlspec.types import SPLITS, DataError, Place
from dlspec.wording import plural

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from dlspec.data.delimited import Table

ALIASES = {"prediction": "guess", "predicted": "guess"}
OURS = ("id", "split", "truth", "guess", "group", "weight")
"""columns that are no tags"""
PROBABILITY = "p_"
BOXES = "boxes"
LISTS = (BOXES, "pieces")
"""columns of boxes, or of pieces of texts, as JSON are no tags either"""
SET_ASIDE = "tag "
"""what `dlspec evaluate` writes before a tag that is called as another column"""
NUMBER = r"^[+-]?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][+-]?\d+)?$|^[+-]?(nan|inf)$"
"""what may be read as a number and written again: not 007, which is a name"""


@dataclass
class PredictionTable:
    """Predictions, a row an example; `columns` holds truth, guess, split and p_…; `tags` and `numbers` the rest."""

    ids: list[str]
    columns: dict[str, Any]
    tags: dict[str, list[str]] = field(default_factory=dict)
    """other columns of words; missing: "" """
    numbers: dict[str, np.ndarray] = field(default_factory=dict)
    """other columns of numbers, float64; missing: NaN"""
    groups: list[str] | None = None
    weights: list[float] | None = None
    made_by: list[dict[str, Any]] = field(default_factory=list)
    """what dlspec itself wrote into the files, where it made them: evaluator, state, metric, split, fingerprint"""
    notes: list[str] = field(default_factory=list)
    """what is to be said of the files"""
    pictures: list[str] | None = None
    """the picture of each row, where they are there to be shown"""
    texts: list[tuple[str, ...]] | None = None
    """the words of each row, where they are there to be shown"""


def read_predictions(files: Sequence[str]) -> PredictionTable:
    """The rows of all files under each other.

    Raises DataError where one cannot be read, lacks id or truth, names a split that there is not, or an id twice.
    """
    import pyarrow as pa

    tables, made_by, splits = [], [], []
    for file in files:
        table, made = _read(file)
        columns = {_known_as(name, table.columns): values for name, values in table.columns.items()}
        for name in ("id", "truth"):
            if name not in columns:
                near = nearest(name, list(columns))
                hint = f"did you mean '{near}'? rename it" if near else f"it has {', '.join(list(columns)[:20])}"
                raise DataError(f"a table of predictions needs a column '{name}'; {hint}", where=Place(file))
        columns["id"] = columns["id"].cast(pa.string())
        splits += _splits(file, columns.pop("split", None), len(table.rows), (made or {}).get("split", "dev"))
        made_by.append(made or {})
        tables.append(columns)
    joined = _joined(files, tables)
    ids = joined.pop("id").to_pylist()
    _check_ids(ids, splits)
    result = PredictionTable(ids, {"split": splits}, made_by=made_by)
    for name, values in joined.items():
        if name in ("truth", "guess"):
            result.columns[name] = _values(values)
        elif name == "group":
            result.groups = [one or "" for one in values.cast(pa.string()).to_pylist()]
        elif name == "weight":
            numbers = _numbers(values)
            if numbers is None or not (numbers >= 0).all():
                raise DataError("column 'weight' should hold numbers that are not negative")
            result.weights = numbers.tolist()
        elif name.startswith(PROBABILITY):
            numbers = _numbers(values)
            result.columns[name] = values.to_pylist() if numbers is None else numbers
        elif name in LISTS and _is_lists(values):
            result.columns[name] = values.to_pylist()
        else:
            if name.startswith(SET_ASIDE) and is_ours(name.removeprefix(SET_ASIDE)):
                name = name.removeprefix(SET_ASIDE)
            numbers = _numbers(values)
            if numbers is None:
                result.tags[name] = [one or "" for one in values.cast(pa.string()).to_pylist()]
            else:
                result.numbers[name] = numbers
    return result


def is_ours(name: str) -> bool:
    """Whether a column that is called so is no tag, so that a tag of that name has to be set aside."""
    return name in OURS or name in ALIASES or name.startswith(PROBABILITY)


def metadata(values: Mapping[str, Any]) -> dict[bytes, bytes]:
    """What dlspec writes into the schema of its own tables, so that they mean the same when they are read again."""
    return {b"dlspec": json.dumps(values).encode()}


def _read(file: str) -> tuple[Table, dict[str, Any] | None]:
    from dlspec.data import delimited, parquet

    data = sources.contents(file)
    if Path(file.removesuffix(".gz")).suffix.lower() != ".parquet":
        table = delimited.read(
            file, data, delimiter=None, header=True, encoding="utf-8", missing=("",), mends=delimited.IN_FILE
        )
        return table, None
    import pyarrow as pa
    from pyarrow.parquet import read_schema

    table = parquet.read(file, data)
    held = (read_schema(pa.BufferReader(data)).metadata or {}).get(b"dlspec")
    return table, json.loads(held) if held else None


def _known_as(name: str, names: Mapping[str, Any]) -> str:
    """The name of a column here: `prediction` is a guess."""
    alias = ALIASES.get(name, name)
    return alias if alias not in names else name


def _splits(file: str, column: pa.Array | None, rows: int, otherwise: str) -> list[str]:
    import pyarrow as pa

    if column is None:
        return [otherwise] * rows
    given = column.cast(pa.string()).to_pylist()
    known = {"train_dev": "train_dev", "train-dev": "train_dev", **sources.PARTS}
    place: dict[str | None, str] = {}
    for name in dict.fromkeys(given):
        meant = known.get((name or "").lower())
        if meant is None:
            at = given.index(name)
            raise DataError(
                f"{plural(given.count(name), 'row has', 'rows have')} the split '{name or ''}', the first of them "
                f"'{at + 1}'; a split is one of {', '.join(SPLITS)} (no column 'split': all are dev)",
                where=Place(file),
            )
        place[name] = meant
    return [place[name] for name in given]


def _joined(files: Sequence[str], tables: Sequence[Mapping[str, pa.Array]]) -> dict[str, pa.Array]:
    """Columns of all files; of one that a file lacks, its rows have none, but not of those that say what is guessed."""
    import pyarrow as pa

    names = list(dict.fromkeys(name for table in tables for name in table))
    result = {}
    for name in names:
        lacking = [file for file, table in zip(files, tables, strict=True) if name not in table]
        if lacking and (name in OURS or name.startswith(PROBABILITY)):
            having = next(file for file, table in zip(files, tables, strict=True) if name in table)
            raise DataError(f"has no column '{name}', which {having} has; give both the same", where=Place(lacking[0]))
        pieces = [table[name] if name in table else pa.nulls(len(table["id"])) for table in tables]
        if len({piece.type for piece in pieces if not pa.types.is_null(piece.type)}) > 1:
            pieces = [piece.cast(pa.string()) for piece in pieces]
        kind = next((piece.type for piece in pieces if not pa.types.is_null(piece.type)), pa.float64())
        result[name] = pa.concat_arrays([piece.cast(kind) for piece in pieces])
    return result


def _check_ids(ids: Sequence[str | None], splits: Sequence[str]) -> None:
    empty = sum(not one for one in ids)
    if empty:
        raise DataError(f"{empty:,} of {len(ids):,} rows have no id; an id names an example for good")
    if len(set(zip(ids, splits, strict=True))) == len(ids):
        return
    twice = [one for one, count in Counter(zip(ids, splits, strict=True)).items() if count > 1]
    first = ", ".join(f"'{name}' in {split}" for name, split in twice[:3])
    raise DataError(f"{len(twice):,} ids stand for more than one row ({first}); an id must name one example of a split")


def _is_lists(values: pa.Array) -> bool:
    """Whether these are texts of lists in JSON."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pa.types.is_string(values.type) and bool(pc.all(pc.starts_with(values, "["), min_count=1).as_py())


def _numbers(values: pa.Array) -> np.ndarray | None:
    """Float64 with NaN where missing, or None where a value is no number."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_string(values.type):
        values = pc.if_else(pc.equal(values, ""), None, values)
        if not pc.all(pc.match_substring_regex(values, NUMBER, ignore_case=True), min_count=1).as_py():
            return None
    result: np.ndarray = pc.cast(values, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return result


def _values(values: pa.Array) -> list[Any]:
    """Numbers where all are, else words; None where missing."""
    import pyarrow as pa

    numbers = _numbers(values)
    if numbers is None:
        return [one or None for one in values.cast(pa.string()).to_pylist()]
    return [None if value != value else value for value in numbers.tolist()]
