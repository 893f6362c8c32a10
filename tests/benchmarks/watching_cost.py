"""What health, TensorBoard and checkpoints cost, at their default intervals, of a training of a minute.

The time within them is added up in the training itself: every call of the health's looks, of the board and of the
writing of checkpoints.  Figure: under 3 % of the time from the first step to the last.

    python tests/benchmarks/watching_cost.py [seconds] [CASE …]

Cases as in training_speed.py: lenet5 (needs $DLSPEC_DATA), mlp, resnet.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from figures import Figures, runs
from training_child import CASES, recipe_of

from dlspec.recipe.load import load
from dlspec.report.watch import EpochReport, Watch
from dlspec.runs import health, observer, tensorboard
from dlspec.runs.train import train

spent: dict[str, float] = {}
within: list[str] = []


def timed(of: type, name: str, what: str) -> None:
    """Every outermost call of a method is timed."""
    inner: Callable[..., Any] = getattr(of, name)

    @functools.wraps(inner)
    def method(*given: Any, **named: Any) -> Any:
        if within:
            return inner(*given, **named)
        within.append(what)
        began = time.perf_counter()
        try:
            return inner(*given, **named)
        finally:
            within.clear()
            spent[what] = spent.get(what, 0.0) + time.perf_counter() - began

    setattr(of, name, method)


class Clock(Watch):
    """Ends a training after so many seconds, by its epochs."""

    def __init__(self) -> None:
        self.first = self.last = 0.0
        self.epochs = 0

    def training(self, epochs: int, steps: int) -> None:
        self.first = time.perf_counter()

    def epoch(self, report: EpochReport) -> None:
        self.last, self.epochs = time.perf_counter(), report.epoch


def trained(case: str, home: Path, epochs: int) -> Clock:
    clock = Clock()
    train(load(recipe_of(case, home), [f"train.epochs={epochs}"]), out=home / "runs", watch=clock)
    return clock


def main(seconds: float, cases: list[str]) -> None:
    figures = Figures()
    for name in ("begin", "stepped", "end"):
        timed(health.Health, name, "health")
    for name in [one for one in vars(tensorboard.Board) if not one.startswith("_")]:
        if callable(getattr(tensorboard.Board, name)):
            timed(tensorboard.Board, name, "TensorBoard")
    timed(observer.Observer, "save", "checkpoints")
    with runs() as home:
        for case in cases:
            short = trained(case, home, 3)
            epochs = max(3, round(seconds / ((short.last - short.first) / 3)))
            spent.clear()
            whole = trained(case, home, epochs)
            total = whole.last - whole.first
            shares = ", ".join(f"{what} {100 * one / total:.2f} %" for what, one in spent.items())
            share = sum(spent.values()) / total
            figures.check(
                f"{case}: {100 * share:.2f} % of {total:.0f} s in {whole.epochs} epochs (under 3 %): {shares}",
                share < 0.03,
            )
    figures.leave()


main(float(sys.argv[1]) if sys.argv[1:] else 60.0, sys.argv[2:] or list(CASES))
