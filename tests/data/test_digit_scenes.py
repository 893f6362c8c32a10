"""Pictures of digits at known places: the truths are where the ink is."""

import numpy as np
import pytest
from pydantic import ValidationError

from dlspec.data.digit_scenes import DigitScenes


def whole(**settings):
    return DigitScenes(**{"count": 40, "noise": 0.0, **settings}).load().parts["all"]


def ink(picture):
    return picture[..., 0] > 255 * 0.47


def test_boxes_are_tight_around_the_ink():
    for example in whole(seed=3):
        [box] = example.y
        rows, columns = np.nonzero(ink(example.x))
        found = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        np.testing.assert_allclose(found, box.corners, atol=2)
        assert 0 <= box.x0 < box.x1 <= 64 and 0 <= box.y0 < box.y1 <= 64 and box.name in "0123456789"


def test_points_reach_as_far_as_the_box_and_some_are_hidden():
    boxes, points = whole(), whole(targets="points")
    for one, other in zip(boxes, points, strict=True):
        assert np.array_equal(one.x, other.x)
        [box], of = one.y, {point.name: point for point in other.y}
        assert of["top"].y == box.y0 + 0.5 and of["bottom"].y == box.y1 - 0.5
        assert of["left"].x == box.x0 + 0.5 and of["right"].x == box.x1 - 0.5
    some = [len(example.y) for example in whole(targets="points", hidden=0.5)]
    assert 1 < np.mean(some) < 3


def test_masks_are_the_ink_of_the_class():
    for one, other in zip(whole(), whole(targets="masks"), strict=True):
        [box], mask = one.y, other.y.read()
        rows, columns = np.nonzero(mask)
        assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == box.corners
        assert set(np.unique(mask)) == {0, int(box.name) + 1}
        assert mask.shape == (64, 64) and mask.dtype == np.uint8


def test_all_digits_may_be_one_class():
    assert {box.name for one in whole(classes="one") for box in one.y} == {"digit"}
    for one, other in zip(whole(targets="masks", classes="one"), whole(targets="masks"), strict=True):
        assert one.y.names == ("ground", "digit") and np.array_equal(one.y.read() > 0, other.y.read() > 0)


def test_several_do_not_overlap_and_some_pictures_have_none():
    many = whole(digits=(0, 4), size=(96, 128))
    counts = [len(example.y) for example in many]
    assert min(counts) == 0 and max(counts) >= 3
    for example in many:
        drawn = np.zeros((96, 128), int)
        for box in example.y:
            drawn[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)] += 1
        assert drawn.max() <= 1


def test_several_may_overlap_by_so_much():
    many = whole(digits=(3, 4), size=(64, 64), side=(20, 30), overlap=0.4)
    shares = []
    for example in many:
        for i, one in enumerate(example.y):
            for other in example.y[:i]:
                across = min(one.x1, other.x1) - max(one.x0, other.x0)
                down = min(one.y1, other.y1) - max(one.y0, other.y0)
                shares.append(max(0, across) * max(0, down) / 20**2)
    # Boxes lie within squares, which share at most 0.4 of the smaller, and that has 20 pixels or more a side.
    assert 0.1 < max(shares) <= 0.4 * 30**2 / 20**2
    assert np.mean([len(example.y) for example in many]) > np.mean(
        [len(example.y) for example in whole(digits=(3, 4), size=(64, 64), side=(20, 30))]
    )


def test_a_picture_follows_from_seed_and_number_alone():
    few, more, other = whole(count=5), whole(count=9), whole(count=5, seed=1)
    for i in range(5):
        assert np.array_equal(few[i].x, more[i].x) and few[i].y == more[i].y
    assert not np.array_equal(few[0].x, other[0].x)


def test_pictures_of_one_digit_come_into_one_split():
    splits = DigitScenes(count=2500).read()
    of = {name: set(part.column("groups")) for name, part in splits.parts.items()}
    assert not of["train"] & of["dev"] and not of["train"] & of["test"] and len(of["train"]) > 1000


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"digits": (3, 2)}, "at least 3 is more than at most 2"),
        ({"side": (20, 65)}, "no room in 64×64"),
        ({"targets": "points", "digits": (1, 2)}, "a single digit"),
    ],
)
def test_impossible_settings(settings, says):
    with pytest.raises(ValidationError, match=says):
        DigitScenes(**settings)
