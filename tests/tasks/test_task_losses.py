"""The losses and metrics that the tasks compile, run once by Keras against numbers worked by hand."""

import math

import numpy as np
import pytest

from dlspec.tasks.classification import Classification
from dlspec.tasks.regression import Regression
from dlspec.types import Examples


def labelled(values):
    return Examples([f"row {i + 1}" for i in range(len(values))], list(values), values)


def measured(compiled, target, logits):
    """The loss, and the metric after two batches of it."""
    [metric] = compiled["metrics"]
    for part in (slice(None, 1), slice(1, None)):
        metric.update_state(target[part], logits[part])
    return float(compiled["loss"](target, logits)), metric.name, float(metric.result())


@pytest.mark.parametrize("truths", [["a", "b"], ["a", "b", "c"]])
def test_a_network_that_knows_nothing_has_the_expected_initial_loss(truths):
    task = Classification()
    state = {"task": task.prepare(labelled(truths))}
    target = task.target(labelled(truths), {}, state)["label"]
    loss, _, _ = measured(task.compiled(state), target, np.zeros((len(truths), task.outputs(state)), np.float32))
    assert loss == pytest.approx(task.expected_initial_loss(state), rel=1e-6)


def test_cross_entropy_of_many_classes():
    task = Classification()
    state = {"task": task.prepare(labelled(["a", "b", "c"]))}
    target = task.target(labelled(["a", "c", "b"]), {}, state)["label"]
    logits = np.log(np.array([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1], [0.2, 0.7, 0.1]], np.float32)) + 3
    loss, name, accuracy = measured(task.compiled(state), target, logits)
    assert loss == pytest.approx(-math.log(0.5 * 0.1 * 0.7) / 3, rel=1e-5)
    assert (name, accuracy) == ("accuracy", pytest.approx(2 / 3))


@pytest.mark.parametrize(("threshold", "accuracy"), [(0.5, 0.5), (0.3, 0.75)])
def test_cross_entropy_of_two_classes_and_accuracy_at_the_threshold(threshold, accuracy):
    task = Classification(threshold=threshold, positive="a")
    state = {"task": task.prepare(labelled(["a", "b"]))}
    target = task.target(labelled(["a", "a", "b", "b"]), {}, state)["label"]
    p = np.array([[0.9], [0.4], [0.2], [0.6]])
    logits = np.log(p / (1 - p)).astype(np.float32)
    loss, name, found = measured(task.compiled(state), target, logits)
    assert loss == pytest.approx(-math.log(0.9 * 0.4 * 0.8 * 0.4) / 4, rel=1e-5)
    assert (name, found) == ("accuracy", pytest.approx(accuracy))
    probabilities = task.predict(lambda batch: logits, [{}], state)
    evaluator = task.evaluator
    scored = evaluator.combine(evaluator.statistics(labelled(["a", "a", "b", "b"]), probabilities, state["task"]))
    assert scored["accuracy"] == accuracy
    assert scored["log_loss"] == pytest.approx(loss, rel=1e-5)


@pytest.mark.parametrize("loss", ["squared", "absolute", "huber"])
def test_losses_of_regression(loss):
    task = Regression(loss=loss)
    truths = labelled([2, 4, 4, 4, 5, 5, 7, 9])
    state = {"task": task.prepare(truths)}
    target = task.target(truths, {}, state)["value"]
    found, name, metric = measured(task.compiled(state), target, np.zeros((8, 1), np.float32))
    assert found == pytest.approx(task.expected_initial_loss(state), rel=1e-6)
    assert (name, metric) == ("rmse_in_sd", pytest.approx(1))
    shifted, _, _ = measured(task.compiled(state), target, target + np.float32(2))
    assert shifted == pytest.approx({"squared": 4, "absolute": 2, "huber": 1.5}[loss], rel=1e-6)
