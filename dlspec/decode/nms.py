"""From what a detector says of its priors to boxes: of several boxes of one object the surest is left.

Boxes are corners (x0, y0, x1, y1).  Those that overlap with a surer one of their class by more than `overlap` are
dropped (non-maximum suppression), or their confidence is lowered (Bodla et al. 2017, "Soft-NMS", equations 2 and 3).

Of 8,400 boxes and 80 classes there may be 300,000 candidates.  What a surer one drops depends on surer ones alone, so
that as many of the surest are looked at as are needed to fill the places: the result is that of all of them.
"""

from __future__ import annotations

import functools
from typing import Any, Literal

import numpy as np

from dlspec.numeric.priors import decoded

Kind = Literal["iou", "giou", "diou"]
Soft = Literal["off", "linear", "gaussian"]

AT_FIRST, MORE = 2048, 4
"""candidates that are looked at first, and how many times more where they do not fill the places"""
FEWEST = 64
"""of the compiled loop: it is compiled for this number of candidates, and for 2, 4, 8, … times as many"""


def detections(
    said_BPN: np.ndarray, priors_P5: np.ndarray, *, least: float = 0.01, **settings: Any
) -> list[np.ndarray]:
    """Of each picture float64 (K, 6): corners in the encoded picture, confidence, class; by falling confidence.

    said: (B, P, 5 + C), four numbers of the box (see dlspec.numeric.priors), objectness, logits of the classes.
    Confidence is σ(objectness) times the class's probability.  settings: as of `nms`.
    """
    found = []
    with np.errstate(over="ignore"):
        sure_BP = 1 / (1 + np.exp(-said_BPN[..., 4].astype(np.float32)))
    for said, sure in zip(said_BPN, sure_BP, strict=True):
        # No class is surer than the object.
        rows = np.flatnonzero(sure > least)
        logits = said[rows, 5:].astype(np.float32)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        scores = sure[rows, None] * powers / powers.sum(axis=1, keepdims=True)
        corners = decoded(said[rows, :4], priors_P5[rows])
        found.append(nms(corners, scores, least=least, **settings))
    return found


def nms(
    boxes_P4: np.ndarray,
    scores_PC: np.ndarray,
    *,
    overlap: float = 0.5,
    least: float = 0.0,
    most: int = 100,
    kind: Kind = "iou",
    across_classes: bool = False,
    soft: Soft = "off",
    sigma: float = 0.5,
) -> np.ndarray:
    """The boxes that are left (K, 6): corners, confidence, class; by falling confidence.

    At most `most`, and those with a confidence above `least`.  across_classes: each box has its surest class alone, and
    boxes of other classes are dropped too.  soft: linear: confidence times 1 − overlap where that is more than
    `overlap`; gaussian: times exp(−overlap² / sigma).
    """
    boxes, scores = np.asarray(boxes_P4), np.asarray(scores_PC, np.float32)
    labels = np.arange(scores.shape[1])[None]
    if across_classes:
        labels, scores = scores.argmax(axis=1)[:, None], scores.max(axis=1, keepdims=True)
    labels = np.broadcast_to(labels, scores.shape)
    looked_at = max(AT_FIRST, 2 * most)
    while True:
        rows, cut = _surest(scores, least, looked_at)
        if soft == "off" and kind == "iou" and not across_classes and _has_tensorflow():
            found = _by_tensorflow(boxes[rows], scores[rows], overlap, cut, most)
        else:
            row, column = np.nonzero(scores[rows] > cut)
            row = rows[row]
            label = labels[row, column]
            # Boxes of one number here can be one object's.
            same = np.zeros_like(label) if across_classes else label
            at, score = _by_loop(boxes[row], scores[row, column], same, overlap, least, most, kind, soft, sigma)
            found = np.column_stack([boxes[row[at]], score, label[at]])
        # Whoever has not been looked at is less sure than the last that is left.
        if cut <= np.float32(least) or (len(found) == most and found[-1, 4] >= cut):
            return found
        looked_at *= MORE


def _surest(scores: np.ndarray, least: float, count: int) -> tuple[np.ndarray, float]:
    """The rows with a score above `cut`, of which some `count` scores are: `least`, or what makes them so few."""
    flat, cut = scores.reshape(-1), float(np.float32(least))
    places = np.flatnonzero(flat > cut)
    if len(places) > count:
        values = flat[places]
        cut = float(np.partition(values, len(values) - count)[len(values) - count])
        places = places[values > cut]
    rows = places // scores.shape[1]
    return rows[np.diff(rows, prepend=-1) > 0], cut


def _has_tensorflow() -> bool:
    import keras

    return str(keras.backend.backend()) == "tensorflow"


