"""Mosaics: four pictures in one, as in YOLOv4 (Bochkovskiy, Wang and Liao 2020, section 3.3), their boxes with them.

Each quarter shows a part of another picture of the batch, at its own size or smaller, so that objects are seen in
other surroundings, and smaller, and four times as many pictures come into the statistics of a batch.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dlspec.numeric.augmentation import each
from dlspec.numeric.draws import bits, uniform

MIDDLE = (0.3, 0.7)
"""of the sides, where the four meet"""
SMALLEST = 0.5
"""a part is shown at its own size, or at least at so much of it"""
OTHERS, SCALE, RIGHT, DOWN, QUARTER = 0, 4, 8, 12, 16
"""places of the draws for each of the four parts; the last is one for all"""


class Parts(NamedTuple):
    """Of each mosaic and quarter (N, 4): whose picture (N, 4), which part of it, and where it goes (N, 4, 4), in whole
    pixels as left, top, right, bottom."""

    whose: np.ndarray
    of: np.ndarray
    to: np.ndarray


def parts(seeds_N: np.ndarray, height: int, width: int) -> Parts:
    """What mosaics are made of, as many as there are seeds out of as many pictures; each has a part of its own."""
    count, sides = len(seeds_N), np.array([width, height])
    draw = np.stack([uniform(seeds_N, OTHERS + q) for q in range(4)], axis=1)
    whose = np.minimum((draw * count).astype(np.int64), count - 1)
    whose[np.arange(count), (bits(seeds_N, QUARTER) % np.uint64(4)).astype(np.int64)] = np.arange(count)
    middle = np.stack([uniform(seeds_N, QUARTER + 1 + axis, *MIDDLE) for axis in (0, 1)], axis=1) * sides
    middle = np.rint(middle).astype(np.int64)
    to = np.zeros((count, 4, 4), np.int64)
    for quarter in range(4):
        right, down = quarter % 2, quarter // 2
        for axis, far in ((0, right), (1, down)):
            to[:, quarter, axis] = middle[:, axis] if far else 0
            to[:, quarter, axis + 2] = sides[axis] if far else middle[:, axis]
    size = to[..., 2:] - to[..., :2]
    least = np.maximum((size / sides).max(axis=2), SMALLEST)
    scale = np.stack([uniform(seeds_N, SCALE + q) for q in range(4)], axis=1) * (1 - least) + least
    taken = np.minimum(np.rint(size / scale[..., None]).astype(np.int64), sides)
    at = np.stack([[uniform(seeds_N, first + q) for q in range(4)] for first in (RIGHT, DOWN)]).transpose(2, 1, 0)
    low = np.floor(at * (sides - taken + 1)).astype(np.int64)
    return Parts(whose, np.concatenate([low, low + taken], axis=2), to)


def composed(pictures_NHWC: np.ndarray, made: Parts, chosen_N: np.ndarray) -> np.ndarray:
    """New pictures: mosaics where chosen, the others as they are."""
    import cv2

    pictures = np.ascontiguousarray(pictures_NHWC)
    new = np.empty_like(pictures)

    def compose(i: int) -> None:
        if not chosen_N[i]:
            new[i] = pictures[i]
            return
        for whose, of, to in zip(made.whose[i].tolist(), made.of[i].tolist(), made.to[i].tolist(), strict=True):
            (x0, y0, x1, y1), (left, top, right, bottom) = of, to
            if right > left and bottom > top:
                part = pictures[whose, y0:y1, x0:x1]
                fitted = cv2.resize(part, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
                new[i, top:bottom, left:right] = fitted.reshape(bottom - top, right - left, -1)

    each(compose, len(new), new[:1].size)
    return new


def composed_boxes(
    boxes_NK4: np.ndarray, classes_NK: np.ndarray, made: Parts, chosen_N: np.ndarray, keep: float
) -> tuple[np.ndarray, np.ndarray]:
    """The boxes (N, 4 K, 4) and classes (N, 4 K) of the new pictures, clipped to their quarters.

    NaN and −1 for none, and where less than the share `keep` of a box's area is left.
    """
    count, most = boxes_NK4.shape[:2]
    boxes, classes = boxes_NK4[made.whose].astype(np.float64), classes_NK[made.whose]
    of, to = made.of[:, :, None].astype(np.float64), made.to[:, :, None].astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = (to[..., 2:] - to[..., :2]) / (of[..., 2:] - of[..., :2])
    moved = (boxes - np.tile(of[..., :2], 2)) * np.tile(scale, 2) + np.tile(to[..., :2], 2)
    inside = np.clip(moved, np.tile(to[..., :2], 2), np.tile(to[..., 2:], 2))
    area, left = (np.prod(one[..., 2:] - one[..., :2], axis=-1) for one in (moved, inside))
    with np.errstate(invalid="ignore"):
        kept = (left > 0) & (left >= keep * area)
    boxes = np.where(kept[..., None], inside, np.nan).reshape(count, 4 * most, 4)
    classes = np.where(kept, classes, -1).reshape(count, 4 * most)
    rest = 3 * most
    alone = np.pad(boxes_NK4, ((0, 0), (0, rest), (0, 0)), constant_values=np.nan)
    own = np.pad(classes_NK, ((0, 0), (0, rest)), constant_values=-1)
    found = np.where(chosen_N[:, None, None], boxes, alone).astype(boxes_NK4.dtype)
    return found, np.where(chosen_N[:, None], classes, own).astype(classes_NK.dtype)
