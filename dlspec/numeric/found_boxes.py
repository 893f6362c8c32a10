"""Boxes that were said of many pictures, matched with those that are true: for scores, confusions and errors alike."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence

import numpy as np

from dlspec.numeric.box_matching import Pairs, coco_matches, overlapping, voc_matches
from dlspec.numeric.boxes import areas, overlap

IOUS = np.linspace(0.5, 0.95, 10)
"""at which COCO asks whether a box is at the right place"""
RANGES = ((0.0, 1e10), (0.0, 32.0**2), (32.0**2, 96.0**2), (96.0**2, 1e10))
"""COCO's sizes: all, small, medium, large; squared pixels"""
COCO_LANES, SAID, VOC = len(IOUS) * len(RANGES), len(IOUS) * len(RANGES), len(IOUS) * len(RANGES) + 1
"""lane r × 10 + t is range r at IoU t; then the run's own IoU over all sizes, and VOC's at 0.5"""
VOC_IOU = 0.5
BACKGROUND = 0.1
"""IoU below which a box lies on nothing (Bolya et al. 2020)"""
KINDS = ("class", "location", "class and location", "duplicate", "background", "missed")
CLASS, LOCATION, BOTH, DUPLICATE, ON_NOTHING, MISSED = range(len(KINDS))
BOX = np.dtype([("label", "<i4"), ("rank", "<i4"), ("score", "<f8"), ("right", "<u8"), ("passed", "<u8")])
"""a box that was said: class, place among those of its class and picture, confidence, and a bit a lane"""
TRUTH = np.dtype([("label", "<i4"), ("ranges", "<u4")])
"""a box that is true: class, and a bit for each range that it is to be found in"""
LEAST_SIZE = 1e-6
"""of an error, so that it is one"""


def crowding(boxes: np.ndarray) -> np.ndarray:
    """How much each box of a picture (G, 4) is overlapped at most by another: IoU, 0 below 0.1; (G,)."""
    most = np.zeros(len(boxes))
    if len(boxes) > 1:
        pairs = overlapping(boxes, boxes, np.zeros(len(boxes), bool), BACKGROUND)
        pairs = pairs.where(pairs.box != pairs.truth)
        np.maximum.at(most, pairs.box, pairs.iou)
    return most


