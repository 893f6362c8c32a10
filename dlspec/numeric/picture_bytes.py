"""Pictures of bytes brought to one size and number of channels: one function for files and for arrays."""

from __future__ import annotations

from typing import Literal

import numpy as np

from dlspec.numeric.opencv import cv2

Fit = Literal["stretch", "letterbox", "pad"]

SMOOTHED, AVERAGED = 1.6, 3.0
"""sides that shrink by more are smoothed and sampled, or averaged: each the quicker where it is used"""


def resize_bytes(picture_HWC: np.ndarray, height: int, width: int) -> np.ndarray:
    """A picture (H, W, 1 or 3) of uint8 → uint8 (height, width, C), antialiased, pixel centres at half-integers.

    Enlarging and shrinking a little interpolate linearly.  A side that shrinks to between 1/1.6 and 1/3 is sampled so
    from means of three pixels, which comes nearer to the triangle filter of `numeric.resize` than a Gaussian does, at
    less cost; where a side shrinks by more, each pixel becomes the mean of what it covers.
    """
    channels = picture_HWC.shape[2]
    # A side that shrinks does so before the other one grows: there is less to do, and OpenCV averages only shrinking.
    smaller = min(height, picture_HWC.shape[0]), min(width, picture_HWC.shape[1])
    resized = _shrunk(picture_HWC, *smaller)
    if resized.shape[:2] != (height, width):
        resized = cv2.resize(resized, (width, height), interpolation=cv2.INTER_LINEAR)
    return resized.reshape(height, width, channels)


def fit_bytes(picture_HWC: np.ndarray, shape: tuple[int, int, int], fit: Fit = "stretch") -> np.ndarray:
    """A picture (H, W, 1 or 3) of uint8 → uint8 (height, width, C), shape being (height, width, channels) as wanted.

    C is 1 where one channel is wanted or given (grey becomes three channels by broadcasting), 3 otherwise.
    Colour becomes grey as ITU-R BT.601 weighs it.  fit: as `Picture.fit` describes; the ground is 0.
    """
    height, width, channels = shape
    if channels == 1 and picture_HWC.shape[2] == 3:
        picture_HWC = cv2.cvtColor(picture_HWC, cv2.COLOR_RGB2GRAY)[..., None]
    h, w = inner(picture_HWC.shape[0], picture_HWC.shape[1], height, width, fit)
    resized = resize_bytes(picture_HWC, h, w)
    if (h, w) == (height, width):
        return resized
    ground = np.zeros((height, width, picture_HWC.shape[2]), np.uint8)
    top, left = (height - h) // 2, (width - w) // 2
    ground[top : top + h, left : left + w] = resized
    return ground


def fit_block(pictures_NHWC: np.ndarray, shape: tuple[int, int, int], fit: Fit = "stretch") -> np.ndarray:
    """Pictures of one size (N, H, W, 1 or 3), each as `fit_bytes` gives it: (N, height, width, C)."""
    height, width, channels = shape
    given = pictures_NHWC.shape[1:]
    if inner(*given[:2], height, width, fit) != given[:2] or (channels, given[2]) == (1, 3):
        return np.stack([fit_bytes(one, shape, fit) for one in pictures_NHWC])
    # Nothing is resampled or weighed: all at once.
    if given[:2] == (height, width):
        return pictures_NHWC
    ground = np.zeros((len(pictures_NHWC), height, width, given[2]), np.uint8)
    top, left = (height - given[0]) // 2, (width - given[1]) // 2
    ground[:, top : top + given[0], left : left + given[1]] = pictures_NHWC
    return ground


def inner(given_height: int, given_width: int, height: int, width: int, fit: Fit) -> tuple[int, int]:
    """Height and width of the picture within what is wanted; what is around it is ground."""
    if fit == "stretch":
        return height, width
    ratio = min(height / given_height, width / given_width)
    ratio = min(1.0, ratio) if fit == "pad" else ratio
    return max(1, round(ratio * given_height)), max(1, round(ratio * given_width))


def _shrunk(picture_HWC: np.ndarray, height: int, width: int) -> np.ndarray:
    down, across = picture_HWC.shape[0] / height, picture_HWC.shape[1] / width
    if down == across == 1:
        return picture_HWC
    if max(down, across) > AVERAGED:
        return cv2.resize(picture_HWC, (width, height), interpolation=cv2.INTER_AREA)
    window = (3 if across > SMOOTHED else 1, 3 if down > SMOOTHED else 1)
    if window != (1, 1):
        picture_HWC = cv2.blur(picture_HWC, window, borderType=cv2.BORDER_REPLICATE)
    return cv2.resize(picture_HWC, (width, height), interpolation=cv2.INTER_LINEAR)
