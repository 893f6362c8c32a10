"""What was found in a picture, drawn on it: a box, its class and confidence, readable at whatever size it has."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

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
KEPT = 500
"""texts that are kept drawn: of a class there are some hundred, by confidence"""

Colour = tuple[int, int, int]


class Drawn:
    """Draws boxes on pictures; each class keeps its colour.  May be used by several threads at once."""

    def __init__(self, names: Sequence[str]) -> None:
        self.colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)}

    def __call__(self, picture: np.ndarray, objects: Sequence[tuple[str, float, Sequence[float]]]) -> np.ndarray:
        """The picture (H, W), (H, W, 1) or (H, W, 3), uint8, with them drawn on it: uint8 (H, W, 3).

        objects: of each its class, its confidence, and x0, y0, x1, y1 in pixels; the texts of the surest lie on top.
        A text stands above its box, or within where there is no room, and never outside of the picture.
        """
        canvas = np.empty((*picture.shape[:2], 3), np.uint8)
        canvas[:] = picture if picture.ndim == 3 else picture[..., None]
        side = (canvas.shape[0] + canvas.shape[1]) / 2
        width = max(1, round(LINE * side))
        letters = int(np.clip(round(TEXT * side), LEAST_TEXT, MOST_TEXT))
        ordered = sorted(objects, key=lambda one: one[1])
        colours = [self.colours.get(name, COLOURS[-1]) for name, _, _ in ordered]
        for (_, _, corners), colour in zip(ordered, colours, strict=True):
            x0, y0, x1, y1 = (round(one) for one in corners)
            x1, y1 = max(x0, x1), max(y0, y1)
            _outline(canvas, x0 - 1, y0 - 1, x1 + 1, y1 + 1, width + 2, EDGE)
            _outline(canvas, x0, y0, x1, y1, width, colour)
        for (name, sure, corners), colour in zip(ordered, colours, strict=True):  # no line crosses a text
            _put(canvas, _label(f"{name} {sure:.2f}", letters, colour), round(corners[0]), round(corners[1]))
        return canvas


def _outline(canvas: np.ndarray, x0: int, y0: int, x1: int, y1: int, width: int, colour: Colour) -> None:
    """Lines within a rectangle, its last row and column included."""
    _fill(canvas, x0, y0, x1, min(y1, y0 + width - 1), colour)
    _fill(canvas, x0, max(y0, y1 - width + 1), x1, y1, colour)
    _fill(canvas, x0, y0, min(x1, x0 + width - 1), y1, colour)
    _fill(canvas, max(x0, x1 - width + 1), y0, x1, y1, colour)


def _fill(canvas: np.ndarray, x0: int, y0: int, x1: int, y1: int, colour: Colour) -> None:
    canvas[max(0, y0) : max(0, y1 + 1), max(0, x0) : max(0, x1 + 1)] = colour


def _put(canvas: np.ndarray, label: np.ndarray, x: int, y: int) -> None:
    (rows, columns), (height, width) = canvas.shape[:2], label.shape[:2]
    x = min(max(0, x), max(0, columns - width))
    y = min(y - height if y >= height else max(0, y), max(0, rows - height))
    canvas[y : y + height, x : x + width] = label[: rows - y, : columns - x]


@functools.lru_cache(KEPT)
def _label(text: str, letters: int, colour: Colour) -> np.ndarray:
    """A text on its colour: uint8 (height, width, 3).  To draw it takes longer than all else of a box."""
    from PIL import Image, ImageDraw

    font = _font(letters)
    left, top, right, bottom = ImageDraw.Draw(Image.new("RGB", (1, 1))).textbbox((0, 0), text, font=font)
    image = Image.new("RGB", (int(right - left + 4), int(bottom - top + 4)), colour)
    brightness = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
    fill = EDGE if brightness >= DARK else (255, 255, 255)
    ImageDraw.Draw(image).text((2 - left, 2 - top), text, font=font, fill=fill)
    return np.asarray(image)


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    from PIL import ImageFont

    return ImageFont.load_default(size)
