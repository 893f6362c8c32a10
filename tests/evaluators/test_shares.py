"""Metrics that evaluators call means over rows are these means; what they call a share lies between 0 and 1."""

import numpy as np
import pytest

from dlspec.evaluators.classes import Classes
from dlspec.evaluators.numbers import Numbers
from dlspec.strategy.intervals import intervals
from dlspec.strategy.means import mean_of, wilson
from dlspec.types import Examples

TWO = {"classes": ["no", "yes"], "positive": "yes", "threshold": 0.4}
FOUR = {"classes": list("abcd"), "positive": None, "threshold": None}


def classes(state, n, seed, right=0.5):
    random = np.random.default_rng(seed)
    names = state["classes"]
    truth = random.integers(0, len(names), n)
    rows = random.dirichlet(np.ones(len(names)), n) * (1 - right) + right * np.eye(len(names))[truth]
    return Classes().statistics(Examples([str(i) for i in range(n)], rows, [names[i] for i in truth]), rows, state)


@pytest.mark.parametrize("state", [TWO, FOUR])
def test_shares_of_classes_are_the_metrics(state):
    statistics = classes(state, 300, 1, right=0.3)
    found, shares = Classes().combine(statistics), Classes().shares(statistics)
    assert set(shares) == set(found)
    over_rows = {name for name, share in shares.items() if share.rows is not None}
    assert over_rows == ({*found} - {"roc_auc"} if state is TWO else {"accuracy", "log_loss"})
    for name in over_rows:
        assert mean_of(shares[name]) == pytest.approx(found[name], abs=1e-12)


def test_shares_of_numbers_are_the_metrics():
    random = np.random.default_rng(2)
    statistics = {"truth": random.normal(size=50), "guess": random.normal(size=50)}
    found, shares = Numbers().combine(statistics), Numbers().shares(statistics)
    assert {name: mean_of(share) for name, share in shares.items()} == pytest.approx(
        {name: found[name] for name in ("rmse", "mae")}
    )


def test_f1_has_the_interval_of_the_share_that_it_is_made_of():
    statistics = classes(TWO, 60, 3, right=0.2)
    yes, guessed = statistics["truth"] == 1, statistics["guess"] == 1
    low, high = wilson((yes & guessed).sum(), (yes | guessed).sum())
    found = intervals(Classes().combine, statistics, 60, shares=Classes().shares(statistics))
    assert found["f1"][1:] == pytest.approx((2 * low / (1 + low), 2 * high / (1 + high)))
    assert found["recall"][1:] == pytest.approx(wilson((yes & guessed).sum(), yes.sum()))
    assert found["precision"][1:] == pytest.approx(wilson((yes & guessed).sum(), guessed.sum()))


@pytest.mark.parametrize("state", [TWO, FOUR])
def test_without_an_error_every_metric_but_log_loss_has_a_bound_from_the_rarest_class(state):
    statistics = classes(state, 80, 4, right=1.0)
    found = intervals(Classes().combine, statistics, 80, shares=Classes().shares(statistics))
    rarest = int(np.bincount(statistics["truth"]).min())
    expected = wilson(rarest * len(state["classes"]), rarest * len(state["classes"]))[0]
    assert found["accuracy"][1:] == wilson(80, 80)
    assert found["roc_auc"].high == 1 and 0.9 < found["roc_auc"].low < 1
    if state is FOUR:
        assert {name: found[name].low for name in ("precision", "recall", "f1")} == pytest.approx(
            dict.fromkeys(("precision", "recall", "f1"), expected)
        )
    else:
        assert found["roc_auc"].low == pytest.approx(expected)


def test_of_no_rows_nothing_is_known():
    statistics = {"truth": np.zeros(0), "guess": np.zeros(0)}
    found = intervals(Numbers().combine, statistics, 0, shares=Numbers().shares(statistics))
    assert all(np.isnan(one).all() for one in found.values())
