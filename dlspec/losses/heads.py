"""The loss of several heads over one vector of logits, each with its own loss, weight and missing truths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
from keras import ops


class HeadLoss(NamedTuple):
    """One head: where its logits (and targets) lie in the vector, its loss, and how much it counts."""

    start: int
    end: int
    loss: Any
    """a keras.losses.Loss whose `call` gives a number an example"""
    weight: float
    """already divided by the share of train whose truth is known"""
    gaussian: bool = False
    """whether the loss is a squared error, which uncertainty halves"""


class HeadsLoss(keras.losses.Loss):  # type: ignore[misc]
    """Σ over the heads of weight · known · loss, a number an example.

    Truths (N, M + H): those of every head as its loss takes them, at the places of its logits, NaN where they are not
    known; then a column a head: how much the example counts there.  An example without a truth for a head adds 0 to
    it; as the weight is divided by the share that is known, a head's loss is, on average, that of those that are.

    log_variances: a variable (H,), s = log σ² (Kendall, Gal and Cipolla 2018, equations 7 and 10): the loss is then
    Σ exp(−s) · loss + s / 2, of a squared error exp(−s) / 2 · loss + s / 2.
    """

    def __init__(
        self, heads: Sequence[HeadLoss], log_variances: Any = None, name: str = "heads", **settings: Any
    ) -> None:
        super().__init__(name=name, **settings)
        self.heads, self.log_variances = list(heads), log_variances

    def call(self, y_true: Any, y_pred: Any) -> Any:
        total = 0.0
        for place, head in enumerate(self.heads):
            truth, logits, known = of_head(y_true, y_pred, head.start, head.end)
            counts = known * ops.cast(y_true[:, y_pred.shape[-1] + place], y_pred.dtype)
            each = head.weight * counts * ops.cast(head.loss.call(truth, logits), y_pred.dtype)
            if self.log_variances is not None:
                s = ops.cast(self.log_variances[place], y_pred.dtype)
                each = ops.exp(-s) * (0.5 if head.gaussian else 1.0) * each + s / 2
            total = total + each
        return total


class HeadMetric(keras.metrics.Metric):  # type: ignore[misc]
    """A metric of one head, over the examples whose truth is known."""

    def __init__(self, metric: Any, start: int, end: int, name: str, **settings: Any) -> None:
        super().__init__(name=name, **settings)
        self.metric, self.start, self.end = metric, start, end

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        truth, logits, known = of_head(y_true, y_pred, self.start, self.end)
        if sample_weight is not None:
            known = known * ops.reshape(ops.cast(sample_weight, known.dtype), (-1,))
        self.metric.update_state(truth, logits, sample_weight=known)

    def result(self) -> Any:
        return self.metric.result()

    def reset_state(self) -> None:
        self.metric.reset_state()


def of_head(y_true: Any, y_pred: Any, start: int, end: int) -> tuple[Any, Any, Any]:
    """A head's truths, its logits, and 1 where anything is known of an example, else 0 (and then the truths are 0)."""
    truth, logits = ops.cast(y_true[:, start:end], y_pred.dtype), y_pred[:, start:end]
    gone = ops.all(ops.isnan(truth), axis=-1)
    truth = ops.where(gone[:, None], ops.zeros_like(truth), truth)
    return truth, logits, 1 - ops.cast(gone, y_pred.dtype)
