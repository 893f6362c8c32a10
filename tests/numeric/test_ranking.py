import math

import numpy as np
import pytest
import sklearn.metrics

from dlspec.numeric.ranking import Ranking, ranking


def test_by_counting_pairs():
    random = np.random.default_rng(1)
    scores, positive = random.integers(0, 6, 40) / 6, random.random(40) < 0.4
    pairs = [(a > b) + (a == b) / 2 for a in scores[positive] for b in scores[~positive]]
    [area] = Ranking(scores[:, None], np.where(positive, 0, -1)).areas()
    assert area == pytest.approx(np.mean(pairs), abs=1e-12)


def test_weights_agree_with_scikit_learn():
    random = np.random.default_rng(2)
    scores, column = random.integers(0, 9, (80, 3)) / 9, random.integers(-1, 3, 80)
    weights = random.random(80) * 3
    areas = Ranking(scores, column).areas(weights)
    for k in range(3):
        expected = sklearn.metrics.roc_auc_score(column == k, scores[:, k], sample_weight=weights)
        assert areas[k] == pytest.approx(expected, abs=1e-12)


def test_without_both_kinds_of_row_there_is_none():
    scores = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])
    areas = Ranking(scores, np.array([0, 0])).areas()
    assert np.isnan(areas).all()
    assert Ranking(scores, np.array([0, 1])).areas(np.array([1, 0])).tolist() == pytest.approx(
        [math.nan] * 3, nan_ok=True
    )


def test_the_latest_is_kept_by_identity_and_not_by_place_in_memory():
    column = np.array([0, -1])
    first = np.array([[0.9], [0.1]])
    assert ranking(first, column) is ranking(first, column)
    for value in np.linspace(0, 1, 20):
        scores = np.array([[value], [0.5]])
        expected = 1 if value > 0.5 else 0
        assert ranking(scores, column).areas()[0] == expected
        del scores
    assert ranking(first, column).areas()[0] == 1
    assert ranking(first, np.array([-1, 0])).areas()[0] == 0
