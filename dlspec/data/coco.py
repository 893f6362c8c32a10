"""COCO: one JSON for all pictures of a split, with their boxes and the categories.

Lin et al. 2014, Microsoft COCO: Common Objects in Context.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Literal

from dlspec.data import sources
from dlspec.data.box_faults import Drawn, Faults
from dlspec.data.boxed_pictures import BoxFiles, Found, Sheet
from dlspec.data.sources import Source
from dlspec.numeric.printable import identity, shown
from dlspec.proposals import Proposal
from dlspec.types import Complaint, DataError, Place

LISTS = ("images", "annotations", "categories")
LOOKED = 5
"""pictures that are looked for to find the folder they are in"""
NOWHERE = (math.nan, math.nan, math.nan, math.nan)


class Coco(BoxFiles):
    """A JSON file with images, annotations and categories; or one each for train, dev and test.

    Pictures without annotations have no objects.  Boxes of crowds (iscrowd) need not be found (Box.crowd); where an
    annotation has polygons alone, the box is around them.  x: the picture's path, which is read when it is needed.
    y: tuples of dlspec.numeric.places.Box.
    """

    summary: ClassVar[str] = "pictures of your own with boxes: COCO, a JSON a split"
    suffixes: ClassVar[tuple[str, ...]] = (".json",)
    name: Literal["coco"] = "coco"

    path: Source
    """the JSON; or {train: …, dev: …, test: …} where each has one of its own"""
    folder: Source | None = None
    """the folder that file_name is relative to, or {train: …, …}; left out: looked for beside and above the JSON"""

    @classmethod
    def recognize(cls, path: str, target: str | None = None) -> Proposal | None:
        """A JSON of this kind, or a folder with some."""
        from dlspec.data.box_guesses import coco

        return coco(path)

    def files(self) -> list[str]:
        return list(sources.parts(self.path).values())

    def pictures(self) -> list[tuple[str, str]]:
        found = self._found(Faults(strict=False), ("images",))
        return [(sheet.id, sheet.picture) for sheets in found.parts.values() for sheet in sheets]

    def listed(self) -> Sequence[str]:
        file = self.files()[0]
        return self.classes or list(dict.fromkeys(_categories(file, read(file)["categories"]).values()))

    def found(self, faults: Faults) -> Found:
        return self._found(faults, LISTS)

    def _found(self, faults: Faults, needed: Sequence[str]) -> Found:
        parts: dict[str, list[Sheet]] = {}
        classes: dict[str, list[str]] = {}
        notes: list[str] = []
        for part, file in sources.parts(self.path).items():
            whole = read(file, needed)
            names = _categories(file, whole["categories"])
            classes[file] = list(dict.fromkeys(names.values()))
            parts[part] = self._sheets(part, file, whole, names, faults)
        _same(classes)
        return Found(parts, next(iter(classes.values())), notes)

    def _sheets(
        self, part: str, file: str, whole: Mapping[str, Any], names: Mapping[Any, str], faults: Faults
    ) -> list[Sheet]:
        where = _Lines(file)
        images: dict[Any, tuple[int, Mapping[str, Any]]] = {}
        drawn: dict[Any, list[Drawn]] = {}
        for at, image in enumerate(whole["images"]):
            named = isinstance(image, dict) and isinstance(image.get("file_name"), str) and image["file_name"]
            key = image.get("id") if isinstance(image, dict) else None
            if not named or not isinstance(key, int | str):
                faults.add("entry", "of pictures without file_name or id", "expected file_name and id",
                           partial(where.of, "images", at))  # fmt: skip
            elif key in images:
                faults.add("entry", "of pictures whose id is there twice", f"the id {key} is there already",
                           partial(where.of, "images", at))  # fmt: skip
            else:
                images[key] = (at, image)
                drawn[key] = []
        for at, one in enumerate(whole["annotations"]):
            key = one.get("image_id") if isinstance(one, dict) else None
            if not isinstance(key, int | str) or key not in drawn:
                faults.add("box", "of no picture", f"there is no image with the id {key}",
                           partial(where.of, "annotations", at))  # fmt: skip
                continue
            category = one.get("category_id")
            name = names.get(category) if isinstance(category, int | str) else None
            drawn[key].append(Drawn(name, _corners(one), one.get("iscrowd") in (1, True), at))
        home = self._home(part, file, [image["file_name"] for _, image in images.values()])
        head = "" if part == "all" else f"{part}/"
        return [
            Sheet(
                head + identity(image["file_name"]),
                os.path.normpath(os.path.join(home, image["file_name"])),
                drawn[key],
                partial(where, at),
                _size(image),
            )
            for key, (at, image) in images.items()
        ]

    def _home(self, part: str, file: str, names: Sequence[str]) -> str:
        folders = {} if self.folder is None else sources.parts(self.folder)
        own = folders.get(part) or folders.get("all")
        if self.folder is not None and own is None and not self._elsewhere:
            raise DataError(f"data.folder names none for {part}", where=Place(key="data.folder"))
        if own is not None and not self._elsewhere:
            return own
        return home_of(file, names) or own or os.path.dirname(os.path.abspath(file))


class _Lines:
    """Where the n-th image or annotation of a JSON is; looked up when asked, in the file itself."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.starts: dict[str, list[int]] | None = None
        self.text = ""

    def __call__(self, image: int, box: int | None) -> Place:
        return self.of("images", image) if box is None else self.of("annotations", box)

    def of(self, key: str, at: int) -> Place:
        if self.starts is None:
            self.text = sources.contents(self.file).decode("utf-8-sig")
            self.starts = starts_of(self.text)
        own = self.starts.get(key, [])
        line = self.text.count("\n", 0, own[at]) + 1 if at < len(own) else None
        return Place(shown(self.file), line, key=f"{key}[{at}]")


