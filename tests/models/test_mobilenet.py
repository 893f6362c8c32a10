"""mobilenet: keras.applications, every width; the same weights give the same; small pictures."""

import keras
import numpy as np
import pytest
from models.keras_networks import apart, counted, picture, put_into, randomised, unallocated

from dlspec.models.vision.mobilenet import MobileNet
from dlspec.types import RecipeError

KERAS = {1: keras.applications.MobileNet, 2: keras.applications.MobileNetV2}
WIDTHS = {1: (0.25, 0.5, 0.75, 1.0), 2: (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)}


@pytest.mark.parametrize(("version", "width"), [(version, width) for version in KERAS for width in WIDTHS[version]])
def test_parameters_and_shapes_are_those_of_keras(version, width):
    theirs = unallocated(lambda: KERAS[version](weights=None, alpha=width, input_shape=(224, 224, 3)))
    ours = unallocated(lambda: MobileNet(version=version, width=width).build(picture(224), 1000))
    assert ours.count_params() == theirs.count_params()
    convolving = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
    mine, other = (
        [one.output.shape for one in network.layers if isinstance(one, convolving) and "pred" not in one.name]
        for network in (ours, theirs)
    )
    assert mine == other


def test_to_the_last_one():
    assert counted(MobileNet(version=1), 224) == 4_253_864
    assert counted(MobileNet(), 224) == 3_538_984


@pytest.mark.parametrize("version", [1, 2])
def test_the_same_weights_give_the_same(version):
    options = {"weights": None, "alpha": 0.5, "input_shape": (64, 64, 3), "classes": 7, "classifier_activation": None}
    theirs = randomised(KERAS[version](**options))
    ours = MobileNet(version=version, width=0.5, stem="large").build(picture(64), 7)
    put_into(ours, theirs.get_weights())
    assert apart(ours, theirs, 64) < 1e-5


def test_version_2_in_its_whole_width_takes_keras_weights_in_their_order():
    options = {"weights": None, "input_shape": (96, 96, 3), "classifier_activation": None}
    theirs = randomised(keras.applications.MobileNetV2(**options))
    ours = MobileNet().build(picture(96), 1000)
    ours.set_weights(theirs.get_weights())
    assert apart(ours, theirs, 96) < 1e-5


@pytest.mark.parametrize("version", [1, 2])
def test_sizes(version):
    small = MobileNet(version=version, width=0.1)
    for size, stem, maps in (
        (28, None, 4),
        (32, None, 4),
        (64, None, 8),
        (96, None, 3),
        (32, "large", 1),
        (8, None, 1),
    ):
        network = small.model_copy(update={"stem": stem}).build(picture(size, channels=1), 5)
        assert network.get_layer("pool").input.shape[1:3] == (maps, maps), size
    with pytest.raises(
        RecipeError, match=r"large stem takes pictures of at least 32×32, these are 31×40; .*stem: small"
    ):
        MobileNet(version=version, stem="large").build(picture(31, 40), 5)
    with pytest.raises(RecipeError, match=r"small stem takes pictures of at least 8×8, these are 7×7"):
        MobileNet(version=version).build(picture(7), 5)


def test_what_is_narrow_is_not_bent():
    network = MobileNet(width=0.1, dropout=0.2).build(picture(32), 5)
    assert not [one for one in network.layers if "project_relu6" in one.name]
    assert network.get_layer("dropout").rate == 0.2
    assert network.get_layer("stage2_block2_add").output.shape[-1] == 8
    assert not [one for one in network.layers if one.name == "stage3_block1_add"]


def test_depthwise_kernels_start_by_the_one_map_that_they_see():
    keras.utils.set_random_seed(0)
    network = MobileNet(version=1, normalization="none").build(picture(32), 5)
    kernel = np.asarray(network.get_layer("block13_depthwise_conv").kernel)
    assert kernel.shape == (3, 3, 1024, 1)
    assert kernel.std() == pytest.approx((2 / 9) ** 0.5, rel=0.05)


def test_larger_and_smaller():
    assert MobileNet().larger() == {"width": 1.4} and MobileNet(width=1.4).larger() is None
    assert MobileNet(width=0.6).smaller() == {"width": 0.5} and MobileNet(width=0.25).smaller() is None
