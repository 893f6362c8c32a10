"""Augmentation as the recipe sets it: what is drawn, and that boxes, points and masks go along with the pixels."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dlspec.inputs.augmentation import DRAWS, Augment
from dlspec.numeric.draws import uniform
from dlspec.types import RecipeError

EVERYTHING = {
    "flip": "both", "shift": 0.1, "rotate": 20.0, "zoom": 0.2, "stretch": 0.1, "shear": 8.0, "crop": 0.6, "blur": 1.0,
    "brightness": 0.2, "contrast": 0.3, "saturation": 0.4, "hue": 0.1, "grayscale": 0.2, "noise": 0.05, "cutout": 0.3,
}  # fmt: skip
SOME_OF_RANGE = {
    "flip": "horizontal", "shift": 0.2, "rotate": 30.0, "zoom": 0.3, "stretch": 0.3, "shear": 20.0, "crop": 0.3,
    "blur": 2.0, "brightness": 0.5, "contrast": 0.5, "saturation": 0.5, "hue": 0.3, "grayscale": 0.5, "noise": 0.1,
    "cutout": 0.4, "mixup": 0.4, "cutmix": 1.0,
}  # fmt: skip


def seeds(count, start=0):
    return np.random.default_rng(start).integers(0, 2**64, count, dtype=np.uint64)


def batch(count=8, height=20, width=26, channels=3, dtype=np.uint8):
    rng = np.random.default_rng(1)
    pictures = rng.integers(0, 256, (count, height, width, channels)).astype(np.uint8)
    low = rng.uniform(0, (12, 10), (count, 4, 2))
    return {
        "picture": pictures if dtype == np.uint8 else (pictures / 255).astype(np.float32),
        "boxes": np.concatenate([low, low + rng.uniform(2, 9, (count, 4, 2))], 2).astype(np.float32),
        "points": rng.uniform(0, (width, height), (count, 5, 2)).astype(np.float32),
        "mask": rng.integers(0, 4, (count, height, width)),
        "label": rng.integers(0, 3, count),
        "other": np.arange(count),
    }


def labelled(**kind):
    whole = batch(**kind)
    return {name: whole[name] for name in ("picture", "label")}


def equal(one, two):
    assert one.keys() == two.keys()
    for name in one:
        assert one[name].dtype == two[name].dtype
        np.testing.assert_array_equal(one[name], two[name], err_msg=name)


def test_by_default_nothing_is_changed():
    data = batch()
    assert Augment().off and Augment(fill="black", keep_boxes=1.0).off
    equal(Augment().apply(data, seeds(8)), data)


@pytest.mark.parametrize("name", SOME_OF_RANGE)
def test_each_setting_changes_pictures_and_depends_on_the_seed(name):
    one = Augment(**{name: SOME_OF_RANGE[name]})
    assert not one.off and one.mixes == (name in ("mixup", "cutmix"))
    data = labelled(count=16)
    before = data["picture"].copy()
    after = one.apply(data, seeds(16), classes=3)
    assert (data["picture"] == before).all()
    changed = (after["picture"] != before).any(axis=(1, 2, 3))
    assert changed.sum() >= 4
    equal(one.apply(data, seeds(16), classes=3), after)
    assert (one.apply(data, seeds(16, start=5), classes=3)["picture"] != after["picture"]).any()


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("channels", [1, 3])
def test_an_example_is_the_same_in_whatever_batch_and_order(dtype, channels):
    data, numbers = batch(dtype=dtype, channels=channels), seeds(8)
    whole = Augment(**EVERYTHING).apply(data, numbers)
    for chosen in ([5, 2, 7], [0], [7, 6, 5, 4, 3, 2, 1, 0]):
        part = Augment(**EVERYTHING).apply({name: values[chosen] for name, values in data.items()}, numbers[chosen])
        equal(part, {name: values[chosen] for name, values in whole.items()})


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("channels", [1, 3])
def test_types_shapes_and_ranges_are_kept(dtype, channels):
    data = batch(dtype=dtype, channels=channels)
    if dtype == np.float32:
        data["picture"] = data["picture"] * 3 - 1
    after = Augment(**{**EVERYTHING, "noise": 0.5, "brightness": 1.0}).apply(data, seeds(8), low=-1, high=2)
    for name, values in data.items():
        assert after[name].shape == values.shape and after[name].dtype == values.dtype, name
    low, high = (0, 255) if dtype == np.uint8 else (-1, 2)
    assert after["picture"].min() == low and after["picture"].max() == high
    assert set(np.unique(after["mask"])) <= {0, 1, 2, 3}
    assert (after["other"] == data["other"]).all() and (after["label"] == data["label"]).all()
    boxes = after["boxes"][~np.isnan(after["boxes"]).any(2)]
    assert (
        len(boxes) and (boxes >= 0).all() and (boxes <= (26, 20, 26, 20)).all() and (boxes[:, 2:] > boxes[:, :2]).all()
    )


def test_a_float_batch_is_the_byte_batch_within_rounding():
    kinds = {**EVERYTHING, "cutout": 0.0}
    whole, floats = (Augment(**kinds).apply(batch(dtype=d), seeds(8))["picture"] for d in (np.uint8, np.float32))
    assert np.abs(whole / 255 - floats).max() < 0.03


def test_shift_and_flip_alone_move_whole_pixels_as_drawn():
    numbers = seeds(40)
    data = batch(count=40, height=10, width=20)
    after = Augment(flip="horizontal", shift=0.3, fill="black").apply(data, numbers)
    right = np.rint(20 * uniform(numbers, DRAWS.index("right"), -0.3, 0.3)).astype(int)
    down = np.rint(10 * uniform(numbers, DRAWS.index("down"), -0.3, 0.3)).astype(int)
    turned = uniform(numbers, DRAWS.index("flip_across")) < 0.5
    assert 8 < turned.sum() < 32 and np.ptp(right) > 6 and np.ptp(down) > 3
    for i in range(40):
        before = data["picture"][i, :, ::-1] if turned[i] else data["picture"][i]
        expected = np.zeros_like(before)
        for row in range(10):
            for column in range(20):
                if 0 <= row - down[i] < 10 and 0 <= column - right[i] < 20:
                    expected[row, column] = before[row - down[i], column - right[i]]
        np.testing.assert_array_equal(after["picture"][i], expected)


@pytest.mark.parametrize(("flip", "ways"), [("horizontal", 2), ("vertical", 2), ("both", 4)])
def test_flips_are_of_half_of_the_pictures(flip, ways):
    data = {"picture": np.tile(np.array([[1, 2], [3, 4]], np.uint8)[None, :, :, None], (400, 1, 1, 1))}
    found, counts = np.unique(Augment(flip=flip).apply(data, seeds(400))["picture"][..., 0], axis=0, return_counts=True)
    assert len(found) == ways and np.abs(counts - 400 / ways).max() < 50


def test_crops_stay_within_the_picture():
    # Every pixel holds its own place, so that the corners of what was cut out can be read.
    ramp = np.stack(np.meshgrid(np.arange(64.0) + 0.5, np.arange(48.0) + 0.5), -1).astype(np.float32)
    data = {"picture": np.tile(np.concatenate([ramp, ramp[..., :1]], -1), (200, 1, 1, 1))}
    after = Augment(crop=0.25, fill="black").apply(data, seeds(200), low=-1000, high=1000)["picture"]
    assert after[:, 1:-1, 1:-1].min() > 0.4
    width = (after[:, 24, -2, 0] - after[:, 24, 1, 0]) / 61
    height = (after[:, -2, 32, 1] - after[:, 1, 32, 1]) / 45
    np.testing.assert_allclose(width, height, atol=2e-3)
    assert 0.25 <= (area := width * height).min() < 0.3 and 0.95 < area.max() < 1.001
    assert abs(area.mean() - 0.625) < 0.05


def test_a_setting_changes_no_other_draw():
    numbers = seeds(5)
    alone = Augment(shift=0.2, rotate=5.0).drawn(numbers, 20, 20, 3)
    more = Augment(shift=0.2, rotate=5.0, noise=0.1, brightness=0.1, cutout=0.2).drawn(numbers, 20, 20, 3)
    np.testing.assert_array_equal(alone.maps, more.maps)


def blob(x, y, height, width):
    rows, columns = np.mgrid[:height, :width] + 0.5
    return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 1.5**2))


@settings(deadline=None, max_examples=150)
@given(
    x=st.floats(6, 58),
    y=st.floats(6, 46),
    seed=st.integers(0, 2**64 - 1),
    flip=st.sampled_from(["none", "horizontal", "vertical", "both"]),
    shift=st.sampled_from([0.0, 0.1, 0.3]),
    rotate=st.sampled_from([0.0, 10.0, 90.0, 180.0]),
    zoom=st.sampled_from([0.0, 0.3]),
    stretch=st.sampled_from([0.0, 0.2]),
    shear=st.sampled_from([0.0, 15.0]),
    crop=st.sampled_from([1.0, 0.5]),
    byte=st.booleans(),
)
def test_what_is_seen_moves_as_points_boxes_and_masks_do(
    x, y, seed, flip, shift, rotate, zoom, stretch, shear, crop, byte
):
    height, width = 52, 64
    seen = blob(x, y, height, width)
    picture = np.rint(seen * 255).astype(np.uint8) if byte else seen.astype(np.float32)
    rows, columns = np.mgrid[:height, :width] + 0.5
    middle_of_mask = columns[seen > 0.5].mean(), rows[seen > 0.5].mean()
    data = {
        "picture": picture[None, :, :, None],
        "points": np.array([[[x, y], middle_of_mask]]),
        "boxes": np.array([[[x - 3, y - 3, x + 3, y + 3]]]),
        "mask": (seen > 0.5).astype(np.int32)[None],
    }
    one = Augment(
        flip=flip, shift=shift, rotate=rotate, zoom=zoom, stretch=stretch, shear=shear, crop=crop,
        fill="black", keep_boxes=0.0,
    )  # fmt: skip
    after = one.apply(data, np.array([seed], np.uint64))
    (there_x, there_y), mask_there = after["points"][0]
    # A blob that the picture's edge cuts off has its middle elsewhere.
    assume(10 <= there_x <= width - 10 and 10 <= there_y <= height - 10)
    bright = after["picture"][0, :, :, 0].astype(float)
    middle = (bright * columns).sum() / bright.sum(), (bright * rows).sum() / bright.sum()
    assert np.hypot(middle[0] - there_x, middle[1] - there_y) < 0.25
    mask = after["mask"][0] > 0
    assert np.hypot(columns[mask].mean() - mask_there[0], rows[mask].mean() - mask_there[1]) < 0.75
    left, top, right, bottom = after["boxes"][0, 0]
    assert columns[mask].min() >= left and columns[mask].max() <= right
    assert rows[mask].min() >= top and rows[mask].max() <= bottom
    np.testing.assert_allclose([(left + right) / 2, (top + bottom) / 2], [there_x, there_y], atol=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("kinds", [{"mixup": 0.4}, {"cutmix": 1.0}, {"mixup": 1.0, "cutmix": 1.0}])
def test_mixed_labels_are_the_shares_of_the_picture(dtype, kinds):
    # A picture of each of 16 classes lights up its own pixel everywhere: values say how much of each is seen.
    count = 16
    pictures = np.zeros((count, 16, 24, 1), dtype)
    pictures[1:] = 10 * np.arange(1, count)[:, None, None, None]
    data = {"picture": pictures, "label": np.arange(count)}
    after = Augment(**kinds).apply(data, seeds(count), high=255, classes=count)
    labels = after["label"]
    assert labels.shape == (count, count) and labels.dtype == np.float32
    np.testing.assert_allclose(labels.sum(1), 1, atol=1e-6)
    assert ((labels > 0).sum(1) <= 2).all() and ((labels > 0).sum(1) == 2).sum() > 8
    np.testing.assert_allclose(after["picture"].mean(axis=(1, 2, 3)), labels @ (10 * np.arange(count)), atol=0.51)
    own = labels[np.arange(count), np.arange(count)]
    # How far the partner is: the same for all of the batch.
    partners = [
        int(np.delete(np.arange(count), i)[np.delete(labels[i], i).argmax()]) for i in range(count) if own[i] < 1
    ]
    places = [i for i in range(count) if own[i] < 1]
    assert len({(p - i) % count for p, i in zip(partners, places, strict=True)}) == 1
    pieces = np.array([len(np.unique(one)) for one in after["picture"]])
    if "mixup" not in kinds:
        assert (pieces[places] == 2).all()
    elif "cutmix" not in kinds:
        assert (pieces == 1).all()
    else:
        assert 2 < (pieces == 2).sum() < 14


def test_one_hot_and_binary_labels_are_mixed_too():
    data = labelled()
    numbers = seeds(8)
    indices = Augment(mixup=0.4).apply(data, numbers, classes=3)["label"]
    hot = Augment(mixup=0.4).apply({**data, "label": np.eye(3, dtype=np.float32)[data["label"]]}, numbers)["label"]
    np.testing.assert_array_equal(hot, indices)
    binary = Augment(mixup=0.4).apply({**data, "label": (data["label"] == 2).astype(np.float32)[:, None]}, numbers)
    np.testing.assert_allclose(binary["label"][:, 0], indices[:, 2], atol=1e-6)


def test_a_batch_of_one_has_no_partner():
    data = {name: values[:1] for name, values in labelled().items()}
    after = Augment(mixup=0.4, cutmix=1.0).apply(data, seeds(1), classes=3)
    assert (after["picture"] == data["picture"]).all() and after["label"].max() == 1


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_mixing_needs_class_labels_alone(name):
    data = batch()
    with pytest.raises(RecipeError, match=f"input.augment.{name}: {name} mixes class labels.*boxes"):
        Augment(**{name: 1.0}).apply(data, seeds(8), classes=3)
    with pytest.raises(RecipeError, match="this task has none; leave it out"):
        Augment(**{name: 1.0}).apply({"picture": data["picture"]}, seeds(8))


@pytest.mark.parametrize(
    ("key", "value"),
    [("shift", 0.6), ("rotate", 181), ("zoom", 1), ("crop", 0), ("hue", 0.6), ("noise", -0.1), ("flip", "left"),
     ("mixup", -1), ("fill", "grey"), ("rotation", 5), ("contrast", 1.5), ("keep_boxes", 2)],
)  # fmt: skip
def test_settings_are_checked(key, value):
    with pytest.raises(ValidationError):
        Augment.model_validate({key: value})


def test_settings_as_yaml_gives_them_and_every_one_is_documented():
    assert Augment.model_validate({"shift": 0.1, "flip": "horizontal", "rotate": 15}).rotate == 15
    properties = Augment.model_json_schema()["properties"]
    assert set(properties) == set(Augment.model_fields) and all(one["description"] for one in properties.values())


def test_the_share_of_pictures_that_lose_their_colour():
    data = batch(count=400)
    after = Augment(grayscale=0.3).apply({"picture": data["picture"]}, seeds(400))["picture"]
    grey = (np.ptp(after.astype(int), axis=3) == 0).all(axis=(1, 2))
    assert grey.mean() == pytest.approx(0.3, abs=0.07)
    assert (after[~grey] == data["picture"][~grey]).all()
    brightness = data["picture"][grey] @ np.array([0.299, 0.587, 0.114])
    assert np.abs(after[grey][..., 0] - brightness).max() < 1.01


def test_sizes_and_angles_are_within_what_is_set():
    numbers = seeds(500)
    zoom = Augment(zoom=0.2).drawn(numbers, 20, 30, 3).maps
    assert (zoom[:, 0, 0] == zoom[:, 1, 1]).all() and (zoom[:, [0, 1], [1, 0]] == 0).all()
    assert 0.8 <= zoom[:, 0, 0].min() < 0.81 and 1.24 < zoom[:, 0, 0].max() <= 1.25
    stretch = Augment(stretch=0.25).drawn(numbers, 20, 30, 3).maps
    ratio = stretch[:, 0, 0] / stretch[:, 1, 1]
    assert 0.75 <= ratio.min() < 0.76 and 1.32 < ratio.max() <= 4 / 3
    np.testing.assert_allclose(np.linalg.det(stretch[:, :, :2]), 1)
    turns = Augment(rotate=30).drawn(numbers, 20, 30, 3).maps
    degrees = np.rad2deg(np.arctan2(turns[:, 1, 0], turns[:, 0, 0]))
    assert -30 <= degrees.min() < -29 and 29 < degrees.max() <= 30
    shear = Augment(shear=45).drawn(numbers, 20, 30, 3).maps
    assert -1 <= shear[:, 0, 1].min() < -0.95 and 0.95 < shear[:, 0, 1].max() <= 1 and (shear[:, 1, 0] == 0).all()
    for maps in (zoom, stretch, turns, shear):
        np.testing.assert_allclose(maps[:, :, :2] @ [15, 10] + maps[:, :, 2], np.tile([15, 10], (500, 1)))
