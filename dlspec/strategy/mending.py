"""What a metric comes to where all errors of some examples are mended: the ceiling of a slice, or of a person's tag."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dlspec.strategy.ceilings import Errors, Scorer
from dlspec.types import Examples, Metric, Prediction, State, Statistics


class Mending:
    """The statistics before and after; made once, asked for any number of slices."""

    def __init__(
        self,
        evaluator: Scorer,
        examples: Examples,
        predictions: Sequence[Prediction],
        statistics: Statistics,
        state: State,
        found: Errors,
        metric: Metric,
    ) -> None:
        self.metric, self.wrong, self.n = metric, found.wrong, len(found.wrong)
        self._combine = evaluator.combine
        self._before = statistics
        rows = np.flatnonzero(found.wrong)
        some = examples.take(rows.tolist())
        held = predictions[rows] if isinstance(predictions, np.ndarray) else [predictions[row] for row in rows]
        place = np.zeros(self.n, np.int64)
        place[rows] = np.arange(len(rows))
        for kind, touched in found.touched():
            at = place[touched]
            these = held[at] if isinstance(held, np.ndarray) else [held[one] for one in at]
            new = evaluator.mended(some.take(at.tolist()), these, kind, state)
            if isinstance(held, np.ndarray):
                held[at] = new
            else:
                for one, prediction in zip(at.tolist(), new, strict=True):
                    held[one] = prediction
        self._place = place
        self._after = evaluator.statistics(some, held, state) if len(rows) else statistics

    def score(self, weights: np.ndarray | None = None) -> float:
        """The metric as it is.  weights: (N,) how often each example counts."""
        return float(self._combine(self._before, weights, only={self.metric.name})[self.metric.name])

    def ceiling(self, which: np.ndarray, weights: np.ndarray | None = None) -> float:
        """The metric, were all errors of these examples mended.  which: (N,) bool."""
        rows = np.flatnonzero(which & self.wrong)
        work = {name: np.array(array) for name, array in self._before.items()}
        for name, array in work.items():
            array[rows] = self._after[name][self._place[rows]]
        return float(self._combine(work, weights, only={self.metric.name})[self.metric.name])

    def gain(self, which: np.ndarray, weights: np.ndarray | None = None) -> float:
        """How much better that is than the metric as it is."""
        raised = self.ceiling(which, weights) - self.score(weights)
        return raised if self.metric.best == "max" else -raised
