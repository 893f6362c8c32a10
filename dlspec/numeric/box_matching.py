"""Which said box is which true one: the greedy matching of COCO and that of VOC, at many thresholds at once.

A `Pairs` holds what overlaps at all; no matrix of all boxes by all truths is ever made, so that a picture with very
many boxes costs time alone.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from dlspec.numeric.boxes import areas
from dlspec.types import DataError

CHUNK = 1_000_000
"""overlaps that are worked out at a time"""
MOST_PAIRS = 5_000_000
"""overlapping pairs in one picture beyond which something is wrong with it"""
CLOSE = 1e-10
"""COCO asks for an IoU of no more than 1 − this"""


class Pairs(NamedTuple):
    """Boxes and truths that overlap, by box, then by truth: their numbers (int) and how much (float); each (P,)."""

    box: np.ndarray
    truth: np.ndarray
    iou: np.ndarray

    def where(self, which: np.ndarray) -> Pairs:
        """Those of these, a mask or places."""
        return Pairs(self.box[which], self.truth[which], self.iou[which])


def overlapping(boxes: np.ndarray, truths: np.ndarray, crowd: np.ndarray, least: float, what: str = "") -> Pairs:
    """The pairs of boxes (D, 4) and truths (G, 4) of one picture that overlap by `least` or more.

    Of a crowd (G,), bool, it is the part of the box that lies in it, as COCO has it; of others IoU.  NaN overlaps with
    nothing.  Raises DataError, which says `what` it is of, where boxes lie on each other in many millions of pairs.
    """
    none = np.zeros(0, np.int64)
    if not len(boxes) or not len(truths):
        return Pairs(none, none, np.zeros(0))
    by_left = np.argsort(truths[:, 0], kind="stable")
    lefts, rights = truths[by_left, 0], np.maximum.accumulate(truths[by_left, 2])
    order = np.argsort(boxes[:, 0], kind="stable")
    order = order[np.isfinite(boxes[order]).all(axis=1)]
    found, count, start = [], 0, 0
    step = max(1, min(len(boxes), CHUNK // len(truths)))
    while start < len(order):
        some = order[start : start + step]
        start += step
        # The truths between the leftmost and the rightmost edge of these boxes: the others cannot overlap.
        low = int(np.searchsorted(rights, boxes[some, 0].min()))
        high = int(np.searchsorted(lefts, boxes[some, 2].max(), side="right"))
        near = by_left[low:high]
        if not len(near):
            continue
        iou = _overlap(boxes[some, None], truths[None, near], crowd[near])
        at, to = np.nonzero(iou >= least)
        found.append((some[at], near[to], iou[at, to]))
        count += len(at)
        if count > MOST_PAIRS:
            raise DataError(
                f"{what}: {len(boxes):,} boxes and {len(truths):,} truths lie on each other in more than "
                f"{MOST_PAIRS:,} pairs, which no one picture holds; look at its boxes"
            )
    if not found:
        return Pairs(none, none, np.zeros(0))
    pairs = Pairs(*(np.concatenate(parts) for parts in zip(*found, strict=True)))
    return pairs.where(np.lexsort((pairs.truth, pairs.box)))


def _overlap(boxes: np.ndarray, truths: np.ndarray, crowd: np.ndarray) -> np.ndarray:
    """(D, 1, 4) and (1, G, 4) → (D, G)."""
    wide = np.minimum(boxes[..., 2], truths[..., 2]) - np.maximum(boxes[..., 0], truths[..., 0])
    high = np.minimum(boxes[..., 3], truths[..., 3]) - np.maximum(boxes[..., 1], truths[..., 1])
    common = np.maximum(wide, 0) * np.maximum(high, 0)
    own = areas(boxes)
    union = np.where(crowd, own, own + areas(truths) - common)
    return np.divide(common, union, out=np.zeros(common.shape), where=union > 0)


def coco_matches(
    pairs: Pairs, group: np.ndarray, least: np.ndarray, passed: np.ndarray, crowd: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The truth that each box is given: boxes that have one at hand (U,), ascending, and the truth (U, L), −1: none.

    As COCO does it (Lin et al. 2014; pycocotools' evaluateImg), for L questions at once: box by box, the surest first,
    each takes the truth that it overlaps most of those that are left, if by `least` (L,) or more.  Truths that do not
    count (`passed`, bool (G, L)) are taken only where no other can be; a crowd (bool (G,)) is never used up.

    pairs: of boxes and truths that may be matched at all, of one class.  Boxes are numbered so that those of a group
    (`group`, ascending: a class of a picture) follow each other, the surest first.
    """
    boxes, first = np.unique(pairs.box, return_index=True)
    chosen = np.full((len(boxes), len(least)), -1, np.int64)
    if not len(boxes):
        return boxes, chosen
    of = group[boxes]
    starts = np.flatnonzero(np.concatenate([[True], of[1:] != of[:-1]]))
    turn = np.arange(len(boxes)) - np.repeat(starts, np.diff(np.append(starts, len(boxes))))
    sizes = np.diff(np.append(first, len(pairs.box)))
    taken = np.zeros(passed.shape, bool)
    asked = np.minimum(least, 1 - CLOSE)
    for rows in _turns(turn, sizes, len(least)):
        lengths = sizes[rows]
        begin = np.cumsum(lengths) - lengths
        at = np.repeat(first[rows] - begin, lengths) + np.arange(lengths.sum())
        truth, iou = pairs.truth[at], pairs.iou[at, None]
        open_ = (iou >= asked) & (~taken[truth] | crowd[truth, None])
        worth = np.where(open_, iou + 2.0 * ~passed[truth], -1.0)
        best = np.maximum.reduceat(worth, begin, axis=0)
        # Of equal ones the last, as in pycocotools.
        places = np.where(worth == np.repeat(best, lengths, axis=0), np.arange(len(at))[:, None], -1)
        found = np.where(best >= 0, truth[np.maximum.reduceat(places, begin, axis=0)], -1)
        chosen[rows] = found
        row, lane = np.nonzero(found >= 0)
        taken[found[row, lane], lane] = True
    return boxes, chosen


