"""Cross-entropy of one class of several, whether a truth is a class or shares of classes (mixup, cutmix, smoothing)."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class CrossEntropy(keras.losses.Loss):  # type: ignore[misc]
    """-Σ p log softmax(logits), summed over the classes; a number an example.

    Truths are class indices (N,), or shares of the classes (N, C) that add up to 1.  label_smoothing: so much of each
    truth is spread evenly over all classes (Szegedy et al. 2016, "Rethinking the Inception architecture", section 7).
    """

    def __init__(self, label_smoothing: float = 0.0, name: str = "cross_entropy", **settings: Any) -> None:
        super().__init__(name=name, **settings)
        self.label_smoothing = label_smoothing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        classes = y_pred.shape[-1]
        if not _are_shares(y_true, y_pred):
            labels = ops.cast(y_true, "int32")
            if not self.label_smoothing:
                return ops.sparse_categorical_crossentropy(labels, y_pred, from_logits=True)
            y_true = ops.one_hot(labels, classes, dtype=y_pred.dtype)
        shares = ops.cast(y_true, y_pred.dtype)
        if self.label_smoothing:
            shares = shares * (1 - self.label_smoothing) + self.label_smoothing / classes
        return ops.categorical_crossentropy(shares, y_pred, from_logits=True)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "label_smoothing": self.label_smoothing}


def right(y_true: Any, y_pred: Any) -> Any:
    """1 where the greatest logit is that of the truth (of shares: the greatest share), else 0; float32 (N,)."""
    labels = ops.argmax(y_true, axis=-1) if _are_shares(y_true, y_pred) else y_true
    return ops.cast(ops.equal(ops.cast(labels, "int32"), ops.cast(ops.argmax(y_pred, axis=-1), "int32")), "float32")


def _are_shares(y_true: Any, y_pred: Any) -> bool:
    return len(y_true.shape) == len(y_pred.shape)
