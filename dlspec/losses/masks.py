"""Losses of a class for each pixel; pixels that nobody has judged cost nothing."""

from __future__ import annotations

from typing import Any, Literal

import keras
from keras import ops

IGNORED = 255
SMOOTH = 1.0
"""pixels that are added to what truth and guess have in common and to their mean, so that a class of which there is
nothing costs nothing"""


class PixelLoss(keras.losses.Loss):  # type: ignore[misc]
    """A number an example, of truths (N, H, W), class indices or 255, and logits (N, H, W, C).

    cross_entropy: the mean over the judged pixels.  dice: 1 − the mean over the classes of 2 Σ p g / (Σ p + Σ g), p
    being the probabilities and g the truth as 0 and 1 (Milletari et al. 2016, without the squares; Sudre et al. 2017):
    small classes weigh as much as large ones.  both: the sum.
    """

    def __init__(
        self,
        of_pixel: Literal["cross_entropy", "dice", "both"] = "cross_entropy",
        name: str = "pixel_loss",
        **settings: Any,
    ) -> None:
        super().__init__(name=name, **settings)
        self.of_pixel = of_pixel

    def call(self, y_true: Any, y_pred: Any) -> Any:
        labels, judged = _labels(y_true, y_pred.dtype)
        found = 0.0
        if self.of_pixel != "dice":
            each = ops.sparse_categorical_crossentropy(labels, y_pred, from_logits=True)
            found = _mean(each, judged)
        if self.of_pixel != "cross_entropy":
            found = found + _dice(labels, y_pred, judged)
        return found

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "of_pixel": self.of_pixel}


def pixels_right(y_true: Any, y_pred: Any) -> Any:
    """The share of the judged pixels whose greatest logit is that of the truth; (N,)."""
    labels, judged = _labels(y_true, y_pred.dtype)
    same = ops.equal(ops.cast(ops.argmax(y_pred, axis=-1), "int32"), labels)
    return _mean(ops.cast(same, y_pred.dtype), judged)


def _labels(y_true: Any, dtype: Any) -> tuple[Any, Any]:
    labels = ops.cast(y_true, "int32")
    judged = ops.cast(ops.not_equal(labels, IGNORED), dtype)
    return ops.where(ops.equal(labels, IGNORED), 0, labels), judged


def _dice(labels: Any, logits: Any, judged: Any) -> Any:
    guess = ops.softmax(logits, axis=-1) * judged[..., None]
    truth = ops.one_hot(labels, logits.shape[-1], dtype=logits.dtype) * judged[..., None]
    common = ops.sum(guess * truth, axis=(1, 2))
    both = ops.sum(guess, axis=(1, 2)) + ops.sum(truth, axis=(1, 2))
    return 1 - ops.mean((2 * common + SMOOTH) / (both + SMOOTH), axis=-1)


def _mean(each: Any, judged: Any) -> Any:
    return ops.sum(each * judged, axis=(1, 2)) / ops.maximum(ops.sum(judged, axis=(1, 2)), 1.0)
