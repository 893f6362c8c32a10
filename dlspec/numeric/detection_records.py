"""What is kept of each picture's matched boxes: records as bytes, which any selection of pictures can be scored by."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from dlspec.numeric.found_boxes import BOX, KINDS, LEAST_SIZE, MISSED, RANGES, TRUTH, FoundBoxes

CELL = np.dtype([("truth", "<i4"), ("guess", "<i4")])
"""a cell of the confusion matrix: classes, −1 for the background"""
MISTAKE = np.dtype(
    [(name, "<i4") for name in ("kind", "truth", "guess", "box")] + [(name, "<f8") for name in ("size", "area", "near")]
)
"""an error: its kind, classes (−1: none), the place of the box in the picture's prediction (missed: of the truth), how
bad it is, the area of the truth (or the box) and how much another truth overlaps it"""


def records(found: FoundBoxes) -> dict[str, np.ndarray]:
    """Object arrays (N,) of bytes: `boxes` (of BOX), `truths` (TRUTH), `cells` (CELL), `mistakes` (MISTAKE); and
    `counts` (N, 3): objects that were found, that were missed, boxes that are wrong."""
    boxes = np.zeros(len(found.boxes), BOX)
    boxes["label"], boxes["rank"], boxes["score"] = found.label, found.rank, np.nan_to_num(found.score, nan=-np.inf)
    boxes["right"], boxes["passed"] = found.right, found.passed
    truths = np.zeros(len(found.truths), TRUTH)
    truths["label"] = found.true_label
    truths["ranges"] = found.in_range @ (1 << np.arange(len(RANGES)))
    cells, cell_picture = _cells(found)
    mistakes, mistake_picture = _mistakes(found)
    real = ~found.crowd
    wrong = found.said & (found.given < 0)
    counts = np.stack(
        [
            np.bincount(picture, minlength=found.count)
            for picture in (
                found.true_picture[found.finder >= 0],
                found.true_picture[real & (found.finder < 0)],
                found.picture[wrong],
            )
        ],
        axis=1,
    )
    return {
        "boxes": _packed(boxes, found.picture, found.count),
        "truths": _packed(truths, found.true_picture, found.count),
        "cells": _packed(cells, cell_picture, found.count),
        "mistakes": _packed(mistakes, mistake_picture, found.count),
        "counts": counts.astype(np.float64),
    }


def unpacked(packed: np.ndarray, kind: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """The records of all pictures one after another, and the picture (its row) of each."""
    held = np.frombuffer(b"".join(packed.tolist()), kind)
    sizes = np.array([len(one) for one in packed.tolist()], np.int64) // kind.itemsize
    return held, np.repeat(np.arange(len(packed)), sizes)


def _packed(values: np.ndarray, picture: np.ndarray, count: int) -> np.ndarray:
    """The records of each picture as bytes, (N,); `picture` ascends."""
    raw, size = values.tobytes(), values.dtype.itemsize
    bounds = (np.searchsorted(picture, np.arange(count + 1)) * size).tolist()
    found = np.empty(count, object)
    found[:] = [raw[low:high] for low, high in itertools.pairwise(bounds)]
    return found


def _cells(found: FoundBoxes) -> tuple[np.ndarray, np.ndarray]:
    """Every truth once and every box once: a truth with the box that found it, or with the surest one of another class
    at its place; what is left of both with the background."""
    kind, about = found.mistakes
    guess = np.full(len(found.truths), -1, np.int64)
    free = found.finder < 0
    guess[~free] = found.true_label[~free]
    alone = found.said & (found.given < 0)
    taking = np.flatnonzero(kind == KINDS.index("class"))
    taking = taking[np.argsort(-found.score[taking], kind="stable")]
    taking = taking[free[about[taking]]]
    truth, first = np.unique(about[taking], return_index=True)
    guess[truth] = found.label[taking[first]]
    alone[taking[first]] = False
    real = ~found.crowd
    picture = np.concatenate([found.true_picture[real], found.picture[alone]])
    cells = np.zeros(len(picture), CELL)
    cells["truth"] = np.concatenate([found.true_label[real], np.full(int(alone.sum()), -1)])
    cells["guess"] = np.concatenate([guess[real], found.label[alone]])
    order = np.argsort(picture, kind="stable")
    return cells[order], picture[order]


def _mistakes(found: FoundBoxes) -> tuple[np.ndarray, np.ndarray]:
    """The errors of each picture, boxes first, the surest of them first; then what was missed."""
    kind, about = found.mistakes
    boxes, truths = np.flatnonzero(kind >= 0), np.flatnonzero(found.missed)
    picture = np.concatenate([found.picture[boxes], found.true_picture[truths]])
    mistakes = np.zeros(len(picture), MISTAKE)
    first = np.searchsorted(found.true_picture, np.arange(found.count))
    of = np.append(found.true_label, -1)[about[boxes]]
    box_area, true_area = found.area, found.true_area
    sides = (
        (kind[boxes], of, found.label[boxes], found.place[boxes], found.score[boxes]),
        (
            np.full(len(truths), MISSED),
            found.true_label[truths],
            np.full(len(truths), -1),
            truths - first[found.true_picture[truths]],
            1 - found.nearly[truths],
        ),
    )
    for name, *values in zip(("kind", "truth", "guess", "box", "size"), *sides, strict=True):
        mistakes[name] = np.concatenate(values)
    mistakes["size"] = np.maximum(mistakes["size"], LEAST_SIZE)
    near = np.append(found.crowding, np.nan)
    mistakes["area"] = np.concatenate(
        [np.where(about[boxes] >= 0, np.append(true_area, 0)[about[boxes]], box_area[boxes]), true_area[truths]]
    )
    mistakes["near"] = np.concatenate([near[about[boxes]], near[truths]])
    order = np.lexsort((-mistakes["size"], mistakes["kind"] == MISSED, picture))
    return mistakes[order], picture[order]


def stacked(rows: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Predictions of pictures as float64 (K, 6) each, none of them missing."""
    return [np.asarray(row, np.float64).reshape(-1, 6) for row in rows]
