"""An example in words, as a table has them: whatever the input, as long as it can be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlspec.runs.judged import Shown
from dlspec.types import Example

SEEN_OR_HEARD = ("picture", "sound")
"""kinds of input that no words stand for; their ids are names of files"""


def told(entry: Shown, example: Example) -> str | None:
    """The whole of a text, or the cells of a row with their names; None where there is nothing to read."""
    if entry.kind in SEEN_OR_HEARD:
        return None
    content = entry.show(example).content
    if isinstance(content, Mapping):
        content = ", ".join(f"{name} {_short(value)}" for name, value in content.items() if value is not None)
    return str(content) or None


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
