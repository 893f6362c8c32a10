"""Results of any detector as COCO has them, beside COCO's ground truth: what both say of each picture.

Results are a list of {image_id, category_id, bbox: [left, top, width, height], score}.
"""

from __future__ import annotations

import itertools
import json
import math
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dlspec.data import coco
from dlspec.data.box_faults import Faults
from dlspec.data.prediction_table import BOXES, PredictionTable
from dlspec.numeric.printable import identity, shown
from dlspec.types import DataError, Place

if TYPE_CHECKING:
    import numpy as np

    from dlspec.numeric.places import Box

NAMED = 3
"""that are named in a message"""
ANOTHER = 0.01
"""share of an area by which it is another one"""


def is_json(file: str) -> bool:
    return file.removesuffix(".gz").lower().endswith(".json")


def read_results(files: Sequence[str], truth: str, split: str) -> PredictionTable:
    """Every picture of the ground truth with its boxes and what the results say of it; all are of one split.

    Truths are tuples of Box, not cut to the picture, as scorers of COCO take them; predictions float64 (K, 6) by
    falling confidence, the class an index into the categories in their order.  Raises DataError where a file is none
    of these, a result has no numbers, or none is of a picture and a category that there are.
    """
    whole = coco.read(truth)
    faults = Faults(strict=False)
    found = coco.Coco(path=truth).found(faults)
    sheets = found.parts["all"]
    names = list(found.classes or ())
    truths = [faults.boxes(sheet.drawn, None, sheet.where) for sheet in sheets]
    notes = faults.settle() + _areas(whole, truths)
    ids = [sheet.id for sheet in sheets]
    row = {one: place for place, one in enumerate(ids)}
    if len(row) < len(ids):
        raise DataError(f"{len(ids) - len(row):,} pictures have the file_name of another", where=Place(shown(truth)))
    of_image = {
        image["id"]: row[identity(image["file_name"])]
        for image in whole["images"]
        if isinstance(image, dict) and isinstance(image.get("file_name"), str) and image.get("id") is not None
    }
    place = {name: at for at, name in enumerate(names)}
    of_category = {one["id"]: place[one["name"].strip()] for one in whole["categories"]}
    predictions, more = _predictions(files, of_image, of_category, len(ids), truth)
    pictures = [sheet.picture for sheet in sheets]
    absent = sum(not os.path.exists(one) for one in pictures)
    if absent:
        what = "pictures are not beside the ground truth" if absent == len(pictures) else "pictures are not there"
        notes.append(f"{absent:,} of {len(pictures):,} {what} (the first: {shown(pictures[0])}): none is shown")
    return PredictionTable(
        ids,
        {"split": [split] * len(ids), "truth": truths, BOXES: predictions},
        made_by=[{"evaluator": "boxes", "state": {"names": names, "threshold": None, "overlap": 0.5}}],
        notes=[*notes, *more],
        pictures=None if absent else pictures,
    )


def _predictions(
    files: Sequence[str], of_image: Mapping[Any, int], of_category: Mapping[Any, int], count: int, truth: str
) -> tuple[list[np.ndarray], list[str]]:
    """What is said of each picture, and what was left out."""
    import numpy as np

    rows: list[tuple[int, float, float, float, float, float, int]] = []
    strange: dict[str, dict[Any, int]] = {"image_id": {}, "category_id": {}}
    total = 0
    for file in files:
        held = _read(file)
        total += len(held)
        for at, one in enumerate(held):
            numbers = _numbers(one)
            if numbers is None:
                raise DataError(
                    f"expected image_id, category_id, bbox [left, top, width, height] and score, in finite numbers "
                    f"and sizes not below 0, got {json.dumps(one)[:160]}",
                    where=Place(shown(file), key=f"[{at}]"),
                )
            image, category = of_image.get(one["image_id"]), of_category.get(one["category_id"])
            for key, value in (("image_id", image), ("category_id", category)):
                if value is None:
                    strange[key][one[key]] = strange[key].get(one[key], 0) + 1
            if image is not None and category is not None:
                left, top, width, height, score = numbers
                rows.append((image, left, top, left + width, top + height, score, category))
    notes = []
    for key, what in (("image_id", "picture"), ("category_id", "category")):
        if strange[key]:
            named = ", ".join(str(one) for one in list(strange[key])[:NAMED])
            more = ", …" if len(strange[key]) > NAMED else ""
            many = sum(strange[key].values())
            says = f"{many:,} of {total:,} results are of no {what} of {shown(truth)} ({key} {named}{more})"
            if many == total:
                raise DataError(f"{says}: are these results of other data?", where=Place(shown(files[0])))
            notes.append(f"left out: {says}")
    array = np.array(rows, np.float64).reshape(-1, 7)
    array = array[np.lexsort((-array[:, 5], array[:, 0]))]
    bounds = np.searchsorted(array[:, 0], np.arange(count + 1))
    return [array[low:high, 1:] for low, high in itertools.pairwise(bounds)], notes


def _read(file: str) -> list[Any]:
    """The list of results.  Raises DataError where the file holds something else."""
    held = coco.parsed(file)
    if isinstance(held, dict) and "annotations" in held:
        raise DataError(
            "this is ground truth; give it with --truth, and results with --predictions", where=Place(shown(file))
        )
    if not isinstance(held, list):
        raise DataError(
            f"expected a list of results, {{image_id, category_id, bbox, score}} each, got a {type(held).__name__}",
            where=Place(shown(file)),
        )
    return held


def _numbers(one: Any) -> tuple[float, float, float, float, float] | None:
    """Left, top, width, height, score; None where there are none."""
    if not isinstance(one, dict) or not all(isinstance(one.get(key), int | str) for key in ("image_id", "category_id")):
        return None
    box, score = one.get("bbox"), one.get("score")
    if not isinstance(box, list) or len(box) != 4:
        return None
    numbers = (*box, score)
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in numbers):
        return None
    left, top, width, height, sure = numbers
    if not all(map(math.isfinite, numbers)) or width < 0 or height < 0:
        return None
    return left, top, width, height, sure


def _areas(whole: Mapping[str, Any], truths: Sequence[Sequence[Box]]) -> list[str]:
    """A note where areas are those of masks: COCO's own scorer sorts objects into sizes by these."""
    other = 0
    for one in whole["annotations"]:
        area, box = (one.get("area"), one.get("bbox")) if isinstance(one, dict) else (None, None)
        if isinstance(area, int | float) and isinstance(box, list) and len(box) == 4:
            try:
                own = float(box[2]) * float(box[3])
            except (TypeError, ValueError):
                continue
            other += abs(own - area) > ANOTHER * max(own, 1.0)
    objects = sum(map(len, truths))
    if not other:
        return []
    return [
        f"{other:,} of {objects:,} objects have an area other than that of their box (that of a mask): map_small, "
        "map_medium, map_large and ar_… go by boxes here, and differ from those by masks"
    ]
