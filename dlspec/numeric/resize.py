"""Bilinear resizing of batches of pictures, antialiased where they shrink, as two matrix products."""

from __future__ import annotations

import functools

import numpy as np

from dlspec.numeric.colour import GREY
from dlspec.numeric.picture_bytes import Fit, inner

BATCH_BYTES = 1 << 25


@functools.cache
def weights(size: int, wanted: int) -> np.ndarray:
    """The matrix (wanted, size) that resamples one axis by a triangle filter, pixel centres at half-integers.

    Enlarging interpolates linearly; shrinking widens the triangle by the same factor, so that every pixel counts
    (Heckbert 1989, "Fundamentals of texture mapping and image warping"; the same as `tf.image.resize` with antialias).
    """
    step = size / wanted
    centres = (np.arange(wanted) + 0.5) * step
    distance = np.abs(np.arange(size) + 0.5 - centres[:, None]) / max(step, 1.0)
    triangle = np.maximum(0.0, 1.0 - distance)
    matrix = (triangle / triangle.sum(axis=1, keepdims=True)).astype(np.float32)
    matrix.flags.writeable = False
    return matrix


def resize(pictures_NHWC: np.ndarray, height: int, width: int) -> np.ndarray:
    """Pictures (N, H, W, C) of any number type → float32 (N, height, width, C), in the same range of values."""
    count, old_height, old_width, channels = pictures_NHWC.shape
    if (old_height, old_width) == (height, width):
        return pictures_NHWC.astype(np.float32, copy=False)
    resized = np.empty((count, height, width, channels), np.float32)
    down, across = weights(old_height, height), weights(old_width, width)
    # In blocks, as float32 copies of a whole data set would not fit beside it.
    block = max(1, BATCH_BYTES // (4 * max(old_height, height) * max(old_width, width) * channels))
    for start in range(0, count, block):
        part = pictures_NHWC[start : start + block].astype(np.float32, copy=False)
        n = len(part)
        rows = np.matmul(down, part.reshape(n, old_height, old_width * channels))
        columns_last = rows.reshape(n, height, old_width, channels).swapaxes(2, 3)
        both = columns_last.reshape(-1, old_width) @ across.T
        resized[start : start + n] = both.reshape(n, height, channels, width).swapaxes(2, 3)
    return resized


def fit_numbers(pictures_NHWC: np.ndarray, shape: tuple[int, int, int], fit: Fit, ground: float) -> np.ndarray:
    """Pictures of any number type brought to a shape (height, width, channels): float32, in the same range of values.

    As `picture_bytes.fit_bytes` does it with bytes; `ground` is the value around a picture that does not fill its
    place.  C is 1 where the pictures are grey.
    """
    height, width, channels = shape
    if channels == 1 and pictures_NHWC.shape[3] == 3:
        pictures_NHWC = pictures_NHWC.astype(np.float32) @ np.array(GREY, np.float32)[:, None]
    h, w = inner(*pictures_NHWC.shape[1:3], height, width, fit)
    resized = resize(pictures_NHWC, h, w)
    if (h, w) == (height, width):
        return resized
    whole = np.full((len(pictures_NHWC), height, width, pictures_NHWC.shape[3]), ground, np.float32)
    top, left = (height - h) // 2, (width - w) // 2
    whole[:, top : top + h, left : left + w] = resized
    return whole
