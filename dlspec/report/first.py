"""What `init` says of the recipe that it wrote."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from typing import Any

from dlspec.wording import plural


def print_first(result: Mapping[str, Any]) -> None:
    """What was seen and chosen, and what to do next; of a recipe that was not written, its text."""
    if result["recipe"] is None:
        print(result["text"], end="")
        return
    for line in result["seen"]:
        print(line)
    name = shlex.quote(_near(result["recipe"]))
    print(f"\n{name}: {result['task']} by '{result['model']['name']}'", end="")
    many = len(result["suggestions"])
    print(f", with {many} suggestion{'s' * (many > 1)} behind #" if many else "")
    print(f"look at it, then: dlspec check {name}\n                  dlspec train {name}")


def print_converted(result: Mapping[str, Any]) -> None:
    """What was written where, and what to do next."""
    splits = ", ".join(f"{part} {many:,}" for part, many in result["splits"].items() if part != "all")
    given = f" ({splits})" if splits else ""
    boxes = f"{plural(result['boxes'], 'box', 'boxes')} of {plural(len(result['classes']), 'class', 'classes')}"
    what = f"{plural(result['pictures'], 'picture')}{given} copied, {boxes} written as {result['format']}"
    print(f"{_near(result['out'])}: {what}")
    print(f"a recipe for it: dlspec init {shlex.quote(_near(result['data']))}")


def _near(path: str) -> str:
    """A path as seen from here, where that is shorter."""
    name = os.path.relpath(path)
    return name if len(name) < len(path) else path
