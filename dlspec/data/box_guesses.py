"""Files of boxes that nobody has described: which layout a path has, and how many boxes its pictures have."""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from dlspec.data import part_files
from dlspec.data.base import Reader
from dlspec.data.boxed_pictures import classes_of
from dlspec.data.sources import PARTS
from dlspec.numeric.printable import shown
from dlspec.proposals import Facts, Line, Lines, Proposal
from dlspec.types import DataError, Place
from dlspec.wording import plural

ANNOTATIONS = ("annotations", "annotation", "xml", "xmls", "labels")
"""what folders of XML files are called, in small letters"""
IMAGES = ("jpegimages", "images", "image", "imgs", "img", "pictures", "photos")
"""what folders of pictures beside them are called"""
LARGEST, CELL = 320, 32
"""longest side that a picture is proposed to have for detection, and what its sides are multiples of"""
TRIED = 5
"""XML files of a folder that are tried: one of them may be broken"""
COCO = (b'"images"', b'"annotations"', b'"categories"')
OFFICIAL = re.compile(r"The VOC\s?20\d\d")
"""what the challenges' own files say that they are of: they count pixels from 1"""


def asked(many: Sequence[int], *, crowds: bool = False) -> tuple[Lines, Lines, str]:
    """The task, the goal, and a sentence: detection where pictures have several boxes, or there are crowds.

    many: boxes of each picture.
    """
    several, most = sum(one > 1 for one in many), max(many, default=0)
    if not several and not crowds:
        task = (Line("name", "localization", "one box a picture or none, with a class"),)
        goal = (Line("optimize", "mean_iou", "decides on dev which epoch is kept; or accuracy, object_error"),)
        return task, goal, "no picture has several"
    task = (Line("name", "detection", "any number of objects a picture: the class and the box of each"),)
    why = "decides on dev which epoch is kept; or map_50, where boxes need not be exact"
    return (
        task,
        (Line("optimize", "map_50_95", why),),
        f"{plural(several, 'picture has', 'pictures have')} several, {most:,} at most",
    )


def as_asked(given: Lines, task: Lines, shape: tuple[int, ...]) -> Lines:
    """The input's settings, with a size for the task: detection wants whole cells of its grids, and small boxes seen.

    shape: typical height, width and channels.
    """
    if task[0].value != "detection":
        return given
    ratio = min(1.0, LARGEST / max(shape[:2]))
    size = [max(CELL, round(side * ratio / CELL) * CELL) for side in shape[:2]]
    why = f"height and width that the network sees, whole multiples of {CELL}: small boxes want more, and take longer"
    return tuple(replace(line, value=size, why=why) if line.key == "size" else line for line in given)


def proposal(reader: Reader, lines: Lines) -> Proposal:
    """What a reader finds, proposed.  Raises DataError where nothing can be learned from it."""
    from dlspec.data.picture_guesses import looks

    parts = reader.load().parts
    if "train" not in parts and "all" not in parts:
        where = Place(shown(reader.files()[0]))
        raise DataError(f"there is {' and '.join(parts)} and no train; to train, add it", where=where)
    truths = [y for part in parts.values() for y in part.column("y")]
    counts = classes_of(truths)
    task, goal, boxes = asked([len(own) for own in truths], crowds=any(box.crowd for own in truths for box in own))
    sizes = {part: len(own) for part, own in parts.items()}
    given = "" if "all" in sizes else ", as given: " + ", ".join(f"{part} {many:,}" for part, many in sizes.items())
    empty = sum(not own for own in truths)
    listed = ", ".join(f"{shown(name)} ({many:,})" for name, many in counts.most_common(12))
    seen = (
        f"{plural(len(truths), 'picture')}, {empty:,} of them without a box{given}",
        f"{plural(counts.total(), 'box', 'boxes')} of {plural(len(counts), 'class', 'classes')}: {listed}; {boxes}",
    )
    look = looks([one.x for part in parts.values() for one in part], list(counts))
    return Proposal(
        Facts("picture", len(truths), 5 + len(counts), look.shape, look.alike),
        task, lines, part_files.division(sizes), as_asked(look.input, task, look.shape), goal, (*seen, *look.seen),
        special=4,
    )  # fmt: skip


def voc(path: str) -> Proposal | None:
    """The proposal for a folder of XML files of Pascal VOC; None where there are none."""
    from dlspec.data.voc import Voc, homes_of, parsed

    def called(home: str) -> tuple[str, str] | None:
        inside = [home, *(os.path.join(home, one) for one in _folders(home) if one.lower() in PARTS)]
        for place in inside:
            names = _folders(place)
            xmls = [one for one in names if one.lower() in ANNOTATIONS and _ending(os.path.join(place, one), ".xml")]
            pictures = [one for one in names if one.lower() in IMAGES]
            if xmls or _ending(place, ".xml"):
                return (xmls or ["Annotations"])[0], (pictures or ["JPEGImages"])[0]
        return None

    home = _itself_or_inner(path, lambda one: called(one) is not None)
    names = None if home is None else called(home)
    if home is None or names is None:
        return None
    annotations, images = names
    some = [
        os.path.join(own.annotations, one)
        for own in homes_of(home, annotations, images).values()
        for one in list(own.xmls.values())[:TRIED]
    ]
    roots = []
    for file in some:
        try:
            roots.append(parsed(file))
        except DataError:
            continue
    if not roots:
        return None
    lines: list[Line] = [Line("path", home, path=True)]
    lines += [Line("annotations", annotations, "the folder of XML files")] if annotations != "Annotations" else []
    lines += [Line("images", images, "the folder of pictures")] if images != "JPEGImages" else []
    settings: dict[str, Any] = {"annotations": annotations, "images": images}
    if OFFICIAL.match(roots[0].findtext("source/database", "")):
        settings["counted_from"] = 1
        lines.append(Line("counted_from", 1, "pixels are counted from 1, as in the VOC challenges"))
    return proposal(Voc(path=home, **settings), tuple(lines))


