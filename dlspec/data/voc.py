"""Pascal VOC: an XML file a picture, and lists of which pictures are train, val and test.

Everingham et al. 2010, The Pascal Visual Object Classes (VOC) Challenge, and what annotation tools write like it.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from dlspec.data import picture_folders, sources
from dlspec.data.box_faults import Drawn, Faults
from dlspec.data.boxed_pictures import BoxFiles, Found, Sheet, pictures_below, relative_id
from dlspec.data.sources import PARTS
from dlspec.numeric.printable import shown
from dlspec.proposals import Proposal
from dlspec.recipe.component import DataPath
from dlspec.types import DataError, Place

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

WHOLE = "trainval"
"""the list of train and val together: train, where there is no list of that"""
_OBJECT = re.compile(rb"<object\b")
_JUDGED = re.compile(r"\s+-?[01]$")


class Voc(BoxFiles):
    """A folder with Annotations/1.xml, JPEGImages/1.jpg and, for splits, ImageSets/Main/train.txt, val.txt, test.txt.

    Without those lists, subfolders train, valid and test are the splits, or everything is divided.  Where there is no
    folder of annotations or pictures, they lie in the folder itself, beside each other.  Pictures without XML are not
    used; an XML without objects says that nothing is there.  x: the picture's path, which is read when it is needed.
    y: tuples of dlspec.numeric.places.Box; `difficult` objects are those that need not be found (Box.crowd).
    """

    summary: ClassVar[str] = "pictures of your own with boxes: Pascal VOC, an XML a picture"
    folders: ClassVar[bool] = True
    name: Literal["voc"] = "voc"

    path: DataPath
    """the folder that holds them"""
    annotations: str = "Annotations"
    """the folder of XML files, below path or each split's folder"""
    images: str = "JPEGImages"
    """the folder of pictures"""
    lists: str = "ImageSets/Main"
    """the folder of lists, as train.txt, a picture's name a line"""
    counted_from: Literal[0, 1] = 0
    """what the first pixel is called.  1: as in the VOC challenges, where the last pixel (xmax, ymax) belongs to the
    box, too"""

    @classmethod
    def recognize(cls, path: str, target: str | None = None) -> Proposal | None:
        """A folder with XML files of this kind, itself or the only folder in it."""
        from dlspec.data.box_guesses import voc

        return voc(path)

    def files(self) -> list[str]:
        return [self.path]

    def pictures(self) -> list[tuple[str, str]]:
        own = os.path.join(self.path, self.images)
        return pictures_below(own if os.path.isdir(own) else self.path)

    def found(self, faults: Faults) -> Found:
        homes = homes_of(self.path, self.annotations, self.images)
        if not any(home.xmls for home in homes.values()):
            raise DataError(
                f"there is no XML file in it, nor in '{self.annotations}' (data.annotations), nor in folders train, "
                "valid or test below it",
                where=Place(shown(self.path)),
            )
        lists = {} if list(homes) != ["all"] else lists_in(os.path.join(self.path, self.lists))
        notes = []
        if lists:
            home = homes["all"]
            parts = {part: self._listed(file, home, part, faults) for part, file in lists.items()}
            used = {sheet.id for sheets in parts.values() for sheet in sheets}
            alone = len(home.xmls) - len(used)
            notes += [f"{alone:,} annotations in no list are not used"] if alone > 0 else []
        else:
            parts = {part: self._all(home, part, faults) for part, home in homes.items()}
        return Found(parts, None, notes)

    def _all(self, home: Home, part: str, faults: Faults) -> list[Sheet]:
        sheets = (self._sheet(home, stem, part, None, faults) for stem in home.xmls)
        return [one for one in sheets if one is not None]

    def _listed(self, file: str, home: Home, part: str, faults: Faults) -> list[Sheet]:
        sheets: list[Sheet | None] = []
        for line, text in enumerate(sources.contents(file).decode("utf-8", "replace").splitlines(), 1):
            name = text.strip()
            if not name:
                continue
            stem = next((one for one in _stems(name) if one in home.xmls), None)
            where = partial(Place, shown(file), line)
            if stem is None:
                message = f"there is no annotation of '{shown(name[:80])}' in {shown(home.annotations)}"
                faults.add("picture", "without annotation", message, where)
            else:
                sheets.append(self._sheet(home, stem, part, where(), faults))
        return [one for one in sheets if one is not None]

    def _sheet(self, home: Home, stem: str, part: str, listed: Place | None, faults: Faults) -> Sheet | None:
        """What an XML file says; None where it cannot be read."""
        file = os.path.join(home.annotations, home.xmls[stem])
        try:
            root = parsed(file)
        except DataError as error:
            [complaint] = error.complaints
            faults.add("picture", "whose XML is broken", complaint.message, partial(Place, *complaint.where))
            return None
        name = home.pictures.get(stem) or _text(root, "filename") or f"{stem}.jpg"
        path = os.path.join(home.images, name)
        # Lists are of one folder, so that a picture's name is enough; a later split leaves it what it is.
        id = relative_id(path, home.images, "all" if listed is not None else part)
        objects = root.findall("object")
        return Sheet(
            id, path, [self._drawn(one, i) for i, one in enumerate(objects)], _Lines(file, listed), _size(root)
        )

    def _drawn(self, one: Element, at: int) -> Drawn:
        box = one.find("bndbox")
        x0, y0, x1, y1 = (math.nan if box is None else _number(box, key) for key in ("xmin", "ymin", "xmax", "ymax"))
        first = self.counted_from
        return Drawn(_text(one, "name"), (x0 - first, y0 - first, x1, y1), _text(one, "difficult") in ("1", "true"), at)


