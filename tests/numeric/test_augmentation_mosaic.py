"""Mosaics: every object is still in its box, whatever the parts; nothing else changes."""

import numpy as np
import pytest

from dlspec.inputs.augmentation import Augment
from dlspec.numeric.mosaic import composed, composed_boxes, parts
from dlspec.types import RecipeError

HEIGHT, WIDTH = 60, 80
SEEDS = np.arange(40, dtype=np.uint64) * np.uint64(7919)


def scenes(count=40, channels=1):
    """A bright rectangle a picture, of a brightness of its own, and its box."""
    random = np.random.default_rng(0)
    pictures, boxes = np.zeros((count, HEIGHT, WIDTH, channels), np.uint8), np.full((count, 2, 4), np.nan, np.float32)
    for i in range(count):
        x, y, w, h = random.integers((0, 0, 8, 8), (50, 30, 28, 28))
        pictures[i, y : y + h, x : x + w] = 100 + i
        boxes[i, i % 2] = (x, y, x + w, y + h)
    classes = np.where(np.isnan(boxes).any(axis=2), -1, np.arange(count)[:, None]).astype(np.int32)
    return pictures, boxes, classes


def test_the_four_parts_fill_the_picture_and_come_from_within_others():
    made = parts(SEEDS, HEIGHT, WIDTH)
    for whose, of, to in zip(made.whose, made.of, made.to, strict=True):
        filled = np.zeros((HEIGHT, WIDTH), int)
        for (x0, y0, x1, y1), (left, top, right, bottom) in zip(of, to, strict=True):
            filled[top:bottom, left:right] += 1
            assert 0 <= x0 < x1 <= WIDTH and 0 <= y0 < y1 <= HEIGHT
            # Never enlarged by more than rounding, and at least half as large.
            for taken, shown in ((x1 - x0, right - left), (y1 - y0, bottom - top)):
                assert 0.48 * taken - 1 <= shown <= taken + 1
        assert (filled == 1).all() and (whose >= 0).all() and (whose < 40).all()
    assert all(i in whose for i, whose in enumerate(made.whose.tolist()))
    assert len({tuple(one) for one in made.whose.tolist()}) > 30


def test_objects_are_where_their_boxes_say():
    pictures, boxes, classes = scenes()
    made, every = parts(SEEDS, HEIGHT, WIDTH), np.ones(40, bool)
    new = composed(pictures, made, every)
    found, names = composed_boxes(boxes, classes, made, every, keep=0.0)
    assert found.shape == (40, 8, 4) and ((names >= 0) == ~np.isnan(found).any(axis=2)).all()
    seen = 0
    for picture, own, labels in zip(new[..., 0], found, names, strict=True):
        explained = np.zeros((HEIGHT, WIDTH), bool)
        for (x0, y0, x1, y1), label in zip(own[labels >= 0], labels[labels >= 0], strict=True):
            inner = picture[int(np.ceil(y0)) + 1 : max(0, int(y1) - 1), int(np.ceil(x0)) + 1 : max(0, int(x1) - 1)]
            assert (inner == 100 + label).all()
            seen += inner.size > 0
            explained[max(0, int(y0) - 1) : int(y1) + 2, max(0, int(x0) - 1) : int(x1) + 2] = True
        assert not picture[~explained].any()  # what is bright is in a box
    assert seen > 60


def test_boxes_of_which_little_is_left_are_dropped():
    _, boxes, classes = scenes()
    made, every = parts(SEEDS, HEIGHT, WIDTH), np.ones(40, bool)
    all_of, most = (composed_boxes(boxes, classes, made, every, keep)[1] for keep in (0.0, 0.9))
    assert 0 < (most >= 0).sum() < (all_of >= 0).sum()
    assert (all_of[most >= 0] == most[most >= 0]).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_of_a_batch_so_many_as_asked_for_and_the_same_each_time(channels):
    pictures, boxes, classes = scenes(channels=channels)
    batch = {"picture": pictures, "boxes": boxes, "box_classes": classes}
    half = Augment(mosaic=0.5)
    first, second = (half.apply(batch, SEEDS) for _ in range(2))
    for name in batch:
        np.testing.assert_array_equal(first[name], second[name])
    same = [np.array_equal(a, b) for a, b in zip(first["picture"], pictures, strict=True)]
    assert 8 < sum(same) < 32
    for i in np.flatnonzero(same):
        np.testing.assert_array_equal(first["boxes"][i, :2], boxes[i])
        assert np.isnan(first["boxes"][i, 2:]).all()
    np.testing.assert_array_equal(batch["picture"], scenes(channels=channels)[0])


def test_floats_and_other_seeds():
    pictures, boxes, classes = scenes(8)
    batch = {"picture": pictures / np.float32(255), "boxes": boxes, "box_classes": classes}
    one, other = (Augment(mosaic=1.0).apply(batch, SEEDS[:8] + np.uint64(s)) for s in (0, 1))
    assert one["picture"].dtype == np.float32 and one["picture"].max() <= 1
    assert not np.array_equal(one["picture"], other["picture"])


def test_where_there_are_no_boxes_with_classes():
    pictures = scenes(4)[0]
    with pytest.raises(RecipeError, match="mosaic puts pictures with boxes together"):
        Augment(mosaic=0.5).apply({"picture": pictures, "label": np.arange(4)}, SEEDS[:4])
