"""Errors weighed: by kind, by how a kind begins, by tag; the mean over examples is one metric more."""

import numpy as np
import pytest

from dlspec.evaluators.classes import Classes
from dlspec.evaluators.costs import of_errors
from dlspec.evaluators.numbers import Numbers
from dlspec.strategy.means import mean_of
from dlspec.types import Examples, Metric, Mistakes

STATE = {"classes": ["3", "5", "8"], "positive": None, "threshold": None}
TAGS = {"light": ["dark", "day", "dark", "day", "day"], "blurred": ["1", "", "no", "0", "yes"]}


def digits():
    """Truths 3, 3, 8, 8, 5, of which the last is right; guesses 8, 5, 3, 5, 5."""
    examples = Examples(list("abcde"), [None] * 5, ["3", "3", "8", "8", "5"], tags=TAGS)
    return examples, np.eye(3)[[2, 1, 0, 1, 1]]


def weighted(costs, only=None, weights=None):
    examples, rows = digits()
    evaluator = Classes().weighed(costs)
    return evaluator.combine(evaluator.statistics(examples, rows, STATE), weights, only=only)


@pytest.mark.parametrize(
    ("costs", "each"),
    [
        ({}, [1, 1, 1, 1]),
        ({"3 → 8": 10}, [10, 1, 1, 1]),
        ({"3 -> 8": 10}, [10, 1, 1, 1]),
        ({"3": 10}, [10, 10, 1, 1]),
        ({"light=dark": 4}, [4, 1, 4, 1]),
        ({"blurred": 7}, [7, 1, 1, 1]),
        ({"3 → 8": 0.5, "light=dark": 0.25}, [0.5, 1, 0.25, 1]),
        ({"3": 2, "light=dark": 5}, [5, 2, 5, 1]),
        ({"light=dusk": 9, "8 → 8": 9}, [1, 1, 1, 1]),
    ],
)
def test_what_an_error_costs(costs, each):
    found = weighted(costs)
    assert found["weighted_error"] == pytest.approx(sum(each) / 5)
    assert found["accuracy"] == pytest.approx(1 / 5)


def test_it_is_a_metric_as_any_other():
    evaluator = Classes().weighed({"3": 10})
    assert evaluator.metrics(STATE)[-1] == Metric("weighted_error", "min", 0.0)
    assert isinstance(evaluator, Classes) and evaluator.name == "classes"
    assert "weighted_error" not in [one.name for one in Classes().metrics(STATE)]
    assert weighted({"3": 10}, only={"weighted_error"}) == {"weighted_error": pytest.approx(22 / 5)}
    assert weighted({"3": 10}, only={"accuracy"})["accuracy"] == pytest.approx(1 / 5)
    statistics = evaluator.statistics(*digits(), STATE)
    assert mean_of(evaluator.shares(statistics)["weighted_error"]) == pytest.approx(22 / 5)
    drawn = weighted({"3": 10}, weights=np.array([3.0, 0, 0, 0, 1]))
    assert drawn["weighted_error"] == pytest.approx(30 / 4) and drawn["accuracy"] == pytest.approx(1 / 4)


def test_numbers_are_weighed_by_direction():
    """Too high by 1 sd, too low by 2 sd and a bit, right: of the two kinds one counts ten times."""
    examples = Examples(list("abc"), [None] * 3, [10.0, 10.0, 10.0])
    state = {"mean": 0.0, "scale": 2.0}
    evaluator = Numbers().weighed({"too high": 10})
    found = evaluator.combine(evaluator.statistics(examples, np.array([12.0, 5.0, 10.0]), state))
    assert found["weighted_error"] == pytest.approx(11 / 3)


def test_several_errors_of_one_example_add_up():
    mistakes = Mistakes(np.array([0, 0, 2]), np.array([0, 1, 1]), np.ones(3), ["missed", "double"])
    examples = Examples(list("abc"), [None] * 3)
    assert of_errors(mistakes, examples, {"missed": 5}).tolist() == [5, 1, 1]
    assert of_errors(Mistakes(np.zeros(0, int), np.zeros(0, int), np.zeros(0), []), examples, {"x": 2}).tolist() == []
