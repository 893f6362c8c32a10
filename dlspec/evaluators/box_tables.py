"""Predicted boxes as texts and columns of tables, and back."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dlspec.evaluators.truths import some
from dlspec.numeric.places import NOTHING, Box, boxes_of, boxes_text
from dlspec.types import DataError, State

if TYPE_CHECKING:
    import numpy as np

    from dlspec.numeric.found_boxes import FoundBoxes

NO_CLASS = "?"
"""what a box is called that is of none of train's classes"""
COLUMN = "boxes"
MANY = 1_000
"""boxes of a picture beyond which it is said that there are many"""
THRESHOLD, OVERLAP = 0.5, 0.5
"""of a table that says nothing of them"""


def rows_of(prediction: Any) -> np.ndarray:
    """Float64 (K, 6)."""
    import numpy as np

    return np.asarray(prediction, np.float64).reshape(-1, 6)


def class_of(index: float, state: State) -> str:
    names = state["names"]
    return names[int(index)] if 0 <= index < len(names) else NO_CLASS


def said(rows: np.ndarray, state: State) -> list[Box]:
    """The boxes whose confidence reaches the threshold, in their order."""
    chosen = rows[rows[:, 4] >= state["threshold"]].tolist()
    return [Box.at(class_of(row[5], state), row[:4]) for row in chosen]


def columns(predictions: Sequence[Any], state: State) -> dict[str, Any]:
    """See Boxes.columns."""
    rows = [rows_of(one) for one in predictions]
    return {"guess": [boxes_text(said(one, state)) for one in rows], COLUMN: [_text(one, state) for one in rows]}


def as_object(prediction: Any, state: State) -> dict[str, Any]:
    """See Boxes.said."""
    rows = rows_of(prediction)
    chosen = rows[rows[:, 4] >= state["threshold"]].tolist()
    objects = [{"class": class_of(row[5], state), "confidence": row[4], "box": row[:4]} for row in chosen]
    return {"guess": boxes_text(said(rows, state)), "objects": objects}


def from_columns(columns: Mapping[str, Sequence[Any]], state: State) -> list[np.ndarray]:
    """See Boxes.from_columns.  Raises DataError where a text is none of boxes."""
    from dlspec.evaluators.box_truths import perfect_rows

    if COLUMN in columns:
        found, place_of = [], {name: i for i, name in enumerate(state["names"])}
        for place, held in enumerate(columns[COLUMN]):
            try:
                found.append(_rows(held, place_of) if isinstance(held, str) else rows_of(held))
            except (ValueError, TypeError):
                raise DataError(
                    f"row {place + 1} of column '{COLUMN}' of the table of predictions should be a list of "
                    f"[x0, y0, x1, y1, confidence, class] as JSON, got '{str(held)[:60]}'"
                ) from None
        return found
    if "guess" not in columns:
        raise DataError(f"the table of predictions has no column '{COLUMN}'; it has {', '.join(list(columns)[:20])}")
    try:
        return [perfect_rows(boxes_of(text), state) for text in columns["guess"]]
    except (ValueError, AttributeError, TypeError):
        raise DataError("column 'guess' of the table of predictions should hold 'cat (x0, y0, x1, y1); …'") from None


def recognize(columns: Mapping[str, Sequence[Any]], asked: bool) -> State | None:
    """The names are those of the truth, the guess and the boxes, by alphabet; an index in these is none of a name.

    With a column of boxes the threshold is None, to be fitted.
    """
    try:
        beside = () if COLUMN in columns and "guess" not in columns else ("guess",)
        texts = [[boxes_of(text) for text in columns[name] if text is not None] for name in ("truth", *beside)]
        listed = [row[5] for text in columns.get(COLUMN, ()) for row in _listed(text)]
    except (KeyError, ValueError, TypeError, AttributeError):
        return None
    several = any(len(own) > 1 for column in texts for own in column)
    if not (asked or several or COLUMN in columns):
        return None
    if not all(isinstance(one, str) for one in listed):
        return None
    names = sorted({*listed, *(box.name for column in texts for own in column for box in own)} - {NO_CLASS})
    threshold = None if COLUMN in columns else THRESHOLD
    return {"names": names, "threshold": threshold, "overlap": OVERLAP} if names or asked else None


