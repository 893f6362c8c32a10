"""Parallel coordinates: an upright axis a parameter, a line a trial; the best stand out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from dlspec.report.svg import clipped, drawing, path, tag, text

APART, TALL, TOP, SIDE = 130, 220, 34, 70
"""between axes, of an axis, above it, and beside the outer ones"""
FAINT = 0.18


def share(value: Any, axis: Mapping[str, Any]) -> float | None:
    """Where a value stands on its axis, from 0 (low) to 1; None where it was not drawn."""
    if value is None:
        return None
    if axis["kind"] == "choice":
        return (axis["options"].index(value) + 0.5) / len(axis["options"])
    low, high, value = axis["low"], axis["high"], float(value)
    if axis["kind"] == "log_uniform":
        low, high, value = math.log(low), math.log(high), math.log(value)
    elif axis["kind"] == "one_minus_log_uniform":
        low, high, value = -math.log(1 - low), -math.log(1 - high), -math.log(1 - value)
    return (value - low) / (high - low) if high > low else 0.5


def parallel(title: str, axes: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]]) -> Markup:
    """axes: name, title, kind, low and high or options.  rows: label, best, values by axis name."""
    width = 2 * SIDE + APART * (len(axes) - 1)
    parts: list[Markup] = []
    for place, axis in enumerate(axes):
        x = SIDE + APART * place
        parts.append(text(clipped(axis["title"], 20), x, 12, class_="title"))
        parts.append(tag("line", x1=x, x2=x, y1=TOP, y2=TOP + TALL, class_="axis"))
        if axis["kind"] == "choice":
            ends = [(share(one, axis), str(one)) for one in axis["options"]]
        else:
            ends = [(0.0, f"{axis['low']:.3g}"), (1.0, f"{axis['high']:.3g}")]
        for at, label in ends:
            parts.append(text(clipped(label, 14), x + 4, _y(at or 0.0) + 4, "start"))
    for row in sorted(rows, key=lambda one: bool(one["best"])):
        spots = [
            (SIDE + APART * place, _y(at))
            for place, axis in enumerate(axes)
            if (at := share(row["values"].get(axis["name"]), axis)) is not None
        ]
        line = path(spots, "line c1" if row["best"] else "line c0")
        parts.append(tag("g", tag("title", row["label"]), line, stroke_opacity=1 if row["best"] else FAINT))
    return drawing(title, width, TOP + TALL + 14, *parts)


def _y(at: float) -> float:
    return TOP + TALL * (1 - at)
