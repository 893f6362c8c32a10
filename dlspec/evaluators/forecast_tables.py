"""Forecasts as columns of a table, whoever wrote it: texts of numbers, and a column a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dlspec.evaluators.tables import number_column, steps
from dlspec.evaluators.truths import steps_ahead
from dlspec.types import Examples, State

if TYPE_CHECKING:
    import numpy as np


def texts(rows: np.ndarray) -> list[str]:
    """`18.2; 17.5; …` of each (H, T), targets between bars."""
    from dlspec.numeric.forecasts import text_of

    return [text_of(row) for row in rows]


def columns(predictions: Sequence[Any], state: State) -> dict[str, Any]:
    """guess (`18.2; 17.5; …`, targets between bars), and a column of numbers for each target and step."""
    names, rows = _steps(state), _rows(predictions, state)
    flat = rows.transpose(0, 2, 1).reshape(len(rows), len(names))
    return {"guess": texts(rows), **{name: flat[:, k] for k, name in enumerate(names)}}


def said(predictions: Sequence[Any], state: State) -> list[dict[str, Any]]:
    """`guess` as text, and `forecast`: target → its steps."""
    rows = _rows(predictions, state)
    return [
        {"guess": text, "forecast": {name: row[:, k].tolist() for k, name in enumerate(state["targets"])}}
        for text, row in zip(texts(rows), rows, strict=True)
    ]


def from_columns(columns: Mapping[str, Sequence[Any]], state: State) -> np.ndarray:
    """(N, H, T) out of the columns of numbers; of a table that has `guess` alone, out of that."""
    import numpy as np

    names, horizon, many = _steps(state), state["horizon"], len(state["targets"])
    if names[0] in columns:
        flat = np.stack([number_column(columns, name) for name in names], axis=1)
        return flat.reshape(-1, many, horizon).transpose(0, 2, 1)
    return steps_ahead(Examples([""] * len(columns["guess"]), columns["guess"], columns["guess"]), horizon, many)


def recognized(columns: Mapping[str, Sequence[Any]], *, asked: bool) -> State | None:
    """The state of texts of so many numbers each; not asked, of two steps or more.  Errors are scaled by how far the
    truths' first steps are from row to row, as nothing is known of train."""
    import numpy as np

    from dlspec.numeric.forecasts import in_sample_error, numbers_of

    if "guess" not in columns or not (asked or steps(columns)):
        return None
    try:
        truths = np.array([numbers_of(one) for one in columns["truth"]]).transpose(0, 2, 1)
        guesses = np.array([numbers_of(one) for one in columns["guess"]])
    except ValueError:
        return None
    if guesses.ndim != 3 or guesses.transpose(0, 2, 1).shape != truths.shape:
        return None
    scale = [float(one) if one > 0 else 1.0 for one in in_sample_error(truths[:, 0])]  # 1 of what stands still
    targets = [f"target_{k + 1}" for k in range(truths.shape[2])]
    return {"horizon": truths.shape[1], "targets": targets, "season": 1, "scale": scale}


def _rows(predictions: Sequence[Any], state: State) -> np.ndarray:
    import numpy as np

    return np.asarray(predictions, np.float64).reshape(-1, state["horizon"], len(state["targets"]))


def _steps(state: State) -> list[str]:
    names = state["targets"]
    heads = ["step"] if len(names) == 1 else names
    return [f"{head}_{step}" for head in heads for step in range(1, state["horizon"] + 1)]
