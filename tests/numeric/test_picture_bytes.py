"""Bytes resized: the same filter as the exact one, the same bits from files and from arrays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import uniform_filter1d

from dlspec.numeric.picture_bytes import fit_bytes, resize_bytes
from dlspec.numeric.picture_files import read
from dlspec.numeric.picture_paths import read_into, read_many
from dlspec.numeric.resize import resize

SIDE = st.integers(1, 40)


def noise(height, width, channels, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def sampled(values, size):
    """Linear interpolation along the first axis, pixel centres at half-integers, ends held."""
    places = (np.arange(size) + 0.5) * len(values) / size - 0.5
    flat = values.reshape(len(values), -1)
    columns = [np.interp(places, np.arange(len(values)), column) for column in flat.T]
    return np.stack(columns, axis=1).reshape(size, *values.shape[1:])


def averaged(values, size):
    """Means over equal stretches along the first axis, parts of pixels counted in part."""
    sums = np.concatenate([np.zeros((1, *values.shape[1:])), values.cumsum(axis=0)])
    edges = np.arange(size + 1) * len(values) / size
    low = np.minimum(edges.astype(int), len(values) - 1)
    at = sums[low] + (edges - low)[:, None, None] * (sums[low + 1] - sums[low])
    return np.diff(at, axis=0) * size / len(values)


def expected(picture, height, width):
    """What `resize_bytes` says that it does, in float64."""
    values, wanted = picture.astype(float), (height, width)
    factors = [max(1.0, old / new) for old, new in zip(picture.shape, wanted, strict=False)]
    for axis, (factor, new) in enumerate(zip(factors, wanted, strict=True)):
        values = values.swapaxes(0, axis)
        smaller = min(new, len(values))
        if max(factors) > 3:
            values = averaged(values, smaller)
        elif factor > 1:
            smooth = uniform_filter1d(values, 3, axis=0, mode="nearest") if factor > 1.6 else values
            values = sampled(smooth, smaller)
        values = values.swapaxes(0, axis)
    for axis, new in enumerate(wanted):
        values = sampled(values.swapaxes(0, axis), new).swapaxes(0, axis)
    return values


@settings(max_examples=200, deadline=None)
@given(SIDE, SIDE, st.sampled_from([1, 3]), SIDE, SIDE)
def test_resizing_agrees_with_what_it_says(height, width, channels, new_height, new_width):
    picture = noise(height, width, channels)
    found = resize_bytes(picture, new_height, new_width)
    assert found.dtype == np.uint8 and found.shape == (new_height, new_width, channels)
    # Rounded to bytes after the blur and after each step, and OpenCV's weights have 8 and 11 bits.
    assert np.abs(found - expected(picture, new_height, new_width)).max() <= 2.5


@pytest.mark.parametrize(("height", "width"), [(150, 200), (130, 90), (70, 75), (40, 300), (700, 80), (333, 1000)])
def test_a_photo_is_close_to_the_exact_filter(height, width):
    """`dlspec.numeric.resize` widens a triangle instead: another filter, and nearly the same picture."""
    across, down = np.meshgrid(np.arange(240), np.arange(200))
    waves = [np.sin(across / 9 + k) * np.cos(down / 7 - k) for k in range(3)]
    picture = np.clip(128 + 100 * np.stack(waves, axis=-1) + noise(200, 240, 3) / 10, 0, 255).astype(np.uint8)
    difference = np.abs(resize_bytes(picture, height, width) - resize(picture[None], height, width)[0])
    assert difference.mean() < 1.6 and np.percentile(difference, 99) < 6


@settings(max_examples=60, deadline=None)
@given(SIDE, SIDE, SIDE, SIDE, st.integers(0, 255))
def test_one_colour_stays_that_colour(height, width, new_height, new_width, level):
    assert (resize_bytes(np.full((height, width, 3), level, np.uint8), new_height, new_width) == level).all()


def test_arrays_of_any_layout_are_taken():
    picture = noise(30, 40, 3)
    fixed = picture.copy()
    fixed.flags.writeable = False
    for other in (
        fixed,
        np.asfortranarray(picture),
        picture[::-1, ::-1][::-1, ::-1],
        np.stack([picture] * 3, 2)[:, :, 0],
    ):
        for shape in ((50, 60, 3), (20, 16, 1), (5, 5, 3)):
            np.testing.assert_array_equal(fit_bytes(other, shape), fit_bytes(picture, shape))


def test_hand_worked():
    ramp = np.array([[0, 100]], np.uint8)[..., None]
    assert resize_bytes(ramp, 1, 4)[0, :, 0].tolist() == [0, 25, 75, 100]
    assert resize_bytes(np.array([[0, 0], [100, 100]], np.uint8)[..., None], 1, 1)[0, 0, 0] == 50
    same = noise(5, 4, 3)
    np.testing.assert_array_equal(resize_bytes(same, 5, 4), same)


def test_grey_as_bt601_weighs_it():
    primary = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    assert fit_bytes(primary, (1, 4, 1))[0, :, 0].tolist() == [76, 150, 29, 255]
    assert fit_bytes(primary[..., :1], (1, 4, 3)).shape == (1, 4, 1)


def test_letterbox_and_pad():
    white = np.full((10, 20, 3), 255, np.uint8)
    boxed = fit_bytes(white, (40, 40, 3), "letterbox")
    assert boxed.shape == (40, 40, 3) and (boxed[10:30] == 255).all()
    assert boxed[:10].max() == 0 and boxed[30:].max() == 0
    padded = fit_bytes(white, (40, 40, 1), "pad")
    assert padded.shape == (40, 40, 1) and (padded[15:25, 10:30] == 255).all() and padded.sum() == 255 * 200
    shrunk = fit_bytes(white, (5, 5, 3), "pad")
    assert (shrunk[1:3] == 255).all() and shrunk[0].max() == 0 and shrunk[3:].max() == 0
    assert fit_bytes(white[:, :1], (2, 2, 3), "letterbox").shape == (2, 2, 3), "no side vanishes"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder, paths = tmp_path_factory.mktemp("pictures"), []
    for i, (height, width, channels) in enumerate([(30, 50, 3), (50, 30, 1), (16, 16, 3), (200, 90, 3), (1, 1, 3)]):
        for kind in ("jpg", "png"):
            picture = noise(height, width, channels, i)
            Image.fromarray(picture[..., 0] if channels == 1 else picture).save(folder / f"{i}.{kind}")
            paths.append(str(folder / f"{i}.{kind}"))
    return paths


@settings(max_examples=40, deadline=None)
@given(SIDE, SIDE, st.sampled_from([1, 3]), st.sampled_from(["stretch", "letterbox", "pad"]))
def test_files_and_arrays_give_the_same_bits(files, height, width, channels, fit):
    shape = (height, width, channels)
    out = np.zeros((len(files), *shape), np.uint8)
    assert read_into(files, out, fit) == {}
    for path, one, streamed in zip(files, out, read_many(files, shape, fit), strict=True):
        from_array = fit_bytes(read(path), shape, fit)
        np.testing.assert_array_equal(np.broadcast_to(from_array, shape), one)
        np.testing.assert_array_equal(from_array, streamed)
