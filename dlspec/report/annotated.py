"""What was found in a picture, drawn on it: a box, its class and confidence, readable at whatever size it has."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from PIL import ImageFont

COLOURS = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167),
    (148, 103, 189), (127, 201, 127), (255, 255, 255),
)  # fmt: skip
"""a class each, in turn (Okabe and Ito 2008: told apart by the colour-blind, too)"""
EDGE = (0, 0, 0)
LINE, TEXT = 0.004, 0.028
"""width of a line, and height of a letter, as shares of the mean of the picture's sides"""
LEAST_TEXT, MOST_TEXT = 10, 64
DARK = 140
"""brightness of a colour from which on letters on it are black"""


class Drawn:
    """Draws boxes on pictures; each class keeps its colour.  May be used by several threads at once."""

    def __init__(self, names: Sequence[str]) -> None:
        self.colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)}

    def __call__(self, picture: np.ndarray, objects: Sequence[tuple[str, float, Sequence[float]]]) -> np.ndarray:
        """The picture (H, W), (H, W, 1) or (H, W, 3), uint8, with them drawn on it: uint8 (H, W, 3).

        objects: of each its class, its confidence, and x0, y0, x1, y1 in pixels; the texts of the surest lie on top.
        A text stands above its box, or within where there is no room, and never outside of the picture.
        """
        from PIL import Image, ImageDraw

        flat = picture[..., 0] if picture.ndim == 3 and picture.shape[2] == 1 else picture
        image = Image.fromarray(flat).convert("RGB")
        draw = ImageDraw.Draw(image)
        side = (image.width + image.height) / 2
        width = max(1, round(LINE * side))
        font = _font(int(np.clip(round(TEXT * side), LEAST_TEXT, MOST_TEXT)))
        ordered = sorted(objects, key=lambda one: one[1])
        colours = [self.colours.get(name, COLOURS[-1]) for name, _, _ in ordered]
        for (_, _, corners), colour in zip(ordered, colours, strict=True):
            x0, y0, x1, y1 = (float(one) for one in corners)
            x1, y1 = max(x0, x1), max(y0, y1)
            draw.rectangle([x0 - 1, y0 - 1, x1 + 1, y1 + 1], outline=EDGE, width=width + 2)
            draw.rectangle([x0, y0, x1, y1], outline=colour, width=width)
        for (name, sure, corners), colour in zip(ordered, colours, strict=True):  # no line crosses a text
            at = float(corners[0]), float(corners[1])
            _label(draw, f"{name} {sure:.2f}", at, image.size, font, colour)
        return np.asarray(image)


def _label(draw: Any, text: str, corner: tuple[float, float], size: tuple[int, int], font: Any, colour: Any) -> None:
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    width, height = right - left + 4, bottom - top + 4
    x = min(max(0.0, corner[0]), max(0, size[0] - width))
    y = corner[1] - height if corner[1] >= height else max(0.0, min(corner[1], size[1] - height))
    draw.rectangle([x, y, x + width - 1, y + height - 1], fill=colour)
    brightness = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
    draw.text((x + 2 - left, y + 2 - top), text, font=font, fill=EDGE if brightness >= DARK else (255, 255, 255))


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    from PIL import ImageFont

    return ImageFont.load_default(size)
