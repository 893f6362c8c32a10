"""Where in a picture an answer comes from: the picture, and beside it the same under a map of heat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

SIDE, GAP = 132, 4
"""longest side of one panel, and the white between two"""
COLD, HOT = (40, 50, 90), (255, 214, 60)


def beside(picture: np.ndarray, heats: Sequence[np.ndarray]) -> np.ndarray:
    """uint8 (h, w, 3): the picture (H, W, C) of any range of values, then under each map (h', w'), from 0 to 1."""
    import numpy as np

    whole = seen(picture, SIDE)
    panels = [whole, *(under(whole, heat) for heat in heats)]
    white = np.full((whole.shape[0], GAP, 3), 255, np.uint8)
    return np.concatenate([panels[0], *(one for panel in panels[1:] for one in (white, panel))], axis=1)


def seen(picture: np.ndarray, side: int) -> np.ndarray:
    """The picture (H, W, C), its least value black and its greatest white: uint8 (h, w, 3), the longest side `side`."""
    import numpy as np
    from PIL import Image

    low, high = float(picture.min()), float(picture.max())
    grey = np.uint8(np.round((picture - low) * (255 / (high - low if high > low else 1))))
    flat = grey[..., 0] if grey.shape[-1] == 1 else grey[..., :3]
    image = Image.fromarray(flat).convert("RGB")
    ratio = side / max(image.size)
    size = max(1, round(image.width * ratio)), max(1, round(image.height * ratio))
    return np.asarray(image.resize(size, Image.Resampling.NEAREST if ratio > 1 else Image.Resampling.LANCZOS))


def under(whole: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """A picture uint8 (h, w, 3) under a map (h', w') from 0 to 1, which is enlarged smoothly: uint8 (h, w, 3).

    Where the map is 0 the picture is dark blue, at 1 light yellow.
    """
    import numpy as np
    from PIL import Image

    size = whole.shape[1], whole.shape[0]
    smooth = Image.fromarray(np.uint8(np.round(heat * 255))).resize(size, Image.Resampling.BILINEAR)
    share = np.asarray(smooth, np.float64)[..., None] / 255
    colour = np.array(COLD) * (1 - share) + np.array(HOT) * share
    light = whole.mean(axis=-1, keepdims=True) / 255
    found: np.ndarray = np.uint8(np.round(colour * (0.35 + 0.65 * light)))
    return found
