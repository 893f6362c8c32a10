"""A learning-rate range test to look at: a page with its plot, and a table for the terminal."""

from __future__ import annotations

import math
import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from dlspec.report.html import template
from dlspec.report.terminal import number
from dlspec.types import Figure

ROWS = 16
WIDE = 24
"""letters of the longest bar"""


def page(found: Mapping[str, Any], losses: Sequence[float], name: str, optimizer: str) -> str:
    """One HTML page, offline; losses: of each step, as they were."""
    view = {"figure": figure(found, losses), "name": name, "optimizer": optimizer, "steps": len(losses), **found}
    return template("range_test.jinja").render(view)


def figure(found: Mapping[str, Any], losses: Sequence[float]) -> Figure:
    """Loss over learning rate: the smoothed line over what each step gave, cut where it leaves what matters."""
    rates = [point["learning_rate"] for point in found["points"]]
    smooth = [point["loss"] for point in found["points"]]
    known = [loss for loss in smooth if math.isfinite(loss)]
    lowest, start = min(known), max(known[: max(1, len(known) // 3)])
    top = start + 0.5 * (start - lowest)

    def within(values: Sequence[float]) -> list[float | None]:
        return [value if math.isfinite(value) and value <= top else None for value in values]

    data = {
        "series": [
            {"name": "each step", "x": rates, "y": within(losses)},
            {"name": "smoothed", "x": rates, "y": within(smooth)},
        ],
        "x_title": "learning rate (logarithmic)",
        "y_title": "loss",
        "x_logarithmic": True,
        "mark": {"x": found["suggestion"], "name": f"suggested: {found['suggestion']:g}"},
    }
    return Figure("lines", "loss over learning rate", data)


def print_range_test(found: Mapping[str, Any], given: Sequence[str]) -> None:
    """What `train --find-learning-rate` leaves on stdout.  given: recipe and settings, as `train` was given them."""
    points = found["points"]
    chosen = [points[i * (len(points) - 1) // (ROWS - 1)] for i in range(ROWS)] if len(points) > ROWS else points
    lowest = min(one["loss"] for one in points if math.isfinite(one["loss"]))
    top = max(one["loss"] for one in chosen[: max(1, ROWS // 3)] if math.isfinite(one["loss"]))
    nearest = min(chosen, key=lambda one: abs(math.log(one["learning_rate"] / found["suggestion"])))
    print(f"\n{'learning rate':>13}  {'loss':>10}")
    for one in chosen:
        here = "  <- about here" if one is nearest else ""
        bar = _bar(one["loss"], lowest, top)
        print(f"{one['learning_rate']:>13.1e}  {number(one['loss']):>10}  {bar}{here}")
    print()
    diverged = found["diverged_at"]
    said = f"blows up at {diverged:.2g}" if diverged else "never blows up in this range"
    turned = f"turns at {found['high']:.2g} and " if diverged and found["high"] < diverged else ""
    print(f"the loss falls from {found['low']:.2g} on, {turned}{said}; {len(points)} steps, {found['seconds']:.1f} s")
    if found["plot"]:
        print(f"plot: {found['plot']}")
    print(f"suggested learning rate: {found['suggestion']:g}")
    print(f"next: dlspec train {shlex.join(given)} {found['patch']}")


def _bar(loss: float, lowest: float, top: float) -> str:
    """A bar as long as the loss is high; of what is beyond the top, its end is open."""
    block = "█" if _can_show("█") else "#"
    if not math.isfinite(loss) or loss > 1.1 * top:
        return block * WIDE + ">"
    share = (loss - min(0.0, lowest)) / ((top - min(0.0, lowest)) or 1.0)
    return block * max(0, min(WIDE, round(WIDE * share)))


def _can_show(letter: str) -> bool:
    try:
        letter.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
