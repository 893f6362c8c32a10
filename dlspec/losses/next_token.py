"""Cross-entropy of the tokens of a sequence, smoothed; padding costs nothing."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class NextToken(keras.losses.Loss):  # type: ignore[misc]
    """-Σ p log softmax(logits) at each place, over truths (B, T), 0 being padding, and logits (B, T, V); (B,).

    label_smoothing: so much of each truth is spread evenly over all V tokens (Szegedy et al. 2016, section 7; Vaswani
    et al. 2017, section 5.4).  Of a batch, the mean of what examples cost is the mean over its tokens, each of which
    counts as much as any other: an example's number is the sum over its tokens, divided by their mean number.
    """

    def __init__(self, label_smoothing: float = 0.0, name: str = "next_token", **settings: Any) -> None:
        super().__init__(name=name, **settings)
        self.label_smoothing = label_smoothing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        tokens, real = real_of(y_true, y_pred.dtype)
        size, share = y_pred.shape[-1], self.label_smoothing
        if share:
            # As shares, in one go: twice over the logits takes longer than to write them down.
            shares = ops.one_hot(tokens, size, dtype=y_pred.dtype) * (1 - share) + share / size
            each = ops.categorical_crossentropy(shares, y_pred, from_logits=True)
        else:
            each = ops.sparse_categorical_crossentropy(tokens, y_pred, from_logits=True)
        return per_example(each, real)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "label_smoothing": self.label_smoothing}


def tokens_right(y_true: Any, y_pred: Any) -> Any:
    """Whether the greatest logit is that of the truth, over the real tokens, as NextToken has it; (B,)."""
    tokens, real = real_of(y_true, y_pred.dtype)
    same = ops.equal(ops.cast(ops.argmax(y_pred, axis=-1), "int32"), tokens)
    return per_example(ops.cast(same, y_pred.dtype), real)


def real_of(y_true: Any, dtype: Any) -> tuple[Any, Any]:
    """The tokens int32 (B, T), and 1 where they are none of padding."""
    tokens = ops.cast(y_true, "int32")
    return tokens, ops.cast(ops.not_equal(tokens, 0), dtype)


def per_example(each: Any, real: Any) -> Any:
    """Sums over the real places (B, T), divided by how many an example has on average; (B,)."""
    return ops.sum(each * real, axis=1) / ops.maximum(ops.mean(ops.sum(real, axis=1)), 1e-9)
