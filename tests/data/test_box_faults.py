"""What is wrong with a box, by hand; and what may reach over the picture's edge."""

import math

import pytest

from dlspec.data.box_faults import Drawn, Faults, cut, fault
from dlspec.numeric.places import Box
from dlspec.types import DataError, Place


@pytest.mark.parametrize(
    ("corners", "kind"),
    [
        ((0, 0, 200, 100), None),
        ((-0.5, 0, 200.5, 100), None),
        ((-2, -1, 202, 101), None),  # 1 % of 200 and of 100
        ((-2.01, 0, 5, 5), "outside of the picture"),
        ((0, -1.01, 5, 5), "outside of the picture"),
        ((199, 0, 202.01, 5), "outside of the picture"),
        ((-1, 0, 0, 5), "outside of the picture"),  # nothing of it is inside
        ((200, 0, 201, 5), "outside of the picture"),
        ((5, 5, 4, 9), "turned inside out"),
        ((5, 9, 6, 5), "turned inside out"),
        ((5, 5, 5, 9), "without area"),
        ((5, 9, 6, 9), "without area"),
        ((math.nan, 0, 1, 1), "without numbers"),
        ((0, 0, math.inf, 1), "without numbers"),
    ],
)
def test_kinds_of_faults(corners, kind):
    found = fault(corners, (200, 100))
    assert (found and found[0]) == kind
    if kind != "outside of the picture":
        assert fault(corners, None) == found


def test_boxes_are_cut_at_the_edge():
    assert cut((-0.5, 1, 200.5, 50), (200, 100)) == ((0, 1, 200, 50), False)
    assert cut((-0.6, 1, 50, 100.9), (200, 100)) == ((0, 1, 50, 100), True)
    assert cut((-5, 1, 500, 50), None) == ((-5, 1, 500, 50), False)


def test_what_is_left_and_what_is_said():
    faults = Faults(strict=False)
    drawn = [Drawn("cat", (-1, 0, 5, 5)), Drawn("cat", (0, 0, 5, 5), True, 1), Drawn("dog", (0, 0, 5, 5), False, 2)]
    drawn += [Drawn("cat", (0, 0, 5, 5), False, 3), Drawn(None, (0, 0, 1, 1), False, 4)]
    found = faults.boxes(drawn, (200, 100), lambda at: Place("f", at), known={"cat"})
    assert found == (Box("cat", 0, 0, 5, 5), Box("cat", 0, 0, 5, 5, True))
    assert faults.settle() == [
        "left out 2 boxes of no known class: f:2: the box (0, 0, 5, 5) has the class 'dog', and the classes are cat; "
        "f:4: the box (0, 0, 1, 1) has no class, and the classes are cat",
        "left out 1 box drawn twice: f:3: the box (0, 0, 5, 5) is in its picture twice",
        "cut at the picture's edge, over which they reach by a little: 1 box",
    ]
    assert str(faults.why("nothing", "g")).splitlines()[:2] == [
        "g: nothing", "f:2: the box (0, 0, 5, 5) has the class 'dog', and the classes are cat"
    ]  # fmt: skip
    strict = Faults(strict=True)
    strict.boxes(drawn, (200, 100), lambda at: Place("f", at), known={"cat"})
    with pytest.raises(DataError) as caught:
        strict.settle()
    assert [one.where.line for one in caught.value.complaints] == [2, 4, 3]
