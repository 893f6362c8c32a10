"""One box a picture: metrics and kinds of error by hand."""

import numpy as np
import pytest

from dlspec.evaluators.one_box import OneBox
from dlspec.numeric.places import Box
from dlspec.types import DataError, Examples

STATE = {"names": ["cat", "dog"], "threshold": 0.5, "overlap": 0.5}
CAT = (Box("cat", 0, 0, 10, 10),)
ROWS = {
    "right": (CAT, [0.9, 0, 0, 10, 8, 0.7, 0.3]),
    "location": (CAT, [0.9, 0, 0, 10, 4, 0.7, 0.3]),
    "class": (CAT, [0.9, 0, 0, 10, 10, 0.2, 0.8]),
    "class and location": (CAT, [0.9, 20, 20, 30, 30, 0.2, 0.8]),
    "missed": (CAT, [0.1, 0, 0, 10, 10, 0.7, 0.3]),
    "background": ((), [0.8, 0, 0, 10, 10, 0.7, 0.3]),
    "right, nothing": ((), [0.2, 0, 0, 10, 10, 0.7, 0.3]),
}
EXAMPLES = Examples(list(ROWS), [None] * len(ROWS), [truth for truth, _ in ROWS.values()])
PREDICTIONS = np.array([row for _, row in ROWS.values()])


def test_metrics_by_hand():
    found = OneBox().combine(OneBox().statistics(EXAMPLES, PREDICTIONS, STATE))
    assert found["mean_iou"] == pytest.approx((0.8 + 0.4 + 1 + 0 + 0 + 0) / 6)
    assert found["accuracy"] == pytest.approx(2 / 7)
    assert found["class_accuracy"] == pytest.approx(3 / 5)
    assert found["object_error"] == pytest.approx(2 / 7)


def test_weights_stand_for_repeated_rows():
    statistics = OneBox().statistics(EXAMPLES, PREDICTIONS, STATE)
    rows = [0, 0, 1, 4, 4, 4, 6]
    drawn = {name: values[rows] for name, values in statistics.items()}
    weights = np.bincount(rows, minlength=len(ROWS))
    assert OneBox().combine(statistics, weights) == pytest.approx(OneBox().combine(drawn))


def test_shares_are_the_metrics():
    statistics = OneBox().statistics(EXAMPLES, PREDICTIONS, STATE)
    scores = OneBox().combine(statistics)
    for name, share in OneBox().shares(statistics).items():
        rows = share.rows if share.among is None else share.rows[share.among]
        assert rows.mean() == pytest.approx(scores[name])


def test_kinds_of_error():
    for example, row in zip(EXAMPLES, PREDICTIONS, strict=True):
        kinds = [error.kind for error in OneBox().errors(example, row, STATE)]
        assert kinds == ([] if example.id.startswith("right") else [example.id])
    mistakes = OneBox().kinds_of(EXAMPLES, PREDICTIONS, OneBox().statistics(EXAMPLES, PREDICTIONS, STATE), STATE)
    found = dict(zip(mistakes.rows.tolist(), zip(mistakes.codes, mistakes.sizes, strict=True), strict=True))
    sizes = {"location": 0.6, "class": 0.8, "class and location": 1.8, "missed": 0.9, "background": 0.8}
    for row, name in enumerate(ROWS):
        if name in sizes:
            assert mistakes.names[found[row][0]] == name and found[row][1] == pytest.approx(sizes[name])
    [error] = OneBox().errors(EXAMPLES[1], PREDICTIONS[1], STATE)
    assert error.truth == "cat (0, 0, 10, 10)" and error.guess == "cat (0, 0, 10, 4), 0.9, IoU 0.40"


def test_mending_one_kind_leaves_the_rest():
    mended = OneBox().mend(EXAMPLES[1], PREDICTIONS[1], "location", STATE)
    assert mended.tolist() == [0.9, 0, 0, 10, 10, 0.7, 0.3]
    mended = OneBox().mend(EXAMPLES[2], PREDICTIONS[2], "class", STATE)
    assert mended.tolist() == [0.9, 0, 0, 10, 10, 1, 0]
    assert OneBox().mend(EXAMPLES[2], PREDICTIONS[2], "location", STATE) is not None


def test_a_class_that_train_has_not_is_wrong_and_its_perfect_prediction_is_none_of_them():
    horse = Examples(["h"], [None], [(Box("horse", 0, 0, 10, 10),)])
    [error] = OneBox().errors(horse[0], PREDICTIONS[0], STATE)
    assert error.kind == "class" and "horse" in OneBox().remarks(horse, STATE)[0]
    assert not OneBox().errors(horse[0], OneBox().perfect(horse[0], STATE), STATE)


def test_columns_and_back():
    columns = OneBox().columns(PREDICTIONS, STATE)
    np.testing.assert_array_equal(OneBox().from_columns(columns, STATE), PREDICTIONS)
    assert columns["guess"][0] == "cat (0, 0, 10, 8)" and columns["guess"][4] == "nothing"
    guesses = OneBox().from_columns({"guess": columns["guess"]}, STATE)
    assert OneBox().columns(guesses, STATE)["guess"] == columns["guess"]


def test_a_table_tells_itself():
    table = {"truth": ["cat (0, 0, 1, 1)", "nothing"], "guess": ["dog (0, 0, 1, 1)", "nothing"], "split": ["dev"] * 2}
    assert OneBox().recognize(table) == STATE
    for wrong in (["cat", "dog"], [1.0, 2.0], [None, "3"]):
        assert OneBox().recognize({**table, "guess": wrong}) is None


def test_refusals():
    with pytest.raises(DataError, match="missing in 1 of 1 examples: a"):
        OneBox().statistics(Examples(["a"], [None], [None]), PREDICTIONS[:1], STATE)
    with pytest.raises(DataError, match="1 of 1 pictures have more than one box \\(a\\)"):
        OneBox().statistics(Examples(["a"], [None], [CAT * 2]), PREDICTIONS[:1], STATE)
    with pytest.raises(DataError, match="something else: a"):
        OneBox().statistics(Examples(["a"], [None], ["cat"]), PREDICTIONS[:1], STATE)
