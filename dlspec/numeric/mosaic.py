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
"""places of the draws for each of the four parts; the last, and the two after it, are for all"""


class Parts(NamedTuple):
    """Of each mosaic and quarter (N, 4): whose picture (N, 4), which part of it, and where it goes (N, 4, 4), in whole
    pixels as left, top, right, bottom."""

    whose: np.ndarray
    of: np.ndarray
    to: np.ndarray


def parts(seeds_N: np.ndarray, height: int, width: int) -> Parts:
    """What mosaics are made of, as many as there are seeds out of as many pictures; each has a part of its own."""
    count, sides = len(seeds_N), np.array([width, height])
    drawn = uniform(seeds_N[:, None], np.arange(QUARTER + 3))
    others, scales = drawn[:, OTHERS : OTHERS + 4], drawn[:, SCALE : SCALE + 4]
    whose = np.minimum((others * count).astype(np.int64), count - 1)
    whose[np.arange(count), (bits(seeds_N, QUARTER) % np.uint64(4)).astype(np.int64)] = np.arange(count)
    middle = (MIDDLE[0] + (MIDDLE[1] - MIDDLE[0]) * drawn[:, QUARTER + 1 :]) * sides
    middle = np.rint(middle).astype(np.int64)
    to = np.zeros((count, 4, 4), np.int64)
    for quarter in range(4):
        right, down = quarter % 2, quarter // 2
        for axis, far in ((0, right), (1, down)):
            to[:, quarter, axis] = middle[:, axis] if far else 0
            to[:, quarter, axis + 2] = sides[axis] if far else middle[:, axis]
    size = to[..., 2:] - to[..., :2]
    least = np.maximum((size / sides).max(axis=2), SMALLEST)
    scale = scales * (1 - least) + least
    taken = np.minimum(np.rint(size / scale[..., None]).astype(np.int64), sides)
    at = np.stack([drawn[:, first : first + 4] for first in (RIGHT, DOWN)], axis=2)
    low = np.floor(at * (sides - taken + 1)).astype(np.int64)
    return Parts(whose, np.concatenate([low, low + taken], axis=2), to)


def composed(pictures_NHWC: np.ndarray, made: Parts, chosen_N: np.ndarray) -> np.ndarray:
    """New pictures: mosaics where chosen, the others as they are."""
    from dlspec.numeric.opencv import cv2

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
    found = np.full((count, 4 * most, 4), np.nan, boxes_NK4.dtype)
    named = np.full((count, 4 * most), -1, classes_NK.dtype)
    found[:, :most], named[:, :most] = boxes_NK4, classes_NK
    whose = made.whose[chosen_N]
    boxes = boxes_NK4[whose].astype(np.float64).reshape(*whose.shape, most, 2, 2)
    of, to = (one[chosen_N].astype(np.float64).reshape(*whose.shape, 1, 2, 2) for one in (made.of, made.to))
    of_low, to_low, to_high = of[..., :1, :], to[..., :1, :], to[..., 1:, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = (boxes - of_low) * ((to_high - to_low) / (of[..., 1:, :] - of_low)) + to_low
        inside = np.clip(moved, to_low, to_high)
        area, left = (np.prod(one[..., 1, :] - one[..., 0, :], axis=-1) for one in (moved, inside))
        kept = (left > 0) & (left >= keep * area)
    new = (len(whose), 4 * most)
    found[chosen_N] = np.where(kept[..., None, None], inside, np.nan).reshape(*new, 4)
    named[chosen_N] = np.where(kept, classes_NK[whose], -1).reshape(new)
    return found, named
