"""Pictures named in a table (CSV, TSV, Parquet), with their labels or values."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, Literal

from dlspec.data.tabular import Entered, TableReader
from dlspec.numeric.picture_formats import identity
from dlspec.recipe.component import DataPath

if TYPE_CHECKING:
    from dlspec.data.columns import Joined


class ImageTable(TableReader):
    """A table with a row a picture: a column of file names, and one of labels or values.

    The table may be .csv, .tsv, .txt or .parquet, each packed as .gz, too.  x: the file's path, which is read when it
    is needed.  An example's id is the file's name as the table writes it, unless `id` names a column.
    """

    kind: ClassVar[str] = "picture"
    summary: ClassVar[str] = "pictures of your own, named in a table with their labels or values"
    name: Literal["image_table"] = "image_table"

    file: str = "file"
    """the column of file names, relative to `folder`, or absolute"""
    folder: DataPath | None = None
    """the folder that the file names are relative to; left out: the table's own"""
    id: str | None = None
    """the column that names each example, for good; left out: the column of file names"""
    strict: bool = False
    """refuse the data where a picture is broken, instead of leaving that picture out and naming it"""

    def uses(self) -> dict[str, str | None]:
        return {"file": self.file, **super().uses()}

    def entered(self, data: Joined, names: Sequence[str], target: str | None, *, truth: bool) -> Entered:
        from dlspec.data import roles
        from dlspec.data.pictures import faulty
        from dlspec.numeric.picture_paths import PictureFiles

        written = roles.complete(data, self.file)
        paths = list[str]()
        for file, (start, end) in zip(data.files, pairwise(data.starts), strict=True):
            folder = self._folder(file, written[start])
            paths += [os.path.join(folder, one) for one in written[start:end]]
        files = PictureFiles("", paths)
        if not truth:
            return Entered(files, frozenset(), [])
        self._all_there(data, written, paths)
        if self.id is None:
            self._each_once(data, written)
        broken, notes = faulty(files, strict=self.strict)
        return Entered(files, frozenset(broken), notes)

    def ids(self, data: Joined) -> list[str]:
        from dlspec.data import roles

        return super().ids(data) if self.id else [identity(one) for one in roles.complete(data, self.file)]

    def _folder(self, table: str, first: str) -> str:
        """Where a table's pictures are; another table than the recipe's may have its own beside it."""
        own = os.path.dirname(os.path.abspath(table))
        if self.folder is None or (self._elsewhere and os.path.exists(os.path.join(own, first))):
            return own
        return self.folder

    def _all_there(self, data: Joined, written: Sequence[str], paths: Sequence[str]) -> None:
        """Raise DataError that names every picture that is not there, with its row."""
        from dlspec.data.pictures import refused

        missing = [row for row, path in enumerate(paths) if not os.path.exists(path)]
        if missing:
            rest = "{} more pictures are not there; data.folder is the folder that file names are relative to"
            raise refused(
                [
                    data.bad([row], f"there is no picture '{written[row]}'; looked at {paths[row]}").complaints[0]
                    for row in missing
                ],
                rest,
            )

    def _each_once(self, data: Joined, written: Sequence[str]) -> None:
        for start, end in pairwise(data.starts):
            first: dict[str, int] = {}
            for row in range(start, end):
                before = first.setdefault(written[row], row)
                if before != row:
                    raise data.bad(
                        [before, row],
                        f"the picture '{written[row]}' stands in {{rows}}; keep one row, "
                        "or give data.id a column that names each row",
                    )
