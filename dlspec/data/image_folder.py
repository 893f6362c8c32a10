"""Pictures in folders: a folder a class, or train, dev and test above those."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from typing import ClassVar, Literal

from pydantic import PrivateAttr, field_validator, model_validator
from pydantic_core import PydanticCustomError

from dlspec.data import picture_folders
from dlspec.data.base import Reader
from dlspec.data.splits import Split
from dlspec.numeric.picture_formats import SUFFIXES
from dlspec.numeric.printable import identity, shown
from dlspec.proposals import Facts, Line, Proposal
from dlspec.recipe.component import DataPath
from dlspec.types import SPLITS, DataError, Examples, Place, Splits
from dlspec.wording import plural


class ImageFolder(Reader):
    """A folder of pictures (JPEG, PNG, BMP, GIF, WebP): cats/1.jpg, dogs/2.jpg; or train/cats/1.jpg, test/dogs/2.jpg.

    dev may be called val, valid or validation.  Folders inside a class folder belong to the class.  Hidden files are
    passed over, other files counted.  x: the file's path, which is read when it is needed.  y: the class folder's name.
    ids: the path below the folder, as train/cats/1.jpg, the same on every machine.
    """

    kind: ClassVar[str] = "picture"
    summary: ClassVar[str] = "pictures of your own: a folder a class, or train, dev and test above those"
    suffixes: ClassVar[tuple[str, ...]] = SUFFIXES
    folders: ClassVar[bool] = True
    name: Literal["image_folder"] = "image_folder"

    path: DataPath
    """the folder that holds the class folders, or train, dev and test"""
    strict: bool = False
    """refuse the data where a picture is broken, instead of leaving that picture out and naming it"""
    group_pattern: str | None = None
    """what belongs together (a patient, a writer) and is never divided: a regular expression with one group, looked
    for in the path below the folder, as '(patient\\\\d+)_'"""
    _elsewhere: bool = PrivateAttr(False)
    """these are settings for another folder, whose names need not tell groups"""

    @field_validator("group_pattern")
    @classmethod
    def _one_group(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            try:
                groups = re.compile(pattern).groups
            except re.error as error:
                _refuse(f"'{pattern}' is no regular expression: {error}")
            if groups != 1:
                _refuse(f"expected one group in round brackets, as '(patient\\d+)_', got {groups} in '{pattern}'")
        return pattern

    @model_validator(mode="after")
    def _no_columns(self) -> ImageFolder:
        if self.split.group is not None:
            _refuse(
                f"split.group names a column ('{self.split.group}'), and a folder has none; "
                "data.group_pattern takes the group out of the path, as '(patient\\d+)_'"
            )
        if self.split.time is not None:
            _refuse(
                "split.time cannot hold for a folder: a file's date changes when it is copied; "
                "give a table with a column of dates, as data.name: image_table"
            )
        return self

    @classmethod
    def recognize(cls, path: str, target: str | None = None) -> Proposal | None:
        """A folder with pictures in class folders, or in those below train, dev and test."""
        from dlspec.data import part_files
        from dlspec.data.picture_guesses import in_groups, looks
        from dlspec.data.questions import classes

        if not os.path.isdir(path) or not picture_folders.below(path).pictures:
            return None
        layout = picture_folders.layout(path)
        named = {part: {identity(c): files for c, files in own.items()} for part, own in layout.parts.items()}
        if "train" not in named and "all" not in named:
            raise DataError(f"there is {' and '.join(named)} and no train; to train, add it", where=Place(shown(path)))
        counts = Counter({c: sum(len(own.get(c, ())) for own in named.values()) for own in named.values() for c in own})
        if len(counts) == 1:
            raise DataError(
                f"all {counts.total():,} pictures lie in one folder, '{next(iter(counts))}', and there must be two "
                "classes or more: add a folder of pictures of something else",
                where=Place(shown(path)),
            )
        question = classes(counts)
        files = sorted((one for own in named.values() for names in own.values() for one in names), key=identity)
        look = looks([os.path.join(path, one) for one in files], counts)
        sizes = {part: sum(map(len, named[part].values())) for part in (*SPLITS, "all") if part in named}
        parts = "" if "all" in sizes else "; " + ", ".join(f"{part} {many:,}" for part, many in sizes.items())
        groups = in_groups(files) if "dev" not in sizes else None
        return Proposal(
            Facts("picture", counts.total(), question.outputs, look.shape, look.alike),
            question.task,
            (Line("path", path, path=True), *([groups] if groups else [])),
            part_files.division(sizes),
            look.input,
            question.goal,
            (
                f"{plural(counts.total(), 'picture')}, a folder a class{parts}",
                *question.seen,
                *look.seen,
                *layout.notes,
            ),
            question.doubts,
            special=1,
        )

    def files(self) -> list[str]:
        return [self.path]

    def at(self, path: str) -> ImageFolder:
        other = self.model_copy(update={"path": path})
        other._elsewhere = True
        return other

    @property
    def dividing(self) -> Split:
        return self.split.model_copy(update={"group": "group_pattern"} if self.group_pattern else {})

    def load(self, *, truth: bool = True) -> Splits:
        """truth=False: every picture below the folder, or the one file that the path is, none of them looked into."""
        from dlspec.data.pictures import faulty
        from dlspec.numeric.picture_paths import PictureFiles

        if not truth:
            folder, names = self._everything()
            ids = _ids(folder, names)
            return Splits({"all": Examples(ids, PictureFiles(folder, names))}, notes=(plural(len(ids), "picture"),))
        layout = picture_folders.layout(self.path)
        labels = {
            name: (part, identity(own))
            for part, classes in layout.parts.items()
            for own, names in classes.items()
            for name in names
        }
        names = sorted(labels, key=identity)
        ids, files = _ids(self.path, names), PictureFiles(self.path, names)
        broken, notes = faulty(files, strict=self.strict)
        y = [labels[name][1] for name in names]
        whole = Examples(ids, files, y, groups=self._groups(ids))
        rows: dict[str, list[int]] = {part: [] for part in (*SPLITS, "all") if part in layout.parts}
        for row, name in enumerate(names):
            if row not in broken:
                rows[labels[name][0]].append(row)
        parts = {part: whole.take(own) for part, own in rows.items() if own}
        return Splits(parts, notes=(_said(parts), *layout.notes, *notes))

    def _everything(self) -> tuple[str, list[str]]:
        """A folder, and the names of the pictures below it."""
        if not os.path.isdir(self.path):
            return os.path.dirname(self.path), [os.path.basename(self.path)]
        names = sorted(picture_folders.below(self.path).pictures, key=identity)
        if not names:
            raise DataError(f"no pictures below this folder ({', '.join(SUFFIXES)})", where=Place(shown(self.path)))
        return self.path, names

    def _groups(self, ids: list[str]) -> list[str] | None:
        if self.group_pattern is None:
            return None
        found = [re.search(self.group_pattern, one) for one in ids]
        strange = [one for one, match in zip(ids, found, strict=True) if match is None or match.group(1) is None]
        if strange and self._elsewhere:
            return None
        if strange:
            raise DataError(
                f"data.group_pattern '{self.group_pattern}' is not found in {len(strange):,} of {len(ids):,} paths, "
                f"as {', '.join(strange[:3])}; every picture needs a group",
                where=Place(shown(self.path)),
            )
        return [match.group(1) for match in found if match is not None]


def _ids(folder: str, names: list[str]) -> list[str]:
    ids = [identity(name) for name in names]
    if len(set(ids)) < len(ids):
        twice = next(one for one, after in pairwise(ids) if one == after)
        raise DataError(
            f"two files are called '{twice}', and differ in how the accents are written; rename or remove one",
            where=Place(shown(folder)),
        )
    return ids


def _said(parts: Mapping[str, Examples]) -> str:
    """`1,237 pictures in 6 classes: 0 (205), 1 (206), …`"""
    counts = Counter(label for part in parts.values() for label in part.column("y"))
    classes = ", ".join(f"{label} ({many:,})" for label, many in sorted(counts.items())[:20])
    more = ", …" if len(counts) > 20 else ""
    return f"{counts.total():,} pictures in {len(counts)} class{'es' * (len(counts) > 1)}: {classes}{more}"


def _refuse(message: str) -> None:
    raise PydanticCustomError("folder", "{message}", {"message": message})
