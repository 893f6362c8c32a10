"""What `init` says of the recipe that it wrote."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from typing import Any


def print_first(result: Mapping[str, Any]) -> None:
    """What was seen and chosen, and what to do next; of a recipe that was not written, its text."""
    if result["recipe"] is None:
        print(result["text"], end="")
        return
    for line in result["seen"]:
        print(line)
    name = os.path.relpath(result["recipe"])
    name = shlex.quote(name if len(name) < len(result["recipe"]) else result["recipe"])
    print(f"\n{name}: {result['task']} by '{result['model']['name']}'", end="")
    many = len(result["suggestions"])
    print(f", with {many} suggestion{'s' * (many > 1)} behind #" if many else "")
    print(f"look at it, then: dlspec check {name}\n                  dlspec train {name}")
