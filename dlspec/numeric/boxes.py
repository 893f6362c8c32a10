"""Boxes as arrays: how much they overlap (IoU, GIoU, DIoU, CIoU), and their forms.

Unless another form is named, a box is its corners (x0, y0, x1, y1), x to the right and y down; any unit.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

Overlap = Literal["iou", "giou", "diou", "ciou"]


def centred(corners: np.ndarray) -> np.ndarray:
    """Corners (…, 4) → middle, width and height (cx, cy, w, h)."""
    low, high = corners[..., :2], corners[..., 2:]
    return np.concatenate([(low + high) / 2, high - low], axis=-1)


def cornered(centres: np.ndarray) -> np.ndarray:
    """(cx, cy, w, h) (…, 4) → corners; widths and heights below 0 count as 0."""
    middle, half = centres[..., :2], np.maximum(centres[..., 2:], 0) / 2
    return np.concatenate([middle - half, middle + half], axis=-1)


def areas(corners: np.ndarray) -> np.ndarray:
    """(…, 4) → (…); 0 where a box is turned inside out."""
    sides = np.maximum(corners[..., 2:] - corners[..., :2], 0)
    return np.asarray(sides[..., 0] * sides[..., 1])


def overlap(one: np.ndarray, other: np.ndarray, kind: Overlap = "iou") -> np.ndarray:
    """How much boxes (…, 4) overlap, each with its own; (…) by broadcasting: (N, 1, 4) and (M, 4) give all pairs.

    iou: intersection over union, 0 to 1; 0 where both are without area.  giou (Rezatofighi et al. 2019, algorithm 1):
    less the share of the box around both that neither covers.  diou (Zheng et al. 2020, equation 7): IoU less the
    squared distance of the middles in squared diagonals of the box around both.  ciou (equation 10): DIoU less α v, for
    other proportions.  All are 1 for equal boxes with an area; the last three fall below 0 where boxes lie apart.
    """
    one, other = np.broadcast_arrays(np.asarray(one, np.float64), np.asarray(other, np.float64))
    low, high = np.maximum(one[..., :2], other[..., :2]), np.minimum(one[..., 2:], other[..., 2:])
    common = areas(np.concatenate([low, high], axis=-1))
    union = areas(one) + areas(other) - common
    iou = _ratio(common, union)
    if kind == "iou":
        return iou
    around = np.maximum(one[..., 2:], other[..., 2:]) - np.minimum(one[..., :2], other[..., :2])
    if kind == "giou":
        hull = around[..., 0] * around[..., 1]
        return np.asarray(iou - _ratio(hull - union, hull))
    apart = (centred(one)[..., :2] - centred(other)[..., :2]) ** 2
    diou = iou - _ratio(apart.sum(axis=-1), (around**2).sum(axis=-1))
    if kind == "diou":
        return np.asarray(diou)
    angles = [np.arctan2(sides[..., 0], sides[..., 1]) for sides in (centred(one)[..., 2:], centred(other)[..., 2:])]
    v = 4 / math.pi**2 * (angles[0] - angles[1]) ** 2
    return np.asarray(diou - _ratio(v, 1 - iou + v) * v)


def pairwise(some: np.ndarray, others: np.ndarray, kind: Overlap = "iou") -> np.ndarray:
    """The overlap of each of some (N, 4) with each of others (M, 4): (N, M)."""
    return overlap(np.asarray(some)[:, None], np.asarray(others)[None], kind)


def clipped(corners: np.ndarray, width: np.ndarray | float, height: np.ndarray | float) -> np.ndarray:
    """Corners (…, 4) brought into the picture; width and height: (…) or numbers."""
    most = np.stack(np.broadcast_arrays(width, height, width, height), axis=-1)
    return np.clip(corners, 0, most)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole; 0 where there is nothing."""
    return np.divide(part, whole, out=np.zeros(np.shape(part)), where=whole > 0)
