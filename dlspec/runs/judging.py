"""What scores on dev decide while a network is trained: the best epoch, and when the learning rate falls."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dlspec.recipe.schedules import ReduceOnPlateau
from dlspec.types import Metric


def better(metric: Metric, new: float, old: float | None, margin: float = 0.0) -> bool:
    """Whether a score is better than the one before, by more than the margin.  NaN never is."""
    if np.isnan(new):
        return False
    if old is None:
        return True
    return new - old > margin if metric.best == "max" else old - new > margin


class Best(NamedTuple):
    """The best score on dev so far."""

    epoch: int
    """the last epoch (from 0) that reached it, whose weights these are"""
    score: float
    weights: list[np.ndarray]
    step: int = 0


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
