"""Predictions of examples that were not trained on: the recipe trained k times, each time without one fold."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dlspec.data.basis import Pool
from dlspec.recipe.load import Loaded, load
from dlspec.report.watch import EpochReport, Watch
from dlspec.runs import folder as folders
from dlspec.runs.opened import OpenedRun
from dlspec.runs.train import train
from dlspec.types import ArgumentError, Examples, Splits, State

DEV_SHARE = 0.1
"""of what is not in the fold: it decides which epoch is kept, so that the fold itself decides nothing"""
BARE = ("train.tensorboard=false", "train.health=false", "goal.subject_to=null")
"""what a training is spared whose network is asked once and thrown away"""


class Muted(Watch):
    """Passes on how training comes along, and no sentences: they would be the same for every fold."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    def training(self, epochs: int, steps: int) -> None:
        self.watch.training(epochs, steps)

    def step(self, epoch: int, step: int, loss: float) -> None:
        self.watch.step(epoch, step, loss)

    def epoch(self, report: EpochReport) -> None:
        self.watch.epoch(report)

    def trained(self) -> None:
        self.watch.trained()


class Held(NamedTuple):
    """One fold: its examples, what the network that never saw them says, and that network's state."""

    rows: list[int]
    """of the whole, in the order of the examples"""
    examples: Examples
    predictions: Any
    state: State


def held_out(opened: OpenedRun, whole: Examples, folds: int, watch: Watch) -> Iterator[Held]:
    """Every fold of the examples, predicted by the run's recipe trained on the others.

    Folds are drawn by the recipe's split seed, whole groups, every class in proportion.  Where the run has a dev, a
    tenth of what is not in the fold stands in for it.  Raises ArgumentError where there are too few examples.
    """
    loaded = load(opened.folder / "recipe.yaml", BARE)
    split = loaded.recipe.data.dividing.model_copy(update={"folds": None, "fold": 0, "time": None})
    if split.group is not None and whole.columns["groups"] is None:
        split = split.model_copy(update={"group": None})
    pool = Pool.of(whole, split, 1)
    units = len(whole) if pool.groups is None else len(set(pool.groups))
    if folds < 2 or 2 * folds > units:
        what = "examples" if pool.groups is None else f"groups of '{split.group}'"
        raise ArgumentError(f"{units:,} {what} cannot make {folds} folds; --folds takes 2 to {max(2, units // 2)}")
    needs_dev = "dev" in folders.read_json(opened.folder / "scores.json", default={}).get("scores", {})
    began = time.monotonic()
    for fold in range(folds):
        mine, others = pool.fold(list(range(len(whole))), folds, fold)
        parts = {"train": whole.take(others)}
        if needs_dev:
            dev, rest = pool.cut(others, [max(1, round(DEV_SHARE * len(others)))])
            if dev and rest:
                parts = {"train": whole.take(sorted(rest)), "dev": whole.take(sorted(dev))}
        left = f"; about {minutes((time.monotonic() - began) / fold * (folds - fold))} left" if fold else ""
        watch.note(f"fold {fold + 1} of {folds}: training without {len(mine):,} of {len(whole):,} examples{left}")
        yield _predicted(loaded, Splits(parts, f"fold {fold}"), whole, mine, watch)


def _predicted(loaded: Loaded, splits: Splits, whole: Examples, rows: Sequence[int], watch: Watch) -> Held:
    with tempfile.TemporaryDirectory(prefix="dlspec_fold_") as folder:
        run = OpenedRun(Path(train(loaded, out=folder, watch=Muted(watch), splits=splits).run))
        examples, predictions = run.scored(whole.take(rows))
    place = dict(zip(whole.take(rows).ids, rows, strict=True))
    return Held([place[one] for one in examples.ids], examples, predictions, run.state)


def minutes(seconds: float) -> str:
    """A duration as a person says it."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
