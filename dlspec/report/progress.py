"""Progress on stderr: a bar on a terminal, plain lines when piped."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from typing import Any

from dlspec.numeric.rounding import several
from dlspec.report.watch import EpochReport, Watch

LINE_SECONDS = 5.0
WIDE, NARROW, TINY = 96, 50, 30
"""columns of a terminal: from the first on with speed and best score; below the others without bar, without score"""


def bar(console: Any) -> Any:
    """A progress bar with as much beside it as the terminal is wide: which epoch, and how much is done, always."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Column

    def kept(text: str) -> Any:
        return TextColumn(text, table_column=Column(no_wrap=True))

    said = "{task.fields[speed]}{task.fields[score]}" if console.width >= WIDE else "{task.fields[short]}"
    columns = [
        kept("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
        *([BarColumn(bar_width=None if console.width < WIDE else 40)] if console.width >= NARROW else []),
        kept("{task.percentage:>3.0f} %"),
        *([TimeRemainingColumn(compact=True, elapsed_when_finished=True)] if console.width >= NARROW else []),
        *([kept(said)] if console.width >= TINY else []),
    ]
    return Progress(*columns, console=console, refresh_per_second=5)


class ConsoleWatch(Watch):
    """Says on stderr what `dlspec.report.watch.Watch` hears; a bar where stderr is a terminal."""

    def __init__(self) -> None:
        self.bar: Any = None
        # A dumb terminal (an editor's, a log) cannot draw a line anew.
        self.terminal = sys.stderr.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")
        self.said = 0.0
        self.drawn = 0.0
        self.best: float | None = None
        self.first: tuple[int, float] | None = None
        """the epoch that was reported first, and when: it holds compilation, or began in its middle"""

    def note(self, sentence: str) -> None:
        self._line(sentence)

    def warn(self, sentence: str) -> None:
        self._line(f"warning: {sentence}")

    def _line(self, text: str) -> None:
        if self.bar is not None:
            self.bar.console.print(text, markup=False, highlight=False)
        else:
            print(text, file=sys.stderr, flush=True)

    def training(self, epochs: int, steps: int) -> None:
        self.epochs, self.steps = epochs, max(1, steps)
        self.began, self.first = time.monotonic(), None
        if not self.terminal:
            self._line(f"training: {epochs} epoch{'s' * (epochs != 1)} of {steps} step{'s' * (steps != 1)}")
            return
        from rich.console import Console

        self.bar = bar(Console(stderr=True))
        self.task = self.bar.add_task(
            "", total=epochs * self.steps, epoch=1, epochs=epochs, speed="", score="", short=""
        )
        self.bar.start()

    def step(self, epoch: int, step: int, loss: float) -> None:
        if self.bar is not None and time.monotonic() - self.drawn > 0.1:
            self.drawn = time.monotonic()
            self.bar.update(self.task, completed=epoch * self.steps + step, epoch=epoch + 1)

    def epoch(self, report: EpochReport) -> None:
        score = report.dev.get(report.headline)
        if report.best:
            self.best = score
        dev = "" if score is None else f", dev {report.headline} {score:.4f}"
        if score is not None and self.best is not None:
            dev += " (the best)" if report.best else f" (best {self.best:.4f})"
        speed = f"{several(report.examples_per_second, 'example')}/s"
        short = "" if score is None else f"dev {score:.4f}"
        if self.bar is not None:
            self.bar.update(
                self.task, completed=report.epoch * self.steps, epoch=report.epoch, speed=speed, score=dev, short=short
            )
            return
        now = time.monotonic()
        left = self._left(report, now)
        if report.epoch not in (1, report.epochs) and now - self.said < LINE_SECONDS:
            return
        self.said = now
        losses = ", ".join(f"{name} {value:.4f}" for name, value in report.train.items())
        self._line(f"epoch {report.epoch}/{report.epochs}: {losses}{dev}; {speed}{left}")

    def _left(self, report: EpochReport, now: float) -> str:
        """The time that is left, by the epochs after the first, which says no more than how long it takes at most."""
        ahead = report.epochs - report.epoch
        if self.first is None:
            self.first = report.epoch, now
            most = f", at most {(now - self.began) * ahead:.0f} s left" if report.epoch == 1 else ""
            return most if ahead else ", 0 s left"
        epoch, then = self.first
        return f", {(now - then) / max(1, report.epoch - epoch) * ahead:.0f} s left"

    def trained(self) -> None:
        if self.bar is not None:
            self.bar.stop()
            self.bar = None


def scores_line(metrics: Mapping[str, Mapping[str, float]]) -> str:
    """`accuracy 0.98, f1 0.97` of one split."""
    return ", ".join(f"{name} {one['value']:.4f}" for name, one in metrics.items() if one.get("value") is not None)
