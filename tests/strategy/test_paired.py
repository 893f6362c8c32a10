"""Two predictors on the same examples: hand-worked tests, scipy's answers, and false alarms counted by simulation."""

import math

import numpy as np
import pytest
import scipy.stats

from dlspec.evaluators.classes import Classes
from dlspec.strategy.paired import Side, differences, mcnemar, newcombe
from dlspec.types import Examples, Share


def mean(statistics, weights=None):
    return {"mean": float(np.average(statistics["x"], weights=weights))}


def rmse(statistics, weights=None):
    return {"rmse": math.sqrt(np.average(statistics["x"] ** 2, weights=weights))}


def share(hits):
    return Side(mean, {"x": hits}, {"mean": Share(hits)})


def test_mcnemar_by_hand():
    # 7 tosses, at most 1 head: (1 + 7) / 128, and as much on the other side.
    assert mcnemar(1, 6) == mcnemar(6, 1) == pytest.approx(2 * 8 / 128)
    assert mcnemar(0, 5) == pytest.approx(2 / 32)
    assert mcnemar(4, 4) == 1 and mcnemar(0, 0) == 1


@pytest.mark.parametrize(("one", "other"), [(3, 17), (59, 6), (150, 191), (0, 1), (2, 2), (1000, 1100)])
def test_mcnemar_agrees_with_the_binomial_test_of_scipy(one, other):
    assert mcnemar(one, other) == pytest.approx(scipy.stats.binomtest(one, one + other).pvalue, rel=1e-9)


def test_newcombe_by_hand():
    # 50 examples: both right 30, one alone 12, the other alone 2, neither 6.  Shares 0.84 and 0.64; Wilson's
    # intervals (scipy's): 0.714858 to 0.916626 and 0.501410 to 0.758613.
    # Excess 30·6 − 12·2 = 156, less 25: 131; over √(42 · 8 · 32 · 18) = 439.927: 0.297776.
    low = 0.20 - math.sqrt(0.125142**2 - 2 * 0.297776 * 0.125142 * 0.118613 + 0.118613**2)
    high = 0.20 + math.sqrt(0.076626**2 - 2 * 0.297776 * 0.076626 * 0.138590 + 0.138590**2)
    assert newcombe(30, 12, 2, 6) == pytest.approx((low, high), abs=2e-6)
    assert newcombe(30, 2, 12, 6) == pytest.approx((-high, -low), abs=2e-6)


def test_newcombe_where_nothing_differs():
    low, high = newcombe(95, 0, 0, 5)
    assert low == pytest.approx(-high) and 0 < high < 0.06
    assert newcombe(100, 0, 0, 0)[1] == pytest.approx(1 - (1 / (1 + 1.959964**2 / 100)), abs=1e-6)
    assert newcombe(0, 0, 0, 0) == (-1, 1)
    assert newcombe(0, 10, 0, 0)[1] == 1  # one is always right, the other never


def test_newcombe_covers_by_simulation():
    """1,000 samples of 60 pairs with a true difference of 0.10; the standard error of the count is 0.7 %."""
    random = np.random.default_rng(5)
    tables = random.multinomial(60, [0.70, 0.15, 0.05, 0.10], 1000)
    covered = sum(low <= 0.10 <= high for low, high in (newcombe(*map(int, table)) for table in tables))
    assert 0.93 <= covered / 1000 <= 0.985


def test_a_difference_of_means_agrees_with_the_paired_t_test():
    random = np.random.default_rng(1)
    hard = random.normal(0, 3, 400)
    one, other = hard + random.normal(0.12, 1, 400), hard + random.normal(0, 1, 400)
    value, low, high, p = differences(Side(mean, {"x": one}), Side(mean, {"x": other}), 400, replicates=8000)["mean"]
    expected = scipy.stats.ttest_rel(one, other)
    interval = expected.confidence_interval()
    assert value == pytest.approx((one - other).mean())
    assert (low, high) == pytest.approx((interval.low, interval.high), abs=0.006)
    assert p == pytest.approx(expected.pvalue, abs=0.012)


def test_p_and_interval_say_the_same():
    random = np.random.default_rng(2)
    for shift in np.linspace(0, 0.5, 30):
        one, other = random.normal(shift, 1, 80), random.normal(0, 1, 80)
        _, low, high, p = differences(Side(mean, {"x": one}), Side(mean, {"x": other}), 80, replicates=400)["mean"]
        assert (p < 0.05) == (low > 0 or high < 0) or abs(p - 0.05) < 0.006


