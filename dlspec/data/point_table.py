"""Pictures and points in them, out of a table: a row a picture, two columns a point."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from dlspec.data.picture_tables import Found, PictureTable, outside
from dlspec.proposals import Proposal
from dlspec.types import DataError, Place

if TYPE_CHECKING:
    from dlspec.data.columns import Joined

CALLED = (
    re.compile(r"(?P<name>.+)[_ .-](?P<axis>[xyXY])"),
    re.compile(r"(?P<axis>[xyXY])[_ .-]?(?P<name>\d+)"),
    re.compile(r"(?P<axis>[xyXY])[_ .-](?P<name>.+)"),
    re.compile(r"(?P<name>.+)(?P<axis>[xyXY])"),
)
"""how columns of points are called: nose_x, x1, x_nose, noseX"""


class PointTable(PictureTable):
    """A table with a row a picture: a column of picture files, and two columns a point, as nose_x and nose_y or x1, y1.

    Where both cells of a point are empty, it cannot be seen.  x: the file's path, which is read when it is needed.
    y: the points that can be seen, as tuples of dlspec.numeric.places.Point.
    """

    summary: ClassVar[str] = "pictures of your own with points: a table with a row a picture, two columns a point"
    name: Literal["point_table"] = "point_table"

    points: tuple[str, ...] = ()
    """the names of the points, as the columns have them (nose of nose_x and nose_y); left out: all that have both"""

    @classmethod
    def recognize(cls, path: str, target: str | None = None) -> Proposal | None:
        """A table, alone or in a folder, that names pictures and has pairs of columns of x and y."""
        from dlspec.data.place_guesses import points

        return points(cls, path)

    def places(self, data: Joined, rows_of: Sequence[Sequence[int]], found: Found) -> list[Any]:
        from dlspec.numeric.places import Point

        pairs = pairs_of([name for name in data.columns if name != self.file])
        wanted = self.points or tuple(pairs)
        for name in wanted:
            if name not in pairs:
                known = ", ".join(pairs) or "none"
                raise DataError(
                    f"there are no two columns of x and y of the point '{name}' (data.points); points that have both: "
                    f"{known}",
                    where=Place(data.files[0]),
                )
        if not wanted:
            raise DataError(
                "no two columns are called as x and y of a point (nose_x, nose_y; x1, y1); the columns are "
                f"{', '.join(list(data.columns)[:20])}",
                where=Place(data.files[0]),
            )
        columns = [column for name in wanted for column in pairs[name]]
        numbers = found.numbers(columns).reshape(len(data), len(wanted), 2).tolist()
        result: list[Any] = []
        for rows, size in zip(rows_of, found.sizes(), strict=True):
            for row in rows[1:]:
                found.add(row, "this picture has a row already; keep one")
            own = []
            for name, (x, y) in zip(wanted, numbers[rows[0]], strict=True):
                if math.isnan(x) and math.isnan(y):
                    continue
                if math.isnan(x) or math.isnan(y):
                    gone = pairs[name][0 if math.isnan(x) else 1]
                    found.add(rows[0], f"{gone} is missing, and the other is not; leave both empty for an unseen point")
                elif size is not None and outside((x, y), *size):
                    found.add(
                        rows[0],
                        f"the point {name} ({x:g}, {y:g}) is not within its picture, which is {size[0]}×{size[1]} "
                        "(width × height)",
                    )
                else:
                    own.append(Point(name, x, y))
            result.append(tuple(own))
        return result


def pairs_of(columns: Sequence[str]) -> Mapping[str, tuple[str, str]]:
    """Point → its columns of x and y, for every name that has both."""
    found: dict[str, dict[str, str]] = {}
    for column in columns:
        match = next((one for form in CALLED if (one := form.fullmatch(column))), None)
        if match is not None:
            found.setdefault(match["name"], {}).setdefault(match["axis"].lower(), column)
    return {name: (own["x"], own["y"]) for name, own in found.items() if len(own) == 2}
