"""Priors: the numbers of a network and boxes, there and back; whose priors are whose; anchors by k-means."""

import numpy as np
import pytest

from dlspec.numeric.anchors import anchors, size_overlap
from dlspec.numeric.boxes import centred, overlap
from dlspec.numeric.priors import RATIO, Grids, decoded, encoded, priors

STRIDES = (8, 16)
ANCHORS = [[[10, 12], [20, 18]], [[50, 40], [90, 100]]]
SIZE = (64, 96)


def scattered(random, count, most):
    middle, sides = random.uniform(0, (96, 64), (count, most, 2)), random.uniform(1, 130, (count, most, 2))
    return np.concatenate([middle - sides / 2, middle + sides / 2], axis=2)


def test_priors_are_ordered_by_scale_row_column_and_anchor():
    found = priors(SIZE, STRIDES, ANCHORS)
    assert found.shape == (8 * 12 * 2 + 4 * 6 * 2, 5)
    assert found[:3].tolist() == [[0, 0, 8, 10, 12], [0, 0, 8, 20, 18], [1, 0, 8, 10, 12]]
    assert found[24].tolist() == [0, 1, 8, 10, 12]
    assert found[-1].tolist() == [5, 3, 16, 90, 100]


def test_numbers_by_hand():
    """σ(0) = 1/2: the middle of its cell; 2 σ(t) − 1/2 = 3/2 at most.  ln 2: twice the anchor."""
    [prior] = [np.array([3.0, 2, 8, 10, 20])]
    np.testing.assert_allclose(decoded(np.zeros(4), prior), [28 - 5, 20 - 10, 28 + 5, 20 + 10])
    np.testing.assert_allclose(decoded(np.array([50, -50, np.log(2), 0]), prior), [36 - 10, 12 - 10, 36 + 10, 12 + 10])
    np.testing.assert_allclose(encoded(np.array([23.0, 10, 33, 30]), prior), np.zeros(4), atol=1e-12)


@pytest.mark.parametrize("assign", ["best", "ratio"])
def test_boxes_without_collisions_come_back(assign):
    """Whatever boxes: encoded for one of their priors and decoded, they are within 1e-4 of the picture's side."""
    random, grids = np.random.default_rng(0), Grids(SIZE, STRIDES, ANCHORS, assign)
    checked = 0
    for _ in range(50):
        boxes = scattered(random, 4, 12)
        places = grids.assigned(boxes)[:, :, : max(1, grids.each // 3)].max(axis=2)  # of those at its own cell
        there = places >= 0
        own = grids.priors[places[there]]
        numbers = encoded(boxes[there], own).astype(np.float32)
        assert np.isfinite(numbers).all()
        np.testing.assert_allclose(decoded(numbers, own), boxes[there], atol=1e-4 * 64)
        checked += there.sum()
    assert checked > 1_000


def test_the_best_prior_is_that_of_the_best_anchor_at_the_cell_of_the_middle():
    random, grids = np.random.default_rng(1), Grids(SIZE, STRIDES, ANCHORS)
    boxes = scattered(random, 30, 1)
    for [box], [[place]] in zip(boxes, grids.assigned(boxes), strict=True):
        column, row, stride, *sides = grids.priors[place]
        middle = centred(box)
        assert (column, row) == (middle[0] // stride, middle[1] // stride)
        laid = [overlap(np.array([0, 0, *middle[2:]]), np.array([0, 0, *one])) for scale in ANCHORS for one in scale]
        every = [one for scale in ANCHORS for one in scale]
        assert sides == every[int(np.argmax(laid))]


def test_by_ratio_as_a_slow_version_has_it():
    """Every anchor whose sides are within the ratio, at the cell of the middle and at the two nearest beside it."""
    random, grids = np.random.default_rng(2), Grids(SIZE, STRIDES, ANCHORS, "ratio")
    table = {tuple(prior): place for place, prior in enumerate(grids.priors.tolist())}
    for boxes in scattered(random, 60, 1):
        x, y, w, h = centred(boxes[0])
        expected = set()
        for stride, scale in zip(STRIDES, ANCHORS, strict=True):
            for a, b in scale:
                if max(w / a, a / w, h / b, b / h) < RATIO:
                    column, row = int(x // stride), int(y // stride)
                    beside = -1 if x / stride - column < 0.5 else 1
                    under = -1 if y / stride - row < 0.5 else 1
                    cells = [(column, row), (column + beside, row), (column, row + under)]
                    expected |= {table[c, r, stride, a, b] for c, r in cells if (c, r, stride, a, b) in table}
        found = grids.assigned(boxes[None])[0, 0]
        if expected:
            assert set(found[found >= 0].tolist()) == expected
        else:
            assert (found >= 0).sum() >= 1


def test_a_prior_finds_one_box_alone():
    """Two of one place and size: one has no prior.  What is nobody's, and empty rows, have none."""
    boxes = np.full((2, 3, 4), np.nan)
    boxes[0, 0], boxes[0, 2], boxes[1, 1] = (10, 10, 20, 22), (10, 10, 20.5, 22), (10, 10, 20, 22)
    places = Grids(SIZE, STRIDES, ANCHORS).assigned(boxes)[..., 0]
    assert (places >= 0).tolist() == [[True, False, False], [False, True, False]]
    random, grids = np.random.default_rng(3), Grids(SIZE, STRIDES, ANCHORS, "ratio")
    for own in grids.assigned(scattered(random, 5, 40)):
        taken = own[own >= 0]
        assert len(set(taken.tolist())) == len(taken)


def test_middles_on_the_border_of_the_picture():
    boxes = np.array([[[90, 60, 102, 68.0], [-6, -4, 6, 4]]])
    for assign in ("best", "ratio"):
        grids = Grids(SIZE, STRIDES, ANCHORS, assign)
        assert (grids.assigned(boxes) >= 0).any(axis=2).all()


def test_anchors_are_the_sizes_that_there_are():
    sizes = np.repeat([[10.0, 20], [50, 40], [100, 110]], [30, 5, 9], axis=0)
    found, fit = anchors(sizes, 3)
    assert found.tolist() == [[10, 20], [50, 40], [100, 110]] and fit == pytest.approx(1)
    more, fit = anchors(sizes[:30], 3)
    assert more.tolist() == [[10, 20]] * 3 and fit == pytest.approx(1)


def test_more_anchors_fit_better_and_the_same_boxes_give_the_same():
    random = np.random.default_rng(0)
    sizes = np.exp(random.normal(3, 0.8, (800, 2)))
    fits = [anchors(sizes, count)[1] for count in (1, 3, 6, 9)]
    assert fits == sorted(fits) and fits[-1] > 0.6
    np.testing.assert_array_equal(anchors(sizes, 6)[0], anchors(sizes.copy(), 6)[0])
    quantiles = sizes[np.argsort(sizes.prod(axis=1))][[66, 200, 333, 466, 600, 733]]
    assert fits[2] > size_overlap(sizes, quantiles).max(axis=1).mean()