class Home(NamedTuple):
    """Where XML files and pictures lie: both folders, and their names by what they are called without ending."""

    annotations: str
    images: str
    xmls: Mapping[str, str]
    pictures: Mapping[str, str]


class _Lines:
    """Where the n-th object of an XML file is; looked up when asked, in the file itself."""

    def __init__(self, file: str, listed: Place | None) -> None:
        self.file, self.listed = file, listed

    def __call__(self, at: int | None) -> Place:
        if at is None:
            return self.listed or Place(shown(self.file))
        try:
            data = Path(self.file).read_bytes()
        except OSError:
            return Place(shown(self.file))
        starts = [match.start() for match in _OBJECT.finditer(data)]
        return Place(shown(self.file), data.count(b"\n", 0, starts[at]) + 1 if at < len(starts) else None)


def homes_of(path: str, annotations: str, images: str) -> dict[str, Home]:
    """Part → where its files lie: `all`; or train, dev and test, where XML files lie in folders called so."""
    if not os.path.isdir(path):
        raise DataError("this is a file; give the folder of annotations and pictures", where=Place(shown(path)))
    whole = _home(path, annotations, images)
    if whole.xmls:
        return {"all": whole}
    inner = {PARTS[one.lower()]: os.path.join(path, one) for one in sorted(os.listdir(path)) if one.lower() in PARTS}
    parts = {part: _home(place, annotations, images) for part, place in inner.items() if os.path.isdir(place)}
    parts = {part: home for part, home in parts.items() if home.xmls}
    return parts or {"all": whole}


def lists_in(folder: str) -> dict[str, str]:
    """Part → its list of pictures."""
    if not os.path.isdir(folder):
        return {}
    found = {os.path.splitext(one)[0].lower(): one for one in sorted(os.listdir(folder)) if one.endswith(".txt")}
    parts = {PARTS[name]: os.path.join(folder, one) for name, one in found.items() if name in PARTS}
    if "train" not in parts and WHOLE in found and "dev" not in parts:
        parts["train"] = os.path.join(folder, found[WHOLE])
    return parts


def parsed(file: str) -> Element:
    """The root of an annotation.  Raises DataError, with the line, where it is no such XML."""
    from xml.etree import ElementTree

    try:
        root = ElementTree.fromstring(sources.contents(file))
    except ElementTree.ParseError as error:
        line, column = error.position
        raise DataError(
            f"this XML is broken: {error.msg.partition(':')[0]}", where=Place(shown(file), line, column)
        ) from None
    except ValueError as error:
        raise DataError(f"this XML cannot be read: {error}", where=Place(shown(file))) from None
    if root.tag != "annotation":
        raise DataError(f"expected <annotation>, got <{shown(root.tag)[:40]}>", where=Place(shown(file), 1))
    return root


def _home(path: str, annotations: str, images: str) -> Home:
    at, of = os.path.join(path, annotations), os.path.join(path, images)
    at, of = at if os.path.isdir(at) else path, of if os.path.isdir(of) else path
    deep = at != path
    xmls = [
        one for one in picture_folders.below(at).others if one.lower().endswith(".xml") and (deep or "/" not in one)
    ]
    if not xmls:
        return Home(at, of, {}, {})
    pictures = [one for one in picture_folders.below(of).pictures if of != path or "/" not in one]
    return Home(at, of, _by_stem(sorted(xmls)), _by_stem(pictures))


def _by_stem(names: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(os.path.splitext(name)[0], name)
    return found


def _stems(name: str) -> list[str]:
    """What the name in a list may mean: with an ending, or with 1 or -1 behind, for whether a class is there."""
    return [name, os.path.splitext(name)[0], _JUDGED.sub("", name)]


def _text(one: Element, key: str) -> str | None:
    text = one.findtext(key)
    return text.strip() or None if text is not None else None


def _number(one: Element, key: str) -> float:
    try:
        return float(one.findtext(key, "nan"))
    except ValueError:
        return math.nan


def _size(root: Element) -> tuple[int, int] | None:
    """Width and height; None where nothing is said (0 is what tools write that did not look)."""
    size = root.find("size")
    if size is None:
        return None
    width, height = _number(size, "width"), _number(size, "height")
    known = math.isfinite(width) and math.isfinite(height) and width > 0 and height > 0
    return (int(width), int(height)) if known else None
