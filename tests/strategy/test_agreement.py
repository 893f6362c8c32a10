"""Agreement of annotators: the worked examples of the literature, and scikit-learn's kappa."""

import math

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from dlspec.strategy.agreement import cohen_kappa, fleiss_kappa, krippendorff_alpha, together

NONE = math.nan
# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", part C: four observers, twelve units.
OBSERVERS = np.array([
    [1, 2, 3, 3, 2, 1, 4, 1, 2, NONE, NONE, NONE],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NONE, 3],
    [NONE, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NONE],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NONE],
])  # fmt: skip
# Fourteen raters, ten subjects, five categories; kappa 0.210.
FLEISS = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip


def test_krippendorffs_own_example():
    assert krippendorff_alpha(OBSERVERS, "nominal").value == pytest.approx(0.743, abs=5e-4)
    assert krippendorff_alpha(OBSERVERS, "interval").value == pytest.approx(0.849, abs=5e-4)
    # Far from 0 the same differences are the same.
    assert krippendorff_alpha(OBSERVERS + 1e7, "interval").value == pytest.approx(0.849, abs=5e-4)


def test_alpha_by_hand():
    # Part A of the same: two observers, ten units, nominal: 0.095.
    two = np.array([[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]], float)
    assert krippendorff_alpha(two, "nominal").value == pytest.approx(0.095, abs=5e-4)


def test_fleiss_own_example():
    answers = np.array([np.repeat(np.arange(5), counts) for counts in FLEISS], float).T
    assert answers.shape == (14, 10) and fleiss_kappa(answers) == pytest.approx(0.210, abs=5e-4)


def test_cohens_kappa_is_that_of_scikit_learn():
    # 20 both yes, 15 both no, 5 and 10 apart: (0.7 − 0.5)/(1 − 0.5).
    one = np.repeat([1.0, 1.0, 0.0, 0.0], [20, 5, 10, 15])
    other = np.repeat([1.0, 0.0, 1.0, 0.0], [20, 5, 10, 15])
    assert cohen_kappa(one, other) == (pytest.approx(0.4), 50)
    rng = np.random.default_rng(0)
    for classes in (2, 5):
        a, b = rng.integers(0, classes, (2, 200)).astype(float)
        b = np.where(rng.random(200) < 0.5, a, b)
        assert cohen_kappa(a, b)[0] == pytest.approx(cohen_kappa_score(a, b))
        a[:50] = NONE
        assert cohen_kappa(a, b) == (pytest.approx(cohen_kappa_score(a[50:], b[50:])), 150)


def test_intervals_of_alpha():
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 4, 300)
    good = np.where(rng.random((3, 300)) < 0.9, truth, rng.integers(0, 4, (3, 300))).astype(float)
    found = krippendorff_alpha(good, "nominal")
    assert 0.7 < found.low < found.value < found.high < 0.9
    chance = krippendorff_alpha(rng.integers(0, 4, (3, 300)).astype(float), "nominal")
    assert chance.low < 0 < chance.high and abs(chance.value) < 0.1
    few = krippendorff_alpha(good[:, :20], "nominal")
    assert few.high - few.low > 2 * (found.high - found.low)


def test_what_cannot_be_told_is_not_a_number():
    same = np.ones((3, 10))
    assert math.isnan(krippendorff_alpha(same, "nominal").value) and math.isnan(fleiss_kappa(same))
    assert math.isnan(cohen_kappa(same[0], same[1])[0])
    alone = np.array([[1.0, NONE, 2.0], [NONE, 1.0, NONE]])
    assert math.isnan(krippendorff_alpha(alone, "interval").value) and cohen_kappa(*alone)[1] == 0
    agreeing = np.array([[0.0, 1.0, 2.0]] * 3)
    assert krippendorff_alpha(agreeing, "nominal").value == 1 and fleiss_kappa(agreeing) == 1


def test_what_most_say():
    answers = np.array([[0, 1, 0, NONE, 2], [0, 1, 1, 1, 0], [1, 1, 2, 1, 1], [NONE, 0, NONE, NONE, NONE]], float)
    # Two answers make no majority; of three different ones the class that is most frequent in all counts.
    assert together(answers, "nominal").tolist()[:3] == [0, 1, 1]
    assert math.isnan(together(answers, "nominal")[3]) and together(answers, "nominal")[4] == 1
    assert together(np.array([[1.0], [2.0], [9.0]]), "interval").tolist() == [2.0]
    assert np.isnan(together(answers[:2], "nominal")).all()
