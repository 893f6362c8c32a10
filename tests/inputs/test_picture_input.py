"""The picture input: worked numbers, sizes, channels, ranges, faults."""

import json
import time

import numpy as np
import pytest

from dlspec.inputs.picture import Picture
from dlspec.types import DataError, Example, Examples


def examples(x):
    return Examples([f"p{i}" for i in range(len(x))], x)


def encoded(picture, train, new=None):
    state = json.loads(json.dumps(picture.prepare(examples(train))))
    return picture.finish(picture.encode(examples(train if new is None else new), state), state)["picture"]


BYTES = np.array([[[0, 51], [102, 255]], [[255, 0], [0, 255]]], np.uint8)


def test_bytes_by_hand():
    state = Picture().prepare(examples(BYTES))
    assert state["shapes"] == {"picture": {"shape": [2, 2, 1], "dtype": "float32", "range": [[0.0], [1.0]]}}
    assert state["notes"] == ["pictures: 2×2, 1 channel, 0 to 255"]
    result = encoded(Picture(), BYTES)
    assert result.dtype == np.float32 and result.shape == (2, 2, 2, 1)
    assert result[0].ravel() == pytest.approx([0, 0.2, 0.4, 1])
    assert encoded(Picture(scale="signed"), BYTES)[0].ravel() == pytest.approx([-1, -0.6, -0.2, 1])
    assert encoded(Picture(scale="none"), BYTES)[0].ravel().tolist() == [0, 51, 102, 255]


def test_bytes_that_do_not_reach_255_are_bytes_all_the_same():
    assert encoded(Picture(), BYTES[:, :1, :1] // 5).max() == pytest.approx(51 / 255)


@pytest.mark.parametrize(
    ("values", "unit"),
    [
        ([0.0, 0.25, 0.5], [0, 0.25, 0.5]),
        ([0.0, 4.0, 16.0], [0, 0.25, 1]),
        ([-1.0, 0.0, 3.0], [0, 0.25, 1]),
        ([True, False, True], [1, 0, 1]),
        ([0, 5, 10], [0, 0.5, 1]),
        ([0.0, 0.0, 0.0], [0, 0, 0]),
        ([-2.0, -2.0, -2.0], [0, 0, 0]),
    ],
)
def test_the_range_of_other_numbers_is_learned(values, unit):
    assert encoded(Picture(), np.array(values)[None, None]).ravel() == pytest.approx(unit)


def test_standard_scale_by_channel():
    pictures = np.random.default_rng(0).integers(0, 256, (50, 9, 7, 3)).astype(np.uint8)
    pictures[..., 1] = 7
    result = encoded(Picture(scale="standard"), pictures)
    assert result.mean(axis=(0, 1, 2)) == pytest.approx(np.zeros(3), abs=1e-5)
    assert result.std(axis=(0, 1, 2)) == pytest.approx([1, 0, 1], abs=1e-5)
    # New pictures are scaled as train was.
    assert encoded(Picture(scale="standard"), pictures, pictures[:1]) == pytest.approx(result[:1])


def test_grey_weighs_the_colours_and_colour_repeats_grey():
    colours = np.array([[[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]]], np.uint8)
    assert encoded(Picture(channels=1), colours).ravel() == pytest.approx([0.299, 0.587, 0.114, 1], abs=0.5 / 255)
    three = encoded(Picture(channels=3, scale="standard"), BYTES)
    assert three.shape == (2, 2, 2, 3)
    assert np.array_equal(three[..., 0], three[..., 2]) and three.std() == pytest.approx(1)
    assert Picture(channels=1).prepare(examples(colours))["notes"][0].endswith("turned into grey")


def test_fits():
    wide = np.full((1, 2, 4), 255, np.uint8)
    assert encoded(Picture(size=(8, 8)), wide).min() == pytest.approx(1)
    letterbox = encoded(Picture(size=(8, 8), fit="letterbox"), wide)[0, :, :, 0]
    assert letterbox[2:6].min() == pytest.approx(1) and letterbox[:2].max() == letterbox[6:].max() == 0
    padded = encoded(Picture(size=(8, 8), fit="pad"), wide)[0, :, :, 0]
    assert np.array_equal(np.argwhere(padded > 0).min(axis=0), [3, 2]) and (padded > 0).sum() == 8
    # Larger ones are shrunk, never cut.
    shrunk = encoded(Picture(size=(8, 8), fit="pad"), np.full((1, 40, 20), 255, np.uint8))[0, :, :, 0]
    assert (shrunk > 0.99).sum() == 32


def test_pictures_of_many_sizes():
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, s).astype(np.uint8) for s in [(5, 7), (9, 4), (5, 7), (12, 12, 1)]]
    picture = Picture(size=(6, 6))
    together = encoded(picture, pictures)
    for i, one in enumerate(pictures):
        assert np.array_equal(together[i], encoded(picture, [one])[0])
    assert "of several sizes" in picture.prepare(examples(pictures))["notes"][0]
    with pytest.raises(DataError, match=r"'p0' is 5×7, 'p1' is 9×4; give one size, as input: \{size: \[5, 7\]\}"):
        Picture().prepare(examples(pictures))
    with pytest.raises(DataError, match=r"'p0' has 1, 'p1' has 3; .*channels: 3"):
        Picture().prepare(examples([np.zeros((4, 4)), np.zeros((4, 4, 3))]))


