import math
import subprocess
import sys

import numpy as np
import pytest

from dlspec.tasks.classification import Classification
from dlspec.types import DataError, Examples, RecipeError


def labelled(values):
    return Examples([f"row {i + 1}" for i in range(len(values))], list(values), values)


def prepared(values, **settings):
    task = Classification(**settings)
    return task, {"task": task.prepare(labelled(values))}


def test_classes_are_sorted_by_number_where_all_are_numbers():
    assert prepared([10, 9, 2.0, 10])[1]["task"]["classes"] == ["2", "9", "10"]
    assert prepared(["10", "9", "x"])[1]["task"]["classes"] == ["10", "9", "x"]
    assert prepared([-1.5, -2, 0.5])[1]["task"]["classes"] == ["-2", "-1.5", "0.5"]
    assert prepared([True, False, True])[1]["task"]["classes"] == ["false", "true"]
    assert prepared(["nan", "1", "inf"])[1]["task"]["classes"] == ["1", "inf", "nan"]


def test_what_is_learned_of_two_classes():
    _, state = prepared([0] * 549 + [1] * 342, threshold=0.4)
    notes = state["task"].pop("notes")
    assert state["task"] == {"classes": ["0", "1"], "counts": [549, 342], "positive": "1", "threshold": 0.4}
    assert notes == ["2 classes: 0 (549), 1 (342)", "precision, recall and F1 are those of '1' (task.positive)"]


def test_what_is_learned_of_many_classes():
    _, state = prepared([f"kind {i % 20:02}" for i in range(99)])
    assert state["task"]["positive"] is None
    assert state["task"]["threshold"] is None
    assert state["task"]["notes"] == [
        "20 classes, from kind 19 (4) to kind 00 (5)",
        "precision, recall and F1 are macro averages over the classes",
    ]


def test_imbalance_is_noted():
    notes = prepared(["no"] * 90 + ["yes"] * 10)[1]["task"]["notes"]
    assert "'no' has 9 times the examples of 'yes', and always guessing 'no' scores an accuracy of 0.900" in notes[-1]
    assert len(prepared(["no"] * 49 + ["yes"] * 10)[1]["task"]["notes"]) == 2


def test_the_positive_class_may_be_written_as_the_data_has_it():
    assert prepared([0, 1, 1], positive=0)[1]["task"]["positive"] == "0"
    assert prepared([True, False], positive=False)[1]["task"]["positive"] == "false"
    assert prepared(["sick", "well"], positive="sick")[1]["task"]["positive"] == "sick"


def test_an_unknown_positive_class_is_refused_with_a_near_miss():
    with pytest.raises(RecipeError, match=r"task\.positive: unknown class 'sikc'; did you mean 'sick'"):
        prepared(["sick", "well"], positive="sikc")


@pytest.mark.parametrize(("key", "value"), [("positive", "a"), ("threshold", 0.3)])
def test_settings_for_two_classes_are_refused_for_more(key, value):
    with pytest.raises(RecipeError, match=f"task.{key}: {key} is for two classes, and this data has 3"):
        prepared(["a", "b", "c"], **{key: value})


def test_one_class_only():
    with pytest.raises(DataError, match="all 3 examples of train have the class '7'"):
        prepared([7, 7.0, "7"])


def test_a_class_an_example_is_no_classification():
    with pytest.raises(DataError, match=r"30 different values in 30 examples .* numbers, so write task: regression"):
        prepared([i / 7 + 0.1 for i in range(30)])
    with pytest.raises(DataError, match=r"\('name 00', 'name 01', 'name 02', …\): is the target the right column"):
        prepared([f"name {i:02}" for i in range(30)])
    assert len(prepared(list(range(10)))[1]["task"]["classes"]) == 10
    assert len(prepared(list(range(15)) * 2)[1]["task"]["classes"]) == 15


def test_a_missing_class_is_named():
    with pytest.raises(DataError, match="missing in 1 of 3 examples: row 2"):
        prepared(["a", None, "b"])
    task, state = prepared(["a", "b"])
    with pytest.raises(DataError, match="missing in 1 of 2 examples: row 1"):
        task.target(labelled([math.nan, "a"]), {}, state)


def test_outputs_and_the_loss_of_knowing_nothing():
    two, many = prepared(["a", "b"]), prepared(["a", "b", "c"])
    assert two[0].outputs(two[1]) == 1
    assert many[0].outputs(many[1]) == 3
    assert two[0].expected_initial_loss(two[1]) == math.log(2)
    assert many[0].expected_initial_loss(many[1]) == math.log(3)


def test_targets():
    task, state = prepared([3, 5, 9])
    label = task.target(labelled([9.0, "3", 5, 4]), {}, state)["label"]
    assert (label.dtype, label.tolist()) == (np.int32, [2, 0, 1, -1])
    task, state = prepared(["sick", "well"], positive="sick")
    label = task.target(labelled(["sick", "well", "other"]), {}, state)["label"]
    assert (label.dtype, label.tolist()) == (np.float32, [[1], [0], [-1]])


def test_probabilities_of_many_classes_are_the_softmax_in_float64():
    task, state = prepared(["a", "b", "c"])
    logits = np.array([[1, 2, 3], [1000, 0, -1000], [-1e4, -1e4, -1e4]], np.float32)
    found = task.predict(lambda batch: logits[batch["rows"]], [{"rows": [0]}, {"rows": [1, 2]}], state)
    assert found.dtype == np.float64
    e = math.e
    assert found[0] == pytest.approx([1 / (1 + e + e**2), e / (1 + e + e**2), e**2 / (1 + e + e**2)])
    assert found[1].tolist() == [1, 0, 0]
    assert found[2] == pytest.approx([1 / 3] * 3)
    assert task.predict(None, [], state).shape == (0, 3)


@pytest.mark.parametrize(("positive", "column"), [("sick", 0), ("well", 1)])
def test_probabilities_of_two_classes_stand_in_the_order_of_the_classes(positive, column):
    task, state = prepared(["sick", "well"], positive=positive)
    logits = np.array([[0], [2], [-800], [60], [-60]], np.float32)
    found = task.predict(lambda batch: logits, [{}], state)
    assert found[:, column] == pytest.approx(
        [0.5, 1 / (1 + math.exp(-2)), 0, 1, math.exp(-60) / (1 + math.exp(-60))], rel=1e-12
    )
    assert found[:, 1 - column] == pytest.approx([0.5, 1 / (1 + math.exp(2)), 1, math.exp(-60), 1], rel=1e-12)
    assert task.predict(None, [], state).shape == (0, 2)


def test_predictions_fit_the_evaluator():
    task, state = prepared(["a", "b", "c", "a"])
    truths = labelled(["a", "c"])
    rows = task.predict(lambda batch: np.array([[9.0, 0, 0], [0, 0, 9.0]]), [{}], state)
    evaluator = task.evaluator
    assert evaluator.combine(evaluator.statistics(truths, rows, state["task"]))["accuracy"] == 1


def test_reading_a_task_loads_nothing_heavy():
    code = (
        "import sys, dlspec.tasks.classification as c, dlspec.tasks.regression as r; "
        "c.Classification().evaluator.metrics({}), r.Regression().evaluator.metrics({}); "
        "print([m for m in ('keras', 'tensorflow', 'numpy', 'scipy', 'sklearn') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
