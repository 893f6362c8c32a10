"""What a class is called, whatever the reader gave for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def class_name(value: Any) -> str | None:
    """The canonical text of a class: "3" for 3, 3.0 and "3"; "true" and "false" for booleans; None where missing."""
    if isinstance(value, str):
        return str(value)
    value = plain(value)
    if value is None or value != value:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def named(values: Sequence[Any]) -> list[str | None]:
    """The class name of every value; each different value is looked at once."""
    known: dict[Any, str | None] = {}
    names = []
    for value in values:
        key = type(value), value  # 1 equals True, and is another class
        try:
            if key not in known:
                known[key] = class_name(value)
            names.append(known[key])
        except TypeError:  # a list has no hash
            names.append(class_name(value))
    return names


def plain(value: Any) -> Any:
    """A NumPy scalar as Python's own."""
    return value.item() if hasattr(value, "item") else value
