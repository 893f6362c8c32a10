import itertools
import math

import pytest

from dlspec.numeric.rounding import round_range, round_step


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
