"""Where a network looked while it spoke: pieces of the source against those of what was said, as a picture.

Bahdanau, Cho and Bengio (2015), figure 3: a row for each piece that was said, the darker a cell the more weight.
"""

from __future__ import annotations

import functools
import io
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from dlspec.report.svg import clipped, drawing, tag, text

if TYPE_CHECKING:
    import numpy as np

SUFFIXES = (".png", ".svg")
CELL, LETTERS, GAP = 20, 13, 10
"""side of a cell, height of letters, and what is left free, in pixels of a plain screen"""
LETTER, WIDE = 8.0, 13.0
"""about how wide a letter is, and one of WIDEST"""
WIDEST = frozenset("mwMW%@+=<>&#—…")
LONGEST = 20
"""letters of a label at most"""
MOST = 400
"""pieces of a text that are drawn at most"""
SCALE = 2
"""of a PNG: pixels a side, so that letters are sharp"""
LIGHT, DARK, GREY = (255, 255, 255), (8, 48, 107), (190, 190, 190)
FAINT = 0.004
"""what weighs less is white"""
STEPS = 20
"""of the scale below"""


class Alignment(NamedTuple):
    """What one text was said of another."""

    source: Sequence[str]
    """S pieces, as they are to be read"""
    target: Sequence[str]
    """T pieces"""
    weights: np.ndarray
    """(T, S), from 0 to 1: how much of the attention went where while the piece was said"""


class _Cell(NamedTuple):
    x: float
    y: float
    width: float
    height: float
    colour: tuple[int, int, int] | None
    """None: a frame"""
    says: str = ""


class _Label(NamedTuple):
    says: str
    x: float
    y: float
    anchor: str = "middle"
    """which end stands at x: start, middle, end; of what is turned, at y: its start"""
    turned: bool = False


def alignments(shown: Sequence[Alignment], suffix: str) -> bytes:
    """A file of one or several alignments, one below the other.  suffix: .png or .svg."""
    parts: list[Any] = []
    width, y = 0.0, float(GAP)
    for one in shown:
        found, wide, high = _laid(one, y)
        parts += found
        width, y = max(width, wide), y + high + 2 * GAP
    scale, wide = _scale(y)
    parts += scale
    width, height = max(width, wide) + GAP, y + CELL + GAP
    return _svg(parts, width, height) if suffix == ".svg" else _png(parts, width, height)


def _laid(one: Alignment, top: float) -> tuple[list[Any], float, float]:
    """Its cells and labels, how wide it is, and how high."""
    source, target = ([_readable(piece) for piece in pieces[:MOST]] for pieces in (one.source, one.target))
    turned = max(map(_wide, source), default=0) > CELL
    left = GAP + max(map(_wide, target), default=0) + 6
    above = (max(map(_wide, source), default=0) if turned else LETTERS) + 8
    y0 = top + above
    parts: list[Any] = []
    for t, said in enumerate(target):
        parts.append(_Label(said, left - 6, y0 + CELL * (t + 0.5), "end"))
        for s, piece in enumerate(source):
            weight = float(one.weights[t, s])
            if weight >= FAINT:
                at = left + CELL * s, y0 + CELL * t
                parts.append(_Cell(*at, CELL, CELL, _colour(weight), f"{said} ← {piece}: {weight:.2f}"))
    parts.append(_Cell(left, y0, CELL * len(source), CELL * len(target), None))
    for s, piece in enumerate(source):
        x = left + CELL * (s + 0.5)
        parts.append(
            _Label(piece, x, y0 - 6, "start", turned=True) if turned else _Label(piece, x, y0 - 6 - LETTERS / 2)
        )
    height = above + CELL * len(target)
    left_out = max(len(one.source), len(one.target)) - MOST
    if left_out > 0:
        parts.append(_Label(f"the first {MOST} pieces alone are drawn", GAP, y0 + CELL * (len(target) + 0.6), "start"))
        height += CELL
    return parts, left + CELL * len(source), height