def checked(rows: Sequence[np.ndarray], ids: Sequence[str], state: State) -> list[str]:
    """See Boxes.received."""
    import numpy as np

    every = np.concatenate([np.zeros((0, 6)), *rows])
    picture = np.repeat(np.arange(len(rows)), [len(one) for one in rows])
    last = len(state["names"]) - 1
    faults = (
        (~np.isfinite(every).all(axis=1), "have a number that is none in a box or its confidence"),
        ((every[:, 2] < every[:, 0]) | (every[:, 3] < every[:, 1]), "have a box whose corners are swapped"),
        (
            (every[:, 5] < 0) | (every[:, 5] > last) | (every[:, 5] % 1 != 0),
            f"have a class index that is not a whole number from 0 to {last} ({', '.join(state['names'][:5])} …)",
        ),
    )
    for wrong, what in faults:
        if wrong.any():
            who = [ids[row] for row in np.unique(picture[wrong]).tolist()]
            raise DataError(f"{len(who):,} of {len(rows):,} predictions {what}: {some(who)}")
    if not len(every):
        return [f"nothing is predicted of any of {len(rows):,} pictures"]
    most = max(range(len(rows)), key=lambda row: len(rows[row]))
    if len(rows[most]) <= MANY:
        return []
    return [
        f"{sum(len(one) > MANY for one in rows):,} pictures have more than {MANY:,} boxes ('{ids[most]}' "
        f"{len(rows[most]):,}); mAP looks at the 100 surest of a class, as COCO does, and f1 at all"
    ]


def mistakes(found: FoundBoxes) -> Any:
    """Those of one picture (see dlspec.numeric.detection_records.MISTAKE)."""
    from dlspec.numeric.detection_records import MISTAKE, records, unpacked

    return unpacked(records(found)["mistakes"], MISTAKE)[0]


def told(
    found: FoundBoxes, mistakes: Any, truths: Sequence[Box], rows: np.ndarray, state: State
) -> Iterator[tuple[str, float, list[Box], str]]:
    """Of each error of one picture: kind, size, the truth that it is about, and what was said, in words."""
    import numpy as np

    from dlspec.numeric.boxes import overlap
    from dlspec.numeric.found_boxes import KINDS, MISSED

    about = np.full(len(rows), -1)
    about[found.place] = found.mistakes[1]
    for one in mistakes:
        kind, place, size = KINDS[one["kind"]], int(one["box"]), float(one["size"])
        if one["kind"] == MISSED:
            nearly = 1 - size
            yield kind, size, [truths[place]], f"{NOTHING} ({nearly:.2g})" if nearly > 0.005 else NOTHING
            continue
        *corners, sure, index = rows[place].tolist()
        guess = f"{boxes_text([Box.at(class_of(index, state), corners)])}, {sure:.2g}"
        if about[place] < 0:
            yield kind, size, [], guess
            continue
        truth = truths[about[place]]
        iou = float(overlap(np.array(corners), np.array(truth.corners)))
        yield kind, size, [truth], f"{guess}, IoU {iou:.2f}"


def _text(rows: np.ndarray, state: State) -> str:
    """The class by its name, where it has one; what is no number, as JSON knows none, as a text."""
    names = state["names"]
    plain = [[one if math.isfinite(one) else str(one) for one in row] for row in rows.tolist()]
    for row in plain:
        if row[5] in range(len(names)):
            row[5] = names[int(row[5])]
    return json.dumps(plain, ensure_ascii=False)


def _listed(text: str) -> list[list[Any]]:
    """Raises ValueError, TypeError."""
    held = json.loads(text)
    if not isinstance(held, list) or any(not isinstance(row, list) or len(row) != 6 for row in held):
        raise ValueError(text)
    return held


def _rows(text: str, place: Mapping[str, int]) -> np.ndarray:
    """Raises ValueError, TypeError."""
    import numpy as np

    rows = [[*map(float, row[:5]), float(place.get(row[5], row[5]))] for row in _listed(text)]
    return np.array(rows, np.float64).reshape(-1, 6)
