"""What detections look like: AP of each class, precision and recall, confusions, kinds of error, calibration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dlspec.evaluators.box_tables import NO_CLASS
from dlspec.types import Figure, State, Statistics

if TYPE_CHECKING:
    import numpy as np

    from dlspec.numeric.detection_scores import Scores

MOST_CLASSES = 20
"""shown one by one; of more, those with the most objects"""
MOST_CURVES = 6
CORNERS = 200
"""of a curve; of more, some are left out"""
BINS = 10
"""of a calibration curve"""
BACKGROUND = "background"
SIZES = ("small", "medium", "large")
CROWDED = ("alone", "touched", "crowded")
TOUCHED = (0.1, 0.3)
"""IoU from which another object touches one, and crowds it"""


def figures(statistics: Statistics, state: State) -> list[Figure]:
    """See Boxes.figures."""
    from dlspec.numeric.detection_scores import scores

    if not len(statistics["counts"]):
        return []
    found, names = scores(statistics["boxes"], statistics["truths"]), [*state["names"], NO_CLASS]
    return [
        *_by_class(found, names),
        *_curves(found, names, state),
        *_confusion(statistics, names),
        *_kinds(statistics, names),
        *_calibration(found, state),
    ]


def of_classes(statistics: Statistics, state: State, weights: np.ndarray | None) -> dict[str, dict[str, float]]:
    """See Boxes.by_class."""
    from dlspec.numeric.detection_scores import scores

    if not len(statistics["counts"]):
        return {}
    found, names = scores(statistics["boxes"], statistics["truths"]), [*state["names"], NO_CLASS]
    table = found.by_class(weights)
    return {
        names[k]: {"ap_50_95": float(table[:, k].mean()), "ap_50": float(table[0, k])}
        for k in _most(_counts(found)).tolist()
    }


def _counts(found: Scores) -> np.ndarray:
    """How many objects there are of each class, but for crowds."""
    import numpy as np

    return np.bincount(found.truths["label"][found.truths["ranges"] & 1 > 0], minlength=found.classes)


def _by_class(found: Scores, names: Sequence[str]) -> list[Figure]:
    import numpy as np

    table = found.by_class()
    counts = _counts(found)
    shown = _most(counts)
    if not len(shown):
        return []
    mean, half = table.mean(axis=0), table[0]
    order = shown[np.argsort(mean[shown], kind="stable")]
    labels = [f"{names[k]} ({counts[k]:,})" for k in order.tolist()]
    more = (
        f"the {MOST_CLASSES} most frequent of {int((counts > 0).sum())} classes; " if len(shown) < found.classes else ""
    )
    return [
        Figure(
            "bars",
            f"{title} of each class",
            {"names": labels, "values": values[order].round(4).tolist(), "x_title": "class", "y_title": title},
            f"{more if (counts > 0).sum() > len(shown) else ''}the number of objects in brackets",
        )
        for title, values in (("AP (IoU 0.5 to 0.95)", mean), ("AP at IoU 0.5", half))
    ]


def _curves(found: Scores, names: Sequence[str], state: State) -> list[Figure]:
    """Precision against recall at IoU 0.5 of the most frequent classes, and where the threshold lies on each."""
    import numpy as np

    counts = _counts(found)
    series: list[dict[str, Any]] = []
    curves = found.curves(0)
    at: tuple[list[float], list[float]] = ([], [])
    for label in _most(counts)[:MOST_CURVES].tolist():
        recall, precision, place = curves.curve_of(0, label)
        if not len(recall):
            continue
        said = int((found.boxes["score"][found.first][place] >= state["threshold"]).sum())
        if said:
            at[0].append(_plain(recall[said - 1]))
            at[1].append(_plain(precision[said - 1]))
        kept = np.unique(np.linspace(0, len(recall) - 1, CORNERS).round().astype(int))
        series.append({"name": names[label], "x": _listed(recall[kept]), "y": _listed(precision[kept])})
    if not series:
        return []
    if at[0]:
        series.append(
            {"name": f"threshold {state['threshold']:.2g}", "x": at[0], "y": at[1], "counts": [1] * len(at[0])}
        )
    data = {
        "series": series,
        "x_title": "recall",
        "y_title": "precision",
        "x_range": [0, 1],
        "y_range": [0, 1],
    }
    return [Figure("lines", "Precision and recall", data, "at IoU 0.5, from the surest box to the least sure one")]


def _confusion(statistics: Statistics, names: Sequence[str]) -> list[Figure]:
    """Truth by guess, with the background as a row and a column."""
    import numpy as np

    from dlspec.numeric.detection_records import CELL, unpacked

    cells, _ = unpacked(statistics["cells"], CELL)
    table = np.zeros((len(names) + 1, len(names) + 1), np.int64)  # the background, −1, is the last one
    np.add.at(table, (cells["truth"], cells["guess"]), 1)
    used = table.sum(axis=0) + table.sum(axis=1)
    known = len(names) - 1
    shown = np.arange(known)
    caption = ""
    if known > MOST_CLASSES:
        shown = np.sort(np.argsort(-used[:known], kind="stable")[:MOST_CLASSES])
        caption = f"the {MOST_CLASSES} most frequent of {known} classes; "
    shown = np.concatenate([shown, np.array([known] if used[known] else [], np.int64), [len(names)]])
    labels = [(*names, BACKGROUND)[k] for k in shown.tolist()]
    data = {
        "rows": labels,
        "columns": labels,
        "values": table[np.ix_(shown, shown)].tolist(),
        "row_title": "truth",
        "column_title": "guess",
    }
    caption += (
        f"every object and every box that is said stands in one cell: the column '{BACKGROUND}' has the objects that "
        f"nothing was said of, the row '{BACKGROUND}' the boxes that no object is left for"
    )
    return [Figure("matrix", "Confusion matrix", data, caption)]


def _kinds(statistics: Statistics, names: Sequence[str]) -> list[Figure]:
    """How often each kind of error is made, by class, by size and by how crowded it is there."""
    import numpy as np

    from dlspec.numeric.detection_records import MISTAKE, unpacked
    from dlspec.numeric.found_boxes import KINDS, RANGES

    held, _ = unpacked(statistics["mistakes"], MISTAKE)
    if not len(held):
        return []
    label = np.where(held["truth"] >= 0, held["truth"], held["guess"])
    label = np.where((label >= 0) & (label < len(names)), label, len(names) - 1)
    shown = _most(np.bincount(label, minlength=len(names)))
    places = np.full(len(names), -1)
    places[shown] = np.arange(len(shown))
    size = np.digitize(held["area"], [RANGES[1][1], RANGES[2][1]])
    near = np.where(np.isnan(held["near"]), -1, np.digitize(held["near"], TOUCHED))
    said = []
    for title, rows, groups, caption in (
        (
            "class",
            [names[k] for k in shown.tolist()],
            places[label],
            "the class of the object, or of the box where there is none",
        ),
        (
            "size",
            SIZES,
            size,
            "the size of the object, or of the box where there is none: small below 32² pixels, medium below 96²",
        ),
        (
            "crowding",
            CROWDED,
            near,
            f"overlap of another object with the one it is about: touched from IoU {TOUCHED[0]}, crowded {TOUCHED[1]}",
        ),
    ):
        table = np.zeros((len(rows), len(KINDS)), np.int64)
        some = groups >= 0
        np.add.at(table, (groups[some], held["kind"][some]), 1)
        data = {
            "rows": list(rows),
            "columns": list(KINDS),
            "values": table.tolist(),
            "row_title": title,
            "column_title": "kind of error",
        }
        said.append(Figure("matrix", f"Kinds of error by {title}", data, caption))
    return said


def _calibration(found: Scores, state: State) -> list[Figure]:
    """How often boxes of a confidence are right, at the run's own IoU; and how many there are of each."""
    import numpy as np

    from dlspec.numeric.calibration import reliability
    from dlspec.numeric.found_boxes import SAID

    bit = np.uint64(1) << np.uint64(SAID)
    usable = ((found.boxes["passed"] & bit) == 0) & np.isfinite(found.boxes["score"])
    usable &= (found.boxes["score"] >= 0) & (found.boxes["score"] <= 1)
    given, right = found.boxes["score"][usable], (found.boxes["right"][usable] & bit) > 0
    if not len(given):
        return []
    one = reliability(given, right.astype(float), BINS)
    what, seen = "confidence", f"share that is right (class, IoU {state['overlap']:g})"
    series = {
        "name": seen,
        **{
            key: _listed(getattr(one, of))
            for key, of in (("x", "probability"), ("y", "share"), ("low", "low"), ("high", "high"))
        },
        "counts": one.count[one.count > 0].tolist(),
    }
    curve = {
        "series": [series],
        "x_title": what,
        "y_title": seen,
        "diagonal": True,
        "x_range": [0, 1],
        "y_range": [0, 1],
        "mark": {"x": state["threshold"], "name": "threshold"},
    }
    bars = {
        "edges": [i / BINS for i in range(BINS + 1)],
        "values": one.count.tolist(),
        "x_title": what,
        "y_title": "boxes",
    }
    return [
        Figure(
            "lines",
            "Calibration of confidence",
            curve,
            f"expected calibration error {one.error:.3f} over {BINS} bins; above the diagonal the guesses are "
            "too modest, below it too sure; the larger a dot, the more boxes; whiskers are 95 % intervals",
        ),
        Figure("bars", "How sure the guesses are", bars, "every box that is predicted, whatever the threshold"),
    ]


def _most(counts: np.ndarray) -> np.ndarray:
    """The classes that occur most, at most so many as are shown; the most frequent first."""
    import numpy as np

    order = np.argsort(-counts, kind="stable")[:MOST_CLASSES]
    return order[counts[order] > 0]


def _plain(value: float) -> float:
    return round(float(value), 6) if math.isfinite(value) else 0.0


def _listed(values: Any) -> list[float]:
    return [_plain(one) for one in values]
