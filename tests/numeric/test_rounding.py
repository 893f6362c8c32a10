import itertools
import math

import pytest

from dlspec.numeric.rounding import brief, legible, round_range, round_step, several


@pytest.mark.parametrize(
    ("span", "most", "step"), [(1, 5, 0.2), (1, 10, 0.1), (99.7, 5, 20), (101, 5, 50), (3e-7, 4, 1e-7), (7, 7, 1)]
)
def test_steps(span, most, step):
    assert round_step(span, most) == step


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0.03, 0.97, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (-151, 138, [-200, -100, 0, 100, 200]),
        (5, 5, [2, 3, 4, 5, 6, 7, 8]),
        (0, 0, [-0.6, -0.4, -0.2, 0, 0.2, 0.4, 0.6]),
        (-1e300, 1e300, [-1e300, -5e299, 0, 5e299, 1e300]),
    ],
)
def test_ranges(low, high, expected):
    assert round_range(low, high, 5) == pytest.approx(expected)


@pytest.mark.parametrize("shift", [0.0, -3.3, 1e6])
@pytest.mark.parametrize("span", [1e-4, 0.37, 12.0, 1e5])
def test_a_range_holds_both_ends_and_is_not_much_wider(shift, span):
    edges = round_range(shift, shift + span, 6)
    step = edges[1] - edges[0]
    assert edges[0] <= shift + 1e-6 * step and edges[-1] >= shift + span - 1e-6 * step
    assert edges[-1] - edges[0] <= span + 2.001 * step
    assert len(edges) <= 8 and all(math.isclose(b - a, step, rel_tol=1e-3) for a, b in itertools.pairwise(edges))


@pytest.mark.parametrize(
    ("value", "says", "exactly"),
    [
        (1e8, "1e8", "1e8"),
        (100000.0, "100000", "100000"),
        (5e-5, "5e-5", "5e-5"),
        (0.1 + 0.2, "0.3", "0.30000000000000004"),
        (-2.5e-12, "-2.5e-12", "-2.5e-12"),
        (1.2345678e20, "1.23457e20", "1.2345678e20"),
        (math.inf, "inf", "inf"),
    ],
)
def test_numbers_as_a_person_writes_them(value, says, exactly):
    assert brief(value) == says and brief(value, exact=True) == exactly and float(exactly) == value


def test_long_numbers_in_a_text_are_cut():
    assert legible("spent = 44.830000000000005: 3.1% of 1,200") == "spent = 44.83: 3.1% of 1,200"
    for left in ("0.5 to 0.123456", "v1.23456789b", "1.2.3456789", "a0.12345678"):
        assert legible(left) == left


def test_what_is_counted_is_named_by_the_number_that_is_shown():
    said = [several(count, "example") for count in (0.4, 0.6, 1.4, 1.6, 2, 1234.5)]
    assert said == ["0 examples", "1 example", "1 example", "2 examples", "2 examples", "1,234 examples"]
