"""efficientnet: keras.applications, every size; the same weights give the same; small pictures."""

import keras
import numpy as np
import pytest
from models.keras_networks import picture, randomised, unallocated

from dlspec.models.vision.efficientnet import SIZES, EfficientNet
from dlspec.types import RecipeError

LARGE = {"b4", "b5", "b6", "b7"}  # hundreds of layers, twice


@pytest.mark.parametrize("size", [pytest.param(one, marks=pytest.mark.slow if one in LARGE else ()) for one in SIZES])
def test_parameters_and_shapes_are_those_of_keras(size):
    of = getattr(keras.applications, f"EfficientNet{size.upper()}")
    theirs = unallocated(lambda: of(weights=None, input_shape=(224, 224, 3)))
    ours = unallocated(lambda: EfficientNet(size=size).build(picture(224), 1000))
    # Theirs normalises its input: of each channel a mean and a variance, and a count.
    assert ours.count_params() == theirs.count_params() - 7
    if size == "b0":
        assert ours.count_params() == 5_330_564
    mine, other = (
        [one.output.shape for one in network.layers if isinstance(one, keras.layers.DepthwiseConv2D)]
        for network in (ours, theirs)
    )
    assert mine == other
    rates = [
        [one.rate for one in network.layers if isinstance(one, keras.layers.Dropout)] for network in (ours, theirs)
    ]
    assert rates[0] == pytest.approx(rates[1])


def test_the_same_weights_give_the_same():
    options = {"weights": None, "input_shape": (64, 64, 3), "classes": 7, "classifier_activation": None}
    theirs = randomised(keras.applications.EfficientNetB0(**options))
    ours = EfficientNet(stem="large").build(picture(64), 7)
    ours.set_weights(theirs.get_weights()[3:])
    x = np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 3)).astype("float32")
    expected, found = np.asarray(theirs(x)), np.asarray(ours({"picture": x / 255}))
    assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max() and expected.std() > 1e-3


@pytest.mark.parametrize(("size", "stem", "maps"), [(28, None, 4), (64, None, 8), (96, None, 3), (32, "large", 1)])
def test_sizes(size, stem, maps):
    network = unallocated(lambda: EfficientNet(width=0.25, stem=stem).build(picture(size, channels=1), 5))
    assert network.get_layer("pool").input.shape[1:3] == (maps, maps) and network.output_shape == (None, 5)


def test_the_smallest_picture_is_named():
    with pytest.raises(RecipeError, match=r"at least 32×32, these are 31×40; .*or model: \{stem: small\}"):
        EfficientNet(stem="large").build(picture(31, 40), 5)
    with pytest.raises(RecipeError, match="at least 8×8, these are 7×40"):
        EfficientNet().build(picture(7, 40), 5)


def test_stochastic_depth_passes_over_whole_examples():
    keras.utils.set_random_seed(0)
    network = EfficientNet(width=0.25, stochastic_depth=0.9).build(picture(16), 5)
    layer = network.get_layer("stage6_block4_depth")
    assert layer.rate == pytest.approx(0.9 * 14 / 16)
    made = np.asarray(layer(np.ones((200, 2, 2, 3), "float32"), training=True))
    assert (made == made[:, :1, :1, :1]).all() and 0.05 < (made[:, 0, 0, 0] > 0).mean() < 0.35
    plain = EfficientNet(width=0.25, stochastic_depth=0.0, dropout=0.0).build(picture(16), 5)
    assert not [one for one in plain.layers if isinstance(one, keras.layers.Dropout)]


def test_larger_and_smaller():
    assert EfficientNet(width=0.25).larger() == {"width": 0.5}
    assert EfficientNet().larger() == {"size": "b1"} and EfficientNet(size="b7").larger() is None
    assert EfficientNet(size="b2").smaller() == {"size": "b1"} and EfficientNet().smaller() == {"width": 0.5}
    assert EfficientNet(width=0.25).smaller() is None
