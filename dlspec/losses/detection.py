"""The loss of a detector: of the boxes that its priors are to find, and of all the others, which find nothing."""

from __future__ import annotations

from typing import Any, Literal

import keras
from keras import ops

from dlspec.losses.boxes import cornered, overlap

REACH, BEFORE, LARGEST = 2.0, 0.5, 6.0
"""as in dlspec.numeric.priors"""
LOOKED_AT = 256
"""of the priors that are to find nothing, the surest, of which it is asked whether they found a box all the same"""
BOX, LABEL, PLACES = slice(0, 4), 4, 5
"""where in a row of the truths what stands"""


class DetectionLoss(keras.losses.Loss):  # type: ignore[misc]
    """A number a picture: (box + objectness + class) / the mean number of priors that are to find something.

    Truths (N, K, 5 + E), a row a box: its corners, in pixels of the encoded picture, its class (−1: the row is empty;
    −2: a box that need not be found), and the priors that are to find it, −1 for none.  The network gives (N, P, 5 + C)
    of P priors (see dlspec.numeric.priors): four numbers of the box, objectness, classes.

    box: squared, of the middle in cells and of the logarithms of the sides (YOLOv2, YOLOv3); or 1 − an overlap.
    objectness: logistic loss, q of a prior that is to find something and 0 of the others; q is 1 − quality + quality ·
    IoU, so that what is found is the surer the better the box fits (as in YOLOv5).  focal: γ of Lin et al. (2017), for
    q between 0 and 1 as in Li et al. (2020, "Generalized focal loss", equation 2): |q − σ|^γ times the loss.  Priors
    whose box overlaps by more than `ignore` with one that is there are not held to find nothing (YOLOv3, section 2.1);
    that is asked of the LOOKED_AT surest alone, as of others next to nothing is to be unlearned.
    class: cross-entropy over the classes; so much of the truth as label_smoothing says is spread over all of them.
    """

    def __init__(
        self,
        priors: Any,
        positives: float,
        of_box: Literal["squared", "iou", "giou", "diou", "ciou"] = "ciou",
        weights: tuple[float, float, float] = (1.0, 1.0, 1.0),
        quality: float = 1.0,
        focal: float = 0.0,
        label_smoothing: float = 0.0,
        ignore: float = 0.5,
        name: str = "detection_loss",
        **settings: Any,
    ) -> None:
        """priors: (P, 5), as Grids has them.  weights: of box, objectness and class."""
        super().__init__(name=name, **settings)
        self.priors, self.positives, self.of_box, self.weights = priors, positives, of_box, weights
        self.quality, self.focal, self.label_smoothing, self.ignore = quality, focal, label_smoothing, ignore

    def with_all_slopes(self) -> DetectionLoss:
        """The same without what is held still on purpose: how well a box fits, as objectness is to say it; whom it
        spares; α of ciou.  For whoever compares gradients with differences."""
        of_box = "diou" if self.of_box == "ciou" else self.of_box
        return DetectionLoss(
            self.priors, self.positives, of_box, self.weights, 0.0, self.focal, self.label_smoothing, 1.0
        )

    def call(self, y_true: Any, y_pred: Any) -> Any:
        truth, label = y_true[..., BOX], ops.cast(y_true[..., LABEL], "int32")
        place = ops.cast(y_true[..., PLACES:], "int32")
        count, each, most = ops.shape(y_pred)[0], place.shape[2], y_true.shape[1]
        table = ops.cast(ops.convert_to_tensor(self.priors), y_pred.dtype)
        place = ops.reshape(place, (count, most * each))
        wanted = ops.cast(place >= 0, y_pred.dtype)
        at = ops.maximum(place, 0)
        guess = ops.take_along_axis(y_pred, at[..., None], axis=1)
        of = ops.take(table, at, axis=0)
        box = ops.repeat(truth, each, axis=1)
        of_box, fit = self._of_box(box, guess[..., :4], of)
        q = 1 - self.quality + self.quality * ops.stop_gradient(ops.clip(fit, 0, 1))
        z = guess[..., 4]
        of_object = self._logistic(z, q) - self._logistic(z, ops.zeros_like(q))
        of_class = self._of_class(ops.repeat(label, each, axis=1), guess[..., 5:])
        box_weight, object_weight, class_weight = self.weights
        found = ops.sum(wanted * (box_weight * of_box + object_weight * of_object + class_weight * of_class), axis=1)
        logits = y_pred[..., 4]
        taken = self._taken(place, wanted, logits)
        nothing = ops.sum(self._logistic(logits, ops.zeros_like(logits)), axis=1)
        spared = self._spared(y_pred, table, truth, label, taken)
        return (found + object_weight * (nothing - spared)) / self.positives

    def _of_box(self, box: Any, guess: Any, of: Any) -> tuple[Any, Any]:
        """The loss, and the IoU, of guesses (N, M, 4) about boxes (corners), by the priors `of`."""
        corners = decoded(guess, of)
        iou = overlap(box, corners, "iou")
        if self.of_box == "iou":
            return 1 - iou, iou
        if self.of_box != "squared":
            return 1 - overlap(box, corners, self.of_box), iou
        middle = (box[..., :2] + box[..., 2:]) / 2 / of[..., 2:3] - of[..., :2]
        sides = ops.log(ops.maximum(box[..., 2:] - box[..., :2], 1e-3) / of[..., 3:])
        apart = ops.concatenate([REACH * ops.sigmoid(guess[..., :2]) - BEFORE - middle, guess[..., 2:] - sides], -1)
        return ops.sum(ops.square(apart), axis=-1), iou

    def _of_class(self, label: Any, logits: Any) -> Any:
        shares = ops.one_hot(ops.maximum(label, 0), logits.shape[-1], dtype=logits.dtype)
        shares = shares * (1 - self.label_smoothing) + self.label_smoothing / logits.shape[-1]
        return ops.categorical_crossentropy(shares, logits, from_logits=True)

    def _logistic(self, z: Any, q: Any) -> Any:
        each = ops.softplus(z) - q * z
        return each * ops.power(ops.abs(q - ops.sigmoid(z)) + 1e-7, self.focal) if self.focal else each

    def _taken(self, place: Any, wanted: Any, logits: Any) -> Any:
        """1 where a prior (N, P) is to find something."""
        count, priors = ops.shape(logits)[0], logits.shape[1]
        row = ops.repeat(ops.arange(count)[:, None], place.shape[1], axis=1)
        # Rows that are empty go to a place of their own, behind the last.
        at = ops.stack([row, ops.where(wanted > 0, place, priors)], axis=-1)
        found = ops.scatter(ops.reshape(at, (-1, 2)), ops.ones_like(ops.reshape(wanted, (-1,))), (count, priors + 1))
        return found[:, :priors]

    def _spared(self, y_pred: Any, table: Any, truth: Any, label: Any, taken: Any) -> Any:
        """The loss of those that are to find nothing, and found something (N,)."""
        logits = ops.where(taken > 0, -1e9, ops.stop_gradient(y_pred[..., 4]))
        _, at = ops.top_k(logits, min(LOOKED_AT, logits.shape[1]))
        guess = ops.take_along_axis(y_pred, at[..., None], axis=1)
        free = 1 - ops.take_along_axis(taken, at, axis=1)
        corners = decoded(ops.stop_gradient(guess[..., :4]), ops.take(table, at, axis=0))
        there = ops.cast(label != -1, y_pred.dtype)
        iou = overlap(corners[:, :, None], truth[:, None], "iou") * there[:, None]
        spared = ops.cast(ops.max(iou, axis=2) > self.ignore, y_pred.dtype) * free
        z = guess[..., 4]
        return ops.sum(spared * self._logistic(z, ops.zeros_like(z)), axis=1)


def decoded(numbers: Any, priors: Any) -> Any:
    """Corners (…, 4) of what the network says of priors (…, 5): as dlspec.numeric.priors.decoded."""
    middle = (REACH * ops.sigmoid(numbers[..., :2]) - BEFORE + priors[..., :2]) * priors[..., 2:3]
    sides = priors[..., 3:] * ops.exp(ops.clip(numbers[..., 2:], -LARGEST, LARGEST))
    return cornered(ops.concatenate([middle, sides], axis=-1))
