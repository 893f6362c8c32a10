"""Area under the ROC curve from scores that are sorted once: each new weighting takes one cumulative sum."""

from __future__ import annotations

import numpy as np

from dlspec.numeric.latest import Latest


class Ranking:
    """The order of scores (N, K), each column one question; `column` (N,) says of which a row is a positive (−1: none).

    AUC is the Mann-Whitney U statistic over W⁺W⁻: the share of pairs (positive, negative) that are ordered rightly,
    ties counted half (Hanley & McNeil 1982).  With m(i) the weight below row i plus half of the weight tied with it,
    Σ w(i) m(i) over the positives counts each such pair, and the pairs of positives among themselves, (W⁺)²/2.
    """

    def __init__(self, scores: np.ndarray, column: np.ndarray) -> None:
        self.questions = scores.shape[1]
        self.order = np.ascontiguousarray(np.argsort(scores, axis=0).T)
        self.positives = np.flatnonzero(column >= 0)
        self.column = column[self.positives]
        # of each positive row: how many rows of its column lie below it, and how many below it or tied with it
        self.below = np.empty(len(self.positives), np.int64)
        self.upto = np.empty(len(self.positives), np.int64)
        for k in range(self.questions):
            mine = self.column == k
            sorted_scores, own = scores[self.order[k], k], scores[self.positives[mine], k]
            self.below[mine] = np.searchsorted(sorted_scores, own, side="left")
            self.upto[mine] = np.searchsorted(sorted_scores, own, side="right")
        self.defined = ~np.isnan(scores).any(axis=0)

    def areas(self, weights: np.ndarray | None = None) -> np.ndarray:
        """AUC of each question, (K,); NaN without a positive or without a negative, or where a score is NaN."""
        count = self.order.shape[1]
        weights = np.ones(count) if weights is None else np.asarray(weights, np.float64)
        cumulated = np.zeros((self.questions, count + 1))
        np.cumsum(weights[self.order], axis=1, out=cumulated[:, 1:])
        own = weights[self.positives]
        middle = (cumulated[self.column, self.below] + cumulated[self.column, self.upto]) / 2
        positive = np.bincount(self.column, own, self.questions)
        ordered = np.bincount(self.column, own * middle, self.questions) - positive**2 / 2
        pairs = positive * (cumulated[:, -1] - positive)
        return np.where((pairs > 0) & self.defined, ordered / np.where(pairs > 0, pairs, 1), np.nan)


_latest = Latest(Ranking)


def ranking(scores: np.ndarray, column: np.ndarray) -> Ranking:
    """The ranking of these arrays; the latest is kept, for a bootstrap asks for the same a thousand times."""
    return _latest(scores, column)
