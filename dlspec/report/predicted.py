"""Predictions on a terminal: rows of a table, as they are made."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len, set_cell_size

from dlspec.numeric.printable import shown
from dlspec.report.terminal import number

WIDEST = 60
"""columns of the terminal that one column of the table takes at most"""

LONGEST = 300
"""characters of a cell that are shown; a mask as a text has thousands"""

TEXT = "text"
"""what the text of an example stands under; it is cut to what the other columns leave of the terminal"""

NARROWEST = 20
"""columns of the terminal that a text has at least, be it named or not"""


def written(result: Mapping[str, Any], out: Any) -> str:
    """What has been written where, a line each."""
    said = [f"{result['count']:,} prediction{'s' * (result['count'] != 1)}: {out}"]
    if "masks" in result:
        classes = ", ".join(f"{index} {name}" for name, index in result["masks"]["classes"].items())
        said.append(f"masks: {result['masks']['folder']} (the index of each pixel's class: {classes})")
    if result.get("explained"):
        said.append(f"explained: {result['explained']}")
    return "\n".join(said)


class PredictedTable:
    """A table whose columns are as wide as its first rows need; later cells that are wider stand out to the right.

    The file is left out where the id says the same.  A row with an error says it instead of a guess.  The text that was
    given, if there is one, stands before what was said of it, in what is left of the terminal.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.widths: list[int] = []
        self.rows = 0

    def show(self, objects: Sequence[Mapping[str, Any]]) -> None:
        """Print some more rows."""
        if not objects:
            return
        if not self.names:
            whole = next((one for one in objects if "error" not in one), objects[0])
            same = all(one["file"] == one.get("id") for one in objects) or len({one["file"] for one in objects}) == 1
            left_out = {"error", "file"} if same and "id" in whole else {"error"}
            self.names = [name for name in whole if name not in left_out and not isinstance(whole[name], list | dict)]
            given = [name for name in self.names if name in ("file", "id")]
            self.names = sorted(self.names, key=lambda name: (name not in given, name != TEXT))
            cells = [[_cell(one.get(name)) for one in objects] for name in self.names]
            self.widths = [
                min(WIDEST, max(map(cell_len, [name, *column]))) for name, column in zip(self.names, cells, strict=True)
            ]
            if TEXT in self.names:
                at = self.names.index(TEXT)
                left = _width() - sum(self.widths) + self.widths[at] - 2 * (len(self.names) - 1)
                longest = max(cell_len(_line(str(one.get(TEXT, "")))) for one in objects)
                self.widths[at] = max(len(TEXT), min(longest, max(NARROWEST, left)))
            print("  ".join(map(self._fitted, range(len(self.names)), self.names)).rstrip())
        for one in objects:
            self._row(one)
            self.rows += 1

    def _row(self, one: Mapping[str, Any]) -> None:
        if "error" in one:
            print(f"{one.get('id', one['file'])}: {one['error']}")
        else:
            cells = [_cell(one.get(name)) for name in self.names]
            print("  ".join(map(self._fitted, range(len(cells)), cells)).rstrip())

    def _fitted(self, column: int, text: str) -> str:
        if self.names[column] == TEXT:
            return _cut(_line(text), self.widths[column])
        if cell_len(text) >= self.widths[column]:
            return text
        if self.names[column].startswith("p_"):
            return " " * (self.widths[column] - cell_len(text)) + text
        return set_cell_size(text, self.widths[column])


def _width() -> int:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 110


def _line(text: str) -> str:
    """A text on one line: ends of lines and tabs are blanks, and nothing steers the terminal."""
    return shown(" ".join(text.split()))


def _cut(text: str, width: int) -> str:
    """So many columns of the terminal, with `…` where something is left out."""
    return set_cell_size(text, width) if cell_len(text) <= width else f"{set_cell_size(text, width - 1)}…"


def _cell(value: Any) -> str:
    if value is None or isinstance(value, float):
        return "" if value is None else number(value)
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