class FoundBoxes:
    """What was said of N pictures against what is true.

    Said: `boxes` (D, 4), `score` (D,), `label` (D,), `picture` (D,), `place` (D,) in the picture's own list; ordered by
    picture, class, falling confidence.  True: `truths` (G, 4), `true_label` (G,), `crowd` bool (G,), `true_picture`
    (G,), in their order.  `given` (D,): the truth that a box is matched with at the IoU `least` (−1: none).
    """

    def __init__(
        self,
        predictions: Sequence[np.ndarray],
        truths: Sequence[np.ndarray],
        least: float,
        threshold: float,
        ids: Sequence[str],
    ) -> None:
        """predictions: (K, 6) each; truths: (G, 6) each: corners, class, 1 for a crowd."""
        self.count, self.least, self.threshold = len(predictions), least, threshold
        rows = np.concatenate([np.zeros((0, 6)), *predictions])
        sizes = np.array([len(one) for one in predictions], np.int64)
        picture = np.repeat(np.arange(self.count), sizes)
        place = np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        label = np.nan_to_num(rows[:, 5], nan=-1).astype(np.int64)
        order = np.lexsort((-rows[:, 4], label, picture))
        self.boxes, self.score = rows[order, :4], rows[order, 4]
        self.label, self.picture, self.place = label[order], picture[order], place[order]
        held = np.concatenate([np.zeros((0, 6)), *truths])
        self.truths, self.true_label = held[:, :4], held[:, 4].astype(np.int64)
        self.crowd = held[:, 5] > 0
        self.true_picture = np.repeat(np.arange(self.count), [len(one) for one in truths])
        new = np.ones(len(rows), bool)
        new[1:] = (np.diff(self.picture) != 0) | (np.diff(self.label) != 0)
        self.group = np.cumsum(new) - 1
        self.rank = np.arange(len(rows)) - np.flatnonzero(new)[self.group] if len(rows) else self.group
        self.pairs = self._pairs(ids)
        same = self.label[self.pairs.box] == self.true_label[self.pairs.truth]
        self._match(self.pairs.where(same & (self.pairs.iou >= min(least, float(IOUS[0])) - 1e-9)))

    def _pairs(self, ids: Sequence[str]) -> Pairs:
        """All that overlap by what is more than nothing, in any picture."""
        least = min(BACKGROUND, self.least)
        at = np.searchsorted(self.picture, np.arange(self.count + 1))
        to = np.searchsorted(self.true_picture, np.arange(self.count + 1))
        found = []
        for row in np.flatnonzero((np.diff(at) > 0) & (np.diff(to) > 0)).tolist():
            said, true = slice(at[row], at[row + 1]), slice(to[row], to[row + 1])
            pairs = overlapping(self.boxes[said], self.truths[true], self.crowd[true], least, ids[row])
            found.append(Pairs(pairs.box + at[row], pairs.truth + to[row], pairs.iou))
        none = np.zeros(0, np.int64)
        return Pairs(*(np.concatenate(parts) for parts in zip(Pairs(none, none, np.zeros(0)), *found, strict=True)))

    def _match(self, pairs: Pairs) -> None:
        """`given`, and the bits `right` and `passed` of every box, uint64 (D,)."""
        own, size = self.true_area, self.area
        outside = np.array([(own < low) | (own > high) for low, high in RANGES])
        lanes = np.append(np.repeat(np.arange(len(RANGES)), len(IOUS)), 0)
        ignored = (outside[lanes] | self.crowd).T
        asked = np.append(np.tile(IOUS, len(RANGES)), self.least)
        who, chosen = coco_matches(pairs, self.group, asked, ignored, self.crowd)
        self.in_range = (~(outside | self.crowd)).T
        far = np.array([(size < low) | (size > high) for low, high in RANGES])
        bit = np.uint64(1) << np.arange(VOC + 1, dtype=np.uint64)
        of_range = np.array([bit[: SAID + 1][lanes == r].sum() for r in range(len(RANGES))], np.uint64)
        self.passed = np.where(far.T, of_range, np.uint64(0)).sum(axis=1).astype(np.uint64)
        self.right = np.zeros(len(self.boxes), np.uint64)
        self.given = np.full(len(self.boxes), -1, np.int64)
        found = chosen >= 0
        passed = found & np.take_along_axis(ignored, np.maximum(chosen, 0), axis=0) if len(ignored) else found
        kept = ~found & far[lanes].T[who]
        self.right[who] = ((found & ~passed) * bit[: SAID + 1]).sum(axis=1).astype(np.uint64)
        self.passed[who] = ((passed | kept) * bit[: SAID + 1]).sum(axis=1).astype(np.uint64)
        self.given[who] = chosen[:, SAID]
        iou = np.where(self.crowd[pairs.truth], overlap(self.boxes[pairs.box], self.truths[pairs.truth]), pairs.iou)
        right, passed_by = voc_matches(pairs._replace(iou=iou).where(iou > 0), self.crowd, VOC_IOU)
        self.right[right] |= bit[VOC]
        self.passed[passed_by] |= bit[VOC]

    @functools.cached_property
    def area(self) -> np.ndarray:
        """Of each box, (D,)."""
        return areas(self.boxes)

    @functools.cached_property
    def true_area(self) -> np.ndarray:
        """Of each truth, (G,)."""
        return areas(self.truths)

    @functools.cached_property
    def crowding(self) -> np.ndarray:
        """How much of each truth another one of its picture overlaps at most, IoU (G,)."""
        to = np.searchsorted(self.true_picture, np.arange(self.count + 1)).tolist()
        parts = [crowding(self.truths[low:high]) for low, high in itertools.pairwise(to)]
        return np.concatenate([np.zeros(0), *parts])

    @functools.cached_property
    def said(self) -> np.ndarray:
        """Bool (D,): those that are said, for their confidence reaches the threshold."""
        return np.asarray(self.score >= self.threshold)

    @functools.cached_property
    def in_crowd(self) -> np.ndarray:
        """Bool (D,): those that are neither right nor wrong."""
        crowd = np.append(self.crowd, False)
        return np.asarray(crowd[self.given])

    @functools.cached_property
    def finder(self) -> np.ndarray:
        """The box that found each truth, (G,); −1: none did."""
        found = np.full(len(self.truths), -1, np.int64)
        which = np.flatnonzero(self.said & (self.given >= 0))
        found[self.given[which]] = which
        return np.where(self.crowd, -1, found)

    @functools.cached_property
    def mistakes(self) -> tuple[np.ndarray, np.ndarray]:
        """The kind of error of each box (D,), −1: none; and the truth that it is about (D,), −1: none.

        As in TIDE (Bolya et al. 2020, section 2.2): what was said and is matched with nothing is at the wrong place
        (`location`: it overlaps one of its class by 0.1, but not enough), of the wrong `class` (it overlaps one of
        another class enough), a `duplicate` (it overlaps one of its class enough, which a surer one has), on the
        `background` (it overlaps nothing by 0.1), or wrong in both; the first of these that is so.
        """
        kind = np.full(len(self.boxes), -1, np.int64)
        about = np.full(len(self.boxes), -1, np.int64)
        wrong = self.said & (self.given < 0)
        pairs = self.pairs.where(wrong[self.pairs.box] & ~self.crowd[self.pairs.truth])
        same = self.label[pairs.box] == self.true_label[pairs.truth]
        (own, own_truth), (other, other_truth) = (self._most(pairs.where(which)) for which in (same, ~same))
        which = [
            (own >= BACKGROUND) & (own < self.least),
            other >= self.least,
            own >= self.least,
            np.maximum(own, other) < BACKGROUND,
        ]
        codes = np.select(which, [LOCATION, CLASS, DUPLICATE, ON_NOTHING], BOTH)
        kind[wrong] = codes[wrong]
        truth = np.select(which, [own_truth, other_truth, own_truth, -1], np.where(other > own, other_truth, own_truth))
        about[wrong] = truth[wrong]
        return kind, about

    def _most(self, pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:
        """Of each box the largest overlap, and with which truth (−1: with none); (D,) each."""
        most, truth = np.zeros(len(self.boxes)), np.full(len(self.boxes), -1, np.int64)
        order = np.argsort(pairs.iou, kind="stable")  # the last one written stays
        most[pairs.box[order]], truth[pairs.box[order]] = pairs.iou[order], pairs.truth[order]
        return most, truth

    @functools.cached_property
    def missed(self) -> np.ndarray:
        """Bool (G,): truths that nobody found and no error of class or location accounts for (Bolya et al. 2020)."""
        kind, about = self.mistakes
        accounted = np.zeros(len(self.truths) + 1, bool)
        accounted[about[(kind == CLASS) | (kind == LOCATION)]] = True
        return ~self.crowd & (self.finder < 0) & ~accounted[:-1]

    @functools.cached_property
    def nearly(self) -> np.ndarray:
        """The confidence of what would find each truth were the threshold lower, (G,); 0: nothing would."""
        found = np.zeros(len(self.truths))
        which = ~self.said & (self.given >= 0)
        found[self.given[which]] = np.nan_to_num(self.score[which])
        return found
