"""Names of files that are written for examples: after their ids, no two alike."""

from __future__ import annotations

from pathlib import PurePath

from dlspec.numeric.printable import shown


class Names:
    """Gives each example a name that none before has, whatever the case of its letters."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def __call__(self, id: str, ending: str) -> str:
        """`cell.jpg`, ".png" → `cell.png`, and the next time `cell-2.png`."""
        stem = shown(PurePath(id).stem) or "picture"
        name, number = stem + ending, 1
        while name.lower() in self.taken:
            number += 1
            name = f"{stem}-{number}{ending}"
        self.taken.add(name.lower())
        return name
