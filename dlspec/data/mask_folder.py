"""Pictures and masks of the same names in two folders beside each other; or those below train, dev and test."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from pydantic import PrivateAttr, model_validator

from dlspec.data import picture_folders
from dlspec.data.base import Reader
from dlspec.data.sources import PARTS
from dlspec.numeric.printable import identity, shown
from dlspec.proposals import Proposal
from dlspec.recipe.component import DataPath
from dlspec.types import SPLITS, Complaint, DataError, Examples, Place, Splits
from dlspec.wording import plural

if TYPE_CHECKING:
    import numpy as np

    from dlspec.numeric.masks import Mask

MOST_VALUES = 40
"""values that masks may have where nobody says what they stand for"""

Value = int | tuple[int, int, int]


class MaskFolder(Reader):
    """Two folders beside each other: pictures/1.jpg and masks/1.png; or those below train, dev and test.

    A mask is a PNG (or BMP, GIF) of the size of its picture: grey, or with a palette, whose values stand for classes,
    or in colours that do.  x: the picture's path, y: its mask (dlspec.numeric.masks.Mask); both are read when they are
    needed.  ids: the picture's path below the folder of pictures, after that of the part.
    """

    kind: ClassVar[str] = "picture"
    summary: ClassVar[str] = "pictures of your own with masks: two folders with files of the same names"
    folders: ClassVar[bool] = True
    name: Literal["mask_folder"] = "mask_folder"

    path: DataPath
    """the folder that holds both folders, or train, dev and test"""
    pictures: str = "pictures"
    """what the folder of pictures is called"""
    masks: str = "masks"
    """what the folder of masks is called"""
    ending: str = ""
    """what a mask's name has more than its picture's, before the dot: `_mask` of 1_mask.png"""
    classes: dict[str, Value] | None = None
    """class → its value in the masks, or its colour as [red, green, blue]; left out: every value that occurs is a class
    of that name"""
    ignore: tuple[Value, ...] = (255,)
    """values or colours of pixels that nobody has judged: they cost nothing and are not scored"""
    strict: bool = False
    """refuse the data where a picture is broken, instead of leaving that picture out and naming it"""
    _elsewhere: bool = PrivateAttr(False)

    @model_validator(mode="after")
    def _no_columns(self) -> MaskFolder:
        from dlspec.data.tabular import refuse

        for key in ("group", "time"):
            if getattr(self.split, key) is not None:
                refuse(f"split.{key} names a column, and a folder has none; leave it out")
        if self.classes is not None and len(self.classes) < 2:
            refuse("classes: there must be two or more, as {ground: 0, cat: 1}")
        return self

    @classmethod
    def recognize(cls, path: str, target: str | None = None) -> Proposal | None:
        """A folder with two folders of files of the same names, one of which is called as masks are."""
        from dlspec.data.mask_guesses import masks

        return masks(path)

    def files(self) -> list[str]:
        return [self.path]

    def at(self, path: str) -> MaskFolder:
        other = self.model_copy(update={"path": path})
        other._elsewhere = True
        return other

    def load(self, *, truth: bool = True) -> Splits:
        """truth=False: every picture in the folder of pictures, or below the folder where there is none."""
        from dlspec.data.pictures import faulty, refused
        from dlspec.numeric.picture_paths import PictureFiles

        homes = parts_of(self.path, self.pictures)
        if not truth:
            home = os.path.join(self.path, self.pictures)
            home = home if os.path.isdir(home) else self.path
            names = sorted(picture_folders.below(home).pictures, key=identity)
            return Splits({"all": Examples([identity(one) for one in names], PictureFiles(home, names))})
        if not homes:
            raise DataError(
                f"there is no folder '{self.pictures}' in it, nor in train, dev or test below it; data.pictures and "
                "data.masks say what the folders are called",
                where=Place(shown(self.path)),
            )
        complaints: list[Complaint] = []
        found: dict[str, list[Pair]] = {}
        for part, home in homes.items():
            found[part], wrong = pairs(home, self.pictures, self.masks, self.ending)
            complaints += wrong
        whole = [(part, one) for part, own in found.items() for one in own]
        files = PictureFiles("", [one.picture for _, one in whole])
        broken, notes = faulty(files, strict=self.strict)
        raws, wrong = _looked_at([one for _, one in whole], files)
        legend = self._legend(raws) if not wrong and not complaints else self._given()
        complaints += wrong or legend.wrong(raws, [one.mask for _, one in whole])
        if complaints:
            raise refused(complaints, "{} more pictures or masks are wrong")
        ids = [one.id if part == "all" else f"{part}/{one.id}" for part, one in whole]
        examples = Examples(ids, files, [legend.mask(one.mask) for _, one in whole])
        kept = {
            part: examples.take([i for i, (own, _) in enumerate(whole) if own == part and i not in broken])
            for part in (*SPLITS, "all")
            if part in found
        }
        said = (
            f"{plural(len(whole), 'picture')} with masks of {len(legend.names)} classes: {', '.join(legend.names[:20])}"
        )
        return Splits(kept, notes=(said, *notes))

    def _given(self) -> Legend:
        classes = self.classes or {}
        return Legend(tuple(classes), tuple(classes.values()), self.ignore)

    def _legend(self, raws: Sequence[Sequence[Value]]) -> Legend:
        """The classes as given; else every value that occurs in a mask.  Raises DataError where those are colours."""
        if self.classes is not None:
            return self._given()
        values = sorted({one for own in raws for one in own} - set(self.ignore), key=str)
        colours = [one for one in values if not isinstance(one, int)]
        if colours or len(values) > MOST_VALUES:
            some = ", ".join(str(list(one) if isinstance(one, tuple) else one) for one in values[:8])
            what, first = ("colours", list(colours[0])) if colours else ("values", values[0])
            more = ", …" if len(values) > 8 else ""
            raise DataError(
                f"the masks have {len(values)} {what}, and nobody says which classes they stand for: {some}{more}; say "
                f"so, as data.classes: {{ground: {first}, …}}",
                where=Place(shown(self.path)),
            )
        numbers = sorted(one for one in values if isinstance(one, int))
        return Legend(tuple(map(str, numbers)), tuple(numbers), self.ignore)


class Legend(NamedTuple):
    """What values of masks stand for."""

    names: tuple[str, ...]
    values: tuple[Value, ...]
    ignored: tuple[Value, ...]

    def mask(self, path: str) -> Mask:
        from dlspec.numeric.masks import Mask

        return Mask(path, self.names, self.values, self.ignored)

    def wrong(self, raws: Sequence[Sequence[Value]], paths: Sequence[str]) -> list[Complaint]:
        """The masks with values that stand for nothing."""
        known, found = {*self.values, *self.ignored}, []
        for own, path in zip(raws, paths, strict=True):
            strange = [one for one in own if one not in known]
            if strange:
                some = ", ".join(str(list(one) if isinstance(one, tuple) else one) for one in strange[:5])
                message = f"this mask has values of no class: {some}; add them to data.classes or data.ignore"
                found.append(Complaint(Place(shown(path)), message))
        return found


class Pair(NamedTuple):
    """A picture and its mask, as paths, and what the picture is called."""

    id: str
    picture: str
    mask: str


def parts_of(folder: str, pictures: str) -> dict[str, str]:
    """Part → the folder that holds that of pictures: `all`, or train, dev and test."""
    if os.path.isdir(os.path.join(folder, pictures)):
        return {"all": folder}
    if not os.path.isdir(folder):
        return {}
    found = {
        PARTS[one.lower()]: os.path.join(folder, one) for one in sorted(os.listdir(folder)) if one.lower() in PARTS
    }
    return {part: home for part, home in found.items() if os.path.isdir(os.path.join(home, pictures))}


def pairs(home: str, pictures: str, masks: str, ending: str) -> tuple[list[Pair], list[Complaint]]:
    """Pictures and masks of the same names, whatever they end in; and what stands alone."""
    at_pictures, at_masks = os.path.join(home, pictures), os.path.join(home, masks)
    if not os.path.isdir(at_masks):
        message = f"there is no folder '{masks}' beside '{pictures}'; data.masks says what it is called"
        raise DataError(message, where=Place(shown(home)))
    own = _by_stem(at_pictures, "")
    other = _by_stem(at_masks, ending)
    alone = [(at_pictures, own[stem], f"has no mask in {shown(at_masks)}") for stem in own if stem not in other]
    alone += [(at_masks, other[stem], "is the mask of no picture") for stem in other if stem not in own]
    complaints = [Complaint(Place(shown(os.path.join(at, name))), message) for at, name, message in alone]
    both = sorted((stem for stem in own if stem in other), key=identity)
    found = [Pair(identity(own[s]), os.path.join(at_pictures, own[s]), os.path.join(at_masks, other[s])) for s in both]
    return found, complaints


def _by_stem(folder: str, ending: str) -> Mapping[str, str]:
    """Name without its ending → name, below a folder."""
    stems = {os.path.splitext(name)[0]: name for name in picture_folders.below(folder).pictures}
    if not ending:
        return stems
    return {stem.removesuffix(ending): name for stem, name in stems.items() if stem.endswith(ending)}


def _looked_at(found: Sequence[Pair], files: Any) -> tuple[list[Sequence[Value]], list[Complaint]]:
    """The values that occur in each mask; and the masks that cannot be read, or are not of their picture's size."""
    from dlspec.numeric.picture_paths import in_threads

    raws: list[Sequence[Value]] = []
    complaints: list[Complaint] = []
    looks = in_threads(_look, [one.mask for one in found])
    for pair, head, look in zip(found, files.headers(), looks, strict=True):
        if isinstance(look, DataError):
            complaints += look.complaints
            continue
        (height, width), values = look
        raws.append(values)
        if not isinstance(head, DataError) and (height, width) != (head.height, head.width):
            message = (
                f"this mask is {height}×{width}, its picture, {pair.id}, {head.height}×{head.width} (height × width)"
            )
            complaints.append(Complaint(Place(shown(pair.mask)), message))
    return raws, complaints


def _look(path: str) -> tuple[tuple[int, int], list[Value]]:
    """Height and width of a mask, and the values or colours that occur in it."""
    import numpy as np

    from dlspec.numeric.masks import read_values

    raw = read_values(path)
    if raw.ndim == 2:
        return (raw.shape[0], raw.shape[1]), [int(one) for one in np.unique(raw)]
    codes = np.unique(_coded(raw)).tolist()
    return (raw.shape[0], raw.shape[1]), [(code >> 16, code >> 8 & 255, code & 255) for code in codes]


def _coded(colours: np.ndarray) -> np.ndarray:
    import numpy as np

    return np.asarray(colours.astype(np.int64) @ (1 << 16, 1 << 8, 1))
