import math

import numpy as np
import pytest

from dlspec.tasks.regression import Regression
from dlspec.types import DataError, Examples


def labelled(values):
    return Examples([f"row {i + 1}" for i in range(len(values))], list(values), values)


def prepared(values, **settings):
    task = Regression(**settings)
    return task, {"task": task.prepare(labelled(values))}


def test_what_is_learned_worked_by_hand():
    _, state = prepared([2, 4, 4, 4, 5, 5, 7, 9])
    assert state["task"]["mean"] == 5
    assert state["task"]["scale"] == 2
    assert state["task"]["notes"] == ["the target has mean 5 and standard deviation 2, from 2 to 9"]


@pytest.mark.parametrize(
    ("loss", "expected"),
    # standardised: −1.5, −.5 (3 times), 0, 0, 1, 2
    [("squared", 1), ("absolute", 6 / 8), ("huber", (1.0 + 3 * 0.125 + 0.5 + 1.5) / 8)],
)
def test_the_loss_of_always_guessing_the_mean(loss, expected):
    task, state = prepared([2, 4, 4, 4, 5, 5, 7, 9], loss=loss)
    assert task.expected_initial_loss(state) == pytest.approx(expected)


def test_targets_are_standardised_and_predictions_mapped_back():
    task, state = prepared([2, 4, 4, 4, 5, 5, 7, 9])
    value = task.target(labelled([5, 9.0, 1]), {}, state)["value"]
    assert (value.dtype, value.tolist()) == (np.float32, [[0], [2], [-2]])
    found = task.predict(lambda batch: value[batch["rows"]], [{"rows": [0, 1]}, {"rows": [2]}], state)
    assert (found.dtype, found.tolist()) == (np.float64, [5, 9, 1])
    assert task.outputs(state) == 1
    assert task.predict(None, [], state).shape == (0,)


def test_a_small_spread_around_a_large_mean_keeps_its_digits():
    values = [1.7e9 + i for i in range(100)]
    task, state = prepared(values)
    value = task.target(labelled(values), {}, state)["value"]
    assert task.predict(lambda batch: value, [{}], state) == pytest.approx(values, abs=1e-4, rel=0)


def test_a_target_that_is_no_number():
    with pytest.raises(DataError, match=r"row 2 \('blue'\), row 3 \('red'\); for classes, write task: classification"):
        prepared([1.0, "blue", "red"])


def test_a_missing_target_is_named():
    with pytest.raises(DataError, match="missing in 1 of 3 examples: row 3"):
        prepared([1.0, 2.0, math.nan])
    task, state = prepared([1.0, 2.0])
    with pytest.raises(DataError, match="missing in 1 of 2 examples: row 2"):
        task.target(labelled([1.0, None]), {}, state)


def test_a_constant_target():
    with pytest.raises(DataError, match=r"the target is 0\.1 in all 3 examples of train"):
        prepared([0.1, 0.1, 0.1])


def test_a_target_of_two_values_may_be_a_class():
    assert "either 0 or 1; task: classification may suit it better" in prepared([0, 1, 1, 0])[1]["task"]["notes"][1]


def test_predictions_fit_the_evaluator():
    task, state = prepared([2, 4, 4, 4, 5, 5, 7, 9])
    guess = task.predict(lambda batch: np.array([[0.0], [1.0]]), [{}], state)
    evaluator = task.evaluator
    found = evaluator.combine(evaluator.statistics(labelled([5, 9]), guess, state["task"]))
    assert found == pytest.approx({"rmse": math.sqrt(2), "mae": 1, "r2": 0.5})
