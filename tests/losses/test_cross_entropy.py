"""Cross-entropy against NumPy, with classes, shares and smoothing."""

import numpy as np
import pytest

from dlspec.losses.cross_entropy import CrossEntropy, right

LOGITS = np.random.default_rng(0).normal(0, 3, (6, 4)).astype(np.float32)
LABELS = np.array([0, 3, 1, 1, 2, 0], np.int32)
LOG = LOGITS - np.log(np.exp(LOGITS.astype(np.float64)).sum(axis=1, keepdims=True))


def test_classes_and_their_shares_cost_the_same():
    expected = -LOG[np.arange(6), LABELS].mean()
    assert float(CrossEntropy()(LABELS, LOGITS)) == pytest.approx(expected, rel=1e-6)
    assert float(CrossEntropy()(np.eye(4, dtype=np.float32)[LABELS], LOGITS)) == pytest.approx(expected, rel=1e-6)


def test_shares_weigh_the_classes():
    shares = np.random.default_rng(1).dirichlet(np.ones(4), 6).astype(np.float32)
    assert float(CrossEntropy()(shares, LOGITS)) == pytest.approx(-(shares * LOG).sum(axis=1).mean(), rel=1e-5)
    np.testing.assert_array_equal(right(shares, LOGITS), shares.argmax(1) == LOGITS.argmax(1))
    np.testing.assert_array_equal(right(LABELS, LOGITS), LOGITS.argmax(1) == LABELS)


@pytest.mark.parametrize("truths", [LABELS, np.eye(4, dtype=np.float32)[LABELS]])
def test_smoothing_spreads_a_part_of_each_truth_evenly(truths):
    smooth = 0.9 * np.eye(4)[LABELS] + 0.1 / 4
    loss = CrossEntropy(label_smoothing=0.1)
    assert float(loss(truths, LOGITS)) == pytest.approx(-(smooth * LOG).sum(axis=1).mean(), rel=1e-5)
    assert CrossEntropy.from_config(loss.get_config()).label_smoothing == 0.1
