"""Pictures named in a table (CSV, TSV, Parquet), with their labels or values."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, Literal

from dlspec.data.tabular import Entered, TableReader
from dlspec.numeric.picture_formats import SUFFIXES
from dlspec.numeric.printable import identity
from dlspec.proposals import Facts, Line, Proposal
from dlspec.recipe.component import DataPath
from dlspec.types import DataError, Place

if TYPE_CHECKING:
    import numpy as np

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

    @classmethod
    def recognize(cls, path: str, target: str | None = None) -> Proposal | None:
        """A table, alone or in a folder, one of whose columns names pictures."""
        from dlspec.data import part_files
        from dlspec.data.picture_guesses import looks
        from dlspec.data.table_guesses import is_table, opened, tables_in
        from dlspec.data.table_proposal import common

        if os.path.isdir(path):
            tables = tables_in(cls, path)
            return part_files.but_others(cls.recognize, path, tables, target)
        if not is_table(cls, path) or not _may_name_pictures(path):
            return None
        table = opened(cls, path, target)
        columns = {name: [one for one in values.tolist() if one] for name, values in _words(table.columns).items()}
        name = next((name for name, values in columns.items() if _names_pictures(values)), None)
        if name is None:
            return None
        folder = _found(os.path.dirname(path), columns[name], path)
        own = [Line("file", name, "the column of file names")] if name != "file" else []
        if folder != os.path.dirname(path) or len(table.parts) > 1:
            own.append(Line("folder", folder, "what file names are relative to", path=True))
        found = common(table, path, target, but=[name], features=False)
        if len(set(columns[name])) < len(columns[name]) and not any(line.key == "id" for line in found.data):
            raise DataError(
                f"the column '{name}' names some pictures more than once; keep one row a picture, or add a column "
                "that names each row, as id",
                where=Place(path),
            )
        look = looks([os.path.join(folder, one) for one in columns[name]], set(found.truths))
        facts = Facts("picture", found.count, found.asked.outputs, look.shape, look.alike)
        return Proposal(
            facts, found.asked.task, (found.data[0], *own, *found.data[1:]), found.split, look.input,
            found.asked.goal, (*found.seen, *look.seen), found.doubts, found.called, special=2,
        )  # fmt: skip

    def uses(self) -> dict[str, str | None]:
        return {"file": self.file, **super().uses()}

    def entered(self, data: Joined, names: Sequence[str], targets: Sequence[str], *, truth: bool) -> Entered:
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


def _words(columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: values for name, values in columns.items() if values.dtype == object}


def _names_pictures(values: Sequence[str]) -> bool:
    """Whether nearly all of a column's words end as the names of pictures do."""
    some = values[:200]
    return bool(some) and sum(os.path.splitext(one)[1].lower() in SUFFIXES for one in some) >= 0.9 * len(some)


def _may_name_pictures(path: str) -> bool:
    """A quick look: most tables are large, and name none."""
    from dlspec.data.sources import contents

    data = contents(path)
    head = data if data.startswith(b"PAR1") else data[: 1 << 16].replace(b"\0", b"")  # UTF-16 is text as well
    return any(ending.encode() in head.lower() for ending in SUFFIXES)


def _found(home: str, names: Sequence[str], table: str) -> str:
    """The folder that most names are relative to: the table's own, or one of those in it or beside it."""
    some = names[:: max(1, len(names) // 50)]
    above = os.path.dirname(home)
    inside = [one.path for one in sorted(os.scandir(home), key=lambda one: one.name) if one.is_dir()]
    beside = [one.path for one in sorted(os.scandir(above), key=lambda one: one.name) if one.is_dir()]
    places = [home, *inside[:50], above, *beside[:50]]
    there = [sum(os.path.exists(os.path.join(place, one)) for one in some) for place in places]
    if not max(there):
        raise DataError(
            f"its pictures are not to be found: looked for '{names[0]}' in {home}, and in the folders in it and beside "
            "it; put the table beside them",
            where=Place(table),
        )
    return places[there.index(max(there))]
