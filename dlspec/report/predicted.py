"""Predictions on a terminal: rows of a table, as they are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len, set_cell_size

from dlspec.report.terminal import number

WIDEST = 60
"""columns of the terminal that one column of the table takes at most"""

LONGEST = 300
"""characters of a cell that are shown; a mask as a text has thousands"""


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

    The file is left out where the id says the same.  A row with an error says it instead of a guess.
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
            cells = [[_cell(one.get(name)) for one in objects] for name in self.names]
            self.widths = [
                min(WIDEST, max(map(cell_len, [name, *column]))) for name, column in zip(self.names, cells, strict=True)
            ]
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
        if cell_len(text) >= self.widths[column]:
            return text
        if self.names[column].startswith("p_"):
            return " " * (self.widths[column] - cell_len(text)) + text
        return set_cell_size(text, self.widths[column])


def _cell(value: Any) -> str:
    if value is None or isinstance(value, float):
        return "" if value is None else number(value)
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
