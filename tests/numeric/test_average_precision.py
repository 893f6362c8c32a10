import numpy as np
import pytest

from dlspec.numeric.average_precision import AveragePrecision, average_precision

sklearn_metrics = pytest.importorskip("sklearn.metrics")


def test_worked_by_hand():
    # By score: true, false, true, false.  Precision at the first positive 1, at the second 2/3.
    scores = np.array([[0.9], [0.8], [0.7], [0.1]])
    truth = np.array([[1.0], [0.0], [1.0], [0.0]])
    assert AveragePrecision(scores, truth).values() == pytest.approx([(1 + 2 / 3) / 2])
    # The first three tied: both positives have the precision 2/3 of the tie.
    scores[:3] = 0.8
    assert AveragePrecision(scores, truth).values() == pytest.approx([2 / 3])


def test_as_scikit_learn_has_it_with_ties_missing_labels_and_weights():
    random = np.random.default_rng(3)
    scores = np.round(random.random((200, 5)), 1)
    truth = (random.random((200, 5)) < 0.3).astype(float)
    truth[random.random((200, 5)) < 0.2] = np.nan
    weights = random.integers(0, 4, 200)
    found = average_precision(scores, truth)
    assert average_precision(scores, truth) is found
    for label in range(5):
        known = ~np.isnan(truth[:, label])
        for own, weighed in ((np.ones(200), None), (weights, weights)):
            expected = sklearn_metrics.average_precision_score(
                truth[known, label], scores[known, label], sample_weight=own[known]
            )
            assert found.values(weighed)[label] == pytest.approx(expected, rel=1e-12)


def test_nothing_to_find_is_no_value():
    scores = np.array([[0.2, 0.3, np.nan], [0.1, 0.4, 0.2]])
    truth = np.array([[0.0, np.nan, 1.0], [0.0, 1.0, 0.0]])
    values = AveragePrecision(scores, truth).values()
    assert np.isnan(values[[0, 2]]).all() and values[1] == 1
    assert np.isnan(AveragePrecision(np.zeros((0, 2)), np.zeros((0, 2))).values()).all()
