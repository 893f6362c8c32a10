"""Contact sheets as the report shows them: a sheet a cell of the confusion matrix, which links to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BUDGET = 3_000_000
"""characters of base64 for the tiles of all splits together"""


def view(held: Mapping[str, Any]) -> dict[str, Any]:
    """Of each split the cells that are shown, each with the name it is linked by; the first split has the first say."""
    spent, found = 0, {}
    for split, one in held.items():
        cells = []
        for place, cell in enumerate(one["cells"]):
            spent += sum(len(tile["shows"]["png"]) for tile in cell["tiles"])
            if spent > BUDGET:
                break
            cells.append({**cell, "name": f"confused-{split}-{place}"})
        left = one["cells"][len(cells) :]
        found[split] = {
            "cells": cells,
            "more_cells": one["more_cells"] + len(left),
            "more": one["more"] + sum(cell["count"] for cell in left),
        }
    return found


def links(sheet: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """(truth, guess) → where in the page its pictures are."""
    return {(cell["truth"], cell["guess"]): f"#{cell['name']}" for cell in sheet["cells"] if cell["tiles"]}
