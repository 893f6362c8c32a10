"""Changes of brightness, contrast and colour: one affine map of a pixel's channels, so that it is rounded once."""

from __future__ import annotations

import functools

import numpy as np

GREY = (0.299, 0.587, 0.114)
"""What red, green and blue add to brightness (ITU-R BT.601)."""
YIQ = (GREY, (0.5959, -0.2746, -0.3213), (0.2115, -0.5227, 0.3112))
"""Brightness, and the two axes of colour of the NTSC system: grey has none of either."""


def linear(channels: int, contrast_N: np.ndarray, saturation_N: np.ndarray, hue_N: np.ndarray) -> np.ndarray:
    """The linear parts (N, C, C) of the maps.

    Saturation moves each colour from (factor 0) or away from the grey of the same brightness.  Hue turns the plane of
    colour by a share of the circle (red to yellow), at the same brightness.  Grey stays grey; pictures of one channel
    have neither.
    """
    eye = np.eye(channels)
    maps = np.broadcast_to(eye, (len(contrast_N), channels, channels))
    if channels == 3:
        angle = 2 * np.pi * hue_N
        turn = np.zeros((len(hue_N), 3, 3))
        turn[:, 0, 0] = 1
        turn[:, 1, 1] = turn[:, 2, 2] = np.cos(angle)
        turn[:, 1, 2], turn[:, 2, 1] = np.sin(angle), -np.sin(angle)
        factor = saturation_N[:, None, None]
        maps = np.linalg.inv(YIQ) @ turn @ np.array(YIQ) @ (factor * eye + (1 - factor) * np.array(GREY))
    return contrast_N[:, None, None] * maps


def recolour(picture_HWC: np.ndarray, affine_CD: np.ndarray, contrast: float) -> None:
    """Apply a map (C, C + 1) in place: linear (x - m) + m + added, where m is the grey of the mean brightness.

    The last column is what is added; `contrast` is the factor that the others hold.  uint8 is rounded and clipped,
    float32 is not clipped.
    """
    from dlspec.numeric.opencv import cv2

    if contrast != 1:
        means = cv2.mean(picture_HWC)
        mean = means[0] if len(affine_CD) == 1 else sum(part * of for part, of in zip(GREY, means, strict=False))
        affine_CD = affine_CD.copy()
        affine_CD[:, -1] += (1 - contrast) * mean
    cv2.transform(picture_HWC, affine_CD, dst=picture_HWC)


@functools.cache
def quantiles() -> np.ndarray:
    """float32 (65536,): the normal distribution as numbers of equal probability, with mean 0 and deviation 1."""
    from scipy.special import ndtri

    values = ndtri((np.arange(1 << 16) + 0.5) / (1 << 16))
    table = (values / values.std()).astype(np.float32)
    table.flags.writeable = False
    return table


def add_noise(picture_HWC: np.ndarray, deviation: float, seed: int) -> None:
    """Add independent normal noise in place, in the picture's own range; uint8 is rounded and clipped.

    The noise is drawn as 16 random bits a number and looked up: several times as fast as `standard_normal`.
    """
    from dlspec.numeric.opencv import cv2

    count = picture_HWC.size
    bits = np.random.SFC64(seed).random_raw(-(-count // 4)).view(np.uint16)[:count]
    noise = quantiles().take(bits).reshape(picture_HWC.shape)
    noise *= np.float32(deviation)
    cv2.add(picture_HWC, noise, dst=picture_HWC, dtype=cv2.CV_8U if picture_HWC.dtype == np.uint8 else cv2.CV_32F)
