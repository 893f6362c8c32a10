"""Many pictures as small PNGs that stand in the page itself, within a budget of bytes."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

BUDGET = 3_000_000
"""characters of base64 for the worst pictures together: a report stays under 8 MB"""
STEPS = (
    *((404, False), (160, False), (120, False)),
    *((140, True), (120, True), (96, True), (72, True), (48, True), (32, True)),
)
"""longest side in pixels, and whether colours are reduced to 256: the first that fits the budget is taken"""
PLAIN, DRAWN = 160, 404
"""longest side of a picture, and of one that places are drawn on"""
TRIED = 12
"""so many of them say whether a step is worth trying on all"""


def small(picture: np.ndarray, side: int = PLAIN) -> Image.Image:
    """One picture (H, W) or (H, W, C), uint8, no larger than a report shows it; never enlarged."""
    from PIL import Image

    flat = picture[..., 0] if picture.ndim == 3 and picture.shape[2] == 1 else picture
    return within(Image.fromarray(flat), side)


def inlined(pictures: Iterable[Image.Image], budget: int = BUDGET) -> list[dict[str, Any]]:
    """Each picture as {"png": base64, "width", "height"}, all of them as large as the budget allows together."""
    pictures = list(pictures)
    encoded: list[dict[str, Any]] = []
    for step in STEPS:
        if len(pictures) > TRIED:
            some = [_encoded(pictures[i * len(pictures) // TRIED], *step) for i in range(TRIED)]
            if _spent(some) * len(pictures) / TRIED > budget and step != STEPS[-1]:
                continue
        encoded = [_encoded(picture, *step) for picture in pictures]
        if _spent(encoded) <= budget:
            break
    return encoded


def _spent(encoded: Sequence[dict[str, Any]]) -> int:
    return sum(len(one["png"]) for one in encoded)


def within(picture: Image.Image, side: int) -> Image.Image:
    """The picture with no side longer than this; never enlarged."""
    if max(picture.size) <= side:
        return picture
    smaller = picture.copy()
    smaller.thumbnail((side, side))
    return smaller


def _encoded(picture: Image.Image, side: int, reduced: bool) -> dict[str, Any]:
    picture = within(picture, side)
    if reduced and picture.mode == "RGB":
        from PIL import Image

        picture = picture.quantize(256, Image.Quantize.FASTOCTREE)  # fifty times as fast as the median cut
    held = io.BytesIO()
    picture.save(held, "PNG")
    return {
        "png": base64.b64encode(held.getvalue()).decode("ascii"),
        "width": picture.width,
        "height": picture.height,
    }
