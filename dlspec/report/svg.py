"""SVG as text: elements that escape what they hold, and a plot's frame with round ticks.

Colours are classes; the page's style gives them values for light, dark and print.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from markupsafe import Markup, escape

from dlspec.numeric.rounding import round_range

WIDTH, HEIGHT = 360, 250
"""of a plot, in its own units: about a pixel each on a phone, where one plot fills the screen"""
LETTER = 6.1
"""about how wide a letter of the 11 px labels is"""
LINE = 15


def tag(name: str, *inside: Any, **attributes: Any) -> Markup:
    """One element.  Text inside and values of attributes are escaped; `class_` is class, `text_anchor` text-anchor."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_short(value))}"' for key, value in attributes.items()
    )
    return Markup(f"<{name}{written}>{''.join(escape(one) for one in inside)}</{name}>")


def drawing(title: str, width: float, height: float, *inside: Any, **attributes: Any) -> Markup:
    """A whole picture, with a title that screen readers read."""
    return tag(
        "svg",
        tag("title", title),
        *inside,
        viewBox=f"0 0 {_short(width)} {_short(height)}",
        width=width,
        height=height,
        role="img",
        aria_label=title,
        **attributes,
    )


def text(content: str, x: float, y: float, anchor: str = "middle", class_: str = "label", **more: Any) -> Markup:
    return tag("text", content, x=x, y=y, text_anchor=anchor, class_=class_, **more)


def path(points: Iterable[tuple[float, float]], class_: str) -> Markup:
    """A line through points."""
    steps = " ".join(f"{_short(x)},{_short(y)}" for x, y in points)
    return tag("polyline", points=steps, class_=class_)


def clipped(name: str, most: int) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def ticked(values: Sequence[float], step: float) -> list[str]:
    """Labels of round numbers that are `step` apart, to as many decimals as the step has."""
    largest = max(map(abs, values))
    if largest >= 1e6 or step < 1e-4:
        return [f"{value:.4g}".replace("-", "−") for value in values]
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return [f"{value:,.{digits}f}".replace("-", "−") for value in values]


class Axis:
    """One axis: what range it shows, and where on the drawing a value lies."""

    def __init__(
        self,
        values: Iterable[float],
        *,
        within: Sequence[float] | None = None,
        most: int = 6,
        whole: bool = False,
        logarithmic: bool = False,
    ) -> None:
        """values: what it must show.  within: show this range instead.  whole: ticks at whole numbers alone."""
        self.start, self.end = 0.0, 1.0
        self.logarithmic = logarithmic
        known = list(within or values) or [0.0, 1.0]
        low, high = min(known), max(known)
        if logarithmic:
            low, high = (low, high) if low < high else (low / 2, 2 * high)
            self.low, self.high = low, high
            decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
            digits = (1, 2, 5) if len(decades) < 4 else (1,)
            every = -(-len(decades) // most)
            marks = [float(f"{d}e{e}") for e in decades if e % every == 0 for d in digits]
            # A narrow range may hold no round number.
            self.ticks = [mark for mark in marks if low <= mark <= high] or [low, high]
            self.labels = [f"{tick:.4g}" for tick in self.ticks]
            return
        self.ticks = round_range(low, high, most)
        if whole:
            self.ticks = [tick for tick in self.ticks if tick == round(tick) and low <= tick <= high]
            self.ticks = self.ticks or [low]
            self.low, self.high = (low, high) if low < high else (low - 0.5, high + 0.5)
        else:
            self.low, self.high = self.ticks[0], self.ticks[-1]
        step = self.ticks[1] - self.ticks[0] if len(self.ticks) > 1 else 1.0
        self.labels = ticked(self.ticks, step)

    def span(self, start: float, end: float) -> Axis:
        """Lay the axis from `start` to `end` of the drawing."""
        self.start, self.end = start, end
        return self

    def __call__(self, value: float) -> float:
        low, high = self.low, self.high
        if self.logarithmic:
            low, high, value = math.log10(low), math.log10(high), math.log10(value)
        return self.start + (self.end - self.start) * (value - low) / (high - low)


class Frame:
    """The ground of a plot: where its axes lie, and their lines, ticks, labels and titles."""

    def __init__(self, x: Axis, y: Axis, *, x_title: str, y_title: str, above: float = 0.0) -> None:
        """above: room that the caller wants over the plot, for a legend."""
        left = 12 + LETTER * max(map(len, y.labels))
        # The last label stands in the middle under its tick, at the end of the axis.
        right = max(14, 2 + LETTER * len(x.labels[-1]) / 2)
        self.x, self.y = x.span(left, WIDTH - right), y.span(HEIGHT - 40, 22 + above)
        self.titles = x_title, y_title

    def drawn(self) -> list[Markup]:
        x, y = self.x, self.y
        parts = []
        for tick, label in zip(y.ticks, y.labels, strict=True):
            parts.append(tag("line", x1=x.start, x2=x.end, y1=y(tick), y2=y(tick), class_="grid"))
            parts.append(text(label, x.start - 6, y(tick) + 4, "end"))
        parts.append(tag("line", x1=x.start, x2=x.end, y1=y.start, y2=y.start, class_="axis"))
        every = self._every()
        first = x.ticks.index(0) if 0 in x.ticks else 0
        for place, (tick, label) in enumerate(zip(x.ticks, x.labels, strict=True)):
            parts.append(tag("line", x1=x(tick), x2=x(tick), y1=y.start, y2=y.start + 4, class_="axis"))
            if not (place - first) % every:
                parts.append(text(label, x(tick), y.start + 16))
        x_title, y_title = self.titles
        parts.append(text(clipped(x_title, 54), (x.start + x.end) / 2, HEIGHT - 6, class_="title"))
        parts.append(text(clipped(y_title, 54), 2, 11, "start", class_="title"))
        return parts

    def _every(self) -> int:
        """Every which tick of the x axis has a label, so that none touches the next."""
        x = self.x
        apart = min((after - before for before, after in pairwise(map(x, x.ticks))), default=math.inf)
        if x.logarithmic or not apart:
            return 1
        return max(1, math.ceil((LETTER * max(map(len, x.labels)) + 6) / apart))


def _short(value: Any) -> Any:
    """A place on the drawing to a tenth, which is all that a screen shows."""
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else value
