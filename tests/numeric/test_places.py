"""Boxes and points as texts, and places in encoded pictures."""

import numpy as np
import pytest

from dlspec.numeric.frames import back, frame, into, mask_into, scores_back, sizes, window
from dlspec.numeric.picture_bytes import fit_bytes
from dlspec.numeric.places import Box, Point, boxes_of, boxes_text, points_of, points_text


def test_texts_and_back():
    boxes = (Box("tabby cat (old)", 1, 2.5, 30.25, 1024), Box("dog", 0, 0, 12345.67, 3))
    assert boxes_text(boxes) == "tabby cat (old) (1, 2.5, 30.25, 1024); dog (0, 0, 12345.67, 3)"
    assert boxes_of(boxes_text(boxes)) == boxes
    crowd = (Box("cat", 1, 2, 3, 4, True), Box("crowd", 1, 2, 3, 4), Box("a (1) crowd", 1, 2, 3, 4, True))
    assert boxes_text(crowd) == "cat (1, 2, 3, 4) crowd; crowd (1, 2, 3, 4); a (1) crowd (1, 2, 3, 4) crowd"
    assert boxes_of(boxes_text(crowd)) == crowd and crowd[0].corners == (1, 2, 3, 4)
    assert boxes_text(()) == "nothing" and boxes_of("nothing") == ()
    points = (Point("nose", 1.005, -0.001), Point("left eye", 3, 4))
    assert points_text(points) == "nose (1, 0); left eye (3, 4)"
    assert points_of(points_text(points)) == (Point("nose", 1, 0), Point("left eye", 3, 4))
    for wrong in ("cat", "cat (1, 2, 3)", "(1, 2, 3, 4)", "cat (1, 2, nan, 4)", "cat (1, 2, x, 4)"):
        with pytest.raises(ValueError):
            boxes_of(wrong)
    with pytest.raises(ValueError):
        points_of("nose (1, 2) crowd")


@pytest.mark.parametrize("fit", ["stretch", "letterbox", "pad"])
@pytest.mark.parametrize("given", [(20, 40), (40, 20), (7, 9), (32, 48)])
def test_a_square_that_is_drawn_comes_to_lie_where_the_frame_says(fit, given):
    wanted = (32, 48)
    height, width = given
    box = np.array([[width * 0.25, height * 0.25, width * 0.75, height * 0.75]])
    big = np.zeros((16 * height, 16 * width, 1), np.uint8)
    x0, y0, x1, y1 = (16 * box[0]).astype(int)
    big[y0:y1, x0:x1] = 255
    of = frame(big.shape, wanted, fit)[None]
    seen = fit_bytes(big, (*wanted, 1), fit)[..., 0] > 127
    rows, columns = np.nonzero(seen)
    found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    np.testing.assert_allclose(into(16 * box, of)[0], found, atol=1.01)
    np.testing.assert_allclose(back(into(16 * box, of), of), 16 * box)
    np.testing.assert_allclose(back(into(16 * box[:, None, :2], of), of), 16 * box[:, None, :2])
    assert sizes(of).tolist() == [[16 * width, 16 * height]]


@pytest.mark.parametrize("fit", ["stretch", "letterbox", "pad"])
def test_masks_go_in_and_come_back(fit):
    mask = np.zeros((20, 30), np.uint8)
    mask[5:15, 10:20] = 1
    of = frame(mask.shape, (40, 40), fit)
    inside = mask_into(mask, of, (40, 40), 255)
    rows, columns = window(of)
    around = np.ones((40, 40), bool)
    around[rows, columns] = False
    assert (inside[around] == 255).all() and set(np.unique(inside[rows, columns])) == {0, 1}
    scores = np.stack([inside == 0, inside == 1], axis=-1).astype(np.float32)
    assert (scores_back(scores, of).argmax(axis=-1) == mask).mean() > 0.98
    same = frame((20, 30), (20, 30), fit)
    assert np.array_equal(mask_into(mask, same, (20, 30), 255), mask)
