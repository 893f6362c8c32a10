"""Texts beside one another: what the marks in them mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

MEANS = {"right": "blue: right", "wrong": "red: wrong", "missed": "underlined: missed"}


def legend(items: Iterable[Mapping[str, Any]]) -> str:
    """What the marks mean that these items have in their `passages`; nothing where they have none."""
    found, pointed = set[str](), False
    for item in items:
        for one in item.get("passages", ()):
            for _, mark, says in one["parts"]:
                found.add(mark)
                pointed |= bool(mark and says and not one["labelled"])
    said = [means for mark, means in MEANS.items() if mark in found]
    if said and pointed:
        said.append("point at it to read why")
    return "; ".join(said)
