"""What may explain why a picture is hard: how bright it is, how much contrast it has, its size and proportions."""

from __future__ import annotations

import math

import numpy as np

from dlspec.numeric.picture_paths import PictureFiles, read_many
from dlspec.numeric.pictures import blocks
from dlspec.types import DataError, Examples

SMALL = (64, 64, 3)
"""files are measured in this size: what is brighter or flatter shows there, too"""
GREY = np.array([0.299, 0.587, 0.114])
"""how much each channel counts (ITU-R BT.601)"""


def picture_facts(examples: Examples) -> dict[str, np.ndarray]:
    """Name → float64 (N,): brightness (mean), contrast (deviation), width, height, aspect (width by height).

    Brightness and contrast are in the data's own unit; of a file that cannot be read, all are NaN.
    """
    measured = np.full((len(examples), 4), math.nan)
    files = examples.columns["x"]
    if isinstance(files, PictureFiles):
        chosen = files[list(examples.rows)]
        heads = chosen.headers()
        for place, (head, picture) in enumerate(zip(heads, read_many(list(chosen), SMALL), strict=True)):
            if not isinstance(head, DataError) and not isinstance(picture, DataError):
                measured[place] = (*_light(picture[None])[0], head.width, head.height)
    else:
        for places, pictures in blocks(examples):
            measured[places, :2] = _light(pictures)
            measured[places, 2], measured[places, 3] = pictures.shape[2], pictures.shape[1]
    brightness, contrast, width, height = measured.T.copy()
    return {
        "brightness": brightness, "contrast": contrast, "width": width, "height": height, "aspect": width / height,
    }  # fmt: skip


def _light(pictures: np.ndarray) -> np.ndarray:
    """(N, H, W, C) → (N, 2) mean and deviation of grey."""
    grey = pictures.astype(np.float32) @ GREY if pictures.shape[3] == 3 else pictures[..., 0].astype(np.float64)
    return np.stack([grey.mean(axis=(1, 2)), grey.std(axis=(1, 2))], axis=1)
