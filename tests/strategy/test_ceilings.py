import math
from typing import Literal

import numpy as np
import pytest

from dlspec.evaluators.base import Evaluator
from dlspec.evaluators.classes import Classes
from dlspec.evaluators.numbers import Numbers
from dlspec.strategy.ceilings import find_errors, kinds, slices, worst
from dlspec.strategy.intervals import wilson
from dlspec.types import Error, Examples, Metric

STATE = {"classes": ["a", "b", "c"], "positive": None, "threshold": None}
TRUTH = ["a", "a", "a", "a", "b", "b", "c", "c", "c", "x"]
ROWS = np.array(
    [
        [0.8, 0.1, 0.1],
        [0.3, 0.6, 0.1],  # a → b
        [0.2, 0.7, 0.1],  # a → b
        [0.1, 0.1, 0.8],  # a → c
        [0.1, 0.9, 0.0],
        [0.6, 0.4, 0.0],  # b → a
        [0.1, 0.1, 0.8],
        [0.0, 0.1, 0.9],
        [0.2, 0.2, 0.6],
        [0.2, 0.2, 0.6],  # unknown class 'x'
    ]
)
LIGHT = ["day", "night", "night", "day", "day", "night", "day", "", "", "day"]


def scene():
    return Examples([f"row {i + 1}" for i in range(10)], ROWS, TRUTH, tags={"light": LIGHT, "one": ["all"] * 10})


def test_kinds_worked_by_hand():
    found = kinds(Classes(), scene(), ROWS, STATE)
    assert [(one.kind, one.count) for one in found] == [
        ("a → b", 2),
        ("a → c", 1),
        ("b → a", 1),
        ("unknown class 'x'", 1),
    ]
    assert [one.ceiling for one in found] == pytest.approx([0.7, 0.6, 0.6, 0.6])
    assert [one.gain for one in found] == pytest.approx([0.2, 0.1, 0.1, 0.1])
    assert found[0].share == 2 / 5
    assert (found[0].low, found[0].high) == wilson(2, 5)


def test_a_ceiling_is_the_score_of_the_mended_predictions():
    evaluator, examples = Classes(), scene()
    for one in kinds(evaluator, examples, ROWS, STATE):
        mended = evaluator.stack([evaluator.mend(e, p, one.kind, STATE) for e, p in zip(examples, ROWS, strict=True)])
        whole = evaluator.combine(evaluator.statistics(examples, mended, STATE))
        assert one.ceilings == pytest.approx(whole)
        assert one.ceiling == whole["accuracy"]


@pytest.mark.parametrize("seed", range(5))
def test_no_ceiling_is_below_the_score(seed):
    random = np.random.default_rng(seed)
    n = 120
    truth, rows = random.integers(0, 3, n), random.dirichlet(np.ones(3), n)
    examples = Examples([str(i) for i in range(n)], rows, [STATE["classes"][i] for i in truth])
    evaluator = Classes()
    score = evaluator.combine(evaluator.statistics(examples, rows, STATE))
    found = kinds(evaluator, examples, rows, STATE)
    assert len(found) == 6
    assert sum(one.gain for one in found) == pytest.approx(1 - score["accuracy"])
    for one in found:
        assert one.ceiling > score["accuracy"]
        assert one.ceilings["log_loss"] < score["log_loss"]

    target = random.normal(size=n)
    examples, guess = Examples([str(i) for i in range(n)], target, target.tolist()), target + random.normal(size=n)
    state = {"mean": 0.0, "scale": 1.0}
    score = Numbers().combine(Numbers().statistics(examples, guess, state))
    found = kinds(Numbers(), examples, guess, state)
    assert len(found) == 8
    for one in found:
        assert one.gain == pytest.approx(score["rmse"] - one.ceiling)
        assert one.gain > 0
        assert one.ceilings["r2"] > score["r2"]
    assert [one.gain for one in found] == sorted((one.gain for one in found), reverse=True)


def test_without_errors_there_are_no_kinds():
    evaluator, examples = Classes(), scene()
    perfect = evaluator.stack([evaluator.perfect(example, STATE) for example in examples])
    assert kinds(evaluator, examples, perfect, STATE) == []
    found = find_errors(evaluator, examples, perfect, STATE)
    statistics = evaluator.statistics(examples, perfect, STATE)
    assert {(one.errors, one.share, one.rate) for one in slices(evaluator, examples, statistics, found, STATE)} == {
        (0, 0, 0)
    }
    assert worst(found) == []


def test_only_the_most_frequent_kinds_are_mended():
    found = kinds(Classes(), scene(), ROWS, STATE, most=2)
    assert [one.kind for one in found] == ["a → b", "a → c"]


