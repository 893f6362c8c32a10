"""Calibration and ROC curves: hand-worked numbers, Wilson's interval as strategy has it, scikit-learn's curve."""

import math

import numpy as np
import pytest
import sklearn.metrics

from dlspec.numeric.calibration import reliability, roc
from dlspec.strategy.intervals import wilson


def test_a_hand_worked_diagram():
    given = np.array([0.1, 0.1, 0.3, 0.7, 0.9, 1.0])
    found = reliability(given, np.array([0.0, 1.0, 0.0, 1.0, 1.0, 0.0]), bins=2)
    assert found.count.tolist() == [3, 3]
    assert found.probability == pytest.approx([0.5 / 3, 2.6 / 3])
    assert found.share == pytest.approx([1 / 3, 2 / 3])
    assert found.error == pytest.approx((3 * (1 / 3 - 0.5 / 3) + 3 * (2.6 / 3 - 2 / 3)) / 6)


def test_edges_belong_to_the_bin_that_they_begin_and_one_to_the_last():
    found = reliability(np.array([0.0, 0.5, 1.0]), np.ones(3), bins=2)
    assert found.count.tolist() == [1, 2]


def test_empty_bins_are_counted_and_not_drawn():
    found = reliability(np.array([0.05, 0.95]), np.array([0.0, 1.0]))
    assert found.count.tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert len(found.probability) == len(found.share) == len(found.low) == 2


def test_intervals_are_wilsons():
    random = np.random.default_rng(0)
    given = random.random(500)
    happened = (random.random(500) < given**2).astype(float)
    found = reliability(given, happened)
    for k in range(10):
        mine = (given >= k / 10) & (given < (k + 1) / 10)
        low, high = wilson(happened[mine].sum(), mine.sum())
        assert (found.low[k], found.high[k]) == pytest.approx((low, high))


def test_the_error_by_chance_is_what_right_probabilities_show():
    random = np.random.default_rng(1)
    given = random.beta(2, 1, 300)
    errors = [reliability(given, (random.random(300) < given).astype(float)).error for _ in range(400)]
    assert reliability(given, given > 0.5).by_chance == pytest.approx(np.mean(errors), rel=0.1)


def test_without_examples_nothing_is_known():
    found = reliability(np.zeros(0), np.zeros(0))
    assert math.isnan(found.error) and not len(found.share) and not found.count.any()


@pytest.mark.parametrize("decimals", [1, 2, 8])
def test_the_roc_curve_is_scikit_learns(decimals):
    random = np.random.default_rng(2)
    positive = random.random(300) < 0.3
    scores = np.round(random.random(300) + 0.3 * positive, decimals)
    false, true = roc(scores, positive)
    theirs, hits, _ = sklearn.metrics.roc_curve(positive, scores, drop_intermediate=False)
    assert np.trapezoid(true, false) == pytest.approx(sklearn.metrics.roc_auc_score(positive, scores))
    mine, all_of_theirs = (set(zip(x.round(9), y.round(9), strict=True)) for x, y in ((false, true), (theirs, hits)))
    assert mine <= all_of_theirs
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)


def test_points_on_a_straight_line_are_left_out():
    false, true = roc(np.array([4.0, 3.0, 2.0, 1.0]), np.array([1, 1, 0, 0]))
    assert false.tolist() == [0, 0, 1] and true.tolist() == [0, 1, 1]
    false, true = roc(np.zeros(5), np.array([1, 0, 1, 0, 0]))
    assert false.tolist() == true.tolist() == [0, 1]


@pytest.mark.parametrize("positive", [np.zeros(3), np.ones(3)])
def test_with_one_class_alone_there_is_no_curve(positive):
    assert [len(axis) for axis in roc(np.arange(3.0), positive)] == [0, 0]
