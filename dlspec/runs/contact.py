"""Contact sheets: the pictures of each cell of a confusion matrix, as tiles; what is confused most comes first."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dlspec.evaluators.class_figures import NO_NUMBER, NONE, UNKNOWN
from dlspec.report.pictures import inlined, small
from dlspec.runs import folder as folders
from dlspec.runs.judged import Part, Shown
from dlspec.strategy.ceilings import Errors
from dlspec.types import Outcomes

CELLS, TILES = 24, 18
"""so many cells of a split are shown, in so many pictures each"""
SIDE = 96
"""longest side of a tile"""
BUDGET = 1_500_000
"""characters of base64 for the tiles of a split"""


def keep(
    folder: Path,
    split: str,
    entry: Shown,
    part: Part,
    outcomes: Outcomes | None,
    found: Errors,
    among: np.ndarray,
) -> None:
    """Write contact/<split>.json: for each confused pair, how often it occurs and its worst pictures, the worst first.

    among: (N,) bool, those that may be looked at; the others are counted alone.  Nothing is written where examples are
    no pictures, or not one class is true and said of each.
    """
    if outcomes is None or entry.kind != "picture":
        return
    cells = confused(outcomes, found)
    shown = cells[:CELLS]
    chosen = [rows[among[rows]][:TILES].tolist() for _, _, rows in shown]
    tiles = iter(inlined([small(entry.show(part.examples[i]).content, SIDE) for rows in chosen for i in rows], BUDGET))
    kept = [
        {
            "truth": truth,
            "guess": guess,
            "count": len(rows),
            "tiles": [{"id": part.examples[i].id, "shows": next(tiles)} for i in some],
        }
        for (truth, guess, rows), some in zip(shown, chosen, strict=True)
    ]
    more = sum(len(rows) for _, _, rows in cells[CELLS:])
    folders.write_json(
        folder / "contact" / f"{split}.json", {"cells": kept, "more_cells": len(cells[CELLS:]), "more": more}
    )


def confused(outcomes: Outcomes, found: Errors) -> list[tuple[str, str, np.ndarray]]:
    """Truth, guess and the rows of each pair that is wrong: the most frequent pair first, in it the worst row first.

    What is none of the classes is called as in the confusion matrix.
    """
    size = np.full(len(found), -np.inf)
    np.maximum.at(size, found.mistakes.rows, found.mistakes.sizes)
    rows = np.flatnonzero(found.wrong)
    rows = rows[np.argsort(-size[rows], kind="stable")]
    pairs: dict[tuple[int, int], list[int]] = {}
    for row, truth, guess in zip(
        rows.tolist(), outcomes.truth[rows].tolist(), outcomes.guess[rows].tolist(), strict=True
    ):
        pairs.setdefault((max(truth, -1), guess), []).append(row)
    ordered = sorted(pairs.items(), key=lambda one: (-len(one[1]), one[0]))
    truths, guesses = [*outcomes.names, UNKNOWN], [*outcomes.names, NO_NUMBER, NONE]  # counted from the end below 0
    return [(truths[one], guesses[other], np.array(of)) for (one, other), of in ordered]
