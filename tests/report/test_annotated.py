"""Boxes drawn on pictures: lines where the box is, texts within the picture, whatever its size."""

import numpy as np
import pytest

from dlspec.report.annotated import COLOURS, Drawn

NAMES = ["ant", "bee"]


def test_a_line_of_the_classes_colour_with_black_around_it():
    picture = np.full((60, 80, 1), 100, np.uint8)
    drawn = Drawn(NAMES)(picture, [("bee", 0.5, (20.2, 30.4, 50.3, 54.6))])
    assert drawn.shape == (60, 80, 3) and drawn.dtype == np.uint8 and (picture == 100).all()
    for row, column in ((40, 20), (40, 50), (30, 45), (55, 35)):  # of each side
        assert tuple(drawn[row, column]) == COLOURS[1], (row, column)
    assert (drawn[40, [19, 51]] == 0).all() and (drawn[40, [18, 52, 35]] == 100).all()
    assert (drawn[56, 25:45] == 0).all() and (drawn[57:] == 100).all()


@pytest.mark.parametrize("shape", [(8, 6), (20, 300, 3), (1500, 2000, 3)])
def test_texts_and_boxes_stay_within_pictures_of_any_size(shape):
    """Of boxes over every edge: each is drawn, and none fails; the text is as high as the picture asks."""
    height, width = shape[:2]
    picture = np.full(shape, 100, np.uint8)
    for box in ((-5, -5, 3, 3), (width - 3, height - 3, width + 9, height + 9), (0, 0, width, height), (2, 2, 2, 2)):
        drawn = Drawn(NAMES)(picture, [("ant", 0.97, box)])
        assert drawn.shape == (height, width, 3)
        own = (drawn == COLOURS[0]).all(axis=2)
        assert own.sum() > min(30, own.size // 2)
    if height > 1000:
        rows = np.flatnonzero(own[:, :400].any(axis=1))
        assert 30 < rows[-1] - rows[0] < 90


def test_the_surest_lie_on_top_and_a_text_is_the_same_each_time():
    picture, box = np.zeros((100, 100, 3), np.uint8), (10, 40, 90, 90)
    both = Drawn(NAMES)(picture, [("bee", 0.9, box), ("ant", 0.2, box)])
    alone = Drawn(NAMES)(picture, [("bee", 0.9, box)])
    np.testing.assert_array_equal(both[40:], alone[40:])
    np.testing.assert_array_equal(alone, Drawn(NAMES)(picture, [("bee", 0.9, box)]))
    assert (alone[25:39, 10:60] != 0).any(), "the text stands above its box"