def parsed(file: str) -> Any:
    """What a JSON file holds.  Raises DataError, with the place, where it is none."""
    try:
        return json.loads(sources.contents(file))
    except json.JSONDecodeError as error:
        raise DataError(f"this is no JSON: {error.msg}", where=Place(shown(file), error.lineno, error.colno)) from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"this is no JSON: {error}", where=Place(shown(file))) from None


def read(file: str, needed: Sequence[str] = LISTS) -> dict[str, Any]:
    """The whole JSON, with lists `images`, `annotations` and `categories`, some of which must be there.

    Raises DataError where it is none such.
    """
    whole = parsed(file)
    missing = [one for one in needed if not _has(whole, one)]
    if missing:
        have = ", ".join(map(shown, list(whole)[:8])) if isinstance(whole, dict) else type(whole).__name__
        raise DataError(
            f"expected lists {', '.join(missing)} in it, as COCO has them; it has {have}", where=Place(shown(file))
        )
    return {one: whole[one] if _has(whole, one) else [] for one in LISTS}


def home_of(file: str, names: Sequence[str]) -> str | None:
    """The folder that the pictures are in: the JSON's own, or one near it that is called as the JSON is, or images."""
    own = os.path.dirname(os.path.abspath(file))
    stem = os.path.splitext(os.path.basename(file))[0]
    called = [stem, *re.split(r"[^A-Za-z0-9]+", stem)]
    called += [re.sub(r"\d+$", "", one) for one in called]
    inner = [one for word in called if word for one in (word, os.path.join("images", word))]
    near = [*inner, "images", "JPEGImages", "imgs", "data"]
    homes = [os.path.join(base, one) for base in (own, os.path.dirname(own)) for one in ("", *near)]
    some = [names[i * len(names) // LOOKED] for i in range(min(LOOKED, len(names)))] if names else []
    best = max(homes, key=lambda home: sum(os.path.exists(os.path.join(home, one)) for one in some), default=own)
    return best if any(os.path.exists(os.path.join(best, one)) for one in some) else None


def starts_of(text: str) -> dict[str, list[int]]:
    """Key of the outermost mapping → where each item of its list begins."""
    decoder = json.JSONDecoder()
    blank = re.compile(r"[\s,:]*")
    found: dict[str, list[int]] = {}
    place = blank.match(text, text.index("{") + 1).end()  # type: ignore[union-attr]
    while text[place] != "}":
        key, place = decoder.raw_decode(text, place)
        place = blank.match(text, place).end()  # type: ignore[union-attr]
        if text[place] != "[":
            _, place = decoder.raw_decode(text, place)
        else:
            found[key] = list(_items(text, place, decoder, blank))
            place = found[key].pop()
        place = blank.match(text, place).end()  # type: ignore[union-attr]
    return found


def _items(text: str, place: int, decoder: json.JSONDecoder, blank: re.Pattern[str]) -> Iterator[int]:
    """Where each item of a list begins, and last where the list ends."""
    place = blank.match(text, place + 1).end()  # type: ignore[union-attr]
    while text[place] != "]":
        yield place
        _, place = decoder.raw_decode(text, place)
        place = blank.match(text, place).end()  # type: ignore[union-attr]
    yield place + 1


def _has(whole: Any, key: str) -> bool:
    return isinstance(whole, dict) and isinstance(whole.get(key), list)


def _categories(file: str, given: Sequence[Any]) -> dict[Any, str]:
    """Id → name.  Raises DataError where one has none, or two have one id."""
    names: dict[Any, str] = {}
    complaints = []
    for at, one in enumerate(given):
        key = one.get("id") if isinstance(one, dict) else None
        name = one.get("name") if isinstance(one, dict) else None
        if not isinstance(key, int | str) or not isinstance(name, str) or not name.strip():
            complaints.append(Complaint(Place(shown(file), key=f"categories[{at}]"), "expected an id and a name"))
        elif key in names and names[key] != name.strip():
            message = f"the id {key} is {shown(names[key])}, and {shown(name)}; give each its own"
            complaints.append(Complaint(Place(shown(file), key=f"categories[{at}]"), message))
        else:
            names[key] = name.strip()
    if complaints:
        raise DataError(complaints)
    return names


def _same(classes: Mapping[str, Sequence[str]]) -> None:
    """Raise DataError where the files name different categories."""
    (first, names), *others = classes.items()
    complaints = []
    for file, own in others:
        more, less = sorted(set(own) - set(names)), sorted(set(names) - set(own))
        words = [f"has the categories {', '.join(map(shown, more[:8]))}"] if more else []
        words += [f"lacks {', '.join(map(shown, less[:8]))}"] if less else []
        if words:
            message = f"this {' and '.join(words)}, unlike {shown(first)}: give all files the same categories"
            complaints.append(Complaint(Place(shown(file), key="categories"), message))
    if complaints:
        raise DataError(complaints)


def _corners(one: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """Of `bbox` (left, top, width, height); else around the polygons; NaN where there is neither."""
    box = one.get("bbox")
    if isinstance(box, list) and len(box) == 4:
        try:
            x, y, width, height = map(float, box)
        except (TypeError, ValueError):
            return NOWHERE
        return x, y, x + width, y + height
    polygons = one.get("segmentation")
    if box in (None, []) and isinstance(polygons, list) and polygons:
        try:
            xs = [float(x) for polygon in polygons for x in polygon[0::2]]
            ys = [float(y) for polygon in polygons for y in polygon[1::2]]
            return min(xs), min(ys), max(xs), max(ys)
        except (TypeError, ValueError):
            return NOWHERE
    return NOWHERE


def _size(image: Mapping[str, Any]) -> tuple[int, int] | None:
    width, height = image.get("width"), image.get("height")
    if isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0:
        return width, height
    return None
