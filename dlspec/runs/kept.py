"""What an evaluation has left in a run: read back as what was judged, and gone where the network is another one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from dlspec.evaluators.base import Evaluator
from dlspec.runs.folder import replacing
from dlspec.runs.judged import Part
from dlspec.types import SPLITS, ArgumentError, Examples, State, Statistics

OF = "of "
"""before the names of an evaluator's own arrays, which may be any"""
BYTES, LENGTHS = "bytes of ", "lengths of "
"""before the two arrays that stand for one of bytes, which each example has as many of as it needs"""


def kept_table(file: Path) -> dict[str, Any]:
    """A table of predictions, column by column: numbers as arrays, all else as lists.  Raises ArgumentError."""
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(pyarrow.BufferReader(file.read_bytes()))
    except (OSError, pyarrow.ArrowException) as error:
        run = file.parent.parent
        raise ArgumentError(
            f"{file} cannot be read ({error}); make it anew: dlspec evaluate {run} --split {file.stem}"
        ) from None
    numbers = {name for name in table.column_names if pyarrow.types.is_floating(table.schema.field(name).type)}
    return {name: table[name].to_numpy() if name in numbers else table[name].to_pylist() for name in table.column_names}


def kept_part(home: Path, split: str, evaluator: Evaluator, state: State) -> Part | None:
    """A split as it was judged before; None where it was not.  Raises ArgumentError where the table is broken."""
    file = home / "predictions" / f"{split}.parquet"
    if not file.is_file():
        return None
    table = kept_table(file)
    predictions = evaluator.from_columns(table, state)
    examples = Examples(table["id"], [None] * len(table["id"]), table["truth"], groups=table.get("group"))
    return Part(examples, predictions, evaluator.statistics(examples, predictions, state))


def keep_statistics(home: Path, split: str, examples: Examples, statistics: Statistics) -> None:
    """Write statistics/<split>.npz: what a split was scored by, a row an example, to be compared with other runs."""
    import numpy as np

    grouped = examples.columns["groups"] is not None
    arrays: dict[str, Any] = {}
    for name, array in statistics.items():
        if array.dtype == object:
            arrays[f"{BYTES}{name}"] = np.frombuffer(b"".join(array.tolist()), np.uint8)
            arrays[f"{LENGTHS}{name}"] = np.array([len(one) for one in array.tolist()], np.int64)
        else:
            arrays[f"{OF}{name}"] = array
    groups = {"groups": np.array(examples.column("groups"), dtype=str)} if grouped else {}
    with replacing(home / "statistics" / f"{split}.npz") as new:
        np.savez(new, ids=np.array(examples.ids, dtype=str), **groups, **arrays)  # type: ignore[arg-type]


def kept_statistics(home: Path, split: str) -> tuple[list[str], list[str] | None, Statistics] | None:
    """Ids, groups (None: there are none) and statistics of a split; None where they were not kept."""
    import numpy as np

    file = home / "statistics" / f"{split}.npz"
    if not file.is_file():
        return None
    with np.load(file) as held:
        groups = held["groups"].tolist() if "groups" in held else None
        found = {name[len(OF) :]: held[name] for name in held if name.startswith(OF)}
        for name in [one[len(BYTES) :] for one in held if one.startswith(BYTES)]:
            raw, ends = held[f"{BYTES}{name}"].tobytes(), np.cumsum(held[f"{LENGTHS}{name}"]).tolist()
            found[name] = np.empty(len(ends), object)
            found[name][:] = [raw[low:high] for low, high in zip([0, *ends], ends, strict=False)]
        return held["ids"].tolist(), groups, found


def forget(home: Path) -> None:
    """Remove what was judged of the network that a run had before it went on: others would take it for the new one's.

    What a person wrote stays (errors/tags.csv, errors/relabel.csv), and who may look at what, and the looks at test.
    """
    for folder in ("predictions", "statistics", "figures", "worst"):
        shutil.rmtree(home / folder, ignore_errors=True)
    for name in ("ledger.json", "learning_curve.json"):
        (home / name).unlink(missing_ok=True)
    written = {*(f"{split}.json" for split in SPLITS), *(f"{split}.csv" for split in SPLITS)}
    for file in [*(home / "errors").glob("*"), *(home / "suggestions").glob("[0-9]*.yaml")]:
        if file.name in written or file.parent.name == "suggestions":
            file.unlink(missing_ok=True)
