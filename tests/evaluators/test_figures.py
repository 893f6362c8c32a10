"""What evaluators show: hand-worked matrices, curves that agree with the metrics, and figures that are plain JSON."""

import json

import numpy as np
import pytest

from dlspec.evaluators.classes import Classes
from dlspec.evaluators.numbers import MOST_POINTS, Numbers
from dlspec.types import Examples

ANIMALS = {"classes": ["cat", "dog", "hen"], "positive": None, "threshold": None}
SICK = {"classes": ["sick", "well"], "positive": "sick", "threshold": 0.3}
LENGTHS = {"mean": 10.0, "scale": 4.0}


def labelled(values):
    return Examples([f"row {i}" for i in range(len(values))], list(values), list(values))


def drawn(evaluator, truths, predictions, state):
    figures = evaluator.figures(evaluator.statistics(labelled(truths), predictions, state), state)
    json.dumps([figure._asdict() for figure in figures], allow_nan=False)
    return {figure.title: figure for figure in figures}


def sure(classes, indices, probability=0.9):
    rows = np.full((len(indices), classes), (1 - probability) / (classes - 1))
    rows[np.arange(len(indices)), indices] = probability
    return rows


def test_a_hand_worked_confusion_matrix():
    found = drawn(Classes(), ["cat", "cat", "dog", "hen", "hen"], sure(3, [0, 1, 1, 2, 0]), ANIMALS)
    data = found["Confusion matrix"].data
    assert data["rows"] == data["columns"] == ["cat", "dog", "hen"]
    assert data["values"] == [[1, 1, 0], [0, 1, 0], [1, 0, 1]]
    assert "5 examples" in found["Confusion matrix"].caption


def test_what_is_beside_the_classes_has_a_row_and_columns_where_it_occurs():
    rows = np.array([[0, 0, 0], [np.nan, 0.5, 0.5], [1, 0, 0], [0, 0, 1]])
    data = drawn(Classes(), ["cow", "dog", "cow", "hen"], rows, ANIMALS)["Confusion matrix"].data
    assert data["rows"] == ["unknown class", "cat", "dog", "hen"]
    assert data["columns"] == ["not a number", "none", "cat", "dog", "hen"]
    assert data["values"] == [[0, 1, 1, 0, 0], [0] * 5, [1, 0, 0, 0, 0], [0, 0, 0, 0, 1]]


def test_of_many_classes_the_most_confused_are_shown_and_no_example_is_lost():
    random = np.random.default_rng(0)
    names = [f"c{i:02d}" for i in range(60)]
    truth = random.integers(0, 60, 3000)
    guess = np.where((truth >= 30) & (truth < 50), random.integers(30, 50, 3000), truth)
    state = {"classes": names, "positive": None, "threshold": None}
    figure = drawn(Classes(), [names[i] for i in truth], sure(60, guess), state)["Confusion matrix"]
    assert figure.data["rows"] == [*names[30:50], "40 others"] == figure.data["columns"]
    assert np.sum(figure.data["values"]) == 3000
    assert np.trace(figure.data["values"]) == (truth == guess).sum()
    assert "20 of 60 classes" in figure.caption


def test_calibration_of_several_classes_is_of_the_guess():
    truths = ["cat"] * 8 + ["dog"] * 2 + ["hen"] * 10
    rows = np.concatenate([sure(3, [0] * 10, 0.85), sure(3, [2] * 10, 0.95)])
    found = drawn(Classes(), truths, rows, ANIMALS)
    [series] = found["Calibration"].data["series"]
    assert series["x"] == pytest.approx([0.85, 0.95]) and series["y"] == pytest.approx([0.8, 1.0])
    assert series["counts"] == [10, 10] and series["low"][0] < 0.8 < series["high"][0]
    assert "expected calibration error 0.050" in found["Calibration"].caption
    assert not any("network" in f"{one.title} {one.caption}" for one in found.values()), (
        "other tools' guesses have it too"
    )
    assert found["How sure the guesses are"].data["values"] == [0] * 8 + [10, 10]
    assert "ROC curve" not in found


