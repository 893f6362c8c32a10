import json
import math

import numpy as np
import pytest

from dlspec.tasks.multi_label import MultiLabel, best_threshold
from dlspec.types import DataError, Examples, RecipeError


def labelled(values):
    return Examples([f"row {i + 1}" for i in range(len(values))], [None] * len(values), values)


def prepared(values, **settings):
    task = MultiLabel(**settings)
    return task, {"task": json.loads(json.dumps(task.prepare(labelled(values))))}


def test_what_is_learned_of_texts():
    _, state = prepared(["cat;dog", "dog", None, "eel, big"])
    assert state["task"] == {
        "classes": ["cat", "dog", "eel, big"],
        "counts": [1, 2, 1],
        "thresholds": [0.5] * 3,
        "separator": ";",
        "empty": "none",
        "initial_loss": pytest.approx(math.log(2)),
        "notes": ["3 labels: cat (1), dog (2), eel, big (1); 1.00 an example on average, none in 1 of 4"],
    }
    assert prepared(["a|b", "b", "c,d"])[1]["task"]["classes"] == ["a", "b", "c,d"]
    assert prepared(["a, b", "b", "c"])[1]["task"]["classes"] == ["a", "b", "c"]
    assert prepared(["a, b", "b"], separator=";")[1]["task"]["classes"] == ["a, b", "b"]
    assert prepared([("b", "a"), (), ["a"]])[1]["task"]["counts"] == [2, 1]
    assert "write task: classification" in prepared(["a", "b"])[1]["task"]["notes"][1]


def test_what_is_learned_of_columns():
    rows = [{"b": 1, "a": 0}, {"b": None, "a": 1}, {"b": "no", "a": 1.0}]
    task, state = prepared(rows)
    assert state["task"]["classes"] == ["b", "a"] and state["task"]["counts"] == [1, 2]
    assert state["task"]["notes"][1].startswith("1 of 6 labels are not known")
    target = task.target(labelled(rows), {}, state)["label"]
    assert target.dtype == np.float32
    np.testing.assert_array_equal(target, [[1, 0], [np.nan, 1], [0, 1]])
    assert prepared(rows, labels=("a", "b"))[1]["task"]["classes"] == ["a", "b"]


def test_what_cannot_be_learned():
    with pytest.raises(DataError, match=r"label 'b' is missing in all 2 examples of train.*take it out of data.target"):
        prepared([{"a": 1, "b": None}, {"a": 0, "b": None}])
    with pytest.raises(DataError, match="every label is the same in all 2 examples"):
        prepared(["a;b", "b;a"])
    with pytest.raises(DataError, match="none of train's examples has a label"):
        prepared([None, None])
    with pytest.raises(DataError, match=r"should be 0 or 1.*probabilities are no truths"):
        prepared([{"a": 0.9}, {"a": 0}])
    with pytest.raises(RecipeError, match=r"task.labels: unknown label 'cta'; did you mean 'cat'"):
        prepared(["cat", "dog"], labels=("cta",))
    with pytest.raises(RecipeError, match=r"task.positive_weights.cta: unknown label 'cta'"):
        prepared(["cat", "dog"], positive_weights={"cta": 2.0})


def test_the_loss_is_the_mean_over_what_is_known():
    task, state = prepared([{"a": 1, "b": 0, "c": 0}, {"a": 0, "b": 1, "c": 1}], positive_weights={"b": 3.0})
    truth = np.array([[1, np.nan, 0], [np.nan, np.nan, np.nan], [0, 1, 0.25]], np.float32)
    logits = np.array([[2.0, 90, -1], [1, 1, 1], [-90, -0.5, 0]], np.float32)
    compiled = task.compiled(state)
    found = np.asarray(compiled["loss"].call(truth, logits))
    p = 1 / (1 + np.exp(-logits.astype(float)))
    expected = [
        (-math.log(p[0, 0]) - math.log(1 - p[0, 2])) / 2,
        0,
        (0 - 3 * math.log(p[2, 1]) + math.log(2)) / 3,
    ]
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-6)
    [metric] = compiled["metrics"]
    metric.update_state(truth, logits)
    metric.update_state(truth[:1], -logits[:1])
    assert float(metric.result()) == pytest.approx((2 + 1 + 0) / 7)  # -0.5 is no for 1, and 0 yes for 0.25


def test_a_network_that_knows_nothing_has_the_expected_initial_loss():
    rows = [{"a": 1, "b": None}, {"a": 0, "b": 1}, {"a": 0, "b": 0}]
    for weights in (None, "balanced", {"b": 4.0}):
        task, state = prepared(rows, positive_weights=weights)
        target = task.target(labelled(rows), {}, state)["label"]
        loss = float(task.compiled(state)["loss"](target, np.zeros((3, 2), np.float32)))
        assert loss == pytest.approx(task.expected_initial_loss(state), rel=1e-6)
    assert prepared(rows, positive_weights="balanced")[1]["task"]["weights"] == [2.0, 1.0]


def test_probabilities_without_overflow():
    task, state = prepared(["a;b", "a"])
    logits = np.array([[0.0, 800.0], [-800.0, math.log(3)]])
    assert task.predict(lambda batch: logits, [{}], state) == pytest.approx(np.array([[0.5, 1], [0, 0.75]]))


def test_the_threshold_is_that_of_the_greatest_f1():
    scores = np.array([0.1, 0.2, 0.3, 0.35, 0.4, 0.6, 0.05, 0.15])
    truth = np.array([0, 0, 1, 1, 1, 1, 1, 0.0])
    every = {
        cut: 2 * ((scores >= cut) & (truth == 1)).sum() / (5 + (scores >= cut).sum()) for cut in (0.25, 0.5, 0.025)
    }
    assert max(every, key=every.get) == 0.25
    assert best_threshold(scores, truth) == pytest.approx(0.25)
    assert best_threshold(np.full(20, 0.5), np.arange(20) % 2) == 0.5, "nothing is gained by another"
    assert best_threshold(scores[:5], truth[:5]) == 0.5, "three positives tell nothing"
    truth[4] = np.nan
    assert best_threshold(scores, truth) == 0.5
    task, state = prepared(["a;b", "a"])
    dev = labelled(["a", "a;b", "a", "a", "a", "b", "b"])
    predictions = np.stack([[0.3, 0.3, 0.3, 0.3, 0.3, 0.1, 0.1], np.full(7, 0.9)], axis=1)
    assert task.calibrate(predictions, dev, state)["thresholds"] == pytest.approx([0.2, 0.5])
    fixed, state = prepared(["a;b", "a"], threshold=0.4)
    assert fixed.calibrate(predictions, dev, state)["thresholds"] == [0.4, 0.4]
