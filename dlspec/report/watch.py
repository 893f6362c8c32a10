"""What a verb tells whoever watches it: sentences, and how training comes along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from dlspec.types import Examples, Statistics


class EpochReport(NamedTuple):
    """One epoch of training, as it ends."""

    epoch: int
    epochs: int
    seconds: float
    examples_per_second: float
    train: Mapping[str, float]
    dev: Mapping[str, float]
    headline: str
    best: bool
    """its weights are the best so far, and kept: of equally good epochs those of the last"""


class Watch:
    """Hears everything and says nothing: what a Python caller gets.  The command line's own says it on stderr."""

    def note(self, sentence: str) -> None:
        """One sentence for a person."""

    def warn(self, sentence: str) -> None:
        """One sentence that a person should act on."""

    def training(self, epochs: int, steps: int) -> None:
        """Training begins."""

    def step(self, epoch: int, step: int, loss: float) -> None:
        """Some steps are done; `step` counts within the epoch."""

    def epoch(self, report: EpochReport) -> None:
        """An epoch is done."""

    def scored(self, run: Path, split: str, examples: Examples, statistics: Statistics) -> None:
        """A split is scored at the end of training, which the run does not say yet; a row of statistics an example."""

    def enough(self) -> bool:
        """Asked after each epoch: whether training is to stop here, and to be finished as it is."""
        return False

    def trained(self) -> None:
        """Training is over."""

    def alone(self) -> AbstractContextManager[None]:
        """Within, a network is timed: whoever else of this machine is known to work waits meanwhile."""
        return nullcontext()


class SearchWatch(Watch):
    """What a search tells beside that, of many trainings at once."""

    def searching(self, folder: str, metric: str, best: str, trials: int, ended: int) -> None:
        """A search begins or goes on: its metric, whether `max` or `min` is best, how many trials, how many ended."""

    def heard(self, message: Mapping[str, Any]) -> None:
        """A worker says something; `what`: trial (index, params, pid), epoch (index, epoch, epochs, value), ended
        (index, state, value, cause, seconds), printed (says), warning, memory or used up."""

    def looked(self, trials: Sequence[Mapping[str, Any]], best: int | None) -> None:
        """Every trial as the storage has it now, those of other machines among them, and which is the best.

        Of each number, state, params, value, seconds, cause, progress (epoch, of how many, value) and host, which is
        None on this machine.
        """

    def over(self) -> None:
        """The search has ended."""
