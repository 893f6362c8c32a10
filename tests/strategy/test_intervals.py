import math
import time

import numpy as np
import pytest
import scipy.stats

from dlspec.evaluators.classes import Classes
from dlspec.strategy.intervals import intervals, wilson
from dlspec.types import Examples, Share


def mean(statistics, weights=None):
    return {"mean": float(np.average(statistics["x"], weights=weights))}


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (1, 10), (5, 10), (10, 10), (81, 263), (1, 1)])
@pytest.mark.parametrize("confidence", [0.95, 0.8])
def test_wilson_agrees_with_scipy(successes, n, confidence):
    expected = scipy.stats.binomtest(successes, n).proportion_ci(confidence, method="wilson")
    assert wilson(successes, n, confidence) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_at_the_ends():
    assert wilson(0, 0) == (0, 1)
    assert wilson(0, 20)[0] == 0
    assert wilson(20, 20)[1] == 1
    assert wilson(20, 20)[0] == pytest.approx(1 / (1 + 1.959964**2 / 20), abs=1e-6)


def test_bootstrap_of_a_mean_agrees_with_theory():
    x = np.random.default_rng(1).normal(size=400)
    value, low, high = intervals(mean, {"x": x}, 400, replicates=4000)["mean"]
    half = 1.959964 * x.std() / math.sqrt(400)
    assert value == pytest.approx(x.mean())
    assert (low, high) == pytest.approx((x.mean() - half, x.mean() + half), abs=0.1 * half)


def test_coverage_of_bootstrap_and_wilson_by_simulation():
    """400 samples of 60: the true value lies in about 95 of 100 intervals (standard error 1.1)."""
    random = np.random.default_rng(2)
    bootstrapped = shared = 0
    for trial in range(400):
        x, hits = random.normal(3, 2, 60), (random.random(60) < 0.9).astype(int)
        _, low, high = intervals(mean, {"x": x}, 60, seed=trial, replicates=300)["mean"]
        bootstrapped += low <= 3 <= high
        _, low, high = intervals(mean, {"x": hits}, 60, shares={"mean": Share(hits)})["mean"]
        shared += low <= 0.9 <= high
    assert 0.91 <= bootstrapped / 400 <= 0.98
    assert 0.92 <= shared / 400 <= 0.99


def test_coverage_with_groups_of_like_rows():
    """40 speakers with 10 rows each that share most of their deviation: rows drawn alone are far too sure."""
    random = np.random.default_rng(3)
    groups = [f"speaker {i // 10}" for i in range(400)]
    grouped = alone = 0
    for trial in range(200):
        x = np.repeat(random.normal(size=40), 10) + 0.3 * random.normal(size=400)
        _, low, high = intervals(mean, {"x": x}, 400, groups=groups, seed=trial, replicates=200)["mean"]
        grouped += low <= 0 <= high
        _, low, high = intervals(mean, {"x": x}, 400, seed=trial, replicates=200)["mean"]
        alone += low <= 0 <= high
    assert grouped / 200 >= 0.88
    assert alone / 200 <= 0.6


def test_groups_replace_wilson_unless_each_row_is_alone():
    x = np.array([1, 1, 1, 0, 1, 1, 0, 1, 1, 1] * 4)
    plain = intervals(mean, {"x": x}, 40, shares={"mean": Share(x)})["mean"]
    assert plain[1:] == wilson(32, 40)
    for groups in ([""] * 40, [str(i) for i in range(40)]):
        assert intervals(mean, {"x": x}, 40, groups=groups, shares={"mean": Share(x)})["mean"] == plain
    pairs = [str(i // 2) for i in range(40)]
    assert intervals(mean, {"x": x}, 40, groups=pairs, shares={"mean": Share(x)})["mean"][1:] != plain[1:]


def test_whole_groups_are_drawn():
    seen = []

    def combine(statistics, weights=None):
        seen.append(weights)
        return mean(statistics, weights)

    groups = ["a", "", "b", "a", "b", ""]
    intervals(combine, {"x": np.arange(6.0)}, 6, groups=groups, replicates=50)
    assert seen[0] is None
    assert len(seen) == 51 + 4  # the draws, and each of four units left out once
    for weights in seen[1:51]:
        assert weights[0] == weights[3]
        assert weights[2] == weights[4]
        assert weights[[0, 1, 2, 5]].sum() == 4
    assert any(weights[1] != weights[5] for weights in seen[1:51])


def test_deterministic_by_seed():
    statistics = {"x": np.random.default_rng(4).normal(size=50)}
    first = intervals(mean, statistics, 50, seed=1)
    assert intervals(mean, statistics, 50, seed=1) == first
    assert intervals(mean, statistics, 50, seed=2) != first


def test_where_nothing_varies_no_interval_is_claimed():
    value, low, high = intervals(mean, {"x": np.ones(30)}, 30)["mean"]
    assert value == 1
    assert math.isnan(low)
    assert math.isnan(high)


def test_replicates_without_a_value_are_dropped_unless_they_are_most():
    def sometimes(allowed):
        def combine(statistics, weights=None):
            drawn = weights is None or weights[:allowed].sum() > 0
            return {"m": mean(statistics, weights)["mean"] if drawn else math.nan}

        return combine

    statistics = {"x": np.arange(100.0)}
    _, low, high = intervals(sometimes(1), statistics, 100)["m"]  # about 63 of 100 draw the first row
    assert low < 49.5 < high

    def seldom(statistics, weights=None):  # about 26 of 100 draw the first row twice or more
        return {"m": mean(statistics, weights)["mean"] if weights is None or weights[0] >= 2 else math.nan}

    found = intervals(seldom, statistics, 100)
    assert found["m"].value == 49.5
    assert math.isnan(found["m"].low)


def test_of_many_rows_none_are_drawn():
    seen = []

    def combine(statistics, weights=None):
        if weights is not None:
            seen.append(weights)
        return mean(statistics, weights)

    x = np.random.default_rng(6).exponential(size=250_000)
    value, low, high = intervals(combine, {"x": x}, 250_000)["mean"]
    assert len(seen) == 200 and all(len(weights) == 50_000 for weights in seen)
    assert (value - low, high - value) == pytest.approx([1.959964 * x.std() / 500] * 2, rel=0.1)
    seen.clear()
    groups = [str(i // 4) for i in range(50_000)]
    intervals(combine, {"x": x[:50_000]}, 50_000, groups=groups)
    assert len(seen) == 200 and all(weights[0] == weights[3] for weights in seen)


def test_ten_thousand_rows_of_ten_classes_in_seconds():
    random = np.random.default_rng(5)
    rows, truth = random.dirichlet(np.ones(10), 10_000), random.integers(0, 10, 10_000).tolist()
    evaluator = Classes()
    state = {"classes": [str(i) for i in range(10)], "positive": None, "threshold": None}
    statistics = evaluator.statistics(Examples([str(i) for i in range(10_000)], rows, truth), rows, state)
    began = time.process_time()
    found = intervals(evaluator.combine, statistics, 10_000, replicates=100)
    assert time.process_time() - began < 1  # about 0.12 s; a thousand replicates should take under 3 s
    assert all(interval.low < interval.value < interval.high for interval in found.values())
