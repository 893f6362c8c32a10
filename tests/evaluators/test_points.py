"""Points with names: metrics and kinds of error by hand."""

import numpy as np
import pytest

from dlspec.evaluators.points import Points
from dlspec.numeric.places import Point
from dlspec.types import DataError, Examples

STATE = {"names": ["left", "right", "nose"], "threshold": 0.1, "normalizer": ["left", "right"]}
FACE = (Point("left", 0, 0), Point("right", 10, 0), Point("nose", 5, 5))
TRUTHS = [FACE, FACE[:2], FACE[1:], ()]
# Off by 0, 1.5 and 3 of 10; right at left's place; of the third the eyes are not both marked.
GUESSES = np.array([[[0, 0], [10, 1.5], [5, 8]], [[0, 1], [0.5, 0], [7, 7]], [[0, 0]] * 3, [[0, 0]] * 3], float)
EXAMPLES = Examples(list("abcd"), [np.zeros((30, 40, 1), np.uint8)] * 4, TRUTHS)


def test_metrics_by_hand():
    statistics = Points().statistics(EXAMPLES, GUESSES, STATE)
    np.testing.assert_allclose(statistics["apart"][0], [0, 0.15, 0.3])
    np.testing.assert_allclose(statistics["apart"][1], [0.1, 0.95, np.nan])
    assert statistics["marked"].tolist() == [3, 2, 0, 0]
    found = Points().combine(statistics)
    assert found["nme"] == pytest.approx((0.15 + 0.525) / 2)
    assert found["pck"] == pytest.approx(2 / 5) and found["accuracy"] == 0
    assert "1 of 4 pictures do not count" in Points().remarks(EXAMPLES, STATE)[0]


def test_other_normalisers():
    by_picture = Points().statistics(EXAMPLES, GUESSES, {**STATE, "normalizer": "diagonal"})
    np.testing.assert_allclose(by_picture["apart"][0], [0, 1.5 / 50, 3 / 50])
    assert by_picture["marked"].tolist() == [3, 2, 2, 0]
    by_box = Points().statistics(EXAMPLES, GUESSES, {**STATE, "normalizer": "box"})
    np.testing.assert_allclose(by_box["apart"][0], np.array([0, 1.5, 3]) / 125**0.5)
    table = Examples(["a"], [{"brightness": 1}], [FACE])
    with pytest.raises(DataError, match=r"'a' is no picture.*normalizer: box"):
        Points().statistics(table, GUESSES[:1], {**STATE, "normalizer": "diagonal"})


def test_weights_stand_for_repeated_rows_and_shares_are_the_metrics():
    statistics = Points().statistics(EXAMPLES, GUESSES, STATE)
    rows = [0, 1, 1, 1, 3]
    drawn = {name: values[rows] for name, values in statistics.items()}
    assert Points().combine(statistics, np.bincount(rows, minlength=4)) == pytest.approx(Points().combine(drawn))
    scores = Points().combine(statistics)
    for name, share in Points().shares(statistics).items():
        if share.rows is not None:
            assert share.rows[share.among].mean() == pytest.approx(scores[name])


def test_kinds_of_error_and_their_mends():
    kinds = [[error.kind for error in Points().errors(e, g, STATE)] for e, g in zip(EXAMPLES, GUESSES, strict=True)]
    assert kinds == [["right: near miss", "nose: far off"], ["right: at left"], [], []]
    [_, far] = Points().errors(EXAMPLES[0], GUESSES[0], STATE)
    assert far.size == pytest.approx(0.3) and (far.truth, far.guess) == ("nose (5, 5)", "nose (5, 8), off by 0.3")
    mended = Points().mend(EXAMPLES[0], GUESSES[0], "nose: far off", STATE)
    np.testing.assert_array_equal(mended, [[0, 0], [10, 1.5], [5, 5]])
    some = Points().mended(EXAMPLES.take([0]), GUESSES[:1], "right: near miss", STATE)
    np.testing.assert_array_equal(some, [[[0, 0], [10, 0], [5, 8]]])


def test_what_is_no_number_is_far_off():
    statistics = Points().statistics(EXAMPLES.take([0]), np.full((1, 3, 2), np.nan), STATE)
    assert Points().combine(statistics)["pck"] == 0 and Points().combine(statistics)["nme"] > 1000


def test_columns_and_back():
    columns = Points().columns(GUESSES, STATE)
    np.testing.assert_array_equal(Points().from_columns(columns, STATE), GUESSES)
    assert columns["guess"][0] == "left (0, 0); right (10, 1.5); nose (5, 8)"
    again = Points().from_columns({"guess": columns["guess"]}, STATE)
    np.testing.assert_allclose(again, GUESSES)
    state = Points().recognize({"truth": ["nose (1, 2)", "nothing"], "guess": ["nose (1, 2)", "nose (0, 0)"]})
    assert state == {"names": ["nose"], "threshold": 0.05, "normalizer": "box"}
    assert Points().recognize({"truth": ["nose (1, 2, 3, 4)"], "guess": ["nothing"]}) is None


def test_truths_that_are_none():
    with pytest.raises(DataError, match="missing in 1 of 1 examples: a"):
        Points().statistics(Examples(["a"], [None], [None]), GUESSES[:1], STATE)
    with pytest.raises(DataError, match="something else: a"):
        Points().statistics(Examples(["a"], [None], [3.5]), GUESSES[:1], STATE)
