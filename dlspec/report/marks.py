"""Truth and guess drawn on a picture: boxes, points and masks, readable at whatever size the picture has.

Truth is blue and solid, a guess orange and dashed or crossed (Okabe and Ito 2008: told apart by the colour-blind, too).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dlspec.types import Marks

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

SIDE = 200
"""longest side in pixels that a picture is brought to before it is drawn on"""
TRUTH, GUESS, EDGE = (0, 144, 255), (255, 149, 0), (0, 0, 0)
CLASSES = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167),
    (148, 103, 189), (255, 255, 255), (127, 201, 127),
)  # fmt: skip
UNJUDGED, IGNORED = (128, 128, 128), 255
TINT = 0.55
"""how much of a class's colour lies over its pixels"""
DASH = 5
LEGEND = "blue: truth; orange, dashed or crossed: guess"
LEGEND_OF_MASKS = "left: truth; right: guess; a colour a class, the most frequent one left clear"
OF_TRUTH, OF_TRUTH_MASKS = "blue: truth", "truth: a colour a class, the most frequent one left clear"
OF_GUESS, OF_GUESS_MASKS = "orange: guess", "guess: a colour a class, the first class left clear"


def marked(
    picture: np.ndarray, truth: Marks, guess: Marks | None, side: int = SIDE, clear: int | None = None
) -> np.ndarray:
    """The picture (H, W) or (H, W, C), uint8, with both drawn on it: uint8 (h, w, 3), the longest side about `side`.

    Small ones are enlarged by a whole number, pixel by pixel.  Masks stand side by side; clear: the class that is left
    without a colour, None being the most frequent one.  A truth that is not known is an empty Marks().
    """
    import numpy as np

    canvas, ratio = _sized(picture, side)
    masks = [one.mask for one in (truth, guess) if one is not None and one.mask is not None]
    if masks:
        clear = most_frequent(masks[0]) if clear is None else clear
        panels = [_tinted(canvas, one, clear) for one in masks]
        gap = np.full((canvas.height, 4, 3), 255, np.uint8)
        return np.concatenate([panels[0], *(one for panel in panels[1:] for one in (gap, panel))], axis=1)
    from PIL import ImageDraw

    draw = ImageDraw.Draw(canvas)
    for marks, colour, dashed in ((truth, TRUTH, False), (guess, GUESS, True)):
        if marks is not None:
            for box in marks.boxes:
                _box(draw, [one * ratio for one in box[1:5]], colour, dashed)
    places = {name: (x * ratio, y * ratio) for name, x, y in truth.points}
    for name, x, y in guess.points if guess is not None else ():
        here = (x * ratio, y * ratio)
        if name in places:
            draw.line([places[name], here], fill=GUESS)
        _cross(draw, here)
    for x, y in places.values():
        draw.ellipse([x - 4, y - 4, x + 4, y + 4], outline=EDGE)
        draw.ellipse([x - 3, y - 3, x + 3, y + 3], outline=TRUTH, width=2)
    return np.asarray(canvas)


def legend(marks: Marks, *, true: bool = True, guessed: bool = True) -> str:
    """What the colours mean, in a sentence.  true, guessed: whether a truth, whether a guess is drawn."""
    said, of_masks = {
        (True, True): (LEGEND, LEGEND_OF_MASKS),
        (True, False): (OF_TRUTH, OF_TRUTH_MASKS),
        (False, True): (OF_GUESS, OF_GUESS_MASKS),
    }[true, guessed]
    return said if marks.mask is None else of_masks


def _sized(picture: np.ndarray, side: int) -> tuple[Image.Image, float]:
    """The picture in colours, near the wanted size, and how much larger it is than it was."""
    from PIL import Image

    flat = picture[..., 0] if picture.ndim == 3 and picture.shape[2] == 1 else picture
    image = Image.fromarray(flat).convert("RGB")
    longest = max(image.size)
    if longest * 2 <= side:
        times = side // longest
        return image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST), times
    ratio = side / longest
    size = max(1, round(image.width * ratio)), max(1, round(image.height * ratio))
    return image.resize(size, Image.Resampling.LANCZOS), ratio


def most_frequent(mask: np.ndarray) -> int:
    """The class that most pixels of a mask have."""
    import numpy as np

    counts = np.bincount(mask.reshape(-1), minlength=256)[:IGNORED]
    return int(counts.argmax())


def palette() -> list[int]:
    """Red, green and blue of each class index, in which a mask is looked at: 768 numbers; the first class is black."""
    colours = [EDGE, *(CLASSES[k % len(CLASSES)] for k in range(IGNORED - 1)), UNJUDGED]
    return [part for colour in colours for part in colour]


def _tinted(canvas: Image.Image, mask: Any, clear: int) -> np.ndarray:
    """Every class but the clear one in a colour of its own over the picture; grey where nobody has judged."""
    import numpy as np
    from PIL import Image

    large = np.asarray(Image.fromarray(np.asarray(mask, np.uint8)).resize(canvas.size, Image.Resampling.NEAREST))
    colours = np.array([CLASSES[(k - (k > clear)) % len(CLASSES)] for k in range(256)], np.float32)
    colours[IGNORED] = UNJUDGED
    over = (large != clear)[..., None] * np.float32(TINT)
    return np.rint(np.asarray(canvas) * (1 - over) + colours[large] * over).astype(np.uint8)


def _box(draw: Any, corners: Sequence[float], colour: Any, dashed: bool) -> None:
    x0, y0, x1, y1 = corners
    sides = [((x0, y0), (x1, y0)), ((x1, y0), (x1, y1)), ((x1, y1), (x0, y1)), ((x0, y1), (x0, y0))]
    for start, end in sides:
        for a, b in _dashes(start, end) if dashed else [(start, end)]:
            draw.line([a, b], fill=EDGE, width=4)
            draw.line([a, b], fill=colour, width=2)


def _dashes(start: tuple[float, float], end: tuple[float, float]) -> list[tuple[Any, Any]]:
    length = math.dist(start, end)
    count = max(1, round(length / (2 * DASH)))

    def at(share: float) -> tuple[float, float]:
        return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share

    return [(at(k / count), at((k + 0.5) / count)) for k in range(count)]


def _cross(draw: Any, at: tuple[float, float]) -> None:
    x, y = at
    for width, colour in ((4, EDGE), (2, GUESS)):
        draw.line([x - 4, y - 4, x + 4, y + 4], fill=colour, width=width)
        draw.line([x - 4, y + 4, x + 4, y - 4], fill=colour, width=width)