def _turns(turn: np.ndarray, sizes: np.ndarray, lanes: int) -> list[np.ndarray]:
    """The boxes whose turn it is, round by round; of many, some at a time: boxes of one round are of several groups."""
    order = np.argsort(turn, kind="stable")
    bounds = np.searchsorted(turn[order], np.arange(int(turn.max()) + 2))
    found = []
    for low, high in itertools.pairwise(bounds.tolist()):
        rows = order[low:high]
        parts = np.cumsum(sizes[rows]) * lanes // (4 * CHUNK)
        found += np.split(rows, np.flatnonzero(parts[1:] != parts[:-1]) + 1)
    return found


def voc_matches(pairs: Pairs, crowd: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Boxes that are right, and those that do not count: their numbers (Everingham et al. 2010, section 4.2).

    A box is compared with the truth that it overlaps most, whether that is taken or not; a second one is wrong.  One
    that overlaps a difficult truth most does not count.  pairs: as in coco_matches, of IoU alone.
    """
    boxes, first = np.unique(pairs.box, return_index=True)
    if not len(boxes):
        return boxes, boxes
    best = np.maximum.reduceat(pairs.iou, first)
    sizes = np.diff(np.append(first, len(pairs.box)))
    places = np.where(pairs.iou == np.repeat(best, sizes), np.arange(len(pairs.box)), len(pairs.box))
    truth = pairs.truth[np.minimum.reduceat(places, first)]
    near = best >= least
    boxes, truth = boxes[near], truth[near]
    real = ~crowd[truth]
    _, earliest = np.unique(truth[real], return_index=True)
    return boxes[real][np.sort(earliest)], boxes[~real]
