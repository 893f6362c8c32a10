"""resnet of the ImageNet kind: the paper's table, keras.applications, small stems, depths that are none."""

import keras
import numpy as np
import pytest
from models.keras_networks import apart, picture, randomised, unallocated
from pydantic import ValidationError

from dlspec.models.vision.resnet import UNITS, ResNet
from dlspec.types import RecipeError

CASES = [(50, 1), (50, 2), (101, 1), (152, 2)]  # how many units, and what a unit is, do not touch each other


def built(size=224, outputs=1000, channels=3, **settings):
    return unallocated(lambda: ResNet(**settings).build(picture(size, channels=channels), outputs))


@pytest.mark.parametrize(("depth", "version"), CASES)
def test_parameters_and_shapes_are_those_of_keras(depth, version):
    of = getattr(keras.applications, f"ResNet{depth}{'V2' if version == 2 else ''}")
    theirs, ours = unallocated(lambda: of(weights=None)), built(depth=depth, version=version)
    assert ours.count_params() == theirs.count_params()
    for stage, units in enumerate(UNITS[depth], 2):
        for unit in range(1, units + 1):
            their, name = theirs.get_layer(f"conv{stage}_block{unit}_out"), f"conv{stage}_block{unit}"
            assert ours.get_layer(f"{name}_add").output.shape == their.output.shape


def test_resnet50_to_the_last_one():
    assert built(depth=50).count_params() == 25_636_712


@pytest.mark.parametrize(("depth", "trained"), [(18, 11_689_512), (34, 21_797_672)])
def test_parameters_of_two_convolutions_a_unit(depth, trained):
    weights, comes = 49 * 3 * 64 + 2 * 64, 64
    for units, wide in zip(UNITS[depth], (64, 128, 256, 512), strict=True):
        weights += 9 * comes * wide + (2 * units - 1) * 9 * wide**2 + 2 * units * 2 * wide
        weights += comes * wide + 2 * wide if comes != wide else 0
        comes = wide
    network = built(depth=depth)
    mine = sum(int(np.prod(one.shape)) for one in network.trainable_weights)
    assert mine == weights + 513 * 1000 == trained
    layers = [one for one in network.layers if type(one).__name__ in ("Conv2D", "Dense")]
    assert len([one for one in layers if "shortcut" not in one.name]) == depth


@pytest.mark.parametrize("version", [1, 2])
def test_the_same_weights_give_the_same(version):
    of = getattr(keras.applications, f"ResNet50{'V2' if version == 2 else ''}")
    options = {"weights": None, "input_shape": (64, 64, 3), "classes": 7, "classifier_activation": None}
    theirs = randomised(of(**options))
    ours = ResNet(depth=50, version=version, stem="large").build(picture(64), 7)
    ours.set_weights(theirs.get_weights())
    assert apart(ours, theirs, 64) < 1e-5


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("depth", [18, 50])
def test_sizes(depth, version):
    settings = {"depth": depth, "version": version, "filters": 4}
    for size, stem, maps in ((28, None, 4), (32, None, 4), (96, None, 3), (32, "large", 1), (100, None, 4)):
        network = built(size, 5, 1, stem=stem, **settings)
        assert network.get_layer("pool").input.shape[1:] == (maps, maps, 32 * (4 if depth == 50 else 1))
    with pytest.raises(
        RecipeError, match=r"resnet \d+ with a large stem takes pictures of at least 32×32, these are 31"
    ):
        built(31, stem="large", **settings)
    with pytest.raises(RecipeError, match="with a small stem takes pictures of at least 8×8, these are 7×7"):
        built(7, **settings)


def test_identity_shortcuts_have_no_weights():
    projected, plain = (built(64, 5, depth=18, filters=8, shortcut=one).count_params() for one in (None, "identity"))
    assert projected - plain == sum(a * 2 * a + 4 * 2 * a for a in (8, 16, 32))


def test_which_kind_it_is():
    assert len(ResNet(depth=50)._kind.units) == 4 and len(ResNet(depth=50, form="cifar")._kind.units) == 3
    assert len(ResNet(depth=101, bottleneck=True)._kind.units) == 4
    assert len(ResNet(depth=50, bottleneck=False)._kind.units) == 3
    for wrong, said in (
        ({"form": "imagenet", "depth": 20}, "a resnet of imagenet has 18, 34, 50, 101, 152 layers; got 20"),
        ({"form": "imagenet", "depth": 50, "bottleneck": False}, "with no bottlenecks has 18, 34 layers; got 50"),
        ({"form": "cifar", "depth": 18}, "6n \\+ 2 layers.*got 18, nearest 14 or 20"),
    ):
        with pytest.raises(ValidationError, match=said):
            ResNet(**wrong)


def test_larger_and_smaller():
    assert ResNet(depth=34).larger() == {"depth": 50} and ResNet(depth=152).larger() == {"filters": 128}
    assert ResNet(depth=50).smaller() == {"depth": 34} and ResNet(depth=18).smaller() == {"filters": 32}
    assert ResNet(depth=50, bottleneck=True).smaller() == {"depth": 34, "bottleneck": None}
    assert ResNet().larger() == {"depth": 32} and ResNet(depth=110).larger() == {"filters": 32}
