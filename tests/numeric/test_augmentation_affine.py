"""Maps of pictures, points, boxes and masks: worked by hand, and against SciPy."""

import numpy as np
import pytest

from dlspec.numeric.affine import (
    about,
    backwards,
    joined,
    move_boxes,
    move_points,
    moved,
    place,
    scaled,
    sheared,
    turned,
    warp,
    whole,
)
from dlspec.numeric.augmentation import Changes, changed, moved_masks


def one(*numbers):
    return [np.array([number], float) for number in numbers]


def middle(height, width):
    return np.array([[width / 2, height / 2]])


def picture(rows):
    return np.array(rows, np.uint8)[None, :, :, None]


def after(pictures, maps, fill="nearest"):
    return changed(pictures, Changes(maps, fill), 0, 255)


ROWS = [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]


@pytest.mark.parametrize(
    ("fill", "expected"),
    [
        ("black", [[0, 0, 0, 0], [0, 1, 2, 3], [0, 5, 6, 7]]),
        ("nearest", [[1, 1, 2, 3], [1, 1, 2, 3], [5, 5, 6, 7]]),
        ("reflect", [[1, 1, 2, 3], [1, 1, 2, 3], [5, 5, 6, 7]]),
    ],
)
def test_one_to_the_right_and_one_down_by_hand(fill, expected):
    maps = moved(*one(1, 1))
    assert after(picture(ROWS), maps, fill)[0, :, :, 0].tolist() == expected
    assert moved_masks(np.array([ROWS]), maps, fill)[0].tolist() == expected
    assert move_points(np.array([[[0.5, 0.5], [3.5, 0.5]]]), maps, 3, 4).tolist()[0][0] == [1.5, 1.5]
    assert move_boxes(np.array([[[0.0, 0, 2, 1]]]), maps, 3, 4, 0.25).tolist() == [[[1, 1, 3, 2]]]


def test_two_to_the_left_and_one_up_by_hand():
    maps = moved(*one(-2, -1))
    assert after(picture(ROWS), maps, "nearest")[0, :, :, 0].tolist() == [
        [7, 8, 8, 8],
        [11, 12, 12, 12],
        [11, 12, 12, 12],
    ]
    assert after(picture(ROWS), maps, "reflect")[0, :, :, 0].tolist() == [
        [7, 8, 8, 7],
        [11, 12, 12, 11],
        [11, 12, 12, 11],
    ]


@pytest.mark.parametrize(
    ("signs", "expected", "point", "box"),
    [
        ((-1, 1), [[4, 3, 2, 1], [8, 7, 6, 5], [12, 11, 10, 9]], [3.5, 0.5], [2, 0, 4, 1]),
        ((1, -1), [[9, 10, 11, 12], [5, 6, 7, 8], [1, 2, 3, 4]], [0.5, 2.5], [0, 2, 2, 3]),
        ((-1, -1), [[12, 11, 10, 9], [8, 7, 6, 5], [4, 3, 2, 1]], [3.5, 2.5], [2, 2, 4, 3]),
    ],
)
def test_flips_by_hand(signs, expected, point, box):
    maps = about(middle(3, 4), scaled(*one(*signs)))
    assert after(picture(ROWS), maps)[0, :, :, 0].tolist() == expected
    assert moved_masks(np.array([ROWS]), maps, "black")[0].tolist() == expected
    assert move_points(np.array([[[0.5, 0.5]]]), maps, 3, 4).tolist() == [[point]]
    assert move_boxes(np.array([[[0.0, 0, 2, 1]]]), maps, 3, 4, 0.25).tolist() == [[box]]


def test_a_quarter_turn_by_hand():
    square = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    maps = about(middle(3, 3), turned(*one(90)))
    clockwise = [[7, 4, 1], [8, 5, 2], [9, 6, 3]]
    assert after(picture(square), maps)[0, :, :, 0].tolist() == clockwise
    assert moved_masks(np.array([square], np.int64), maps, "black")[0].tolist() == clockwise
    # The middle of the upper left pixel (1) goes to that of the upper right one; the box of 1 and 2 to that of 2 and 1.
    np.testing.assert_allclose(move_points(np.array([[[0.5, 0.5]]]), maps, 3, 3), [[[2.5, 0.5]]], atol=1e-12)
    np.testing.assert_allclose(move_boxes(np.array([[[0.0, 0, 2, 1]]]), maps, 3, 3, 1.0), [[[2, 0, 3, 2]]], atol=1e-12)


def test_a_shear_leans_upright_lines_to_the_right_of_their_foot():
    maps = about(middle(4, 4), sheared(*one(45)))
    np.testing.assert_allclose(
        move_points(np.array([[[2.0, 1], [2, 2], [2, 3]]]), maps, 4, 4), [[[3, 1], [2, 2], [1, 3]]]
    )


def test_maps_are_applied_in_the_order_given():
    both = joined(moved(*one(1, 0)), about(np.zeros((1, 2)), scaled(*one(2, 3))))
    np.testing.assert_array_equal(move_points(np.array([[[1.0, 1]]]), both, 9, 9), [[[4, 3]]])