def _scale(y: float) -> tuple[list[Any], float]:
    """What the colours mean, and how wide that is."""
    cells = [_Cell(GAP + 16 + 6 * i, y, 6, CELL, _colour(i / (STEPS - 1))) for i in range(STEPS)]
    end = GAP + 16 + 6 * STEPS
    meaning = "1  share of the attention"
    labels = [_Label("0", GAP, y + CELL / 2, "start"), _Label(meaning, end + 8, y + CELL / 2, "start")]
    return [*cells, *labels], end + 8 + _wide(meaning)


def _colour(weight: float) -> tuple[int, int, int]:
    share = min(max(weight, 0.0), 1.0)
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(LIGHT, DARK, strict=True))
    return red, green, blue


def _readable(piece: str) -> str:
    """A blank as something that can be seen; no line breaks; no longer than a label may be."""
    return clipped(" ".join(piece.split()) or "·", LONGEST)


def _wide(label: str) -> float:
    """About how wide a label is, rather more than less; Chinese characters count twice."""
    twice = sum(unicodedata.east_asian_width(one) in "WF" for one in label)
    wide = sum(one in WIDEST for one in label)
    return LETTER * (len(label) + twice - wide) + WIDE * wide


def _svg(parts: Sequence[Any], width: float, height: float) -> bytes:
    drawn = [tag("rect", x=0, y=0, width=width, height=height, fill="#fff")]
    for one in parts:
        if isinstance(one, _Cell):
            box = {"x": one.x, "y": one.y, "width": one.width, "height": one.height}
            look = {"fill": "none", "stroke": _hex(GREY)} if one.colour is None else {"fill": _hex(one.colour)}
            drawn.append(tag("rect", *([tag("title", one.says)] if one.says else []), **box, **look))
        elif one.turned:
            drawn.append(
                text(one.says, 0, 0, one.anchor, transform=f"translate({one.x + 4:.1f},{one.y:.1f}) rotate(-90)")
            )
        else:
            drawn.append(text(one.says, one.x, one.y + 4.5, one.anchor))
    style = tag("style", f"text {{font: {LETTERS}px sans-serif; fill: #222}}")
    whole = drawing(
        "Where the network looked while it spoke", width, height, style, *drawn, xmlns="http://www.w3.org/2000/svg"
    )
    return str(whole).encode()


def _hex(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _png(parts: Sequence[Any], width: float, height: float) -> bytes:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (round(SCALE * width), round(SCALE * height)), LIGHT)
    draw, font = ImageDraw.Draw(image), _font(SCALE * LETTERS)
    for one in parts:
        x, y = SCALE * one.x, SCALE * one.y
        if isinstance(one, _Cell):
            wide, high, frame = SCALE * one.width, SCALE * one.height, one.colour is None
            # Of Pillow's corners the second is within; a frame lies around.
            corners = (x - 1, y - 1, x + wide, y + high) if frame else (x, y, x + wide - 1, y + high - 1)
            draw.rectangle(corners, fill=one.colour, outline=GREY if frame else None)
        elif one.turned:
            image.paste((34, 34, 34), *_turned(one.says, font, x, y))
        else:
            draw.text((x, y), one.says, (34, 34, 34), font, {"start": "lm", "middle": "mm", "end": "rm"}[one.anchor])
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def _turned(says: str, font: Any, x: float, y: float) -> tuple[tuple[int, int], Any]:
    """Letters that go up from (x, y): where their picture lies, and the picture, to be used as a mask."""
    from PIL import Image, ImageDraw

    size = int(font.getlength(says)) + 2, 2 * SCALE * LETTERS
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).text((0, size[1] / 2), says, 255, font, "lm")
    return (round(x - size[1] / 2), round(y - size[0])), mask.transpose(Image.Transpose.ROTATE_90)


@functools.cache
def _font(size: int) -> Any:
    """DejaVu Sans, which has Greek, Cyrillic and more, where the machine has it; else Pillow's own, which has Latin."""
    from PIL import ImageFont

    try:
        return ImageFont.truetype("DejaVuSans.ttf", size)
    except OSError:
        return ImageFont.load_default(size)
