"""Mixup and cutmix by hand: labels are shares of what is seen."""

import numpy as np
import pytest

from dlspec.numeric.augmentation import mixed
from dlspec.numeric.mixing import kept_share, mixed_labels, partners, windows


def test_partners_are_others():
    assert partners(5, 2).tolist() == [2, 3, 4, 0, 1]
    assert partners(1, 1).tolist() == [0]


def test_windows_by_hand():
    # A quarter of the area of 8 × 12: 4 high, 6 wide; in the middle, and clipped at the lower right corner.
    share, x, y = np.array([0.75, 0.75]), np.array([0.5, 1.0]), np.array([0.5, 1.0])
    parts = windows(share, x, y, 8, 12)
    assert parts.tolist() == [[2, 3, 6, 9], [6, 9, 8, 12]]
    assert kept_share(parts, 8, 12).tolist() == [0.75, 1 - 6 / 96]


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_by_hand(dtype, channels):
    pictures = np.stack([np.full((4, 6, channels), value, dtype) for value in (100, 200)])
    others, share, cut = np.array([1, 0]), np.array([0.3, 0.5]), np.array([False, True])
    new = mixed(pictures, others, share, np.array([[0, 0, 0, 0], [1, 2, 3, 5]]), cut)
    assert new.dtype == dtype
    np.testing.assert_allclose(new[0], 0.3 * 100 + 0.7 * 200, rtol=1e-6)
    expected = np.full((4, 6), 200)
    expected[1:3, 2:5] = 100
    assert (new[1] == expected[..., None]).all()


def test_labels_by_hand():
    others, share = np.array([1, 0]), np.array([0.25, 1.0])
    indices = mixed_labels(np.array([2, 0], np.int32), others, share, 3)
    assert indices.dtype == np.float32 and indices.tolist() == [[0.75, 0, 0.25], [1, 0, 0]]
    assert mixed_labels(np.eye(3)[[2, 0]], others, share, None).tolist() == indices.tolist()
    assert mixed_labels(np.array([[1.0], [0.0]]), others, share, None).tolist() == [[0.25], [0.0]]
