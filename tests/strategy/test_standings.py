"""Where runs stand with a goal: feasible before infeasible, then nearest, then best; worked by hand."""

import math
from itertools import permutations

import pytest

from dlspec.recipe.goal import Limit
from dlspec.strategy.goals import ahead, as_json, better_kept, first, hold, level, said, sentence, standing
from dlspec.types import Metric

F1, LOSS = Metric("f1", "max", 1.0), Metric("log_loss", "min", 0.0)
FALSE = Limit("false_positive_rate", "false_positive_rate", None, "<=", 0.02)
DARK = Limit("accuracy[light=dark]", "accuracy", "light=dark", ">=", 0.9)


def stood(f1, rate=0.0, dark=1.0, metric=F1):
    return standing(metric, [FALSE, DARK], {metric.name: f1, "false_positive_rate": rate, "accuracy[light=dark]": dark})


@pytest.mark.parametrize(
    ("sign", "bound", "value", "by", "relative"),
    [
        ("<=", 10, 10, 0, 0),
        ("<", 10, 10, 0, 0),
        ("<=", 10, 12.5, 2.5, 0.25),
        (">=", 0.9, 0.9, 0, 0),
        (">=", 0.8, 0.6, 0.2, 0.25),
        (">", 0.8, 0.8, 0, 0),
        ("<=", 0, 0.3, 0.3, 0.3),
        (">=", -2, -3, 1, 0.5),
        ("<=", 10, math.nan, math.inf, math.inf),
        (">=", 0.9, math.nan, math.inf, math.inf),
    ],
)
def test_by_how_much_a_limit_is_missed(sign, bound, value, by, relative):
    held = hold(Limit("x", "x", None, sign, bound), value)
    assert (held.by, held.relative) == (pytest.approx(by), pytest.approx(relative))
    assert held.kept == ((sign in ("<=", ">=") and by == 0) if value == bound else by == 0)


def test_the_order_of_standings():
    """Feasible by f1; then by the sum of what is missed, 0.5 + 0, 0.5 + 1/9, 2 + 0; of equal misses by f1."""
    best_first = [
        stood(0.8),
        stood(0.7, 0.02, 0.9),
        stood(0.99, 0.03),
        stood(0.95, 0.03),
        stood(0.97, 0.03, 0.8),
        stood(0.98, 0.06),
        stood(1.0, 0.0, math.nan),
    ]
    assert [one.feasible for one in best_first] == [True, True] + [False] * 5
    assert [one.miss for one in best_first[:6]] == pytest.approx([0, 0, 0.5, 0.5, 0.5 + 1 / 9, 2])
    for i, one in enumerate(best_first):
        for j, other in enumerate(best_first):
            assert ahead(one, other) == (i < j) and level(one, other) == (i == j)
    for some in permutations(range(5)):
        assert some[first([best_first[i] for i in some])] == 0
    assert first([stood(0.9, 0.5), stood(0.9, 0.03), stood(0.9, 0.03)]) == 1


def test_what_has_no_value_is_ahead_of_nothing():
    nothing = stood(math.nan)
    assert not ahead(nothing, None) and not ahead(nothing, stood(0.1, 0.9)) and not level(nothing, nothing)
    assert ahead(stood(0.1, 0.9), nothing) and ahead(stood(0.1), None) and first([nothing]) is None


def test_a_margin_and_a_metric_that_is_the_better_the_lower():
    assert ahead(stood(0.3, metric=LOSS), stood(0.5, metric=LOSS))
    assert not ahead(stood(0.3, metric=LOSS), stood(0.5, metric=LOSS), 0.25)
    assert ahead(stood(0.3), stood(0.9, 0.03), 0.25), "a margin is of the metric alone"


def test_without_limits_the_metric_decides():
    one, other = standing(F1, [], {"f1": 0.9}), standing(F1, [], {"f1": 0.8})
    assert one.feasible and ahead(one, other) and not ahead(other, one) and sentence(one) == ""


def test_what_is_said():
    one = stood(0.9, 0.033, 0.95)
    assert said(one.limits[0]) == "false_positive_rate <= 0.02 is missed by 0.013 (0.033; 65% of the limit)"
    assert said(one.limits[1]) == "accuracy[light=dark] >= 0.9 is kept (0.95)"
    assert sentence(one) == f"not feasible: {said(one.limits[0])}"
    assert sentence(stood(0.9)) == "feasible: all 2 limits are kept"
    assert "cannot be judged" in sentence(stood(0.9, math.nan))
    told = as_json(one)
    assert (told["metric"], told["value"], told["feasible"]) == ("f1", 0.9, False)
    assert [one["kept"] for one in told["limits"]] == [False, True] and told["limits"][0]["limit"] == "<= 0.02"


@pytest.mark.parametrize(
    ("before", "now", "better", "kept", "reason"),
    [
        (stood(0.8), stood(0.9), True, True, None),
        (stood(0.8), stood(0.9), False, False, None),
        (stood(0.8), stood(0.9, 0.03), True, False, "breaks a limit that held"),
        (stood(0.8, 0.03), stood(0.7), False, True, "keeps every limit"),
        (stood(0.8, 0.06), stood(0.7, 0.03), False, True, "nearer to the limits"),
        (stood(0.8, 0.03), stood(0.9, 0.06), True, False, "misses the limits by more"),
        (stood(0.8, 0.03), stood(0.9, 0.0, 0.8), True, False, "breaks a limit that held"),
        (stood(0.8, 0.03), stood(0.9, 0.03), True, True, None),
        (stood(0.8, 0.0300), stood(0.7, 0.0299), False, False, None),
    ],
)
def test_whether_a_change_is_kept(before, now, better, kept, reason):
    found = better_kept(before, now, better)
    assert found[0] == kept and (reason is None) == (found[1] is None) and (reason or "") in (found[1] or "")
