"""What of each task's answers is explained: which logits, and in which words."""

import numpy as np
import pytest

from dlspec.tasks.classification import Classification
from dlspec.tasks.detection import Detection
from dlspec.tasks.landmarks import Landmarks
from dlspec.tasks.localization import Localization
from dlspec.tasks.multi_label import MultiLabel
from dlspec.tasks.multi_task import MultiTask
from dlspec.tasks.regression import Regression
from dlspec.tasks.segmentation import Segmentation

THREE = {"classes": ["a", "b", "c"], "positive": None, "threshold": None}
LABELS = {"classes": ["cat", "dog"], "thresholds": [0.9, 0.2]}


def test_the_class_that_is_guessed():
    [aim] = Classification().aims(np.array([[1.0, 3, 2], [0, -1, -2]]), {"task": THREE})
    assert aim.says == ["b", "a"] and aim.weights.tolist() == [[0, 1, 0], [1, 0, 0]] and not aim.moves


@pytest.mark.parametrize(("positive", "threshold", "says"), [("y", 0.5, "yyx"), ("x", 0.5, "xxy"), ("y", 0.7, "yxx")])
def test_of_two_classes_the_one_logit_is_turned_round_for_the_other(positive, threshold, says):
    state = {"task": {"classes": ["x", "y"], "positive": positive, "threshold": threshold}}
    [aim] = Classification().aims(np.array([[2.0], [0.5], [-1.0]]), state)  # probabilities 0.88, 0.62, 0.27
    assert aim.says == list(says)
    assert aim.weights[:, 0].tolist() == [1.0 if one == positive else -1.0 for one in aim.says]


def test_a_number_is_more_or_less_than_the_mean():
    [aim] = Regression().aims(np.array([[0.5], [-2.0]]), {"task": {}})
    assert aim.says == ["more than the mean", "less than the mean"] and aim.weights.tolist() == [[1], [-1]]


def test_the_surest_label_or_the_one_that_is_wrong():
    logits = np.array([[1.0, 0.0], [5.0, -3.0]])  # probabilities 0.73 and 0.5; 0.99 and 0.05
    [aim] = MultiLabel().aims(logits, {"task": LABELS})
    assert aim.says == ["dog", "cat"] and aim.weights.tolist() == [[0, 1], [1, 0]]
    [aim] = MultiLabel().aims(logits, {"task": LABELS}, ["missing cat", "extra dog"])
    assert aim.says == ["cat", "dog"] and aim.weights.tolist() == [[1, 0], [0, 1]]


def test_each_head_or_the_one_that_erred():
    task = MultiTask(heads={"digit": Classification(), "size": Regression(), "pets": MultiLabel()})
    heads = {"digit": (THREE, 3), "size": ({}, 1), "pets": (LABELS, 2)}
    state = {"task": {"heads": {name: {"state": own, "outputs": count} for name, (own, count) in heads.items()}}}
    logits = np.array([[0.0, 1, 0, -1, 9, 9], [2, 0, 0, 3, 9, -9]])
    aims = task.aims(logits, state)
    assert [one.says[1] for one in aims] == ["digit: a", "size: more than the mean", "pets: cat"]
    assert [one.weights[1].tolist() for one in aims] == [[1, 0, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0], [0, 0, 0, 0, 1, 0]]
    [aim] = task.aims(logits, state, ["size: too low", "pets: missing dog"])
    assert aim.says == ["size: less than the mean", "pets: dog"]
    assert aim.weights.tolist() == [[0, 0, 0, -1, 0, 0], [0, 0, 0, 0, 0, 1]]


def test_the_pixels_of_the_second_most_frequent_class():
    state = {"task": {"names": ["ground", "cat", "dog"]}}
    logits = np.zeros((2, 2, 2, 3))
    logits[0, 0, 0, 2] = logits[0, 1, 1, 2] = 1  # two dogs, two of the ground
    logits[0, 0, 1, 0] = logits[0, 1, 0, 0] = 1
    logits[1, ..., 1] = 1  # cat everywhere
    [aim] = Segmentation().aims(logits, state)
    assert aim.says == ["dog", "cat"]
    assert aim.weights[0, ..., 2].tolist() == [[0.5, 0], [0, 0.5]] and aim.weights[0, ..., :2].sum() == 0
    assert (aim.weights[1, ..., 1] == 0.25).all() and aim.weights.sum() == pytest.approx(2)


def test_that_there_is_something_and_where():
    state = {"task": {"names": ["cat", "dog"], "threshold": 0.5}}
    there, place = Localization().aims(np.array([[1.0, 0, 0, 0, 0, 0, 2], [-1, 0, 0, 0, 0, 3, 0]]), state)
    assert there.says == ["dog", "nothing"] and place.moves and not there.moves
    assert there.weights.tolist() == [[1, 0, 0, 0, 0, 0, 1], [-1, 0, 0, 0, 0, 0, 0]]
    assert place.weights.tolist() == [[0, 1, 1, 1, 1, 0, 0]] * 2


def test_where_points_are():
    [aim] = Landmarks().aims(np.zeros((2, 6)), {"task": {}})
    assert aim.moves and (aim.weights == 1).all() and aim.weights.shape == (2, 6)


def test_the_surest_of_many_objects():
    logits = np.zeros((2, 3, 7))
    logits[0, 1, 4], logits[0, 1, 6] = 4, 1  # surely there, rather a dog
    logits[0, 2, 4], logits[0, 2, 5] = 3, 9  # likely there, surely a cat: 0.95 against 0.98 × 0.73
    logits[1, 0, 4] = 2
    logits[1, 0, 6] = 5
    [aim] = Detection().aims(logits, {"task": {"names": ["cat", "dog"]}})
    assert aim.says == ["cat, the surest", "dog, the surest"]
    assert np.argwhere(aim.weights).tolist() == [[0, 2, 4], [0, 2, 5], [1, 0, 4], [1, 0, 6]]