def test_a_selection_in_any_order():
    pictures = np.random.default_rng(0).integers(0, 256, (3000, 3, 3)).astype(np.uint8)
    whole = encoded(Picture(), pictures)
    order = np.random.default_rng(1).permutation(3000)
    data = examples(pictures)
    state = Picture().prepare(data)
    some = Picture().finish(Picture().encode(data.take(order.tolist()), state), state)["picture"]
    assert np.array_equal(some, whole[order])


def test_new_pictures_that_are_not_like_train():
    state = Picture().prepare(examples(BYTES))
    for wrong, message in [
        (np.zeros((1, 3, 2), np.uint8), "picture 'p0' is 3×2, expected 2×2 as in train"),
        (np.zeros((1, 2, 2, 3), np.uint8), "picture 'p0' has 3 channels, expected 1"),
        (np.zeros((1, 2, 2, 4), np.uint8), "picture 'p0' has 4 channels, expected 1 or 3"),
        ([np.zeros((2, 2)), np.zeros(4)], r"picture 'p1' is not an array .*shape \(4,\)"),
        (["a.png"], "picture 'p0' is not an array .*'a.png'"),
        (np.full((1, 2, 2), np.nan), "picture 'p0' holds values that are no finite numbers"),
        (np.stack([np.zeros((2, 2)), BYTES[0] / 255]), "picture 'p1' has values up to 1, expected 0 to 255"),
    ]:
        with pytest.raises(DataError, match=message):
            Picture().encode(examples(wrong), state)
    floats = Picture().prepare(examples(BYTES / 255))
    with pytest.raises(DataError, match="'p0' has values up to 255, expected 0 to 1"):
        Picture().encode(examples(BYTES), floats)


def test_the_same_numbers_as_floats_are_the_same_pictures():
    assert np.array_equal(encoded(Picture(), BYTES, BYTES.astype(float)), encoded(Picture(), BYTES))


def test_pictures_from_outside():
    state = Picture().prepare(examples(BYTES))
    colour = np.zeros((5, 6, 3), np.uint8)
    for given, count in [
        (BYTES[0], 1),
        (BYTES, 2),
        (BYTES[..., None], 2),
        (list(BYTES), 2),
        (BYTES.tolist(), 2),
        (colour, 1),
        ([colour, colour[1:]], 2),
    ]:
        got = Picture().outside(given, state)
        assert got.ids == [str(i) for i in range(count)]
    assert np.array_equal(
        Picture().finish(Picture().encode(Picture().outside(BYTES.tolist(), state), state), state)["picture"],
        encoded(Picture(), BYTES),
    )


def test_shown_to_a_person():
    kind, content = Picture().show(Example("a", BYTES[0]))
    assert kind == "picture" and content is not None and content.dtype == np.uint8
    assert Picture().show(Example("a", np.array([[0, 0.2], [0.4, 1]]))).content.tolist() == [[0, 51], [102, 255]]
    assert Picture().show(Example("a", np.array([[0.0, 8], [4, 16]]))).content.tolist() == [[0, 128], [64, 255]]


def test_ten_thousand_pictures_resize_fast():
    pictures = np.random.default_rng(0).integers(0, 256, (10_000, 28, 28)).astype(np.uint8)
    data, picture = examples(pictures), Picture(size=(32, 32))
    state = picture.prepare(data)
    start = time.process_time()
    assert picture.encode(data, state)["picture"].shape == (10_000, 32, 32, 1)
    assert time.process_time() - start < 1
