"""The ledger: gaps by hand and against published intervals, any subset of levels, when a gap is named and when not."""

import json
import math

import numpy as np
import pytest

from dlspec.evaluators.numbers import Numbers
from dlspec.strategy.causes import causes
from dlspec.strategy.ledger import LEVELS, Level, _joined, as_json, lay_out
from dlspec.strategy.means import wilson
from dlspec.strategy.paired import Side
from dlspec.types import Metric, Share

ACCURACY, RMSE = Metric("accuracy", "max", 1.0), Metric("rmse", "min", 0.0)
HUMAN = Level("human", 0, value=0.99)


def shared(name, hits, n):
    rows = np.arange(n) < hits
    side = Side(lambda s, weights=None: {"accuracy": float(np.average(s["x"], weights=weights))}, {"x": rows})
    return Level(name, n, side._replace(shares={"accuracy": Share(rows)}))


def gap(ledger, name):
    return next(one for one in ledger.gaps if one.name == name)


@pytest.mark.parametrize(
    ("above", "below", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_a_gap_of_shares_has_the_interval_that_newcombe_published(above, below, low, high):
    """Newcombe 1998, Statistics in Medicine 17, 873-890, table II, method 10."""
    found = lay_out([shared("train", *above), shared("dev", *below)], ACCURACY).gaps[0]
    assert found.value == pytest.approx(above[0] / above[1] - below[0] / below[1])
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


def test_five_levels_by_hand():
    given = [shared("test", 840, 1000), shared("dev", 850, 1000), HUMAN, shared("train", 980, 1000)]
    ledger = lay_out([*given, shared("train_dev", 970, 1000)], ACCURACY, apart=True)
    assert [level.name for level in ledger.levels] == list(LEVELS)
    assert [(one.name, one.above, one.below, round(one.value, 6)) for one in ledger.gaps] == [
        ("avoidable bias", "human", "train", 0.01),
        ("variance", "train", "train_dev", 0.01),
        ("data mismatch", "train_dev", "dev", 0.12),
        ("overfitting to dev", "dev", "test", 0.01),
    ]
    train = wilson(980, 1000)
    assert gap(ledger, "avoidable bias")[4:] == pytest.approx((0.99 - train[1], 0.99 - train[0]))
    assert ledger.largest == "data mismatch" and ledger.needed is None
    assert causes(as_json(ledger))[0].cause == "data mismatch"


@pytest.mark.parametrize(
    ("names", "apart", "expected"),
    [
        (("human", "train", "dev"), False, ["avoidable bias", "variance"]),
        (("human", "train", "dev"), True, ["avoidable bias", "variance + data mismatch"]),
        (("train", "train_dev", "dev"), False, ["variance", "data mismatch"]),
        (("train", "test"), False, ["variance + overfitting to dev"]),
        (("train", "train_dev", "test"), True, ["variance", "data mismatch + overfitting to dev"]),
        (("human", "dev"), True, ["avoidable bias + variance + data mismatch"]),
        (("dev", "test"), True, ["overfitting to dev"]),
        (("human", "train"), True, ["avoidable bias"]),
        (("train",), True, []),
        ((), True, []),
    ],
)
def test_any_subset_of_levels(names, apart, expected):
    given = [HUMAN if name == "human" else shared(name, 90 - LEVELS.index(name), 100) for name in names]
    ledger = lay_out(given, ACCURACY, apart=apart)
    assert [one.name for one in ledger.gaps] == expected
    assert ledger.verdict and json.dumps(as_json(ledger))


def test_where_lower_is_better_worse_is_higher():
    random, evaluator = np.random.default_rng(1), Numbers()
    sides = {}
    for name, scale in (("train", 1.0), ("dev", 2.0)):
        statistics = {"truth": np.zeros(300), "guess": random.normal(0, scale, 300)}
        sides[name] = Side(evaluator.combine, statistics, evaluator.shares(statistics))
    levels = [Level("human", 0, value=0.95), *(Level(name, 300, side) for name, side in sides.items())]
    ledger = lay_out(levels, RMSE)
    assert gap(ledger, "variance").value == pytest.approx(ledger.levels[2].value - ledger.levels[1].value)
    assert 0.7 < gap(ledger, "variance").low < 1 < gap(ledger, "variance").high < 1.4
    assert abs(gap(ledger, "avoidable bias").value) < 0.2 and ledger.largest == "variance"


def test_a_tie_names_none_and_one_more_sure_is_named():
    tied = lay_out([HUMAN, shared("train", 890, 1000), shared("dev", 800, 1000)], ACCURACY)
    assert gap(tied, "avoidable bias").low > 0 and gap(tied, "variance").low > 0
    assert tied.largest is None
    assert lay_out([HUMAN, shared("train", 940, 1000), shared("dev", 790, 1000)], ACCURACY).largest == "variance"


def test_two_gaps_that_share_a_level_share_its_luck():
    """train 0.92 of 400; human 1: bias 0.08; dev 0.79 of 400: variance 0.13; difference (train − dev) − (1 − train).

    Twice train's reach downwards 0.0293 (Wilson 0.889239 to 0.942962) and dev's reach: a difference of 0.05 is not
    sure, though it would be nearer to it were the two gaps taken for independent.
    """
    ledger = lay_out([HUMAN._replace(value=1.0), shared("train", 368, 400), shared("dev", 316, 400)], ACCURACY)
    high = wilson(316, 400)[1]
    below = math.hypot(2 * (0.92 - wilson(368, 400)[0]), high - 0.79)
    assert below > 0.05 and ledger.largest is None
    # train contributes most; its part of the square, both sides alike by then, must shrink to what dev leaves
    ends = wilson(368, 400)
    part = (ends[1] - ends[0]) ** 2
    times = part / (0.05**2 - (high - 0.79) ** 2)
    assert ledger.needed_of == "train" and ledger.needed == math.ceil(400 * (times - 1))


def test_so_many_more_examples_do_settle_it():
    levels = [HUMAN, shared("train", 960, 1000), shared("dev", 180, 200)]
    ledger = lay_out(levels, ACCURACY)
    assert (ledger.largest, ledger.needed_of) == (None, "dev")
    n = 200 + ledger.needed
    assert lay_out([*levels[:2], shared("dev", round(0.9 * n), n)], ACCURACY).largest == "variance"
    fewer = 200 + ledger.needed // 2
    assert lay_out([*levels[:2], shared("dev", round(0.9 * fewer), fewer)], ACCURACY).largest is None


def test_a_human_level_that_was_measured_has_its_interval():
    measured = HUMAN._replace(n=50, low=0.93, high=1.0)
    ledger = lay_out([measured, shared("train", 940, 1000)], ACCURACY)
    train = wilson(940, 1000)
    assert ledger.gaps[0].low == pytest.approx(0.05 - math.hypot(0.06, train[1] - 0.94))
    assert ledger.largest is None and ledger.needed_of == "human"


def test_people_who_were_measured_on_dev_may_share_its_luck():
    """bias − variance = (human − train) − (train − dev): of human and dev the intervals add up, as if both were one."""
    measured = HUMAN._replace(n=500, low=0.98, high=1.0)
    train, dev = wilson(950, 1000), wilson(450, 500)
    low = 0.99 + 0.9 - 2 * 0.95 - math.hypot((0.99 - 0.98) + (0.9 - dev[0]), 2 * (train[1] - 0.95))
    scored = lay_out([measured, shared("train", 950, 1000), shared("dev", 450, 500)], ACCURACY).levels
    terms = {"human": 1, "train": -2, "dev": 1}
    assert _joined(scored, terms)[1] == pytest.approx(low)
    stated = [level._replace(n=0) if level.name == "human" else level for level in scored]
    assert _joined(stated, terms)[1] > low
    apart = {"human": 1, "dev": -1}  # their luck cancels out, if it is the same
    assert _joined(scored, apart) == _joined(stated, apart)


def test_zero_errors_still_have_a_bound():
    ledger = lay_out([HUMAN._replace(value=1.0), shared("train", 500, 500), shared("dev", 450, 500)], ACCURACY)
    assert gap(ledger, "avoidable bias").value == 0
    assert gap(ledger, "avoidable bias").high == pytest.approx(1 - wilson(500, 500)[0])
    assert ledger.largest == "variance"


def test_groups_widen_a_gap():
    plain = lay_out([HUMAN, shared("train", 900, 1000)], ACCURACY).gaps[0]
    level = shared("train", 900, 1000)._replace(groups=[f"patient {i // 50}" for i in range(1000)])
    grouped = lay_out([HUMAN, level], ACCURACY).gaps[0]
    assert grouped.value == plain.value and grouped.low < plain.low and grouped.high > 2 * plain.high - plain.value


def test_a_level_that_has_no_value_is_left_out_and_one_without_spread_names_nothing():
    nothing = Level("train_dev", 0, value=math.nan)
    ledger = lay_out([HUMAN, shared("train", 95, 100), nothing, shared("dev", 90, 100)], ACCURACY)
    assert [one.name for one in ledger.levels] == ["human", "train", "dev"]
    constant = Level("train", 30, value=0.9)
    ledger = lay_out([HUMAN, constant], ACCURACY)
    assert math.isnan(ledger.gaps[0].low) and ledger.largest is None and ledger.needed is None
    assert "no gap can be named" in ledger.verdict.lower()
