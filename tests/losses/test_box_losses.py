"""The loss of one object by hand, and overlaps against those of NumPy."""

import math

import numpy as np
import pytest

from dlspec.losses.boxes import ObjectLoss, objects_right, overlap
from dlspec.numeric import boxes as plain


@pytest.mark.parametrize("kind", ["iou", "giou", "diou", "ciou"])
def test_overlaps_agree_with_numpy(kind):
    random = np.random.default_rng(0)
    low, sides = random.uniform(0, 5, (2, 300, 2)), random.uniform(0.1, 5, (2, 300, 2))
    one, other = np.concatenate([low, low + sides], axis=2).astype(np.float32)
    np.testing.assert_allclose(np.asarray(overlap(one, other, kind)), plain.overlap(one, other, kind), atol=1e-5)


def test_where_nothing_is_box_and_class_cost_nothing():
    truth = np.array([[0, 0, 0, 0, 0, -1]], np.float32)
    logits = np.array([[0.3, 9, 9, 9, 9, 5, -5]], np.float32)
    for of_box in ("squared", "huber", "ciou"):
        loss = float(ObjectLoss(of_box)(truth, logits))
        assert loss == pytest.approx(math.log(1 + math.exp(0.3)), rel=1e-5)


def test_of_an_object_by_hand():
    """Objectness log(1 + e⁻¹); the box is off by 1 of its unit in one of four numbers; two classes alike: log 2."""
    truth = np.array([[1, 0.75, 0.5, 0.5, 0.5, 1]], np.float32)
    logits = np.array([[1, 0, 0, 0, 0, 2, 2]], np.float32)
    settings = {"scale": [0.25] * 4, "offset": [0.5] * 4}
    of_object, of_class = math.log(1 + math.exp(-1)), math.log(2)
    for of_box, size in (("squared", 1 / 4), ("huber", 1 / 8)):
        loss = float(ObjectLoss(of_box, **settings)(truth, logits))
        assert loss == pytest.approx(of_object + size + of_class, rel=1e-5)
    weighted = float(ObjectLoss("squared", 8.0, 0.5, **settings)(truth, logits))
    assert weighted == pytest.approx(of_object + 8 / 4 + of_class / 2, rel=1e-5)
    # Boxes of half a side, a quarter apart: 1/8 in common of 3/8.
    assert float(ObjectLoss("iou", **settings)(truth, logits)) == pytest.approx(of_object + 2 / 3 + of_class, rel=1e-5)


def test_an_unknown_class_costs_nothing():
    truth = np.array([[1, 0.5, 0.5, 0.5, 0.5, -1]], np.float32)
    logits = np.array([[0, 0.5, 0.5, 0.5, 0.5, 7, 0]], np.float32)
    assert float(ObjectLoss()(truth, logits)) == pytest.approx(math.log(2), rel=1e-5)


def test_right():
    truth = np.array([[1, 0, 0, 0, 0, 1], [1, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, -1], [0, 0, 0, 0, 0, -1]], np.float32)
    logits = np.array([[1, 0, 0, 0, 0, 1, 2], [1, 0, 0, 0, 0, 3, 2], [-1, 0, 0, 0, 0, 3, 2], [1, 0, 0, 0, 0, 3, 2]])
    assert np.asarray(objects_right(truth, logits.astype(np.float32))).tolist() == [1, 0, 1, 0]
