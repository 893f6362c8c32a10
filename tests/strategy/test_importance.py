import math

import numpy as np
import pytest

from dlspec.strategy.importance import permutation_importance


def network(x):
    """What is known to be so: 3 a + b, and c is unused."""
    return 3 * x["a"] + x["b"]


def scorer(x, y, metric):
    return lambda part, order: metric(y, network({**x, part: x[part][order]}))


def test_agrees_with_theory_for_a_linear_function():
    """Shuffling a standard normal column with coefficient w costs 2 w² of mean squared error."""
    random = np.random.default_rng(1)
    x = {name: random.normal(size=5000) for name in "cab"}
    y = network(x) + random.normal(size=5000)

    def squared(truth, guess):
        return float(np.mean((truth - guess) ** 2))

    found = permutation_importance(
        scorer(x, y, squared), list(x), 5000, baseline=squared(y, network(x)), best="min", repeats=8
    )
    assert [one.part for one in found] == ["a", "b", "c"]
    assert found[0].drop == pytest.approx(18, rel=0.1)
    assert found[1].drop == pytest.approx(2, rel=0.1)
    assert found[2].drop == found[2].deviation == 0
    assert found[0].low < found[0].drop < found[0].high


def test_agrees_with_scikit_learn_in_sign_and_size_for_r2():
    from sklearn.inspection import permutation_importance as theirs
    from sklearn.linear_model import LinearRegression
    from sklearn.metrics import r2_score

    random = np.random.default_rng(2)
    rows = random.normal(size=(2000, 3))
    y = rows @ [2.0, 0.5, 0.0] + random.normal(size=2000)
    model = LinearRegression().fit(rows, y)

    def score(part, order):
        shuffled = rows.copy()
        shuffled[:, int(part)] = rows[order, int(part)]
        return r2_score(y, model.predict(shuffled))

    found = permutation_importance(score, ["0", "1", "2"], 2000, baseline=model.score(rows, y), repeats=20)
    expected = theirs(model, rows, y, n_repeats=20, random_state=0).importances_mean
    for one in found:
        assert one.drop == pytest.approx(expected[int(one.part)], abs=0.02)


def test_the_interval_is_students_t():
    values = iter([0.5, 0.6, 0.7])
    [one] = permutation_importance(lambda part, order: next(values), ["a"], 4, baseline=0.9, repeats=3)
    assert one.drop == pytest.approx(0.3)
    assert one.deviation == pytest.approx(0.1)
    assert one.high - one.drop == pytest.approx(4.302653 * 0.1 / math.sqrt(3), rel=1e-6)


def test_orders_are_permutations_that_depend_on_the_seed_alone():
    def orders(seed, parts):
        seen = {}
        permutation_importance(
            lambda part, order: seen.setdefault(part, []).append(order.tolist()) or 0.0,
            parts,
            20,
            baseline=0,
            seed=seed,
        )
        return seen

    first = orders(1, ["a", "b"])
    assert first["a"] == first["b"] == orders(1, ["b"])["b"]
    assert all(sorted(order) == list(range(20)) for order in first["a"])
    assert len({tuple(order) for order in first["a"]}) == 5
    assert orders(2, ["a"])["a"] != first["a"]


def test_one_repeat_has_no_deviation_and_nan_comes_last():
    scores = {"a": math.nan, "b": 0.5, "c": 0.9}
    found = permutation_importance(lambda part, order: scores[part], list(scores), 4, baseline=0.9, repeats=1)
    assert [one.part for one in found] == ["b", "c", "a"]
    assert math.isnan(found[0].deviation)
    assert math.isnan(found[0].low)