def coco(path: str) -> Proposal | None:
    """The proposal for a JSON of COCO's kind, or for a folder with some; None where there are none."""
    from dlspec.data.coco import Coco

    if os.path.isdir(path):
        home = _itself_or_inner(path, lambda one: bool(_coco_files(one)))
        files = [] if home is None else _coco_files(home)
    else:
        files = [path] if path.lower().endswith(".json") and _is_coco(path) else []
        if files and _part(path, os.path.dirname(path)) == "train":
            beside = _coco_files(os.path.dirname(path), deep=False)
            key = _without_part(path)
            files = [one for one in beside if one == path or _without_part(one) == key]
    if not files:
        return None
    parts = _by_part(files, path)
    given: Any = parts.get("all", parts)
    return proposal(Coco(path=given), (Line("path", given, path=True),))


def yolo(path: str) -> Proposal | None:
    """The proposal for a data.yaml, or a folder of pictures, text files and names; None where it is none such."""
    from dlspec.data.yolo import Yolo
    from dlspec.data.yolo_layout import is_settings, label_of, layout_of, names_in, pictures_of, settings_in

    def fits(home: str) -> bool:
        if settings_in(home) is not None:
            return True
        if names_in(home) is None:
            return False
        places = [place for places in layout_of(home).parts.values() for place in places]
        return any(os.path.exists(label_of(one)) for place in places for one in pictures_of(place))

    if os.path.isdir(path):
        home = _itself_or_inner(path, fits)
        own = None if home is None else settings_in(home) or home
    else:
        own = path if path.lower().endswith((".yaml", ".yml")) and is_settings(path) else None
    return None if own is None else proposal(Yolo(path=own), (Line("path", own, path=True),))


def _itself_or_inner(path: str, fits: Callable[[str], bool]) -> str | None:
    """The folder that fits: the one given, or the only one in it that does."""
    if not os.path.isdir(path):
        return None
    if fits(path):
        return path
    inner = [os.path.join(path, one) for one in _folders(path)]
    found = [one for one in inner if fits(one)] if len(inner) <= 8 else []
    return found[0] if len(found) == 1 else None


def _folders(path: str) -> list[str]:
    return sorted(one for one in os.listdir(path) if one[:1] != "." and os.path.isdir(os.path.join(path, one)))


def _ending(folder: str, ending: str) -> bool:
    return any(one.lower().endswith(ending) for one in os.listdir(folder))


def _coco_files(folder: str, deep: bool = True) -> list[str]:
    """The JSON files of COCO's kind in a folder, and in its folders of annotations or of parts."""
    inner = [one for one in _folders(folder) if one.lower() in (*ANNOTATIONS, *PARTS)] if deep else []
    homes = [folder, *(os.path.join(folder, one) for one in inner)]
    files = [os.path.join(home, one) for home in homes for one in sorted(os.listdir(home)) if one.endswith(".json")]
    found = [one for one in files if _is_coco(one)]
    instances = [one for one in found if "instances" in os.path.basename(one)]
    return instances or found


def _is_coco(file: str) -> bool:
    """Whether a file has the lists that COCO's have, and boxes; it is looked through, and not taken apart."""
    if not os.path.isfile(file) or not os.path.getsize(file):
        return False
    with open(file, "rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as text:
        boxes = text.find(b'"bbox"') >= 0 or text.find(b'"segmentation"') >= 0
        return boxes and all(text.find(one) >= 0 for one in COCO)


def _by_part(files: Sequence[str], path: str) -> dict[str, str]:
    """Part → file.  Raises DataError where it is not clear which file is meant."""
    if len(files) == 1:
        return {"all": files[0]}
    home = path if os.path.isdir(path) else os.path.dirname(path)
    named = [(_part(one, home), one) for one in files]
    parts = {part: one for part, one in named if part is not None}
    if len(parts) < len(files) or "train" not in parts:
        some = ", ".join(shown(os.path.relpath(one, home)) for one in files[:8])
        message = f"{len(files)} JSON files of COCO's kind lie here, not one each of train, val and test: {some}"
        raise DataError(f"{message}; give the one that is meant", where=Place(shown(path)))
    return {part: parts[part] for part in ("train", "dev", "test") if part in parts}


def _part(file: str, home: str) -> str | None:
    """The part that a file's name says, or the folder that it is in."""
    words = re.split(r"[^A-Za-z]+", os.path.relpath(file, home))
    found = [PARTS[one.lower()] for one in words if one.lower() in PARTS]
    return found[-1] if found else None


def _without_part(file: str) -> str:
    words = re.split(r"([^A-Za-z]+)", os.path.basename(file))
    return "".join("*" if one.lower() in PARTS else one for one in words)
