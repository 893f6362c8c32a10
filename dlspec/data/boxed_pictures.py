"""What readers of pictures with boxes share: every picture and box looked at, the classes the same in every split."""

from __future__ import annotations

import abc
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

from pydantic import Field, PrivateAttr, model_validator

from dlspec.data import picture_folders
from dlspec.data.base import Reader
from dlspec.data.box_faults import Drawn, Faults
from dlspec.numeric.printable import identity, shown
from dlspec.types import SPLITS, Complaint, DataError, Examples, Place, Splits
from dlspec.wording import plural

if TYPE_CHECKING:
    from dlspec.numeric.picture_paths import PictureFiles

MOST = 5_000
"""boxes that a picture may have, where nothing else is said"""

R = TypeVar("R", bound="BoxFiles")


class Sheet(NamedTuple):
    """What an annotation says of one picture."""

    id: str
    picture: str
    """its path"""
    drawn: Sequence[Drawn]
    where: Callable[[int | None], Place]
    """file and line of a box, by its `at`; of None: of the picture"""
    size: tuple[int, int] | None = None
    """width and height that the annotation says; None where it says none"""


class Found(NamedTuple):
    """Part (`all`, or train, dev, test) → its pictures; the classes as the data lists them, None where it does not."""

    parts: Mapping[str, Sequence[Sheet]]
    classes: Sequence[str] | None
    notes: Sequence[str] = ()


class BoxFiles(Reader):
    """Pictures with boxes, in files of their own.  Override `found`, and `pictures` where a folder may be opened."""

    kind: ClassVar[str] = "picture"
    shares: ClassVar[bool] = False
    """whether corners are given as shares of the picture's sides"""

    classes: tuple[str, ...] | None = None
    """the classes that there are: a box of another is left out and named; left out: those of the data"""
    most: int = Field(MOST, ge=1)
    """boxes that a picture may have; one with more is taken for a mistake"""
    strict: bool = False
    """refuse the data where a picture is broken or missing, or a box wrong, instead of leaving it out and naming it"""
    _elsewhere: bool = PrivateAttr(False)

    @model_validator(mode="after")
    def _no_columns(self: R) -> R:
        from dlspec.data.tabular import refuse

        for key in ("group", "time"):
            if getattr(self.split, key) is not None:
                refuse(f"split.{key} names a column, and '{self.name}' has none; leave it out")
        return self

    @classmethod
    def for_kind(cls, kind: str, path: str) -> Reader | None:
        """None: pictures for a network of another task are for image_folder."""
        return None

    def at(self: R, path: str) -> R:
        other = self.model_copy(update={"path": path})
        other._elsewhere = True
        return other

    @abc.abstractmethod
    def found(self, faults: Faults) -> Found:
        """Every annotation; what cannot be read goes to `faults`.  Raises DataError where nothing can be made of it."""

    def listed(self) -> Sequence[str]:
        """The classes in the order that the data itself gives them; none where it gives none."""
        return self.classes or ()

    @abc.abstractmethod
    def pictures(self) -> list[tuple[str, str]]:
        """Id and path of every picture, whether there are annotations or not."""

    def load(self, *, truth: bool = True) -> Splits:
        from dlspec.data.pictures import faulty
        from dlspec.numeric.picture_paths import PictureFiles

        if not truth:
            pictures = self.pictures()
            files = PictureFiles("", [path for _, path in pictures])
            return Splits(
                {"all": Examples([one for one, _ in pictures], files)}, notes=(plural(len(files), "picture"),)
            )
        faults = Faults(strict=self.strict)
        found = self.found(faults)
        parts = {part: self._there(found.parts[part], faults) for part in (*SPLITS, "all") if part in found.parts}
        _in_one_part(parts)
        whole = [sheet for sheets in parts.values() for sheet in sheets]
        if not whole:
            raise faults.why("no picture is left", shown(self.files()[0]))
        files = PictureFiles("", [sheet.picture for sheet in whole])
        broken, notes = faulty(files, strict=self.strict)
        truths = self._truths(whole, files, found.classes, faults)
        notes += faults.settle()
        kept: dict[str, list[int]] = {part: [] for part in parts}
        for place, part in enumerate(part for part, sheets in parts.items() for _ in sheets):
            if place not in broken and truths[place] is not None:
                kept[part].append(place)
        examples = Examples([sheet.id for sheet in whole], files, truths)
        given = {part: examples.take(places) for part, places in kept.items() if places}
        counts = {part: classes_of(one.column("y")) for part, one in given.items()}
        self._some(counts, faults)
        if found.classes is None:
            same_classes(counts, lambda part, name: _first(given[part], parts[part], name))
        return Splits(given, notes=(said([y for one in given.values() for y in one.column("y")]), *found.notes, *notes))

    def _there(self, sheets: Iterable[Sheet], faults: Faults) -> list[Sheet]:
        """Those whose pictures are there, several of one picture joined."""
        own: dict[str, Sheet] = {}
        for sheet in sheets:
            if sheet.picture in own:
                before = own[sheet.picture]
                again = f"the picture {shown(sheet.id)} is listed again; its boxes are taken together"
                faults.add("entry", "of a picture that has one already", again, partial(sheet.where, None))
                own[sheet.picture] = before._replace(drawn=[*before.drawn, *sheet.drawn])
            elif not os.path.exists(sheet.picture):
                message = (
                    f"there is no picture {shown(os.path.basename(sheet.picture))}; looked at {shown(sheet.picture)}"
                )
                faults.add("picture", "that are not there", message, partial(sheet.where, None))
            else:
                own[sheet.picture] = sheet
        return list(own.values())

    def _truths(
        self, whole: Sequence[Sheet], files: PictureFiles, classes: Sequence[str] | None, faults: Faults
    ) -> list[Any]:
        """The boxes of each picture; None of one that is left out."""
        known = set(self.classes or classes or ()) or None
        result: list[Any] = []
        for sheet, head in zip(whole, files.headers(), strict=True):
            if isinstance(head, DataError):
                result.append(None)
                continue
            size = (head.width, head.height)
            wrong = self._wrong(sheet, size)
            if wrong is not None:
                faults.add("picture", *wrong, partial(sheet.where, None))
                result.append(None)
                continue
            drawn = [_scaled(one, size) for one in sheet.drawn] if self.shares else sheet.drawn
            result.append(faults.boxes(drawn, size, sheet.where, known=known))
        return result

    def _wrong(self, sheet: Sheet, size: tuple[int, int]) -> tuple[str, str] | None:
        if sheet.size is not None and sheet.size != size:
            turned = "; is it turned by its camera?" if sheet.size == size[::-1] else ""
            return "of another size than is said", (
                f"this says that {shown(sheet.id)} is {_by(sheet.size)}, and it is {_by(size)} (width × height): "
                f"where its boxes belong is not known; mend the size, or make the boxes anew{turned}"
            )
        if len(sheet.drawn) > self.most:
            return f"with more than {self.most:,} boxes", (
                f"{shown(sheet.id)} has {len(sheet.drawn):,} boxes; if that is no mistake, raise data.most"
            )
        return None

    def _some(self, counts: Mapping[str, Counter[str]], faults: Faults) -> None:
        """Raise DataError where nothing can be learned: no box at all."""
        learned = counts.get("train", counts.get("all", Counter()))
        if not learned and not self._elsewhere:
            where = "in train" if "train" in counts else "in any picture"
            raise faults.why(f"there is no box {where} to learn from", shown(self.files()[0]))


