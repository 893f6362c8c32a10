"""Labels of single words, as an audit of labels takes them: which words, which tags, and how sure of each."""

import numpy as np
import pytest

from dlspec.evaluators.tag_truths import Tagged
from dlspec.evaluators.tags import Tags
from dlspec.runs.human_answers import _kind
from dlspec.runs.labels import _together
from dlspec.types import ClassLabels, DataError, Example, Examples

STATE = {"names": ["B-loc", "B-per", "O"], "types": ["loc", "per"], "scheme": "bio", "outside": "O"}
X = [("Ann", "sleeps"), ("Rome",)]


def test_a_label_each_word():
    sure = np.array([[0.1, 0.7, 0.2], [np.nan] * 3], np.float32)
    guesses = [Tagged(("B-per", "O"), sure), ("B-loc",)]
    found = Tags().labels(Examples(["a", "b"], X, [("B-per", "O"), ("B-org",)]), guesses, STATE)
    assert found.given.tolist() == [1, 2, -1] and list(found.names) == STATE["names"]
    assert found.parts.tolist() == [[0, 0], [0, 1], [1, 0]]
    assert found.probabilities[0] == pytest.approx([0.1, 0.7, 0.2])
    assert np.isnan(found.probabilities[1:]).all(), "a word that was cut off, and a guess that came without"
    assert guesses[0] == ("B-per", "O"), "tags are a tuple as before"


def test_a_word_is_shown_in_its_sentence():
    assert Tags().part(Example("a", ("Ann", "sleeps", "in"), None), 1) == ("sleeps", "Ann [sleeps] in")
    assert Tags().part(Example("a", "Ann sleeps", None), 0) == ("Ann", "[Ann] sleeps")
    assert Tags().part(Example("a", None, None), 0) == ("", "")


def test_folds_that_know_other_tags_stand_together():
    """By hand: the second fold has a tag more than the run, and one that is missing in it gets no probability."""
    first = ClassLabels(np.array([0, 1]), np.array([[0.9, 0.1], [0.4, 0.6]]), ["B", "O"], np.array([[0, 0], [1, 0]]))
    second = ClassLabels(np.array([1, -1]), np.array([[0.3, 0.7], [0.5, 0.5]]), ["I", "O"], np.array([[0, 0], [0, 1]]))
    both = _together([(first, 3), (second, 1)], ClassLabels(np.array([0]), np.zeros((1, 2)), ["O", "B"]))
    assert both.names == ["O", "B", "I"] and both.given.tolist() == [1, 0, 0, -1]
    assert both.probabilities.tolist() == [[0.1, 0.9, 0], [0.6, 0.4, 0], [0.7, 0, 0.3], [0.5, 0, 0.5]]
    assert both.parts.tolist() == [[0, 0], [1, 0], [3, 0], [3, 1]], "the first fold has three examples"


def test_people_are_not_asked_for_the_tags_of_a_sentence_in_one_cell():
    with pytest.raises(DataError, match="answers to 'tags' cannot be read from a table"):
        _kind(Tags(), STATE, Examples(["a"], X[:1], [("B-per", "O")]))
