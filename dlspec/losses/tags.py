"""Cross-entropy of a tag for each word; padding, and pieces of words that have no tag of their own, cost nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from dlspec.losses.next_token import per_example, real_of


class TagLoss(keras.losses.Loss):  # type: ignore[misc]
    """-Σ p log softmax(logits) at each place, over 1 + tag (B, L), 0 being none, and logits (B, L, C); (B,).

    label_smoothing: so much of each truth is spread evenly over all C tags.  weights: how much each tag counts where it
    is true, (C,); nothing: 1 each.  Of a batch, the mean of what examples cost is the weighted mean over its tags.
    """

    def __init__(
        self,
        label_smoothing: float = 0.0,
        weights: Sequence[float] | None = None,
        name: str = "tags",
        **settings: Any,
    ) -> None:
        super().__init__(name=name, **settings)
        self.label_smoothing, self.weights = label_smoothing, None if weights is None else list(weights)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        marks, real = real_of(y_true, y_pred.dtype)
        size, share, true = y_pred.shape[-1], self.label_smoothing, ops.maximum(marks - 1, 0)
        if self.weights is not None:
            real = real * ops.take(ops.convert_to_tensor(self.weights, y_pred.dtype), true, axis=0)
        shares = ops.one_hot(true, size, dtype=y_pred.dtype) * (1 - share) + share / size
        return per_example(ops.categorical_crossentropy(shares, y_pred, from_logits=True), real)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "label_smoothing": self.label_smoothing, "weights": self.weights}


def tags_right(y_true: Any, y_pred: Any) -> Any:
    """Whether the greatest logit is that of the truth, over the places that have a tag, as TagLoss has it; (B,)."""
    marks, real = real_of(y_true, y_pred.dtype)
    same = ops.equal(ops.cast(ops.argmax(y_pred, axis=-1), "int32"), marks - 1)
    return per_example(ops.cast(same, y_pred.dtype), real)
