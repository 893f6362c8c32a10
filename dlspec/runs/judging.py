"""What scores on dev decide while a network is trained: the best epoch, when the learning rate falls, when to stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from dlspec.recipe.goal import Limit
from dlspec.recipe.schedules import ReduceOnPlateau
from dlspec.strategy.goals import Standing, ahead, standing
from dlspec.types import Metric


def better(metric: Metric, new: float, old: float | None, margin: float = 0.0) -> bool:
    """Whether a score is better than the one before, by more than the margin.  NaN never is."""
    if np.isnan(new):
        return False
    if old is None:
        return True
    return new - old > margin if metric.best == "max" else old - new > margin


class Judge(NamedTuple):
    """The metric that decides, and the limits that weights can keep or break."""

    metric: Metric
    limits: tuple[Limit, ...]

    @property
    def by(self) -> list[str]:
        """What it judges by, to be compared with that of another."""
        return [self.metric.name, *(f"{one.name} {one.sign} {one.bound!r}" for one in self.limits)]

    def stood(self, scores: Mapping[str, float]) -> Standing:
        """Where the goal stands by these scores on dev."""
        return standing(self.metric, self.limits, scores)

    def after(self, history: Sequence[Mapping[str, float]], epoch: int) -> Standing:
        """Where it stood after an epoch (from 0) of a history."""
        row = history[epoch] if epoch < len(history) else {}
        return self.stood({name.removeprefix("dev_"): score for name, score in row.items() if name.startswith("dev_")})

    def reached(self, history: Sequence[Mapping[str, float]]) -> tuple[Standing | None, float | None]:
        """The best standing of a history, and the best that its metric was whatever the limits."""
        best, score = None, None
        for epoch in range(len(history)):
            stood = self.after(history, epoch)
            best = stood if ahead(stood, best) else best
            score = stood.value if better(self.metric, stood.value, score) else score
        return best, score


class Best(NamedTuple):
    """Where the goal stood best on dev so far."""

    epoch: int
    """the last epoch (from 0) that reached it, whose weights these are"""
    standing: Standing
    weights: list[np.ndarray]
    step: int = 0

    @property
    def score(self) -> float:
        """By the metric that decides."""
        return self.standing.value


class Plateau(NamedTuple):
    """What reduce_on_plateau has come to."""

    share: float = 1.0
    """of the learning rate"""
    best: float | None = None
    waited: int = 0
    """epochs without improvement"""
    resting: int = 0
    """epochs of the cooldown that are left"""

    def after(self, schedule: ReduceOnPlateau, metric: Metric, judged: float) -> Plateau:
        """What it comes to after another epoch."""
        if better(metric, judged, self.best, schedule.minimum_change):
            return self._replace(best=judged, waited=0, resting=max(0, self.resting - 1))
        if self.resting:
            return self._replace(resting=self.resting - 1, waited=0)
        if self.waited + 1 < schedule.patience:
            return self._replace(waited=self.waited + 1)
        share = max(self.share * schedule.factor, min(self.share, schedule.minimum))
        return Plateau(share, self.best, 0, schedule.cooldown)


class Patience(NamedTuple):
    """What early stopping counts from."""

    since: int = -1
    """the last epoch (from 0) whose change was large enough"""
    reached: Standing | None = None
    """where the goal stood best by then"""

    @property
    def nothing_yet(self) -> bool:
        """Whether dev's metric has not left its bottom (no entity found, no word right), or has no value at all.

        Then it cannot tell whether training gets anywhere, which the loss on train can.
        """
        return self.reached is None or (self.reached.metric.best == "max" and self.reached.value == 0)

    def after(self, epoch: int, stood: Standing, minimum_change: float, losses: Sequence[float]) -> Patience:
        """What it counts from after another epoch.  losses: on train, of all epochs so far."""
        if ahead(stood, self.reached, minimum_change):
            return Patience(epoch, stood)
        fell = len(losses) > 1 and losses[-1] < np.nanmin(losses[:-1])
        return self._replace(since=epoch) if self.nothing_yet and fell else self
