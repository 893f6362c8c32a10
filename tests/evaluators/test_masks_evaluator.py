"""A class for each pixel: metrics against counting and scikit-learn, kinds of error by hand."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, jaccard_score

from dlspec.evaluators.masks import Masks
from dlspec.numeric.masks import Mask
from dlspec.types import DataError, Examples

STATE = {"names": ["ground", "cat", "dog"], "edge": 1, "tolerance": 0.02}


def examples(masks):
    return Examples(
        [f"e{i}" for i in range(len(masks))], [None] * len(masks), [Mask(m, ("g", "c", "d")) for m in masks]
    )


def test_metrics_by_hand():
    """Of cat 2 of 3 pixels are found, and one of the ground is taken for it; one pixel is not judged."""
    truth, guess = np.array([[0, 0, 0, 255], [1, 1, 1, 0]]), np.array([[0, 1, 0, 2], [1, 1, 0, 0]], np.uint8)
    found = Masks().combine(Masks().statistics(examples([truth]), [guess], STATE))
    assert found["pixel_accuracy"] == pytest.approx(5 / 7)
    assert found["mean_iou"] == pytest.approx((3 / 5 + 2 / 4) / 2)
    assert found["mean_dice"] == pytest.approx((6 / 8 + 4 / 6) / 2)


def test_against_scikit_learn():
    random = np.random.default_rng(0)
    truths = random.integers(0, 3, (20, 9, 8))
    guesses = np.where(random.uniform(size=truths.shape) < 0.3, random.integers(0, 3, truths.shape), truths)
    statistics = Masks().statistics(examples(truths), list(guesses.astype(np.uint8)), STATE)
    found = Masks().combine(statistics)
    flat = truths.ravel(), guesses.ravel()
    assert found["mean_iou"] == pytest.approx(jaccard_score(*flat, average="macro"))
    assert found["mean_dice"] == pytest.approx(f1_score(*flat, average="macro"))
    rows = [0, 0, 3, 5, 5, 5]
    drawn = {name: values[rows] for name, values in statistics.items()}
    weights = np.bincount(rows, minlength=20).astype(float)
    assert Masks().combine(statistics, weights) == pytest.approx(Masks().combine(drawn))


def test_kinds_of_error():
    truth = np.zeros((10, 10), np.uint8)
    truth[2:8, 2:8] = 1
    guess = truth.copy()
    guess[4:6, 4:6] = 2  # in the middle of the cat
    guess[2:8, 8] = 1  # a pixel too wide
    guess[0, 0] = 2  # one pixel, below the tolerance
    [example] = examples([truth])
    errors = {error.kind: error.size for error in Masks().errors(example, guess, STATE)}
    assert errors == {"edge": 0.06, "cat → dog": 0.04}
    [edge, _] = Masks().errors(example, guess, STATE)
    assert edge.truth == "ground 64.0%, cat 36.0%" and edge.guess.endswith("dog 5.0%; wrong 6.0%")
    mended = Masks().mend(example, guess, "edge", STATE)
    assert np.array_equal(mended[:, 8], truth[:, 8]) and np.array_equal(mended[4:6, 4:6], guess[4:6, 4:6])
    mended = Masks().mend(example, guess, "cat → dog", STATE)
    assert np.array_equal(mended[4:6, 4:6], truth[4:6, 4:6]) and mended[0, 0] == 2


def test_classes_and_texts():
    data = examples([np.zeros((2, 2), int), np.array([[255, 2], [0, 1]])])
    assert Masks().classes(data, STATE) == [("ground",), ("ground", "cat", "dog")]
    assert Masks().truth(data, STATE) == ["2x2:0*4", "2x2:255,2,0,1"]
    columns = Masks().columns([one.y.read() for one in data], STATE)
    assert columns["guess"] == Masks().truth(data, STATE) and columns["share_ground"].tolist() == [1, 0.25]
    state = Masks().recognize({"truth": ["2x2:0*4"], "guess": ["2x2:0*3,1"]})
    assert state["names"] == ["0", "1"]
    assert Masks().recognize({"truth": ["cat"], "guess": ["2x2:0*3,1"]}) is None


def test_refusals():
    [example] = examples([np.zeros((2, 2), int)])
    with pytest.raises(DataError, match="predicted of 'e0' is 3×2, that of its truth 2×2"):
        Masks().errors(example, np.zeros((3, 2), np.uint8), STATE)
    with pytest.raises(DataError, match="missing in 'a'"):
        Masks().statistics(Examples(["a"], [None], [None]), [np.zeros((2, 2), np.uint8)], STATE)
    with pytest.raises(DataError, match="needs guess as runs"):
        Masks().from_columns({"guess": ["cat"]}, STATE)