def test_boxes_are_clipped_and_dropped_by_hand():
    # Moved right by 5 in a picture 10 wide and 8 high: a half, a quarter, a tenth stay; one leaves; one is absent.
    boxes = np.array([[[3.0, 1, 7, 3], [2, 0, 6, 4], [4, 2, 8, 6], [4.6, 0, 8.6, 1], [6, 6, 8, 8], [np.nan] * 4]])
    kept = move_boxes(boxes.astype(np.float32), moved(*one(5, 0)), 8, 10, 0.25)
    assert kept.dtype == np.float32
    assert kept[0, :3].tolist() == [[8, 1, 10, 3], [7, 0, 10, 4], [9, 2, 10, 6]]
    assert np.isnan(kept[0, 3:]).all()
    assert not np.isnan(move_boxes(boxes, moved(*one(5, 0)), 8, 10, 0.0)[0, :4]).any()
    assert np.isnan(move_boxes(boxes, moved(*one(5, 0)), 8, 10, 0.3)[0, 2:]).all()


def test_the_box_around_a_turned_box_and_its_share():
    # A square with sides 2 turned by 45° about its middle: its upright box has sides 2·√2.
    maps = about(np.array([[5.0, 5]]), turned(*one(45)))
    np.testing.assert_allclose(
        move_boxes(np.array([[[4.0, 4, 6, 6]]]), maps, 10, 10, 1.0), 5 + np.sqrt(2) * np.array([[[-1, -1, 1, 1]]])
    )


def test_points_outside_become_nan_and_absent_ones_stay_so():
    points = np.array([[[1.0, 1], [8, 1], [np.nan, np.nan]]], np.float32)
    there = move_points(points, moved(*one(3, 0)), 8, 10)
    assert there.dtype == np.float32 and there[0, 0].tolist() == [4, 1] and np.isnan(there[0, 1:]).all()


def random_maps(count, height, width, seed=0):
    draw = np.random.default_rng(seed).uniform
    there = np.broadcast_to(middle(height, width), (count, 2))
    return joined(
        about(there, turned(draw(-180, 180, count))),
        about(there, scaled(draw(0.7, 1.5, count), draw(0.7, 1.5, count))),
        moved(draw(-9, 9, count), draw(-9, 9, count)),
    )


@pytest.mark.parametrize(
    ("fill", "theirs"), [("black", "grid-constant"), ("nearest", "nearest"), ("reflect", "reflect")]
)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_sampling_agrees_with_scipy(fill, theirs, dtype):
    from scipy.ndimage import gaussian_filter, map_coordinates

    noise = np.random.default_rng(3).uniform(0, 255, (4, 33, 46, 3))
    smooth = gaussian_filter(noise, (0, 2, 2, 0)) * 4 % 255
    smooth = gaussian_filter(smooth, (0, 1, 1, 0)).astype(dtype)
    maps = random_maps(4, 33, 46)
    ours = after(smooth, maps, fill)
    assert ours.dtype == dtype
    rows, columns = np.mgrid[:33, :46]
    for i, source in enumerate(backwards(maps)):
        x, y = (source[k, 0] * columns + source[k, 1] * rows + source[k, 2] for k in (0, 1))
        for c in range(3):
            expected = map_coordinates(smooth[i, :, :, c].astype(float), [y, x], order=1, mode=theirs, cval=0)
            difference = np.abs(ours[i, :, :, c] - expected)
            # Some versions of OpenCV round coordinates to 1/32 pixel.
            assert difference.mean() < 0.7 and np.quantile(difference, 0.99) < 4


def test_masks_take_the_nearest_pixel_and_keep_their_type():
    rng = np.random.default_rng(4)
    maps = random_maps(3, 20, 31, seed=5)
    rows, columns = np.mgrid[:20, :31]
    for dtype in (np.uint8, np.int32, np.int64):
        masks = rng.integers(0, 200, (3, 20, 31)).astype(dtype)
        ours = moved_masks(masks, maps, "black")
        assert ours.dtype == dtype
        for i, source in enumerate(backwards(maps)):
            x, y = (np.rint(source[k, 0] * columns + source[k, 1] * rows + source[k, 2]).astype(int) for k in (0, 1))
            inside = (x >= 0) & (x < 31) & (y >= 0) & (y < 20)
            expected = np.where(inside, masks[i][y.clip(0, 19), x.clip(0, 30)], 0)
            # Where a source lies half-way between two pixels, either may be taken.
            assert (ours[i] != expected).mean() < 0.06


@pytest.mark.parametrize("fill", ["black", "nearest", "reflect"])
@pytest.mark.parametrize("channels", [1, 3])
def test_placing_is_what_warping_does_with_whole_pixels(fill, channels):
    rng = np.random.default_rng(6)
    for height, width in ((9, 12), (1, 5), (7, 1)):
        pictures = rng.integers(0, 256, (20, height, width, channels)).astype(np.uint8)
        signs = rng.choice([-1.0, 1.0], (2, 20))
        there = np.broadcast_to(middle(height, width), (20, 2))
        maps = joined(
            about(there, scaled(*signs)),
            moved(rng.integers(-(width // 2), width // 2 + 1, 20), rng.integers(-(height // 2), height // 2 + 1, 20)),
        )
        assert whole(maps).all()
        placed, warped = np.empty((2, *pictures.shape), np.uint8)
        for i, source in enumerate(backwards(maps)):
            place(pictures[i], maps[i], placed[i], fill, 7)
            warp(pictures[i], source, warped[i], fill, 7)
        np.testing.assert_array_equal(placed, warped)


def test_what_is_whole():
    maps = np.concatenate([moved(*one(1, -2)), moved(*one(0.5, 0)), about(middle(2, 3), turned(*one(90)))])
    assert whole(maps).tolist() == [True, False, False]
    assert whole(about(middle(3, 5), scaled(*one(-1, -1)))).all()
