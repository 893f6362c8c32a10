"""Binary cross-entropy of several labels, of which some are not known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


class MaskedBinaryCrossEntropy(keras.losses.Loss):  # type: ignore[misc]
    """The mean, over the labels that are known of an example, of −w y log p − (1 − y) log(1 − p); a number an example.

    That is the partial cross-entropy of Durand, Mehrasa and Mori (2019, "Learning a deep ConvNet for multi-label
    classification with partial labels", equation 1), divided by the share that is known.  Truths (N, L) are 1, 0 or
    shares between; NaN: not known.  An example of which nothing is known counts 0.  positive_weights: w, one a label.
    """

    def __init__(
        self,
        positive_weights: Sequence[float] | None = None,
        name: str = "masked_binary_cross_entropy",
        **settings: Any,
    ) -> None:
        super().__init__(name=name, **settings)
        self.positive_weights = None if positive_weights is None else list(positive_weights)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        truth, known = known_of(y_true, y_pred)
        # −log p = log(1 + e⁻ᶻ), and −log(1 − p) = z + that: neither overflows.
        of_true, of_false = ops.softplus(-y_pred), ops.softplus(y_pred)
        if self.positive_weights is not None:
            of_true = of_true * ops.convert_to_tensor(self.positive_weights, y_pred.dtype)
        each = known * (truth * of_true + (1 - truth) * of_false)
        return ops.sum(each, axis=-1) / ops.maximum(ops.sum(known, axis=-1), 1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "positive_weights": self.positive_weights}


def known_of(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Truths with 0 for NaN, and 1 where they are known, else 0; both in the dtype of the logits."""
    truth = ops.cast(y_true, y_pred.dtype)
    gone = ops.isnan(truth)
    return ops.where(gone, ops.zeros_like(truth), truth), 1 - ops.cast(gone, y_pred.dtype)


class LabelAccuracy(keras.metrics.Metric):  # type: ignore[misc]
    """The share of the known labels that are guessed right, at a probability of one half."""

    def __init__(self, name: str = "label_accuracy", **settings: Any) -> None:
        super().__init__(name=name, **settings)
        self.right = self.add_variable(shape=(), initializer="zeros", name="right")
        self.known = self.add_variable(shape=(), initializer="zeros", name="known")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        truth, known = known_of(y_true, y_pred)
        right = known * ops.cast(ops.equal(truth >= 0.5, y_pred >= 0), y_pred.dtype)
        if sample_weight is not None:
            each = ops.reshape(ops.cast(sample_weight, y_pred.dtype), (-1, 1))
            right, known = right * each, known * each
        self.right.assign_add(ops.cast(ops.sum(right), self.right.dtype))
        self.known.assign_add(ops.cast(ops.sum(known), self.known.dtype))

    def result(self) -> Any:
        return self.right / ops.maximum(self.known, 1e-12)
