"""The ways to carry out a step of training, and which was found the fastest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from dlspec.numeric.rounding import several

MARGIN = 1.05
"""how many times as fast as in parallel another way must be"""

Way = Literal["parallel", "single_threaded", "xla"]
"""as dlspec.runs.compilation describes them"""


class Timed(NamedTuple):
    """Seconds a step each way (None: not tried), and those that compiling took; `cannot`: what XLA said if it could
    not."""

    parallel: float
    single_threaded: float | None = None
    xla: float | None = None
    compiling: float = 0.0
    cannot: str = ""

    def fastest(self, ways: Sequence[Way], left: int | None = None) -> Way:
        """Which of some ways to take.

        left: steps to come, in which the time of compiling must be won twice; None: it was spent already.
        """
        way: Way = "parallel"
        seconds = self.parallel
        if "single_threaded" in ways and self.single_threaded and seconds > MARGIN * self.single_threaded:
            way, seconds = "single_threaded", self.single_threaded
        if "xla" in ways and self.xla and seconds > MARGIN * self.xla:
            pays = left is None or left * (seconds - self.xla) > 2 * self.compiling
            way = "xla" if pays else way
        return way

    def said(self, way: Way, since: int, size: int) -> list[str]:
        """What was measured and taken, in words.  since: which step it holds from.  size: examples a step."""

        def rates(seconds: float) -> str:
            return f"{size / seconds:,.0f} against {several(size / self.parallel, 'example')} a second"

        lines = []
        if self.single_threaded:
            taken = f"operations run in a single thread from step {since:,} on: "
            left = "operations run in several threads: in a single one "
            lines.append(f"{taken if way == 'single_threaded' else left}{rates(self.single_threaded)} (train.executor)")
        if self.xla:
            how = f"compiled with XLA from step {since:,} on" if way == "xla" else "not compiled with XLA"
            lines.append(f"{how}: with it {rates(self.xla)} (train.compile)")
        elif self.cannot:
            lines.append(f"XLA cannot compile this network ({self.cannot}): it is trained without")
        return lines
