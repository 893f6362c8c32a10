"""The U-Net: the paper's layers and parameters, any size, and what it refuses."""

import numpy as np
import pytest

from dlspec.models.vision.unet import UNet
from dlspec.runs.backend import load_keras
from dlspec.types import RecipeError


def built(height, width, channels=1, outputs=2, **settings):
    load_keras(seed=0)
    return UNet(**settings).build({"picture": {"shape": [height, width, channels], "dtype": "float32"}}, outputs)


def test_the_papers_parameters_and_layers():
    """Worked from figure 1: 3×3 convolutions down, at the bottom and up, 2×2 ones between, 1×1 to two classes."""
    network = built(64, 64)
    by_hand, maps = 0, 1
    for filters in (64, 128, 256, 512, 1024):
        by_hand += (9 * maps + 1) * filters + (9 * filters + 1) * filters
        maps = filters
    for filters in (512, 256, 128, 64):
        by_hand += (4 * maps + 1) * filters + (9 * 2 * filters + 1) * filters + (9 * filters + 1) * filters
        maps = filters
    by_hand += (64 + 1) * 2
    assert network.count_params() == by_hand == 31_030_658
    kinds = [type(layer).__name__ for layer in network.layers]
    assert kinds.count("Conv2D") + kinds.count("Conv2DTranspose") == 23
    assert network.get_layer("bottom_2_conv").output.shape == (None, 4, 4, 1024)


@pytest.mark.parametrize("size", [(16, 16), (17, 30), (33, 21)])
@pytest.mark.parametrize("up", ["transposed", "bilinear"])
def test_masks_are_of_the_pictures_size(size, up):
    network = built(*size, channels=3, outputs=5, filters=4, depth=3, up=up)
    logits = network({"picture": np.zeros((2, *size, 3), np.float32)})
    assert logits.shape == (2, *size, 5)


def test_what_is_padded_moves_nothing():
    """A pixel of the mask hangs on the picture around it, wherever the padding lies."""
    network = built(18, 18, filters=4, depth=1)
    picture = np.random.default_rng(0).normal(size=(1, 18, 18, 1)).astype(np.float32)
    changed = picture.copy()
    changed[0, 2, 3] += 10
    moved = np.abs(np.asarray(network({"picture": picture}) - network({"picture": changed}))).max(axis=(0, 3))
    rows, columns = np.nonzero(moved > 1e-6)
    assert rows.max() < 14 and columns.max() < 15 and moved.argmax() // 18 in range(6)


def test_a_picture_that_is_too_small():
    with pytest.raises(RecipeError, match=r"at least 16×16, these are 12×40: lower model.depth, or set input"):
        built(12, 40)


def test_it_grows_and_shrinks_within_bounds():
    assert UNet(filters=16).larger() == {"filters": 32} and UNet().larger() is None
    assert UNet(filters=16).smaller() == {"filters": 8} and UNet(filters=4).smaller() is None