def test_calibration_of_two_classes_is_of_the_positive_one_and_leaves_no_numbers_out():
    score = np.array([0.05, 0.05, 0.25, 0.95, np.nan])
    rows = np.stack([score, 1 - score], axis=1)
    found = drawn(Classes(), ["well", "sick", "well", "sick", "sick"], rows, SICK)
    [series] = found["Calibration"].data["series"]
    assert series["x"] == pytest.approx([0.05, 0.25, 0.95]) and series["y"] == pytest.approx([0.5, 0, 1])
    assert found["Calibration"].data["x_title"] == "probability given to 'sick'"
    assert "ROC curve" not in found  # a score that is no number has no place on it


def test_the_roc_curve_has_the_area_of_the_metric_and_shows_the_threshold():
    random = np.random.default_rng(3)
    truth = random.random(5000) < 0.3
    score = np.clip(0.3 * truth + random.random(5000) * 0.7, 0, 1)
    names = np.where(truth, "sick", "well").tolist()
    rows = np.stack([score, 1 - score], axis=1)
    figure = drawn(Classes(), names, rows, SICK)["ROC curve"]
    curve, point = figure.data["series"]
    evaluator = Classes()
    metrics = evaluator.combine(evaluator.statistics(labelled(names), rows, SICK))
    assert np.trapezoid(curve["y"], curve["x"]) == pytest.approx(metrics["roc_auc"], abs=1e-3)
    assert len(curve["x"]) <= 400 and (curve["x"][0], curve["y"][-1]) == (0, 1)
    assert point["y"] == pytest.approx([metrics["recall"]])
    assert point["x"] == pytest.approx([(score[~truth] >= 0.3).mean()])
    assert f"{metrics['roc_auc']:.4f}" in figure.caption and point["name"] == "threshold 0.3"


def test_one_class_alone_has_no_roc_curve_and_no_examples_no_figures():
    assert "ROC curve" not in drawn(Classes(), ["sick", "sick"], np.array([[0.4, 0.6], [0.1, 0.9]]), SICK)
    assert drawn(Classes(), [], np.zeros((0, 2)), SICK) == {}
    assert drawn(Numbers(), [], np.zeros(0), LENGTHS) == {}


def test_perfect_predictions_are_on_the_diagonal():
    evaluator = Classes()
    truths = ["cat", "dog", "hen", "hen", "cow"]
    perfect = evaluator.stack([evaluator.perfect(one, ANIMALS) for one in labelled(truths)])
    data = drawn(evaluator, truths, perfect, ANIMALS)["Confusion matrix"].data
    assert data["values"] == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 2]]
    assert (data["rows"][0], data["columns"][0]) == ("unknown class", "none")


def test_truth_against_guess_and_residuals():
    truth = [1.0, 2.0, 3.0, 4.0]
    found = drawn(Numbers(), truth, np.array([1.5, 2.0, 2.0, np.inf]), LENGTHS)
    points, bars = found["Truth against guess"], found["Residuals"]
    assert (points.data["x"], points.data["y"]) == ([1, 2, 3], [1.5, 2, 2])
    assert points.data["diagonal"] and "left out: 1 that is not finite" in points.caption
    assert sum(bars.data["values"]) == 3 and 0 in bars.data["edges"]
    assert bars.data["edges"][0] <= -1 and bars.data["edges"][-1] >= 0.5
    assert "too low by 0.167 on average" in bars.caption and "within 0.5 of the truth" in bars.caption


def test_of_very_many_points_some_are_kept_evenly_and_every_residual_is_counted():
    truth = np.linspace(0, 100, 3 * MOST_POINTS)
    guess = truth + np.random.default_rng(0).normal(0, 3, len(truth))
    found = drawn(Numbers(), truth.tolist(), guess, LENGTHS)
    x = found["Truth against guess"].data["x"]
    assert len(x) == MOST_POINTS and (x[0], x[-1]) == (0, 100) and np.diff(x).max() < 0.01
    assert sum(found["Residuals"].data["values"]) == len(truth)


@pytest.mark.parametrize("offset", [0.0, 0.1, 1e12])
def test_equal_residuals_have_a_histogram_too(offset):
    bars = drawn(Numbers(), [1.0, 2.0], np.array([1.0, 2.0]) + offset, LENGTHS)["Residuals"].data
    assert sum(bars["values"]) == 2 and len(bars["edges"]) == len(bars["values"]) + 1
