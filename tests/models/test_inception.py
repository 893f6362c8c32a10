"""inception: parameters by hand and as in keras.applications; the same weights give the same; small pictures."""

import keras
import pytest
from models.keras_networks import apart, counted, picture, randomised, unallocated

from dlspec.models.vision.inception import FIRST, Inception
from dlspec.types import RecipeError


def test_parameters_of_googlenet_by_hand():
    weights = (49 * 3 + 1) * 64 + (64 + 1) * 64 + (9 * 64 + 1) * 192
    comes = 192
    for one, before_3, three, before_5, five, behind in FIRST.values():
        weights += (comes + 1) * (one + before_3 + before_5 + behind)
        weights += (9 * before_3 + 1) * three + (25 * before_5 + 1) * five
        comes = one + three + five + behind
    assert comes == 1024
    assert counted(Inception(), 224) == weights + 1025 * 1000 == 6_998_552


def test_shapes_of_googlenet_are_the_papers():
    network = unallocated(lambda: Inception().build(picture(224), 1000))
    shapes = {"conv1_conv": (112, 112, 64), "pool1": (56, 56, 64), "conv2_conv": (56, 56, 192), "pool2": (28, 28, 192),
              "mixed3a": (28, 28, 256), "mixed3b": (28, 28, 480), "pool3": (14, 14, 480), "mixed4a": (14, 14, 512),
              "mixed4d": (14, 14, 528), "mixed4e": (14, 14, 832), "mixed5a": (7, 7, 832), "mixed5b": (7, 7, 1024),
              "pool": (1024,)}  # fmt: skip
    assert {name: network.get_layer(name).output.shape[1:] for name in shapes} == shapes


def test_version_3_is_that_of_keras():
    theirs = unallocated(lambda: keras.applications.InceptionV3(weights=None))
    ours = unallocated(lambda: Inception(version=3).build(picture(299), 1000))
    assert ours.count_params() == theirs.count_params() == 23_851_784
    for number in range(11):
        assert ours.get_layer(f"mixed{number}").output.shape == theirs.get_layer(f"mixed{number}").output.shape


def test_version_3_with_the_same_weights_gives_the_same():
    options = {"weights": None, "input_shape": (75, 75, 3), "classes": 7, "classifier_activation": None}
    theirs = randomised(keras.applications.InceptionV3(**options))
    ours = Inception(version=3, stem="large").build(picture(75), 7)
    ours.set_weights(theirs.get_weights())
    assert apart(ours, theirs, 75) < 1e-5


@pytest.mark.parametrize(
    ("version", "size", "stem", "maps"),
    [(1, 28, None, 4), (1, 96, None, 3), (1, 8, None, 1), (1, 32, "large", 1),
     (3, 15, None, 1), (3, 32, None, 3), (3, 75, "large", 1), (3, 96, None, 1)],
)  # fmt: skip
def test_sizes(version, size, stem, maps):
    network = unallocated(lambda: Inception(version=version, stem=stem, width=0.1).build(picture(size, channels=1), 5))
    assert network.get_layer("pool").input.shape[1:3] == (maps, maps)
    assert network.output_shape == (None, 5)


@pytest.mark.parametrize(
    ("version", "stem", "least"), [(1, "large", 32), (1, "small", 8), (3, "large", 75), (3, "small", 15)]
)
def test_the_smallest_picture_is_named(version, stem, least):
    with pytest.raises(
        RecipeError, match=f"inception {version} with a {stem} stem .* at least {least}×{least}, these are"
    ):
        Inception(version=version, stem=stem).build(picture(least - 1, 200), 5)


def test_normalisation_and_dropout():
    def kinds(**settings):
        network = unallocated(lambda: Inception(width=0.1, **settings).build(picture(32), 5))
        return [type(one).__name__ for one in network.layers], network

    names, network = kinds()
    assert names.count("LocalResponseNormalization") == 2 and "BatchNormalization" not in names
    assert network.get_layer("dropout").rate == 0.4
    names, network = kinds(normalization="batch", dropout=0.1)
    assert names.count("BatchNormalization") == names.count("Conv2D") == 57
    assert network.get_layer("dropout").rate == 0.1
    names, _ = kinds(version=3)
    assert names.count("BatchNormalization") == names.count("Conv2D") == 94 and "Dropout" not in names
    names, _ = kinds(version=3, normalization="none")
    assert not [one for one in names if "Normalization" in one]


def test_larger_and_smaller():
    assert Inception(width=0.25).larger() == {"width": 0.5}
    assert Inception().larger() == {"version": 3} and Inception(version=3).larger() is None
    assert Inception().smaller() == {"width": 0.5} and Inception(width=0.125).smaller() is None
