"""Bilinear resizing, against worked numbers and against TensorFlow's."""

import numpy as np
import pytest

from dlspec.numeric.resize import resize, weights


def test_doubling_four_pixels_by_hand():
    # Centres of the six new pixels lie at 0.25, 0.75, … of the old; the ends repeat.
    row = np.array([0.0, 4.0, 8.0])[None, None, :, None]
    assert resize(row, 1, 6).ravel().tolist() == [0, 1, 3, 5, 7, 8]


def test_halving_counts_every_pixel():
    # The triangle of half-width 2 about the middle of pixels 1 and 2 weighs 0…3 by 1, 3, 3, 1 over 8.
    assert weights(8, 4)[1].tolist() == [0, 1 / 8, 3 / 8, 3 / 8, 1 / 8, 0, 0, 0]
    # At the edge what lies outside is left out, and the rest weighs more.
    assert weights(8, 4)[0, :3] == pytest.approx([3 / 7, 3 / 7, 1 / 7])


def test_a_flat_picture_stays_flat_and_its_type_does_not_matter():
    flat = np.full((2, 7, 5, 3), 200, np.uint8)
    assert np.abs(resize(flat, 4, 9) - 200).max() < 1e-4
    assert resize(flat, 7, 5).dtype == np.float32


@pytest.mark.parametrize("old", [(28, 28), (8, 8), (17, 40), (1, 5)])
@pytest.mark.parametrize("new", [(32, 32), (13, 20), (3, 64), (1, 1)])
@pytest.mark.parametrize("channels", [1, 3])
def test_agrees_with_tensorflow(old, new, channels):
    import tensorflow as tf

    pictures = np.random.default_rng(0).random((3, *old, channels)).astype(np.float32)
    theirs = tf.image.resize(pictures, new, "bilinear", antialias=True).numpy()
    assert np.abs(resize(pictures, *new) - theirs).max() < 1e-4


def test_blocks_do_not_show(monkeypatch):
    pictures = np.random.default_rng(1).random((11, 9, 9, 3)).astype(np.float32)
    whole = resize(pictures, 14, 5)
    monkeypatch.setattr("dlspec.numeric.resize.BATCH_BYTES", 4 * 14 * 9 * 3 * 2)
    assert np.abs(resize(pictures, 14, 5) - whole).max() < 1e-6
