"""Average precision from scores that are sorted once: each new weighting takes two cumulative sums."""

from __future__ import annotations

import numpy as np

from dlspec.numeric.latest import Latest


class AveragePrecision:
    """The order of scores (N, L), each column a label; `truth` (N, L): 1, 0, or NaN where nothing is known.

    AP = Σ (R(n) − R(n−1)) P(n) over the thresholds n, as scikit-learn has it: each positive counts with the precision
    at its own score, those that are tied with it included.
    """

    def __init__(self, scores: np.ndarray, truth: np.ndarray) -> None:
        count = len(scores)
        self.order = np.argsort(-scores, axis=0, kind="stable").T
        ordered = np.take_along_axis(scores.T, self.order, axis=1)
        true = np.take_along_axis(truth.T, self.order, axis=1)
        self.known, self.positive = ~np.isnan(true), true == 1
        last = np.ones(ordered.shape, bool)  # of its tie
        last[:, :-1] = ordered[:, :-1] != ordered[:, 1:]
        ends = np.where(last, np.arange(count), count)
        self.end = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
        self.defined = ~np.isnan(scores).any(axis=0)

    def values(self, weights: np.ndarray | None = None) -> np.ndarray:
        """AP of each label, (L,); NaN where none is positive, or where a score is NaN."""
        if not self.order.shape[1]:
            return np.full(len(self.order), np.nan)
        own = np.ones(self.order.shape) if weights is None else np.asarray(weights, np.float64)[self.order]
        positive = own * self.positive
        right, all_ = np.cumsum(positive, axis=1), np.cumsum(own * self.known, axis=1)
        precision = right / np.where(all_ > 0, all_, 1)
        summed = (positive * np.take_along_axis(precision, self.end, axis=1)).sum(axis=1)
        total = right[:, -1]
        return np.where((total > 0) & self.defined, summed / np.where(total > 0, total, 1), np.nan)


_latest = Latest(AveragePrecision)


def average_precision(scores: np.ndarray, truth: np.ndarray) -> AveragePrecision:
    """That of these arrays; the latest is kept, for a bootstrap asks for the same a thousand times."""
    return _latest(scores, truth)
