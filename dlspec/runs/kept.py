"""Predictions that an evaluation has left in a run, read back as what was judged: no network is asked again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dlspec.evaluators.base import Evaluator
from dlspec.runs.judged import Part
from dlspec.types import ArgumentError, Examples, State


def kept_table(file: Path) -> dict[str, Any]:
    """A table of predictions, column by column: numbers as arrays, all else as lists.  Raises ArgumentError."""
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(file)
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