def said(truths: Sequence[Any]) -> str:
    """How many pictures and boxes there are, in a sentence; truths: the boxes of each picture."""
    counts = classes_of(truths)
    crowds = sum(box.crowd for own in truths for box in own)
    listed = ", ".join(f"{name} ({many:,})" for name, many in sorted(counts.items())[:20])
    listed += ", …" if len(counts) > 20 else ""
    empty = sum(not own for own in truths)
    text = (
        f"{plural(len(truths), 'picture')}, {empty:,} without boxes; {plural(counts.total(), 'box', 'boxes')}: {listed}"
    )
    return text + (f"; {crowds:,} of them crowds or hard to tell" if crowds else "")


def classes_of(truths: Iterable[Any]) -> Counter[str]:
    """Class → boxes."""
    return Counter(box.name for own in truths for box in own)


def same_classes(counts: Mapping[str, Counter[str]], first: Callable[[str, str], Place]) -> None:
    """Raise DataError where another part than train has classes that train has not.  first: of part and class."""
    if "train" not in counts:
        return
    complaints = []
    for part in counts:
        for name in sorted(set(counts[part]) - set(counts["train"])):
            known = ", ".join(sorted(counts["train"])[:10])
            message = (
                f"{part} has boxes of the class '{shown(name)}' ({counts[part][name]:,}), and train has none; train's "
                f"are {shown(known)}. Is it spelt otherwise? data.classes says which classes there are"
            )
            complaints.append(Complaint(first(part, name), message))
    if complaints:
        raise DataError(complaints)


def relative_id(path: str, folder: str, part: str) -> str:
    """The id of a picture: its path below a folder, after that of its part."""
    name = os.path.relpath(path, folder).replace(os.sep, "/")
    return identity(name if part == "all" else f"{part}/{name}")


def pictures_below(folder: str) -> list[tuple[str, str]]:
    """Id and path of every picture below a folder."""
    names = sorted(picture_folders.below(folder).pictures, key=identity)
    return [(identity(one), os.path.join(folder, one)) for one in names]


def _in_one_part(parts: Mapping[str, Sequence[Sheet]]) -> None:
    """Raise DataError that names the pictures which stand in several parts."""
    from dlspec.data.pictures import refused

    first: dict[str, str] = {}
    complaints = []
    for part, sheets in parts.items():
        for sheet in sheets:
            before = first.setdefault(sheet.picture, part)
            if before != part:
                message = f"the picture {shown(sheet.id)} stands in {before} and in {part}; keep one"
                complaints.append(Complaint(sheet.where(None), message))
    if complaints:
        raise refused(complaints, "{} more pictures stand in two parts")


def _first(examples: Examples, sheets: Sequence[Sheet], name: str) -> Place:
    """Where the first box of a class is."""
    ids = {one.id for one in examples if any(box.name == name for box in one.y)}
    sheet = next(one for one in sheets if one.id in ids)
    return sheet.where(next(one.at for one in sheet.drawn if one.name == name))


def _scaled(one: Drawn, size: tuple[int, int]) -> Drawn:
    width, height = size
    x0, y0, x1, y1 = one.corners
    return one._replace(corners=(x0 * width, y0 * height, x1 * width, y1 * height))


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]}×{size[1]}"
