"""Pictures of bytes brought to one size and number of channels: the same bits from files and from arrays."""

from __future__ import annotations

from typing import Literal

import numpy as np
from PIL import Image

Fit = Literal["stretch", "letterbox", "pad"]

REDUCING_GAP = 3.0
"""pictures that shrink by more are first averaged over whole blocks, down to so many times the wanted size: half the
time for a photo, and at most 2 of 255 away from the exact value"""


def resize_bytes(picture_HWC: np.ndarray, height: int, width: int) -> np.ndarray:
    """A picture (H, W, 1 or 3) of uint8 → uint8 (height, width, C): bilinear, antialiased, half-pixel centres.

    The same filter as `dlspec.numeric.resize.resize`, rounded to bytes.
    """
    return fit_bytes(picture_HWC, (height, width, picture_HWC.shape[2]))


def fit_bytes(picture_HWC: np.ndarray, shape: tuple[int, int, int], fit: Fit = "stretch") -> np.ndarray:
    """A picture (H, W, 1 or 3) of uint8 → uint8 (height, width, C), shape being (height, width, channels) as wanted.

    C is 1 where one channel is wanted or given (grey becomes three channels by broadcasting), 3 otherwise.
    Colour becomes grey as ITU-R BT.601 weighs it.  fit: as `Picture.fit` describes; the ground is 0.
    """
    if picture_HWC.shape == shape:
        return picture_HWC
    return fitted(Image.fromarray(picture_HWC[..., 0] if picture_HWC.shape[2] == 1 else picture_HWC), shape, fit)


def fitted(image: Image.Image, shape: tuple[int, int, int], fit: Fit = "stretch") -> np.ndarray:
    """`fit_bytes` of a picture that Pillow holds, of mode L or RGB."""
    height, width, channels = shape
    if channels == 1 and image.mode == "RGB":
        image = image.convert("L")
    old_width, old_height = image.size
    h, w = height, width
    if fit != "stretch":
        ratio = min(height / old_height, width / old_width)
        ratio = min(1.0, ratio) if fit == "pad" else ratio
        h, w = (max(1, round(ratio * side)) for side in (old_height, old_width))
    if (h, w) != (old_height, old_width):
        image = image.resize((w, h), Image.Resampling.BILINEAR, reducing_gap=REDUCING_GAP)
    array = np.asarray(image)
    array = array[..., None] if array.ndim == 2 else array
    if (h, w) == (height, width):
        return array
    ground = np.zeros((height, width, array.shape[2]), np.uint8)
    top, left = (height - h) // 2, (width - w) // 2
    ground[top : top + h, left : left + w] = array
    return ground