def test_false_alarms_of_the_bootstrap_by_simulation():
    """Two networks equally good, 400 times over 80 examples: one in twenty is found to differ (standard error 1.1)."""
    random = np.random.default_rng(3)
    alarms = 0
    for trial in range(400):
        hard = random.normal(0, 1, 80)
        sides = [Side(rmse, {"x": hard + random.normal(0, 0.7, 80)}) for _ in range(2)]
        alarms += differences(*sides, 80, seed=trial, replicates=300)["rmse"].p < 0.05
    assert 0.02 <= alarms / 400 <= 0.085


def test_false_alarms_of_mcnemar_by_simulation():
    """The exact test keeps its word: at most one in twenty; and it is not blind."""
    random = np.random.default_rng(4)
    alarms = found = 0
    for _ in range(1000):
        draws = random.multinomial(200, [0.6, 0.15, 0.15, 0.1])
        alarms += mcnemar(int(draws[1]), int(draws[2])) < 0.05
        draws = random.multinomial(200, [0.6, 0.20, 0.08, 0.12])
        found += mcnemar(int(draws[1]), int(draws[2])) < 0.05
    assert 0.02 <= alarms / 1000 <= 0.055
    assert found / 1000 > 0.8


def test_groups_are_drawn_whole():
    """30 patients with 10 rows each who favour one network or the other: rows drawn alone cry wolf."""
    random = np.random.default_rng(6)
    groups = [f"patient {i // 10}" for i in range(300)]
    alarms = {"whole": 0, "alone": 0}
    for trial in range(150):
        one = np.repeat(random.normal(size=30), 10) + 0.3 * random.normal(size=300)
        sides = Side(mean, {"x": one}), Side(mean, {"x": np.zeros(300)})
        for way, of in (("whole", groups), ("alone", None)):
            alarms[way] += differences(*sides, 300, groups=of, seed=trial, replicates=200)["mean"].p < 0.05
    assert alarms["whole"] / 150 <= 0.12
    assert alarms["alone"] / 150 >= 0.3


def test_shares_in_groups_are_bootstrapped_and_alone_are_not():
    random = np.random.default_rng(7)
    one, other = (random.random(60) < 0.9).astype(int), (random.random(60) < 0.6).astype(int)
    alone = differences(share(one), share(other), 60)["mean"]
    assert alone.p == mcnemar(int((one & (1 - other)).sum()), int((other & (1 - one)).sum()))
    single = differences(share(one), share(other), 60, groups=["", *(f"row {i}" for i in range(59))])["mean"]
    assert single == alone
    grouped = differences(share(one), share(other), 60, groups=[str(i // 2) for i in range(60)])["mean"]
    assert grouped.p != alone.p and grouped.value == alone.value


def test_every_metric_of_an_evaluator_at_once():
    random = np.random.default_rng(8)
    truth = random.integers(0, 2, 300)
    state = {"classes": ["no", "yes"], "positive": "yes", "threshold": 0.5}
    examples = Examples([str(i) for i in range(300)], truth, [state["classes"][i] for i in truth])
    evaluator, sides = Classes(), []
    for noise in (0.4, 1.2):
        positive = 1 / (1 + np.exp(-3 * (truth - 0.5 + noise * random.normal(size=300))))
        rows = np.stack([1 - positive, positive], axis=1)
        statistics = evaluator.statistics(examples, rows, state)
        sides.append(Side(evaluator.combine, statistics, evaluator.shares(statistics)))
    found = differences(*sides, 300, replicates=300)
    assert set(found) == {metric.name for metric in evaluator.metrics(state)}
    assert all(one.p < 0.05 and one.low <= one.value <= one.high for one in found.values())
    assert found["roc_auc"].value > 0 > found["log_loss"].value
    back = differences(sides[1], sides[0], 300, replicates=300)
    assert back["f1"].value == -found["f1"].value
    assert back["f1"].low == pytest.approx(-found["f1"].high)


def test_predictors_that_never_differ():
    x = np.arange(20.0)
    value, low, high, p = differences(Side(mean, {"x": x}), Side(mean, {"x": x}), 20)["mean"]
    assert (value, p) == (0, 1) and math.isnan(low) and math.isnan(high)


def test_what_is_not_known_is_said():
    def none(statistics, weights=None):
        return {"mean": math.nan}

    x = np.arange(20.0)
    assert all(map(math.isnan, differences(Side(mean, {"x": x}), Side(none, {"x": x}), 20)["mean"]))
    shifted = differences(Side(mean, {"x": x}), Side(mean, {"x": x + 1}), 20)["mean"]
    assert shifted.value == -1


def test_the_same_seed_gives_the_same_and_another_does_not():
    random = np.random.default_rng(9)
    sides = Side(mean, {"x": random.normal(size=50)}), Side(mean, {"x": random.normal(size=50)})
    assert differences(*sides, 50, seed=1) == differences(*sides, 50, seed=1)
    assert differences(*sides, 50, seed=1) != differences(*sides, 50, seed=2)
