"""Truth and guess on pictures: where they are drawn, in which colours, at any size."""

import numpy as np
import pytest

from dlspec.report.marks import GUESS, LEGEND, LEGEND_OF_MASKS, TRUTH, legend, marked
from dlspec.types import Marks


def places(picture, colour):
    rows, columns = np.nonzero((picture == colour).all(axis=2))
    return columns, rows


@pytest.mark.parametrize("size", [(16, 24), (50, 100), (600, 400), (3, 900)])
def test_boxes_are_drawn_where_they_are_at_any_size(size):
    height, width = size
    grey = np.full((height, width, 1), 90, np.uint8)
    truth = Marks([("cat", 0.25 * width, 0.25 * height, 0.75 * width, 0.75 * height)])
    guess = Marks([("cat", 0.5 * width, 0.5 * height, width, height)])
    drawn = marked(grey, truth, guess)
    assert drawn.dtype == np.uint8 and drawn.ndim == 3 and 100 < max(drawn.shape) <= 200
    high, wide = drawn.shape[:2]
    x, y = places(drawn, TRUTH)
    assert abs(x.min() - wide / 4) < 3 and (min(size) < 9 or abs(y.min() - high / 4) < 3)
    x, _ = places(drawn, GUESS)
    assert len(x) and x.min() >= wide / 2 - 3
    assert not len(places(marked(grey, truth, None), GUESS)[0])


def test_points_are_joined_to_their_guesses():
    grey = np.full((20, 20), 90, np.uint8)
    drawn = marked(grey, Marks(points=[("nose", 5, 5)]), Marks(points=[("nose", 15, 5), ("tail", 10, 15)]))
    x, y = places(drawn, GUESS)
    assert ((np.abs(y - 50) <= 1) & (x > 70) & (x < 130)).sum() > 30  # the line
    assert ((np.abs(y - 150) <= 5) & (np.abs(x - 100) <= 5)).sum() > 5  # a point without a truth
    x, y = places(drawn, TRUTH)
    assert abs(x.mean() - 50) < 1 and abs(y.mean() - 50) < 1


def test_masks_stand_side_by_side():
    picture = np.zeros((10, 10, 3), np.uint8)
    truth, guess = np.zeros((10, 10), np.uint8), np.zeros((10, 10), np.uint8)
    truth[:4], guess[:, :5] = 1, 1
    truth[9, 9] = 255
    drawn = marked(picture, Marks(mask=truth), Marks(mask=guess))
    assert drawn.shape == (200, 404, 3)
    left, right = drawn[:, :200].any(axis=2), drawn[:, 204:].any(axis=2)
    assert left[:80].all() and not left[80:180, :180].any() and left[-1, -1]
    assert right[:, :100].all() and not right[:, 100:].any()


def test_legends():
    assert legend(Marks()) == LEGEND and legend(Marks(mask=np.zeros((1, 1)))) == LEGEND_OF_MASKS
