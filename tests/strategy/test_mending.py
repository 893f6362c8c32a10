import numpy as np
import pytest

from dlspec.evaluators.classes import Classes
from dlspec.strategy.ceilings import find_errors, kinds
from dlspec.strategy.mending import Mending
from dlspec.types import Examples, Metric

STATE = {"classes": ["a", "b", "c"], "positive": None, "threshold": None}


def scene(n=60, metric=None):
    random = np.random.default_rng(0)
    rows, truth = random.dirichlet(np.ones(3), n), [STATE["classes"][i % 3] for i in range(n)]
    examples, evaluator = Examples([str(i) for i in range(n)], rows, truth), Classes()
    statistics = evaluator.statistics(examples, rows, STATE)
    found = find_errors(evaluator, examples, rows, STATE, statistics)
    metric = metric or evaluator.metrics(STATE)[0]
    return examples, rows, found, Mending(evaluator, examples, rows, statistics, STATE, found, metric)


@pytest.mark.parametrize("name", ["accuracy", "log_loss", "f1"])
def test_a_slice_that_is_a_kind_has_its_ceiling(name):
    examples, rows, found, mending = scene(metric=Metric(name, "min" if name == "log_loss" else "max", 0.0))
    for one in kinds(Classes(), examples, rows, STATE):
        which = np.zeros(len(examples), bool)
        which[dict(found.touched())[one.kind]] = True
        assert mending.ceiling(which) == pytest.approx(one.ceilings[name])
    assert mending.gain(np.ones(len(examples), bool)) > 0
    assert mending.gain(np.zeros(len(examples), bool)) == pytest.approx(0)


def test_everything_mended_is_perfect_and_rows_without_an_error_do_not_matter():
    _, _, found, mending = scene()
    assert mending.ceiling(np.ones(60, bool)) == 1
    assert mending.ceiling(~found.wrong) == mending.score()


def test_what_counts_more_buys_more():
    _, _, found, mending = scene()
    wrong = np.flatnonzero(found.wrong)
    which, weights = np.zeros(60, bool), np.ones(60)
    which[wrong[0]] = True
    weights[wrong[0]] = 5
    assert mending.gain(which) == pytest.approx(1 / 60)
    assert mending.gain(which, weights) == pytest.approx(5 / 64)


class Lists(Classes):
    """The same, with predictions that are a list, as those of texts are."""

    def mended(self, examples, predictions, kind, state):
        return list(super().mended(examples, predictions, kind, state))


def test_predictions_that_are_a_list():
    examples, rows, found, mending = scene()
    evaluator, held = Lists(), list(rows)
    statistics = evaluator.statistics(examples, rows, STATE)
    found = find_errors(evaluator, examples, rows, STATE, statistics)
    other = Mending(evaluator, examples, held, statistics, STATE, found, mending.metric)
    assert other.ceiling(np.arange(60) < 20) == mending.ceiling(np.arange(60) < 20)