class Words(Evaluator):
    """Predictions are lists of words; an example may have several errors of several kinds."""

    name: Literal["words"] = "words"

    def metrics(self, state):
        return [Metric("wrong_words", "min", 0.0)]

    def statistics(self, examples, predictions, state):
        wrong = [sum(a != b for a, b in zip(e.y, p, strict=True)) for e, p in zip(examples, predictions, strict=True)]
        return {"wrong": np.array(wrong), "of": np.array([len(e.y) for e in examples])}

    def combine(self, statistics, weights=None, *, only=None):
        return {"wrong_words": float(statistics["wrong"].sum() / statistics["of"].sum())}

    def errors(self, example, prediction, state):
        pairs = [(a, b) for a, b in zip(example.y, prediction, strict=True) if a != b]
        return [Error(example.id, f"{a[0]}-word", float(len(b)), a, b) for a, b in pairs]

    def perfect(self, example, state):
        return list(example.y)

    def columns(self, predictions, state):
        return {"guess": [" ".join(one) for one in predictions]}

    def from_columns(self, columns, state):
        return [one.split() for one in columns["guess"]]

    def truth(self, examples, state):
        return [" ".join(one) for one in examples.column("y")]

    def mend(self, example, prediction, kind, state):
        return [a if f"{a[0]}-word" == kind else b for a, b in zip(example.y, prediction, strict=True)]


def test_kinds_that_overlap_in_one_example_and_mend_apart():
    truth = [["an", "bee"], ["ant", "bat"], ["and", "bed"]]
    guess = [["x", "xxxx"], ["x", "bat"], ["and", "bed"]]
    examples = Examples(["1", "2", "3"], truth, truth)
    found = kinds(Words(), examples, guess, {})
    assert [(one.kind, one.count, one.share) for one in found] == [("a-word", 2, 1.0), ("b-word", 1, 0.5)]
    assert [one.ceiling for one in found] == pytest.approx([1 / 6, 2 / 6])
    assert [one.gain for one in found] == pytest.approx([2 / 6, 1 / 6])
    assert [(one.id, one.guess) for one in worst(find_errors(Words(), examples, guess, {}))] == [
        ("1", "xxxx"),
        ("2", "x"),
    ]


def test_slices_worked_by_hand():
    evaluator, examples = Classes(), scene()
    found = find_errors(evaluator, examples, ROWS, STATE)
    result = slices(evaluator, examples, evaluator.statistics(examples, ROWS, STATE), found, STATE)
    assert [(one.name, one.value, one.n, one.errors) for one in result] == [
        ("light", "night", 3, 3),
        ("one", "all", 10, 5),
        ("light", "day", 5, 2),
    ]
    night = result[0]
    assert (night.rate, night.share, night.metric) == (1, 3 / 5, 0)
    assert (night.low, night.high) == wilson(3, 3)
    assert result[2].metric == pytest.approx(3 / 5)


def test_where_all_are_wrong_the_metric_says_which_slice_is_worst():
    """As of a language model, every text of which has some token that was not the most probable."""
    evaluator, rows = Classes(), ROWS[[1, 2, 3, 5]]
    examples = Examples([*"1234"], rows, [*"aaab"], tags={"t": ["many", "many", "one", "many"]})
    found, held = find_errors(evaluator, examples, rows, STATE), evaluator.statistics(examples, rows, STATE)
    assert [one.value for one in slices(evaluator, examples, held, found, STATE)] == ["many", "one"]  # accuracy 0 both
    result = slices(evaluator, examples, held, found, STATE, metric=Metric("log_loss", "min", 0.0))
    assert [one.value for one in result] == ["one", "many"]
    assert result[0].metric == pytest.approx(-math.log(0.1))
    assert result[1].metric == pytest.approx(-math.log(0.3 * 0.2 * 0.4) / 3)


def test_slices_of_a_tag_with_many_values_are_the_most_frequent():
    evaluator = Classes()
    examples = Examples(list(map(str, range(10))), ROWS, TRUTH, tags={"t": [*"aabbcc", *"defg"]})
    found = find_errors(evaluator, examples, ROWS, STATE)
    result = slices(evaluator, examples, evaluator.statistics(examples, ROWS, STATE), found, STATE, most=3)
    assert {one.value for one in result} == {"a", "b", "c"}


def test_the_worst_are_the_largest_one_an_example_the_earlier_first():
    found = find_errors(Classes(), scene(), ROWS, STATE)
    listed = worst(found, 3)
    assert [error.id for error in listed] == ["row 10", "row 4", "row 3"]
    assert listed[1].size == pytest.approx(-math.log(0.1))
    same = [[Error(str(i), "k", 1.0, "", "")] for i in range(5)]
    assert [error.id for error in worst(same, 2)] == ["0", "1"]
