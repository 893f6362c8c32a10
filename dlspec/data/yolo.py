"""YOLO: a text file a picture, a line a box in shares of the picture, and data.yaml with the splits and the names.

As darknet (Redmon et al. 2016) wrote it and Ultralytics reads it: class, middle x, middle y, width, height.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar, Literal

from dlspec.data.box_faults import Drawn, Faults
from dlspec.data.boxed_pictures import BoxFiles, Found, Sheet, pictures_below, relative_id
from dlspec.data.yolo_layout import Layout, label_of, layout_of, pictures_of, settings_in
from dlspec.numeric.printable import shown
from dlspec.proposals import Proposal
from dlspec.recipe.component import DataPath
from dlspec.types import DataError, Place

NOWHERE = (math.nan, math.nan, math.nan, math.nan)


class Yolo(BoxFiles):
    """A data.yaml with train, val, test and names; or a folder of pictures and text files, with classes.txt.

    A split is a folder of pictures, a text file that lists some, or several of these.  The boxes of images/1.jpg are in
    labels/1.txt, or beside the picture; a picture without such a file has no objects.  Lines of more numbers are
    polygons, and the box is around them.  x: the picture's path, which is read when it is needed.  y: tuples of
    dlspec.numeric.places.Box.
    """

    summary: ClassVar[str] = "pictures of your own with boxes: YOLO, a text file a picture, with data.yaml"
    suffixes: ClassVar[tuple[str, ...]] = (".yaml", ".yml")
    folders: ClassVar[bool] = True
    shares: ClassVar[bool] = True
    name: Literal["yolo"] = "yolo"

    path: DataPath
    """data.yaml, or the folder that holds it; or a folder of pictures and text files"""

    @classmethod
    def recognize(cls, path: str, target: str | None = None) -> Proposal | None:
        """A data.yaml of this kind, alone or in a folder; or a folder of pictures and text files with classes.txt."""
        from dlspec.data.box_guesses import yolo

        return yolo(path)

    def files(self) -> list[str]:
        return [self.path]

    def pictures(self) -> list[tuple[str, str]]:
        if os.path.isdir(self.path) and settings_in(self.path) is None:
            return pictures_below(self.path)
        return [
            one for part, paths in self._paths(layout_of(self.path, self.classes)).items() for one in _ids(part, paths)
        ]

    def listed(self) -> Sequence[str]:
        return layout_of(self.path, self.classes).names

    def found(self, faults: Faults) -> Found:
        layout = layout_of(self.path, self.classes)
        parts: dict[str, list[Sheet]] = {}
        labels = 0
        for part, paths in self._paths(layout).items():
            parts[part] = [self._sheet(path, id, layout.names, faults) for id, path in _ids(part, paths)]
            labels += sum(os.path.exists(label_of(one)) for one in paths)
        if not labels:
            pictures = [sheet.picture for sheets in parts.values() for sheet in sheets]
            wanted = f"; looked for {shown(label_of(pictures[0]))} and others" if pictures else ""
            raise DataError(
                f"none of the {len(pictures):,} pictures has a text file with boxes{wanted}",
                where=Place(shown(self.path)),
            )
        return Found(parts, layout.names, layout.notes)

    def _paths(self, layout: Layout) -> dict[str, list[str]]:
        return {part: [one for place in places for one in pictures_of(place)] for part, places in layout.parts.items()}

    def _sheet(self, picture: str, id: str, names: Sequence[str], faults: Faults) -> Sheet:
        label = label_of(picture)
        where = partial(Place, shown(label))
        try:
            text = Path(label).read_bytes().decode("utf-8", "replace")
        except FileNotFoundError:
            text = ""
        except OSError as error:
            reason = f"cannot be read: {error.strerror}"
            faults.add("text file", "that cannot be read", reason, partial(where, None))
            text = ""
        drawn = []
        for line, row in enumerate(text.splitlines(), 1):
            cells = row.split()
            if not cells:
                continue
            one = _drawn(cells, names, line)
            if isinstance(one, Drawn):
                drawn.append(one)
            else:
                faults.add("box", one[0], one[1], partial(where, line))
        return Sheet(id, picture, drawn, where)


def _drawn(cells: Sequence[str], names: Sequence[str], line: int) -> Drawn | tuple[str, str]:
    """A line's box with corners in shares; or the kind of what is wrong, and what."""
    text = shown(" ".join(cells)[:60])
    try:
        numbers = [float(one) for one in cells[1:]]
    except ValueError:
        return "without numbers", f"expected numbers, got '{text}'"
    if len(numbers) != 4 and (len(numbers) < 6 or len(numbers) % 2):
        return "without numbers", f"expected a class and four numbers, or a polygon, got {len(cells)} in '{text}'"
    if not cells[0].isdecimal():
        return "of no known class", f"expected the number of a class, from 0, got '{shown(cells[0][:20])}'"
    code = int(cells[0])
    if code >= len(names):
        listed = ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
        return (
            "of no known class",
            f"class {code} is past the {len(names)} names (0 to {len(names) - 1}: {shown(listed)})",
        )
    if len(numbers) == 4:
        x, y, width, height = numbers
        corners = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    elif all(map(math.isfinite, numbers)):
        corners = (min(numbers[0::2]), min(numbers[1::2]), max(numbers[0::2]), max(numbers[1::2]))
    else:
        corners = NOWHERE
    return Drawn(names[code], corners, False, line)


def _ids(part: str, paths: Sequence[str]) -> list[tuple[str, str]]:
    """Id and path of each picture: the id is its path below the folder that they share."""
    base = os.path.commonpath([os.path.dirname(one) for one in paths]) if paths else ""
    return [(relative_id(one, base, part), one) for one in paths]