def _by_tensorflow(boxes: np.ndarray, scores: np.ndarray, overlap: float, least: float, most: int) -> np.ndarray:
    """By TensorFlow's own, written in C++, which is the fastest for the usual kind."""
    import tensorflow as tf

    if not len(boxes):
        return np.zeros((0, 6))
    # What `tf.image.combined_non_max_suppression` calls, without its wrapping, which takes as long as the work.
    made = tf.raw_ops.CombinedNonMaxSuppression(
        boxes=boxes[None, :, None].astype(np.float32),
        scores=scores[None],
        max_output_size_per_class=most,
        max_total_size=most,
        iou_threshold=overlap,
        score_threshold=least,
        clip_boxes=False,
    )
    # Sliced as arrays: a tensor's slice is an operation of its own, and takes as long as the suppression.
    boxes, scores, labels, count = (one.numpy()[0] for one in made)
    return np.column_stack([boxes[:count], scores[:count], labels[:count]]).astype(np.float64)


def _by_loop(
    boxes_M4: np.ndarray,
    scores_M: np.ndarray,
    labels_M: np.ndarray,
    overlap: float,
    least: float,
    most: int,
    kind: Kind,
    soft: Soft,
    sigma: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Places and confidences of those that are left, one after the other, in a compiled loop."""
    size = FEWEST
    while size < len(scores_M):
        size *= 2
    rest = size - len(scores_M)
    boxes = np.pad(boxes_M4.astype(np.float32), ((0, rest), (0, 0)))
    scores, labels = np.pad(scores_M, (0, rest), constant_values=-1), np.pad(labels_M.astype(np.int32), (0, rest))
    numbers = np.array([overlap, least, sigma], np.float32)
    picked, score = (np.asarray(one) for one in _loop(size, most, kind, soft)(boxes, scores, labels, numbers))
    return picked[score > least], score[score > least]


@functools.cache
def _loop(size: int, most: int, kind: Kind, soft: Soft) -> Any:
    """(boxes (size, 4), scores, labels, [overlap, least, sigma]) → places (most,), confidences, −1 for none."""
    import keras
    from keras import ops

    def suppressed(boxes: Any, scores: Any, labels: Any, numbers: Any) -> Any:
        overlap, least, sigma = numbers[0], numbers[1], numbers[2]
        places, every = ops.arange(most), ops.arange(size)

        def goes_on(number: Any, scores: Any, picked: Any, confidences: Any) -> Any:
            return ops.logical_and(number < most, ops.max(scores) > least)

        def step(number: Any, scores: Any, picked: Any, confidences: Any) -> Any:
            best = ops.cast(ops.argmax(scores), "int32")
            sure = ops.take(scores, best)
            here = ops.equal(places, number)
            picked, confidences = ops.where(here, best, picked), ops.where(here, sure, confidences)
            how = overlaps(ops.take(boxes, best, axis=0), boxes, kind)
            if soft == "gaussian":
                share = ops.exp(-ops.square(ops.maximum(how, 0.0)) / sigma)
            else:
                share = ops.where(how > overlap, 1 - how if soft == "linear" else ops.zeros_like(how), 1.0)
            share = ops.where(ops.equal(labels, ops.take(labels, best)), share, 1.0)
            lowered = ops.where(share > 0, scores * share, -1.0)
            return number + 1, ops.where(ops.equal(every, best), -1.0, lowered), picked, confidences

        start = ops.convert_to_tensor(0, "int32"), scores, ops.zeros((most,), "int32"), -ops.ones((most,), "float32")
        _, _, picked, confidences = ops.while_loop(goes_on, step, start)
        return picked, confidences

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        kinds = (((size, 4), "float32"), ((size,), "float32"), ((size,), "int32"), ((3,), "float32"))
        # For each size a function of its own: one for all would be told off for being compiled so often.
        made = tf.function(suppressed, jit_compile=True).get_concrete_function(*(tf.TensorSpec(*one) for one in kinds))
        return lambda *given: made(*map(tf.convert_to_tensor, given))
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(suppressed)
    return suppressed


def overlaps(one: Any, others: Any, kind: Kind) -> Any:
    """How much a box (4,) overlaps with others (M, 4), in tensors: as dlspec.numeric.boxes.overlap."""
    from keras import ops

    low, high = ops.maximum(one[:2], others[:, :2]), ops.minimum(one[2:], others[:, 2:])
    sides = ops.maximum(high - low, 0.0)
    common = sides[:, 0] * sides[:, 1]
    areas = [(of[..., 2] - of[..., 0]) * (of[..., 3] - of[..., 1]) for of in (one, others)]
    union = areas[0] + areas[1] - common
    iou = ops.where(union > 0, common / ops.where(union > 0, union, 1.0), 0.0)
    if kind == "iou":
        return iou
    around = ops.maximum(one[2:], others[:, 2:]) - ops.minimum(one[:2], others[:, :2])
    if kind == "giou":
        hull = around[:, 0] * around[:, 1]
        return iou - ops.where(hull > 0, (hull - union) / ops.where(hull > 0, hull, 1.0), 0.0)
    apart = ops.sum(ops.square((one[:2] + one[2:] - others[:, :2] - others[:, 2:]) / 2), axis=-1)
    across = ops.sum(ops.square(around), axis=-1)
    return iou - ops.where(across > 0, apart / ops.where(across > 0, across, 1.0), 0.0)
