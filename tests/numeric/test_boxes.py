"""Overlaps of boxes, worked by hand; forms of boxes."""

import math

import numpy as np
import pytest

from dlspec.numeric.boxes import areas, centred, clipped, cornered, overlap, pairwise

KINDS = ("iou", "giou", "diou", "ciou")


def test_two_squares_that_share_a_quarter_by_hand():
    """2×2 squares, moved by (1, 1): 1 in common of 7; the box around both is 3×3, 2 of which neither covers."""
    one, other = np.array([0.0, 0, 2, 2]), np.array([1.0, 1, 3, 3])
    assert overlap(one, other) == pytest.approx(1 / 7)
    assert overlap(one, other, "giou") == pytest.approx(1 / 7 - 2 / 9)
    assert overlap(one, other, "diou") == pytest.approx(1 / 7 - 2 / 18)
    assert overlap(one, other, "ciou") == pytest.approx(1 / 7 - 2 / 18)  # of the same proportions


def test_boxes_of_other_proportions_by_hand():
    """4×2 and 2×2 with the same upper left corner: 4 in common of 8; middles 1 apart, the diagonal squared 20."""
    one, other = np.array([0.0, 0, 4, 2]), np.array([0.0, 0, 2, 2])
    v = 4 / math.pi**2 * (math.atan(2) - math.atan(1)) ** 2
    assert overlap(one, other) == pytest.approx(0.5)
    assert overlap(one, other, "giou") == pytest.approx(0.5)  # one lies in the other
    assert overlap(one, other, "diou") == pytest.approx(0.5 - 1 / 20)
    assert overlap(one, other, "ciou") == pytest.approx(0.5 - 1 / 20 - v / (0.5 + v) * v)


def test_boxes_apart_by_hand():
    """1×1 squares, 2 apart: nothing in common; the box around both is 4×1, 2 of which neither covers."""
    one, other = np.array([0.0, 0, 1, 1]), np.array([3.0, 0, 4, 1])
    assert overlap(one, other) == 0
    assert overlap(one, other, "giou") == pytest.approx(-0.5)
    assert overlap(one, other, "diou") == pytest.approx(-9 / 17)


@pytest.mark.parametrize("kind", KINDS)
def test_of_random_boxes(kind):
    """The same both ways, whatever the unit; 1 for equal ones; between -1 (DIoU, CIoU: a little less) and IoU."""
    random = np.random.default_rng(0)
    corners = random.uniform(0, 10, (200, 2, 4))
    one, other = (np.concatenate([c[:, :2], c[:, :2] + c[:, 2:] + 0.1], axis=1) for c in (corners[:, 0], corners[:, 1]))
    found = overlap(one, other, kind)
    np.testing.assert_allclose(overlap(other, one, kind), found)
    np.testing.assert_allclose(overlap(7 * one + 3, 7 * other + 3, kind), found)
    np.testing.assert_allclose(overlap(one, one, kind), 1)
    assert (found <= overlap(one, other) + 1e-12).all() and (found > -2).all()
    np.testing.assert_allclose(pairwise(one, other[:5], kind)[:5].diagonal(), found[:5])
    assert pairwise(one, other[:5], kind).shape == (200, 5)


def test_iou_is_that_of_counted_pixels():
    random = np.random.default_rng(1)
    for _ in range(50):
        low, sides = random.integers(0, 10, (2, 2)), random.integers(1, 10, (2, 2))
        boxes = np.concatenate([low, low + sides], axis=1)
        drawn = np.zeros((2, 20, 20), bool)
        for of, (x0, y0, x1, y1) in zip(drawn, boxes, strict=True):
            of[y0:y1, x0:x1] = True
        assert overlap(*boxes) == pytest.approx((drawn[0] & drawn[1]).sum() / (drawn[0] | drawn[1]).sum())


@pytest.mark.parametrize("kind", KINDS)
def test_boxes_without_area_overlap_by_nothing_and_break_nothing(kind):
    point = np.array([1.0, 1, 1, 1])
    assert np.isfinite(overlap(point, point, kind))
    assert overlap(point, np.array([0.0, 0, 2, 2])) == 0 and overlap(point, point) == 0


def test_forms():
    corners = np.array([[1.0, 2, 5, 10]])
    np.testing.assert_allclose(centred(corners), [[3, 6, 4, 8]])
    np.testing.assert_allclose(cornered(centred(corners)), corners)
    np.testing.assert_allclose(cornered(np.array([3.0, 6, -1, 2])), [3, 5, 3, 7])
    assert areas(np.array([[0, 0, 2, 3], [2, 2, 1, 5]])).tolist() == [6, 0]
    assert clipped(np.array([[-1.0, 2, 9, 12]]), 8, 10).tolist() == [[0, 2, 8, 10]]


def slowly(one, other, kind):
    """Each formula as the papers write it, one pair at a time."""
    (ax0, ay0, ax1, ay1), (bx0, by0, bx1, by1) = one, other
    wide, high = min(ax1, bx1) - max(ax0, bx0), min(ay1, by1) - max(ay0, by0)
    common = wide * high if wide > 0 and high > 0 else 0.0
    union = (ax1 - ax0) * (ay1 - ay0) + (bx1 - bx0) * (by1 - by0) - common
    iou = common / union
    hull_w, hull_h = max(ax1, bx1) - min(ax0, bx0), max(ay1, by1) - min(ay0, by0)
    if kind == "giou":
        return iou - (hull_w * hull_h - union) / (hull_w * hull_h)
    apart = math.hypot((ax0 + ax1) / 2 - (bx0 + bx1) / 2, (ay0 + ay1) / 2 - (by0 + by1) / 2)
    diou = iou - apart**2 / math.hypot(hull_w, hull_h) ** 2
    v = 4 / math.pi**2 * (math.atan((bx1 - bx0) / (by1 - by0)) - math.atan((ax1 - ax0) / (ay1 - ay0))) ** 2
    return {"iou": iou, "diou": diou, "ciou": diou - v / (1 - iou + v) * v if v else diou}[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_ten_thousand_pairs_against_a_slow_version(kind):
    random = np.random.default_rng(2)
    low, sides = random.uniform(0, 100, (2, 10_000, 2)), random.uniform(0.5, 80, (2, 10_000, 2))
    one, other = np.concatenate([low, low + sides], axis=2)
    expected = [slowly(a, b, kind) for a, b in zip(one.tolist(), other.tolist(), strict=True)]
    np.testing.assert_allclose(overlap(one, other, kind), expected, atol=1e-6)
