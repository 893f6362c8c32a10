"""Losses of boxes and of one object a picture: what is not there costs nothing."""

from __future__ import annotations

import math
from typing import Any, Literal

import keras
from keras import ops

SLOPE = 1e-7
"""what keeps divisions finite"""


class ObjectLoss(keras.losses.Loss):  # type: ignore[misc]
    """Of [objectness, box (4), classes]: a number an example (Ng, deeplearning.ai course 4, week 3).

    Truths are (N, 6): 1 where there is an object and 0 where there is none, the box, and the index of the class, −1
    where it is not known.  Logistic loss of the objectness always; of the box and cross-entropy of the class where
    there is an object.  Boxes are middle, width and height; `scale` and `offset` (4 each) say what numbers the network
    gives for them: (box − offset) / scale.

    of_box: squared (the mean over the four numbers), huber, or 1 − an overlap (see `overlap`).
    """

    def __init__(
        self,
        of_box: Literal["squared", "huber", "iou", "giou", "diou", "ciou"] = "squared",
        box_weight: float = 1.0,
        class_weight: float = 1.0,
        scale: Any = (1.0, 1.0, 1.0, 1.0),
        offset: Any = (0.0, 0.0, 0.0, 0.0),
        name: str = "object_loss",
        **settings: Any,
    ) -> None:
        super().__init__(name=name, **settings)
        self.of_box, self.box_weight, self.class_weight = of_box, box_weight, class_weight
        self.scale, self.offset = [float(one) for one in scale], [float(one) for one in offset]

    def with_all_slopes(self) -> ObjectLoss:
        """The same without α of ciou, held still on purpose: for whoever compares gradients."""
        if self.of_box != "ciou":
            return self
        return ObjectLoss("diou", self.box_weight, self.class_weight, self.scale, self.offset)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        there, box, label = y_true[:, 0], y_true[:, 1:5], ops.cast(y_true[:, 5], "int32")
        logit, guess, classes = y_pred[:, 0], y_pred[:, 1:5], y_pred[:, 5:]
        of_object = ops.softplus(logit) - there * logit
        known = there * ops.cast(label >= 0, y_pred.dtype)
        of_class = ops.sparse_categorical_crossentropy(ops.maximum(label, 0), classes, from_logits=True)
        of_box = self._of_box(box, guess)
        return of_object + self.box_weight * there * of_box + self.class_weight * known * of_class

    def _of_box(self, box: Any, guess: Any) -> Any:
        scale, offset = (ops.convert_to_tensor(one, guess.dtype) for one in (self.scale, self.offset))
        if self.of_box not in ("squared", "huber"):
            return 1 - overlap(cornered(box), cornered(guess * scale + offset), self.of_box)
        apart = guess - (box - offset) / scale
        if self.of_box == "huber":
            size = ops.abs(apart)
            return ops.mean(ops.where(size <= 1, ops.square(apart) / 2, size - 0.5), axis=-1)
        return ops.mean(ops.square(apart), axis=-1)

    def get_config(self) -> dict[str, Any]:
        own = ("of_box", "box_weight", "class_weight", "scale", "offset")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}


def cornered(centres: Any) -> Any:
    """(cx, cy, w, h) (…, 4) → corners; widths and heights below 0 count as 0."""
    middle, half = centres[..., :2], ops.maximum(centres[..., 2:], 0) / 2
    return ops.concatenate([middle - half, middle + half], axis=-1)


def overlap(one: Any, other: Any, kind: str = "iou") -> Any:
    """How much boxes (…, 4), as corners, overlap, each with its own: as dlspec.numeric.boxes.overlap, for training.

    In ciou the weight α of the proportions has no slope, as the paper has it (Zheng et al. 2020, below equation 12).
    """
    low, high = ops.maximum(one[..., :2], other[..., :2]), ops.minimum(one[..., 2:], other[..., 2:])
    common = _area(high - low)
    union = _area(one[..., 2:] - one[..., :2]) + _area(other[..., 2:] - other[..., :2]) - common
    iou = common / (union + SLOPE)
    if kind == "iou":
        return iou
    around = ops.maximum(one[..., 2:], other[..., 2:]) - ops.minimum(one[..., :2], other[..., :2])
    if kind == "giou":
        hull = around[..., 0] * around[..., 1]
        return iou - (hull - union) / (hull + SLOPE)
    apart = ops.sum(ops.square((one[..., :2] + one[..., 2:] - other[..., :2] - other[..., 2:]) / 2), axis=-1)
    diou = iou - apart / (ops.sum(ops.square(around), axis=-1) + SLOPE)
    if kind == "diou":
        return diou
    angles = [ops.arctan2(of[..., 2] - of[..., 0], of[..., 3] - of[..., 1] + SLOPE) for of in (one, other)]
    v = 4 / math.pi**2 * ops.square(angles[0] - angles[1])
    return diou - ops.stop_gradient(v / (1 - iou + v + SLOPE)) * v


def objects_right(y_true: Any, y_pred: Any) -> Any:
    """1 where an object is said (logit at least 0) exactly where there is one, and its class is right; else 0."""
    there = y_true[:, 0] >= 0.5
    label = ops.cast(y_true[:, 5], "int32")
    same = ops.equal(ops.cast(ops.argmax(y_pred[:, 5:], axis=-1), "int32"), label)
    said = y_pred[:, 0] >= 0
    right = ops.logical_and(ops.equal(said, there), ops.logical_or(ops.logical_not(there), same))
    return ops.cast(right, "float32")


def _area(sides: Any) -> Any:
    sides = ops.maximum(sides, 0)
    return sides[..., 0] * sides[..., 1]
