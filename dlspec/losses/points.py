"""Losses of points, some of which are not marked: those cost nothing."""

from __future__ import annotations

from typing import Any, Literal

import keras
from keras import ops

BEND = 0.1
"""up to where Huber's loss is squared"""


class PointLoss(keras.losses.Loss):  # type: ignore[misc]
    """The mean over the known points of a picture, and over x and y; a number an example, 0 where none is known.

    Truths are (N, K, 3): x, y, and 1 where the point is known, else 0; the network gives (N, 2 K).
    """

    def __init__(
        self, of_point: Literal["squared", "huber", "absolute"] = "squared", name: str = "point_loss", **settings: Any
    ) -> None:
        super().__init__(name=name, **settings)
        self.of_point = of_point

    def call(self, y_true: Any, y_pred: Any) -> Any:
        apart, known = _apart(y_true, y_pred)
        size = ops.abs(apart)
        if self.of_point == "squared":
            each = ops.square(apart)
        elif self.of_point == "absolute":
            each = size
        else:
            each = ops.where(size <= BEND, ops.square(apart) / 2, BEND * (size - BEND / 2))
        return _mean(ops.mean(each, axis=-1), known)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "of_point": self.of_point}


def distance(y_true: Any, y_pred: Any, scale: float = 1.0) -> Any:
    """The mean distance of the known points, times a scale; (N,)."""
    apart, known = _apart(y_true, y_pred)
    return scale * _mean(ops.sqrt(ops.sum(ops.square(apart), axis=-1)), known)


def _apart(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    known = ops.cast(y_true[:, :, 2], y_pred.dtype)
    guess = ops.reshape(y_pred, (-1, y_true.shape[1], 2))
    return (guess - ops.cast(y_true[:, :, :2], y_pred.dtype)) * known[:, :, None], known


def _mean(each: Any, known: Any) -> Any:
    return ops.sum(each * known, axis=-1) / ops.maximum(ops.sum(known, axis=-1), 1.0)
