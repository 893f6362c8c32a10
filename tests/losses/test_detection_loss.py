"""The loss of detection against a slow version that goes prior by prior."""

import math

import numpy as np
import pytest

from dlspec.losses.detection import DetectionLoss
from dlspec.numeric.boxes import centred, overlap
from dlspec.numeric.priors import Grids, decoded

GRIDS = Grids((32, 48), (8, 16), [[[8, 8], [12, 10]], [[20, 24]]], "ratio")
CLASSES = 3


def scene(seed=0, count=3, most=4):
    random = np.random.default_rng(seed)
    middle, sides = random.uniform(0, (48, 32), (count, most, 2)), random.uniform(5, 25, (count, most, 2))
    boxes = np.concatenate([middle - sides / 2, middle + sides / 2], axis=2)
    label = random.integers(0, CLASSES, (count, most))
    label[0, 1:3], label[1, 3], label[2] = -1, -2, -1
    places = GRIDS.assigned(np.where((label >= 0)[..., None], boxes, np.nan))
    truth = np.concatenate([boxes, label[..., None], places], axis=2)
    truth[label == -1, :4] = 0
    return truth.astype(np.float32), random.normal(0, 1.5, (count, len(GRIDS.priors), 5 + CLASSES)).astype(np.float32)


def logistic(z, q, focal):
    return (math.log1p(math.exp(-abs(z))) + max(z, 0) - q * z) * abs(q - 1 / (1 + math.exp(-z))) ** focal


def slowly(truth, said, of_box, weights, quality, focal, smoothing, ignore, positives):
    corners = decoded(said[:, :4].astype(np.float64), GRIDS.priors)
    box_loss = object_loss = class_loss = 0.0
    finder = {int(place): row for row in truth for place in row[5:] if place >= 0}
    there = [row[:4] for row in truth if row[4] != -1]
    for place, numbers in enumerate(said.astype(np.float64)):
        row = finder.get(place)
        if row is None:
            if not any(overlap(corners[place], box) > ignore for box in there):
                object_loss += logistic(numbers[4], 0, focal)
            continue
        iou = float(overlap(corners[place], row[:4]))
        if of_box == "squared":
            column, line, stride, w, h = GRIDS.priors[place]
            x, y, wide, high = centred(row[:4].astype(np.float64))
            middle = 2 / (1 + np.exp(-numbers[:2])) - 0.5
            box_loss += (middle[0] + column - x / stride) ** 2 + (middle[1] + line - y / stride) ** 2
            box_loss += (numbers[2] - math.log(wide / w)) ** 2 + (numbers[3] - math.log(high / h)) ** 2
        else:
            box_loss += 1 - float(overlap(corners[place], row[:4], of_box))
        object_loss += logistic(numbers[4], 1 - quality + quality * iou, focal)
        powers = np.exp(numbers[5:])
        shares = np.full(CLASSES, smoothing / CLASSES)
        shares[int(row[4])] += 1 - smoothing
        class_loss -= shares @ np.log(powers / powers.sum())
    return np.dot(weights, (box_loss, object_loss, class_loss)) / positives


@pytest.mark.parametrize("of_box", ["squared", "iou", "giou", "diou", "ciou"])
@pytest.mark.parametrize(("quality", "focal", "smoothing", "ignore"), [(1.0, 0.0, 0.0, 0.5), (0.3, 2.0, 0.1, 0.2)])
def test_against_a_slow_version(of_box, quality, focal, smoothing, ignore):
    truth, said = scene()
    weights = (2.0, 0.7, 1.3)
    settings = (of_box, weights, quality, focal, smoothing, ignore)
    found = np.asarray(DetectionLoss(GRIDS.priors.astype("f4"), 7.0, *settings).call(truth, said))
    expected = [slowly(*one, *settings, 7.0) for one in zip(truth, said, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=2e-4)


def test_some_priors_are_spared():
    """With `ignore` at 1 nothing is; a box that need not be found spares those that find it, and trains none."""
    truth, said = scene()
    priors = GRIDS.priors.astype("f4")
    held, spared = (np.asarray(DetectionLoss(priors, 1.0, ignore=one).call(truth, said)) for one in (1.0, 0.2))
    assert (spared[:2] < held[:2]).all() and spared[2] == held[2]


def test_slopes_are_finite_and_rows_that_are_empty_have_none():
    import tensorflow as tf

    truth, said = scene()
    for of_box in ("squared", "ciou"):
        loss = DetectionLoss(GRIDS.priors.astype("f4"), 1.0, of_box, weights=(1.0, 0.0, 1.0))
        with tf.GradientTape() as tape:
            logits = tf.constant(said)
            tape.watch(logits)
            value = tf.reduce_sum(loss.call(tf.constant(truth), logits))
        slope = tf.convert_to_tensor(tape.gradient(value, logits)).numpy()
        assert np.isfinite(slope).all()
        taken = np.zeros(said.shape[:2], bool)
        for row, own in enumerate(truth):
            taken[row, own[:, 5:][own[:, 5:] >= 0].astype(int)] = True
        assert (np.abs(slope[taken]).sum(axis=1) > 0).all() and not slope[~taken].any()


@pytest.mark.parametrize("of_box", ["squared", "ciou"])
def test_with_all_slopes_gradients_are_those_of_differences(of_box):
    """Compared in float64, as `check --run` does it of whole networks."""
    import tensorflow as tf

    truth, said = (one.astype(np.float64) for one in scene(3))
    loss = DetectionLoss(GRIDS.priors, 1.0, of_box).with_all_slopes()
    logits = tf.Variable(said)

    def value():
        return float(tf.reduce_sum(loss.call(tf.constant(truth), tf.convert_to_tensor(logits))))

    with tf.GradientTape() as tape:
        result = tf.reduce_sum(loss.call(tf.constant(truth), tf.convert_to_tensor(logits)))
    slope = tf.convert_to_tensor(tape.gradient(result, logits)).numpy()
    taken = [int(place) for place in truth[0, :, 5:].reshape(-1) if place >= 0][:4]
    for place in taken:
        for number in range(5 + CLASSES):
            either = []
            for step in (1e-5, -1e-5):
                moved = said.copy()
                moved[0, place, number] += step
                logits.assign(moved)
                either.append(value())
            assert (either[0] - either[1]) / 2e-5 == pytest.approx(slope[0, place, number], rel=1e-4, abs=1e-6)
