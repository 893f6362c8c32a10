"""Average precision of detections out of matches that are sorted once: a new weighting of pictures takes milliseconds.

A lane is one question (which IoU, which sizes).  Of the precision/recall curve the corners alone are held, the right
boxes: precision falls between them, so that they decide what COCO and VOC interpolate.
"""

from __future__ import annotations

import numpy as np

COCO_RECALLS = np.linspace(0.0, 1.0, 101)
"""where COCO looks at precision (Lin et al. 2014)"""
VOC_RECALLS = np.linspace(0.0, 1.0, 11)
"""where VOC did until 2009 (Everingham et al. 2010, equation 1)"""


class Curves:
    """Precision against recall, of K classes in L lanes.

    Boxes (D,): `label` (class), `score`, `picture`; `right` and `counted` bool (L, D): found what is true, and neither
    that nor wrong where not counted.  Truths, those that are to be found: `true` (G,) their classes, `true_picture`
    (G,).  Equal scores keep their order.
    """

    def __init__(
        self,
        label: np.ndarray,
        score: np.ndarray,
        picture: np.ndarray,
        right: np.ndarray,
        counted: np.ndarray,
        true: np.ndarray,
        true_picture: np.ndarray,
        classes: int,
    ) -> None:
        self.lanes, self.classes = len(right), classes
        self.true, self.true_picture = true, true_picture
        order = np.lexsort((-score, label))
        self.order = order
        self.picture = picture[order]
        right, counted = right[:, order], counted[:, order]
        # What counts in the last lane counts in nearly all of them: the others are held as differences.
        base = counted[-1] if self.lanes else np.zeros(len(order), bool)
        self.base = np.flatnonzero(base)
        lane, at = np.nonzero(counted != base)
        self.sign, self.changed = np.where(base[at], -1.0, 1.0), at
        step = len(order) + 1
        keys = lane * step + at  # ascending: nonzero goes row by row
        lane, at = np.nonzero(right)
        self.at = at
        of = label[order][at]
        self.segment = lane * classes + of
        """of each corner, which curve it is on: the lane's class"""
        begins = np.searchsorted(label[order], np.arange(classes))
        self.upto = np.searchsorted(self.base, at, side="right")
        self.before = np.searchsorted(self.base, begins, side="left")[of]
        self.changed_upto = np.searchsorted(keys, lane * step + at, side="right")
        self.changed_before = np.searchsorted(keys, lane * step + begins[of], side="left")
        self.starts = np.flatnonzero(np.concatenate([[True], self.segment[1:] != self.segment[:-1]]))
        self.starts = self.starts[: len(self.segment)]
        self.curve = self.segment[self.starts]
        self.lengths = np.diff(np.append(self.starts, len(self.segment)))
        self.lift = 2.0 * np.repeat(np.arange(len(self.curve))[::-1], self.lengths)

    def truths(self, weights: np.ndarray) -> np.ndarray:
        """How many are to be found of each class, (K,)."""
        return np.bincount(self.true, weights[self.true_picture], self.classes)[: self.classes]

    def corners(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of each right box: the weight of those that are right up to it, and of all that count; on its own curve."""
        own = weights[self.picture]
        held = np.concatenate([[0.0], np.cumsum(own[self.base])])
        change = np.concatenate([[0.0], np.cumsum(self.sign * own[self.changed])])
        said = held[self.upto] - held[self.before] + change[self.changed_upto] - change[self.changed_before]
        total = np.concatenate([[0.0], np.cumsum(own[self.at])])
        right = total[1:] - np.repeat(total[self.starts], self.lengths)
        return right, said

    def _interpolated(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Recall at each corner, the best precision from there on, and the number of truths of each class."""
        right, said = self.corners(weights)
        truths = self.truths(weights)
        precision = np.divide(right, said, out=np.zeros(len(right)), where=said > 0)
        best = np.maximum.accumulate((precision + self.lift)[::-1])[::-1] - self.lift
        own = truths[self.segment % self.classes] if self.classes else np.zeros(0)
        recall = np.divide(right, own, out=np.zeros(len(right)), where=own > 0)
        return recall, best, truths

    def average_precision(self, weights: np.ndarray, recalls: np.ndarray | None) -> np.ndarray:
        """AP of each lane and class, (L, K): the mean of precision at these recalls; NaN where nothing is to be found.

        recalls: ascending from 0 to 1 in equal steps; None: the whole area under the curve, as VOC has it since 2010.
        """
        recall, best, truths = self._interpolated(weights)
        share = recall if recalls is None else _reached(recall, recalls) / len(recalls)
        gained = np.diff(share, prepend=0.0)
        gained[self.starts] = share[self.starts]
        return self._table(best * gained, truths)

    def recall(self, weights: np.ndarray, among: np.ndarray | None = None) -> np.ndarray:
        """The share that is found of each lane and class, (L, K).  among: bool (D,), the boxes that are looked at."""
        own = weights[self.picture][self.at]
        if among is not None:
            own = own * among[self.order][self.at]
        truths = self.truths(weights)
        each = truths[self.segment % self.classes] if self.classes else np.zeros(0)
        return self._table(np.divide(own, each, out=np.zeros(len(own)), where=each > 0), truths)

    def _table(self, values: np.ndarray, truths: np.ndarray) -> np.ndarray:
        """Sums of corners over each curve."""
        found = np.zeros(self.lanes * self.classes)
        if len(self.starts):
            found[self.curve] = np.add.reduceat(values, self.starts)
        table = found.reshape(self.lanes, self.classes)
        table[:, ~(truths > 0)] = np.nan
        return table

    def curve_of(self, lane: int, label: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The corners of one curve: recall, precision, and the place of the box among those that were given; (P,)."""
        ones = np.ones(1 + max(self.picture.max(initial=-1), self.true_picture.max(initial=-1)))
        right, said = self.corners(ones)
        own = self.segment == lane * self.classes + label
        total = self.truths(ones)[label]
        recall = right[own] / total if total else right[own]
        return recall, right[own] / np.maximum(said[own], 1), self.order[self.at[own]]


def _reached(recall: np.ndarray, recalls: np.ndarray) -> np.ndarray:
    """How many of the recalls each one reaches; they lie in equal steps, so that no search is needed."""
    last = len(recalls) - 1
    place = np.minimum((recall * last).astype(np.int64), last)
    place += (place < last) & (recalls[np.minimum(place + 1, last)] <= recall)
    place -= recalls[place] > recall
    return place + 1
