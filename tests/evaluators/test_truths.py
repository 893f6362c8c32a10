import numpy as np
import pytest

from dlspec.evaluators.truths import class_name, class_names, numbers, some
from dlspec.types import DataError, Examples


def labelled(values):
    return Examples([f"row {i + 1}" for i in range(len(values))], list(values), values)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("3", "3"),
        (3, "3"),
        (3.0, "3"),
        (np.int64(3), "3"),
        (np.float32(3), "3"),
        (np.array(3), "3"),
        (-0.0, "0"),
        (0.5, "0.5"),
        (True, "true"),
        (np.bool_(False), "false"),
        ("setosa", "setosa"),
        (np.str_("setosa"), "setosa"),
        (None, None),
        (float("nan"), None),
        (np.float32("nan"), None),
    ],
)
def test_the_canonical_text_of_a_class(value, text):
    assert class_name(value) == text
    assert type(class_name(value)) in (str, type(None))


def test_a_missing_class_is_named():
    with pytest.raises(DataError, match=r"missing in 4 of 6 examples: row 2, row 3, row 4 and 1 more; fill it in"):
        class_names(labelled(["a", None, float("nan"), None, "b", None]))


def test_without_any_target():
    with pytest.raises(DataError, match="none of the 2 examples has a target"):
        class_names(Examples(["a", "b"], [0, 1]))
    with pytest.raises(DataError, match="none of the 2 examples has a target"):
        numbers(Examples(["a", "b"], [0, 1]))


def test_numbers_of_every_type():
    found = numbers(labelled([1, 2.5, np.float32(0.5), np.int8(-3)]))
    assert found.dtype == np.float64
    assert found.tolist() == [1, 2.5, 0.5, -3]


def test_text_and_booleans_are_no_numbers():
    with pytest.raises(DataError, match=r"in 2 of 3 examples .*: row 2 \('blue'\), row 3 \('true'\); .*classification"):
        numbers(labelled([1.0, "blue", True]))


def test_missing_and_infinite_numbers_are_named():
    with pytest.raises(DataError, match="missing in 1 of 2 examples: row 2"):
        numbers(labelled([1.0, float("nan")]))
    with pytest.raises(DataError, match="infinite in 1 of 2 examples: row 1"):
        numbers(labelled([float("-inf"), 1]))


def test_some_of_many():
    assert some(["a"]) == "a"
    assert some(["a", "b", "c"]) == "a, b, c"
    assert some(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"


def test_lists_of_tags_are_no_classes():
    with pytest.raises(DataError, match=r"the target of 2 of 3 examples is a list \(row 2: \('B-place', 'O'\)\)"):
        class_names(labelled(["good", ("B-place", "O"), ["O"]]))
