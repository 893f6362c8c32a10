import math
import time

import numpy as np
import pytest
import scipy.stats

from dlspec.evaluators.classes import Classes
from dlspec.strategy.intervals import bca, influences, intervals, wilson
from dlspec.strategy.means import mean_interval, ratio, transformed_t
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


def correlation(statistics, weights=None):
    weights = np.ones(len(statistics["x"])) if weights is None else weights
    both = np.cov(statistics["x"], statistics["y"], fweights=weights.astype(int), ddof=0)
    return {"r": float(both[0, 1] / np.sqrt(both[0, 0] * both[1, 1]))}


def test_bca_agrees_with_scipy():
    random = np.random.default_rng(7)
    x = random.normal(size=40)
    y = x + random.normal(0, 0.5, 40)
    value = correlation({"x": x, "y": y})["r"]
    picks = random.integers(0, 40, (20_000, 40))
    drawn = np.array([np.corrcoef(x[one], y[one])[0, 1] for one in picks])
    influence = influences(correlation, {"x": x, "y": y}, ["r"], np.arange(40), 40, 0)["r"]
    expected = scipy.stats.bootstrap(
        (x, y), lambda x, y: np.corrcoef(x, y)[0, 1], paired=True, vectorized=False, n_resamples=20_000, rng=random
    ).confidence_interval
    assert bca(drawn, value, influence, 40, expand=False) == pytest.approx(tuple(expected), abs=0.006)
    low, high = bca(drawn, value, influence, 40)
    assert low < expected.low and high > expected.high  # moved outwards, as t is from the normal
    assert intervals(correlation, {"x": x, "y": y}, 40)["r"][1:] == pytest.approx((low, high), abs=0.02)


def test_halls_interval_by_hand():
    """Losses 0, 0, 0, 4: mean 1, σ² = 3, γ = 6 / 3^1.5 = 1.154701, s = 2; y = t / √4 of 3 degrees = 1.591223.

    3/γ = 2.598076; γ(y − γ/24) + 1 = 2.781830, its cube root less 1 is 0.406404: 1.055870, so low is 1 − 2 · 1.055870.
    γ(−y − γ/24) + 1 = −0.892942, its cube root less 1 is −1.962959: −5.099916, so high is 1 + 2 · 5.099916.
    """
    losses = np.array([0.0, 0, 0, 4])
    assert transformed_t(*ratio(losses, np.ones(4))) == pytest.approx((-1.111739, 11.199833), abs=1e-5)
    assert mean_interval(Share(losses), np.arange(4), 4) == pytest.approx((0, 11.199833), abs=1e-5)  # none is below 0


def test_without_skewness_halls_interval_is_students():
    x = np.random.default_rng(8).normal(10, 1, 25)
    x = np.concatenate([x, 20 - x])
    expected = scipy.stats.t.interval(0.95, 49, x.mean(), x.std(ddof=1) / math.sqrt(50))
    assert transformed_t(x.mean(), x - x.mean()) == pytest.approx(expected, abs=1e-9)


def test_rows_of_a_group_that_are_all_alike_count_as_one():
    hits = np.repeat(np.random.default_rng(9).random(40) < 0.8, 5)
    unit = np.repeat(np.arange(40), 5)
    low, high = mean_interval(Share(hits), unit, 40)
    t = scipy.stats.t.ppf(0.975, 39) / 1.959964
    rows = 40 * 39 / 40 / t**2
    assert (low, high) == pytest.approx(wilson(hits.mean() * rows, rows), abs=1e-6)
    alike = np.random.default_rng(9).random(2000) < 0.8
    independent = mean_interval(Share(alike), np.arange(2000) // 2, 1000)
    assert independent == pytest.approx(wilson(alike.sum(), 2000), abs=0.004)


def test_groups_without_an_error_have_a_bound_from_how_many_they_are():
    unit = np.repeat(np.arange(25), 4)
    assert mean_interval(Share(np.ones(100, bool)), unit, 25) == wilson(25, 25)
    uneven = np.repeat(np.arange(3), [10, 1, 1])  # 12² / 102: hardly more than one group
    assert mean_interval(Share(np.ones(12, bool)), uneven, 3) == pytest.approx(wilson(144 / 102, 144 / 102))
    assert mean_interval(Share(np.zeros(100, bool)), unit, 25)[1] == wilson(0, 25)[1]


def test_a_share_of_part_of_the_rows_leaves_the_others_out():
    hits, among = np.array([1, 1, 0, 0, 0, 1], bool), np.array([1, 1, 1, 1, 0, 0], bool)
    assert mean_interval(Share(hits, among), np.arange(6), 6) == wilson(2, 4)
    turned = mean_interval(Share(hits, among, lambda share: share**2), np.arange(6), 6)
    assert turned == tuple(one**2 for one in wilson(2, 4))
    assert mean_interval(Share(hits, np.zeros(6, bool)), np.arange(6), 6) == (0, 1)


def test_coverage_of_means_of_skewed_losses_by_simulation():
    """Squares of normal numbers, 40 of them: a bootstrap of percentiles covers 89 %, Hall's interval about 94 %."""
    random = np.random.default_rng(10)
    covered = 0
    for _ in range(2000):
        low, high = mean_interval(Share(random.normal(size=40) ** 2), np.arange(40), 40)
        covered += low <= 1 <= high
    assert 0.925 <= covered / 2000 <= 0.965
