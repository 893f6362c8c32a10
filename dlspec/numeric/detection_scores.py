"""Mean average precision and what else detections are scored by, out of records of matches, for any weighting."""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np

from dlspec.numeric.detection_curves import COCO_RECALLS, VOC_RECALLS, Curves
from dlspec.numeric.detection_records import unpacked
from dlspec.numeric.found_boxes import BOX, IOUS, SAID, TRUTH, VOC
from dlspec.numeric.latest import Latest

MOST = 100
"""boxes of a class and a picture that COCO looks at"""
FEWER = (1, 10, MOST)
SIZES = ("", "small", "medium", "large")


class Scores:
    """Of object arrays (N,) of records, `boxes` and `truths` (see detection_records); curves are made when needed."""

    def __init__(self, boxes: np.ndarray, truths: np.ndarray) -> None:
        self.count = len(boxes)
        self.boxes, self.picture = unpacked(boxes, BOX)
        self.truths, self.true_picture = unpacked(truths, TRUTH)
        self.classes = 1 + int(self.truths["label"].max(initial=-1))
        self._curves: dict[int, Curves] = {}
        known = (self.boxes["label"] < self.classes) & (self.boxes["label"] >= 0)  # others have no truth to be found
        self.all = np.flatnonzero(known)
        self.first = np.flatnonzero(known & (self.boxes["rank"] < MOST))

    def curves(self, size: int) -> Curves:
        """Those of COCO at its ten IoUs, for one of its sizes: all, small, medium, large."""
        if size not in self._curves:
            self._curves[size] = self._made(self.first, np.arange(len(IOUS)) + size * len(IOUS), size)
        return self._curves[size]

    def lane(self, lane: int) -> Curves:
        """That of all boxes in one lane: SAID or VOC."""
        key = len(SIZES) + lane
        if key not in self._curves:
            self._curves[key] = self._made(self.all, np.array([lane]), 0)
        return self._curves[key]

    def _made(self, which: np.ndarray, lanes: np.ndarray, size: int) -> Curves:
        boxes, bit = self.boxes[which], np.uint64(1) << lanes.astype(np.uint64)[:, None]
        asked = (self.truths["ranges"] >> size & 1).astype(bool)
        return Curves(
            boxes["label"],
            boxes["score"],
            self.picture[which],
            (boxes["right"] & bit) > 0,
            (boxes["passed"] & bit) == 0,
            self.truths["label"][asked],
            self.true_picture[asked],
            self.classes,
        )

    def values(self, weights: np.ndarray | None = None, only: Collection[str] | None = None) -> dict[str, float]:
        """The scores that are asked for, or all; NaN where there is nothing to be found."""
        weights = np.ones(self.count) if weights is None else np.asarray(weights, np.float64)
        wanted = set(NAMES) if only is None else {*only} & set(NAMES)
        found: dict[str, float] = {}
        for size, name in enumerate(SIZES):
            precision = PRECISION if not name else (f"map_{name}",)
            recall = RECALL if not name else (f"ar_{name}",)
            if wanted & {*precision}:
                table = self.curves(size).average_precision(weights, COCO_RECALLS)
                found |= dict(zip(precision, (_mean(table), _mean(table[0]), _mean(table[5])), strict=False))
            if wanted & {*recall}:
                tops = FEWER if not name else (MOST,)
                for one, top in zip(recall, tops, strict=True):
                    among = None if top == MOST else self.boxes["rank"][self.first] < top
                    found[one] = _mean(self.curves(size).recall(weights, among))
        for name, recalls in zip(OF_VOC, (None, VOC_RECALLS), strict=True):
            if name in wanted:
                found[name] = _mean(self.lane(VOC).average_precision(weights, recalls))
        return {name: found[name] for name in NAMES if name in found}

    def by_class(self, weights: np.ndarray | None = None) -> np.ndarray:
        """COCO's AP of each class at its ten IoUs, (10, K)."""
        weights = np.ones(self.count) if weights is None else np.asarray(weights, np.float64)
        return self.curves(0).average_precision(weights, COCO_RECALLS)


PRECISION = ("map_50_95", "map_50", "map_75")
RECALL = ("ar_1", "ar_10", "ar_100")
OF_VOC = ("voc_map", "voc_map_11")
NAMES = (
    *PRECISION, "map_small", "map_medium", "map_large", *RECALL, "ar_small", "ar_medium", "ar_large", *OF_VOC,
)  # fmt: skip


def counted(counts: np.ndarray, weights: np.ndarray | None = None) -> dict[str, float]:
    """F1, precision and recall of what is said, of the columns found, missed and wrong (N, 3), over all classes.

    Where there are no objects, recall is NaN; where nothing is said, precision; where both, F1.
    """
    found, missed, wrong = counts.sum(axis=0) if weights is None else np.asarray(weights, np.float64) @ counts
    return {
        "f1": _ratio(2 * found, 2 * found + missed + wrong),
        "precision": _ratio(found, found + wrong),
        "recall": _ratio(found, found + missed),
    }


def best_threshold(boxes: np.ndarray, truths: np.ndarray) -> float | None:
    """The confidence from which on F1 is highest, half-way to the next one below; None where nothing is right.

    boxes, truths: as of Scores.  A box is right or wrong whatever the threshold, for the surer ones choose first.
    """
    held, known = unpacked(boxes, BOX)[0], unpacked(truths, TRUTH)[0]
    bit = np.uint64(1) << np.uint64(SAID)
    held = held[((held["passed"] & bit) == 0) & np.isfinite(held["score"])]
    held = held[np.argsort(-held["score"], kind="stable")]
    right = np.cumsum((held["right"] & bit) > 0)
    last = np.flatnonzero(np.append(held["score"][1:] != held["score"][:-1], True)) if len(held) else np.zeros(0, int)
    if not len(last) or not right[-1]:
        return None
    objects = int((known["ranges"] & 1).sum())
    f1 = 2 * right[last] / (last + 1 + objects)
    best = int(f1.argmax())
    below = held["score"][last[best + 1]] if best + 1 < len(last) else 0.0
    return float((held["score"][last[best]] + below) / 2)


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else math.nan


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else math.nan


scores = Latest(Scores)
"""those of these arrays; the latest are kept, for a bootstrap asks for the same a thousand times"""
