"""Colour, noise, blur and patches, against plain float arithmetic."""

import colorsys

import numpy as np
import pytest

from dlspec.numeric.augmentation import Changes, changed
from dlspec.numeric.colour import GREY, add_noise, linear, quantiles

RNG = np.random.default_rng(0)


def pictures(channels, dtype=np.uint8, count=6):
    noise = RNG.integers(0, 256, (count, 17, 23, channels))
    return noise.astype(np.uint8) if dtype == np.uint8 else (noise / 255).astype(np.float32)


def reference(picture, contrast, saturation, added, span):
    x = picture.astype(np.float64)
    if x.shape[2] == 3:
        grey = x @ np.array(GREY)
        mean, x = grey.mean(), grey[..., None] + saturation * (x - grey[..., None])
    else:
        mean = x.mean()
    return np.clip(mean + contrast * (x - mean) + added * span, 0, span)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("dtype", "span", "near"), [(np.uint8, 255, 1.01), (np.float32, 1.0, 1e-5)])
def test_brightness_contrast_and_saturation_agree_with_floats(channels, dtype, span, near):
    before = pictures(channels, dtype)
    contrast, saturation, added = RNG.uniform(0.3, 1.7, 6), RNG.uniform(0, 2, 6), RNG.uniform(-0.4, 0.4, 6)
    maps = linear(channels, contrast, saturation, np.zeros(6))
    after = changed(before, Changes(colours=(maps, contrast, added)), 0, span)
    assert after.dtype == dtype and after.min() >= 0 and after.max() <= span
    for i in range(6):
        expected = reference(before[i], contrast[i], saturation[i], added[i], span)
        difference = np.abs(after[i] - expected)
        assert difference.max() < near
        if dtype == np.uint8:
            assert difference.mean() < 0.3  # rounding alone is 0.25


def hued(turn):
    return linear(3, np.ones(1), np.ones(1), np.array([turn]))[0]


def test_hue_turns_colours_at_the_same_brightness():
    for turn in (0.1, 0.25, 0.5, -0.3):
        np.testing.assert_allclose(np.array(GREY) @ hued(turn), GREY, atol=1e-12)
        np.testing.assert_allclose(hued(turn) @ np.ones(3), 1, atol=1e-12)
        np.testing.assert_allclose(hued(turn) @ hued(-turn), np.eye(3), atol=1e-12)
    # Half the circle mirrors a colour at the grey of the same brightness.
    np.testing.assert_allclose(hued(0.5), 2 * np.tile(GREY, (3, 1)) - np.eye(3), atol=1e-12)


def test_hue_turns_as_much_as_that_of_hsv():
    # Of colours that are not too strong: the linear turn is no more than near to the one in HSV.
    for turn in (0.05, 0.1, -0.1):
        for start in np.linspace(0, 1, 12, endpoint=False):
            colour = np.array(colorsys.hsv_to_rgb(start, 0.2, 0.7))
            hue = colorsys.rgb_to_hsv(*(hued(turn) @ colour))[0]
            assert abs((hue - start) * np.sign(turn) % 1 - abs(turn)) < 0.06


def test_saturation_zero_is_grey():
    after = changed(
        pictures(3), Changes(colours=(linear(3, np.ones(6), np.zeros(6), np.zeros(6)), np.ones(6), np.zeros(6))), 0, 255
    )
    assert (np.ptp(after, axis=3) == 0).all() and after.std() > 10


def test_noise_is_normal():
    table = quantiles()
    assert (
        abs(table.mean()) < 1e-6 and table.std() == pytest.approx(1) and (table**4).mean() == pytest.approx(3, abs=0.01)
    )
    grey = np.full((200, 210, 3), 0.5, np.float32)
    add_noise(grey, 0.1, 7)
    noise = (grey - 0.5) / 0.1
    assert abs(noise.mean()) < 0.01 and noise.std() == pytest.approx(1, abs=0.01)
    assert (np.abs(noise) < 1).mean() == pytest.approx(0.6827, abs=0.005)
    for other in (noise[1:, :, :] * noise[:-1, :, :], noise[:, 1:] * noise[:, :-1], noise[..., 0] * noise[..., 1]):
        assert abs(other.mean()) < 0.01


def test_noise_has_its_own_deviation_and_seed_and_is_clipped():
    flat = np.full((3, 40, 41, 1), 128, np.uint8)
    noise = np.array([0.1, 0.02, 0.02]), np.array([1, 2, 2], np.uint64)
    after = changed(flat, Changes(noise=noise), 0, 255)
    assert after[0].std() == pytest.approx(25.5, rel=0.05) and after[1].std() == pytest.approx(5.1, rel=0.05)
    assert (after[1] == after[2]).all() and abs(after[1].mean() - 128) < 0.5
    edge = changed(
        np.full((1, 40, 41, 3), 254, np.uint8), Changes(noise=(np.array([0.3]), np.array([3], np.uint64))), 0, 255
    )
    assert edge.max() == 255 and (edge == 255).mean() == pytest.approx(0.5, abs=0.05)
    floats = changed(
        np.zeros((1, 9, 9, 1), np.float32), Changes(noise=(np.array([0.5]), np.array([4], np.uint64))), -1, 1
    )
    assert floats.min() >= -1 and floats.max() <= 1 and floats.std() > 0.5


def test_blur_agrees_with_scipy():
    from scipy.ndimage import gaussian_filter

    before = pictures(3, np.float32)
    after = changed(before, Changes(blur=np.array([0.0, 0.05, 0.8, 1.5, 2.0, 3.0])), 0, 1)
    assert (after[:2] == before[:2]).all()
    for i, deviation in ((2, 0.8), (3, 1.5), (4, 2.0)):
        expected = gaussian_filter(before[i], (deviation, deviation, 0), mode="reflect")
        assert np.abs(after[i] - expected).max() < 0.02


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_patches_have_the_mean_colour(dtype):
    before = pictures(3, dtype)
    after = changed(before, Changes(patches=np.tile([2, 3, 9, 23], (6, 1))), 0, 255)
    mean = before.mean(axis=(1, 2), dtype=np.float64)
    expected = np.rint(mean) if dtype == np.uint8 else mean
    np.testing.assert_allclose(after[:, 2:9, 3:], np.broadcast_to(expected[:, None, None], (6, 7, 20, 3)), rtol=1e-5)
    outside = np.ones(before.shape, bool)
    outside[:, 2:9, 3:] = False
    assert (after[outside] == before[outside]).all()


def test_what_is_given_is_left_alone_and_need_not_be_contiguous():
    before = pictures(3)
    kept = before.copy()
    changes = Changes(colours=(linear(3, np.full(6, 1.5), np.ones(6), np.zeros(6)), np.full(6, 1.5), np.zeros(6)))
    whole = changed(before, changes, 0, 255)
    assert (before == kept).all() and (whole != kept).any()
    reverse = changed(before[::-1], changes, 0, 255)
    assert (reverse == whole[::-1]).all()


def test_threads_do_not_show(monkeypatch):
    before = pictures(3, count=11)
    noise = RNG.uniform(0, 0.2, 11), np.arange(11, dtype=np.uint64)
    alone = changed(before, Changes(noise=noise), 0, 255)
    monkeypatch.setattr("dlspec.numeric.augmentation.THREAD_VALUES", 1)
    monkeypatch.setattr("dlspec.numeric.augmentation._cores", lambda: 3)
    assert (changed(before, Changes(noise=noise), 0, 255) == alone).all()
