"""What is true of one head of several, out of a mapping of columns or its JSON; and what is not known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dlspec.numeric.class_names import plain
from dlspec.types import Examples


def of_head(examples: Examples, name: str, record: Mapping[str, Any]) -> Examples:
    """The same examples with the truth of one head alone; None where it is not known."""
    given = examples.columns["y"]
    whole: list[Any] = [None] * (max(examples.rows, default=-1) + 1)
    for row in examples.rows:
        whole[row] = value_of(given[row], name, record.get("columns"))
    return examples.replace(y=whole)


def known_rows(examples: Examples, name: str, record: Mapping[str, Any]) -> list[int]:
    """The places whose truth for a head is known; of texts of labels, a missing one may say that none is true."""
    always = not record.get("columns") and record["state"].get("empty") == "none"
    values = of_head(examples, name, record).column("y")
    return [place for place, value in enumerate(values) if value is not None or always]


def value_of(truth: Any, name: str, columns: list[str] | None) -> Any:
    """truth: a mapping, its JSON as a table of predictions holds it, or None.  columns: those of several labels."""
    if isinstance(truth, str):
        truth = json.loads(truth)
    if not isinstance(truth, Mapping):
        return None
    if columns and name not in truth:
        several = {one: truth.get(one) for one in columns}
        return several if any(_there(one) for one in several.values()) else None
    value = plain(truth.get(name))
    return value if _there(value) else None


def _there(value: Any) -> bool:
    return value is not None and value == value
