"""alexnet: its parameters by hand, local response normalisation by the formula, sizes."""

import keras
import numpy as np
import pytest
from models.keras_networks import counted, picture, unallocated

from dlspec.layers.local_response_normalization import LocalResponseNormalization
from dlspec.models.vision.alexnet import AlexNet
from dlspec.types import RecipeError


def test_parameters():
    """One tower: every map sees all maps before it."""
    convolutions = (11**2 * 3 + 1) * 96 + (5**2 * 96 + 1) * 256 + (9 * 256 + 1) * 384
    convolutions += (9 * 384 + 1) * 384 + (9 * 384 + 1) * 256
    layers = (6 * 6 * 256 + 1) * 4096 + 4097 * 4096 + 4097 * 1000
    assert counted(AlexNet(), 227) == convolutions + layers == 62_378_344


def test_shapes_are_the_papers():
    network = unallocated(lambda: AlexNet().build(picture(227), 1000))
    shapes = {"conv1_conv": (55, 55, 96), "conv2_conv": (27, 27, 256), "conv3_conv": (13, 13, 384),
              "conv5_conv": (13, 13, 256), "pool5": (6, 6, 256)}  # fmt: skip
    assert {name: network.get_layer(name).output.shape[1:] for name in shapes} == shapes


@pytest.mark.parametrize(("depth", "maps"), [(5, 7), (5, 3), (4, 6), (1, 2)])
def test_local_response_normalisation(depth, maps):
    x = np.random.default_rng(0).normal(size=(2, 3, 4, maps)).astype("float32")
    layer = LocalResponseNormalization(depth, k=1.5, alpha=0.3, beta=0.6)
    expected = np.zeros_like(x)
    for i in range(maps):
        near = x[..., max(0, i - depth // 2) : i + (depth - 1) // 2 + 1]
        expected[..., i] = x[..., i] / (1.5 + 0.3 * (near**2).sum(-1)) ** 0.6
    np.testing.assert_allclose(keras.ops.convert_to_numpy(layer(x)), expected, rtol=1e-5, atol=1e-7)
    again = type(layer).from_config(layer.get_config())
    np.testing.assert_array_equal(again(x), layer(x))


def test_the_normalisation_of_the_paper_is_behind_the_first_two_convolutions():
    names = [one.name for one in AlexNet(width=0.1, units=8).build(picture(32), 3).layers if "local" in one.name]
    assert names == ["conv1_local", "conv2_local"]
    other = AlexNet(width=0.1, units=8, normalization="batch").build(picture(32), 3)
    assert sum(type(one).__name__ == "BatchNormalization" for one in other.layers) == 5
    assert not [one for one in other.layers if "local" in one.name]
    settings = {"name": "local", "alpha": 0.5}
    assert (
        AlexNet(width=0.1, units=8, normalization=settings).build(picture(32), 3).get_layer("conv1_local").alpha == 0.5
    )


def test_sizes():
    small = {"width": 0.05, "units": 8}
    for size in (15, 28, 32, 64):
        assert AlexNet(**small).build(picture(size, channels=1), 5).get_layer("conv1_conv").strides == (1, 1)
    for size in (96, 227):
        assert AlexNet(**small).build(picture(size), 5).get_layer("conv1_conv").strides == (4, 4)
    for stem, least in (("large", 67), ("small", 15)):
        assert AlexNet(stem=stem, **small).build(picture(least), 5).get_layer("pool5").output.shape[1:3] == (1, 1)
    with pytest.raises(
        RecipeError, match=r"large stem takes pictures of at least 67×67, these are 66×80; .*stem: small"
    ):
        AlexNet(stem="large").build(picture(66, 80), 5)
    with pytest.raises(RecipeError, match=r"small stem takes pictures of at least 15×15.*size: \[32, 32\]\}$"):
        AlexNet().build(picture(14), 5)


def test_larger_and_smaller():
    assert AlexNet(width=0.75).larger() == {"width": 1.0}
    assert AlexNet().larger() == {"name": "resnet"}
    assert AlexNet().smaller() == {"units": 2048}
    assert AlexNet(units=128).smaller() == {"width": 0.5}
    assert AlexNet(units=128, width=0.05).smaller() is None
