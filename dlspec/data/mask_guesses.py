"""Folders of masks that nobody has described: which folder holds what, and which values stand for classes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from typing import Any

from dlspec.data import part_files
from dlspec.data.mask_folder import Pair, _look, pairs, parts_of
from dlspec.data.sources import PARTS
from dlspec.numeric.printable import shown
from dlspec.proposals import Facts, Line, Proposal
from dlspec.types import DataError, Place
from dlspec.wording import plural

MASKS = ("masks", "mask", "labels", "label", "annotations", "segmentation", "segmentationclass", "gt", "groundtruth")
"""what folders of masks are called"""
ENDINGS = ("", "_mask", "_masks", "_label", "_labels", "_gt", "_seg", "_segmentation", "-mask", "_L")
LOOKED = 300
"""masks whose values are looked at, evenly spread"""


def masks(path: str) -> Proposal | None:
    """The proposal for a folder, or None where it holds no two such folders.  Raises DataError where nothing fits."""
    from dlspec.data.picture_guesses import looks

    layout = _folders(path)
    if layout is None:
        return None
    pictures, called, ending = layout
    homes = parts_of(path, pictures)
    found = {part: pairs(home, pictures, called, ending)[0] for part, home in homes.items()}
    whole = [one for own in found.values() for one in own]
    if "train" not in found and "all" not in found:
        raise DataError(f"there is {' and '.join(found)} and no train; to train, add it", where=Place(shown(path)))
    values, ignored = _values(path, whole)
    look = looks([one.picture for one in whole], [])
    lines = [Line("path", path, path=True)]
    lines += [Line("pictures", pictures, "the folder of pictures")] if pictures != "pictures" else []
    lines += [Line("masks", called, "the folder of masks")] if called != "masks" else []
    lines += [Line("ending", ending, "what a mask's name has more")] if ending else []
    names = {f"class_{i}" if isinstance(one, tuple) else str(one): one for i, one in enumerate(values)}
    plain = {name: list(one) if isinstance(one, tuple) else one for name, one in names.items()}
    lines.append(Line("classes", plain, "the values that were seen in masks; give them the names of what they are"))
    if ignored != [255]:
        lines.append(Line("ignore", ignored, "values of pixels that nobody has judged"))
    sizes = {part: len(own) for part, own in found.items()}
    counts = "" if "all" in sizes else "; " + ", ".join(f"{part} {many:,}" for part, many in sizes.items())
    return Proposal(
        Facts("picture", len(whole), len(values), look.shape, look.alike),
        (Line("name", "segmentation", "a class for each pixel, as the masks have it"),),
        tuple(lines),
        part_files.division(sizes),
        look.input,
        (Line("optimize", "mean_iou", "decides on dev which epoch is kept; or mean_dice, pixel_accuracy"),),
        (f"{plural(len(whole), 'picture')} with masks of {len(values)} classes{counts}", *look.seen),
        (f"the classes of the masks are called {', '.join(plain)}: give them names in data.classes",),
        special=3,
    )


def _folders(path: str) -> tuple[str, str, str] | None:
    """What the folders of pictures and of masks are called, and what masks' names have more."""
    if not os.path.isdir(path):
        return None
    homes = [path, *(os.path.join(path, one) for one in sorted(os.listdir(path)) if one.lower() in PARTS)]
    for home in filter(os.path.isdir, homes):
        inside = [one for one in sorted(os.listdir(home)) if os.path.isdir(os.path.join(home, one))]
        called = [one for one in inside if one.lower() in MASKS]
        best = (0, "", "", "")
        for mask in called:
            for pictures in (one for one in inside if one != mask and one[:1] != "."):
                for ending in ENDINGS:
                    count = len(pairs(home, pictures, mask, ending)[0])
                    if count > best[0]:
                        best = (count, pictures, mask, ending)
        if best[0]:
            return best[1:]
    return None


def _values(path: str, found: Sequence[Pair]) -> tuple[list[Any], list[int]]:
    """The values that stand for classes, and those that nobody has judged.  Raises DataError where it is unclear."""
    step = max(1, len(found) // LOOKED)
    counts: Counter[Any] = Counter()
    for one in found[::step]:
        counts.update(_look(one.mask)[1])
    numbers = sorted(value for value in counts if isinstance(value, int))
    colours = sorted((value for value in counts if isinstance(value, tuple)), key=lambda one: (-counts[one], one))
    if numbers and colours:
        raise DataError("some masks are grey and some in colour; bring them to one form", where=Place(shown(path)))
    if colours:
        values: list[Any] = list(colours)
    else:
        # Grey masks of two classes are 0 and 255 more often than not; beside others, 255 is what nobody has judged.
        values = numbers if len(numbers) <= 2 else [one for one in numbers if one != 255]
    if not 2 <= len(values) <= 100:
        raise DataError(
            f"the masks have {len(values)} different values, too {'few' if len(values) < 2 else 'many'} to be "
            "classes; are they grey index pictures, or smoothed (JPEG)?",
            where=Place(shown(path)),
        )
    return values, [] if 255 in values else [255]
