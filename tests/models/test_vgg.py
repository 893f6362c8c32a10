"""vgg: table 2 of the paper, keras.applications, and small pictures."""

import keras
import numpy as np
import pytest
from models.keras_networks import apart, counted, picture, put_into, randomised, unallocated

from dlspec.models.vision.vgg import STAGES, VGG
from dlspec.types import RecipeError


@pytest.mark.parametrize(("depth", "paper"), [(11, 133), (13, 133), (16, 138), (19, 144)])
def test_parameters_are_the_papers(depth, paper):
    maps, weights = 3, 0
    for wide, convolutions in zip((64, 128, 256, 512, 512), STAGES[depth], strict=True):
        for _ in range(convolutions):
            weights += 9 * maps * wide + wide
            maps = wide
    weights += (7 * 7 * 512 + 1) * 4096 + 4097 * 4096 + 4097 * 1000
    assert counted(VGG(depth=depth), 224) == weights
    assert round(weights / 1e6) == paper
    assert sum(STAGES[depth]) + 3 == depth


def test_to_the_last_one():
    assert counted(VGG(), 224) == 138_357_544
    # Of 4,224 maps: a scale, a shift, a mean and a variance in the place of a bias.
    assert counted(VGG(normalization="batch"), 224) == 138_357_544 + 3 * 4224


@pytest.mark.parametrize("depth", [16, 19])
def test_the_same_as_in_keras(depth):
    of = getattr(keras.applications, f"VGG{depth}")
    theirs = unallocated(lambda: of(weights=None, classifier_activation=None))
    ours = unallocated(lambda: VGG(depth=depth).build(picture(224), 1000))
    assert ours.count_params() == theirs.count_params()
    shapes = [(one.name.removesuffix("_conv"), one.output.shape) for one in theirs.layers if "_pool" in one.name]
    assert shapes == [(one.name, one.output.shape) for one in ours.layers if "_pool" in one.name]
    if depth == 16:
        theirs = randomised(of(weights=None, input_shape=(48, 48, 3), classes=7, classifier_activation=None))
        ours = VGG().build(picture(48), 7)
        put_into(ours, theirs.get_weights())
        assert apart(ours, theirs, 48) < 1e-5


def test_small_pictures():
    small = VGG(depth=11, stages=3, filters=8, units=16)
    network = small.build(picture(28, channels=1), 10)
    shapes = [network.get_layer(f"block{stage}_pool").output.shape[1:] for stage in (1, 2, 3)]
    assert shapes == [(14, 14, 8), (7, 7, 16), (3, 3, 32)]
    with pytest.raises(RecipeError, match=r"vgg with 5 stages takes pictures of at least 32×32, these are 28×40; "
                                          r"set input: \{size: \[32, 32\]\}, or model: \{stages: 4\}$"):  # fmt: skip
        VGG().build(picture(28, 40), 10)
    assert VGG(stages=4, filters=2, units=4).build(picture(28, 40), 10).output_shape == (None, 10)


def test_dropout_and_normalisation():
    network = VGG(depth=11, stages=2, filters=2, units=4, normalization="batch").build(picture(8), 2)
    assert [one.name for one in network.layers if "dropout" in one.name] == ["fc1_dropout", "fc2_dropout"]
    assert sum(type(one).__name__ == "BatchNormalization" for one in network.layers) == 2
    biased = [one.name for one in network.layers if getattr(one, "use_bias", False)]
    assert biased == ["fc1", "fc2", "logits"]


def test_it_learns():
    keras.utils.set_random_seed(0)
    network = VGG(depth=11, stages=2, filters=4, units=16, dropout=0).build(picture(8), 2)
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 64)
    x = rng.random((64, 8, 8, 3)).astype("float32")
    x[y == 1, 2:5] += 1
    network.compile(keras.optimizers.Adam(3e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = network.fit({"picture": x}, y, epochs=10, verbose=0).history["loss"]
    assert history[-1] < 0.5 * history[0]


def test_larger_and_smaller():
    assert VGG(depth=11).larger() == {"depth": 13}
    assert VGG(depth=19, filters=16).larger() == {"filters": 32}
    assert VGG(depth=19).larger() is None
    assert VGG(units=512).smaller() == {"units": 256}
    assert VGG(units=256).smaller() == {"depth": 13}
    assert VGG(units=64, depth=11).smaller() == {"filters": 32}
    assert VGG(units=64, depth=11, filters=8).smaller() is None
