"""Columns of a table that tell nothing, or that name the row: what `check` says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dlspec.types import Finding

MOSTLY = 0.5
"""a share of missing values above this is said"""


def doubts(
    used: Mapping[str, Mapping[str, Any]], kinds: Mapping[str, str], left_out: Mapping[str, Sequence[str]], rows: int
) -> list[Finding]:
    """Findings on the columns of a table of so many rows.

    used: column → what was learned of it (`missing`); kinds: column in use → what it looks like, whatever the recipe
    took it for; left_out: reason → columns, as a table's state has it.
    """
    found = [
        Finding(
            "warning",
            "constant_column",
            f"column '{name}'",
            f"it holds the same in all {rows:,} rows of train: nothing can be learned from it, and it is left out. If "
            f"it should vary, look at how the file was made; if not, say input: {{drop: [{name}]}}",
        )
        for name in left_out.get("constant", ())
    ]
    found += [
        Finding(
            "warning",
            "empty_column",
            f"column '{name}'",
            f"it is empty in all {rows:,} rows of train, and left out. If it should not be, look at how the file was "
            f"made; if so, say input: {{drop: [{name}]}}",
        )
        for name in left_out.get("empty", ())
    ]
    found += [
        Finding(
            "note",
            "identifier_column",
            f"column '{name}'",
            "it names the row, so that nothing learned from it holds for another row, and it is left out; if it says "
            f"more than that, say input: {{categorical: [{name}]}} or {{numeric: [{name}]}}",
        )
        for name in left_out.get("identifiers", ())
    ]
    found += [
        Finding(
            "warning",
            "unread_dates",
            f"column '{name}'",
            "it looks like dates, and is left out: its dates do not tell the day from the month. Write them as "
            f"2024-03-31, or say input: {{drop: [{name}]}}",
        )
        for name in left_out.get("dates that cannot be read", ())
    ]
    found += [
        Finding(
            "warning",
            "identifier_column",
            f"column '{name}'",
            "it goes into the network, and its values name the row (nearly all are different): a network can learn "
            f"rows of train by heart by it, and nothing of new ones. Say input: {{drop: [{name}]}}",
        )
        for name, kind in kinds.items()
        if kind == "identifier"
    ]
    for name, learned in used.items():
        missing = learned.get("missing", 0) / rows
        if missing > MOSTLY:
            found.append(
                Finding(
                    "note",
                    "mostly_missing",
                    f"column '{name}'",
                    f"{missing:.0%} of its values are missing in train: what stands for them outweighs what was "
                    f"measured. Fill it where you can, or say input: {{drop: [{name}]}}",
                )
            )
    return found
