"""Normalisation and dropout, which every architecture shares: numbers by NumPy, and what the settings mean."""

import keras
import numpy as np
import pytest

from dlspec.models.pieces import GroupNorm, LayerNorm, dropped, has_bias
from dlspec.models.tabular.linear import Linear
from dlspec.models.tabular.mlp import MLP
from dlspec.models.vision.lenet5 import LeNet5
from dlspec.models.vision.resnet import ResNet
from dlspec.types import RecipeError

PICTURE = {"picture": {"shape": [16, 16, 3], "dtype": "float32"}}
TABLE = {"numeric": {"shape": [6], "dtype": "float32"}}


def through(piece, x):
    entry = keras.Input(x.shape[1:])
    model = keras.Model(entry, piece(entry))
    for layer in model.layers[1:]:
        for i, weight in enumerate(layer.weights):
            weight.assign(np.linspace(0.5, 2, weight.shape[0]) - 2 * i)
    return keras.ops.convert_to_numpy(model(x))


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
def test_group_norm_of_maps(groups):
    x = np.random.default_rng(0).normal(2, 3, (4, 5, 7, 6)).astype("float32")
    how = LayerNorm() if groups == 1 else GroupNorm(groups=groups)
    result = through(lambda entry: how.apply(entry, "norm"), x)
    split = x.astype(np.float64).reshape(4, 5, 7, groups, 6 // groups)
    mean, variance = split.mean((1, 2, 4), keepdims=True), split.var((1, 2, 4), keepdims=True)
    expected = ((split - mean) / np.sqrt(variance + 1e-5)).reshape(x.shape)
    # One scale and one shift a map, whatever the group.
    assert result == pytest.approx(expected * np.linspace(0.5, 2, 6) + np.linspace(0.5, 2, 6) - 2, abs=1e-4)


def test_layer_norm_of_rows():
    x = np.random.default_rng(0).normal(2, 3, (4, 6)).astype("float32")
    result = through(lambda entry: LayerNorm().apply(entry, "norm"), x)
    expected = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)
    assert result == pytest.approx(expected * np.linspace(0.5, 2, 6) + np.linspace(0.5, 2, 6) - 2, abs=1e-4)


@pytest.mark.parametrize(
    ("shape", "groups"),
    [
        ((None, 8, 8, 3), 1),
        ((None, 8, 8, 16), 4),
        ((None, 8, 8, 64), 16),
        ((None, 8, 8, 128), 32),
        ((None, 8, 8, 512), 32),
        ((None, 8, 8, 7), 1),
        ((None, 10), 1),
        ((None, 64), 4),
        ((None, 1024), 32),
    ],
)
def test_groups_where_the_recipe_does_not_say(shape, groups):
    assert GroupNorm().of(shape, "norm") == groups


def test_groups_that_cannot_be():
    with pytest.raises(RecipeError, match=r"'norm_1' has 6 units, and 4 groups do not divide them; possible: 1, 2, 3$"):
        MLP(hidden=(6,), normalization={"name": "group", "groups": 4}).build(TABLE, 2)
    with pytest.raises(RecipeError, match="6 groups would hold one number each, and make it 0") as caught:
        MLP(hidden=(6,), normalization={"name": "group", "groups": 6}).build(TABLE, 2)
    assert caught.value.complaints[0].where.key == "model.normalization.groups"
    assert GroupNorm(groups=16).of((None, 8, 8, 16), "norm") == 16  # each map for itself: instance normalisation
    for how in ("layer", "group"):
        with pytest.raises(RecipeError, match="'norm_2' normalises a single number, and makes it 0"):
            MLP(hidden=(6, 1), normalization=how).build(TABLE, 2)


@pytest.mark.parametrize("how", ["none", "batch", "layer", "group"])
@pytest.mark.parametrize("model", [MLP(), LeNet5(), LeNet5(form="paper"), ResNet(depth=8), ResNet(depth=8, version=2)])
def test_every_architecture_takes_every_normalisation(model, how):
    model = type(model)(**{**model.model_dump(), "normalization": how})
    network = model.build(TABLE if "table" in model.accepts else PICTURE, 3)
    kinds = {"none": set(), "batch": {"BatchNormalization"}, "layer": {"LayerNormalization", "GroupNormalization"}}
    found = {type(one).__name__ for one in network.layers if "Normalization" in type(one).__name__}
    assert found <= kinds.get(how, {"GroupNormalization"}) and bool(found) == (how != "none")
    biased = [one.name for one in network.layers if getattr(one, "use_bias", False) and one.name != "logits"]
    assert bool(biased) == has_bias(model.normalization) == (how == "none")
    norms = [one for one in network.layers if "Normalization" in type(one).__name__]
    convolving = [one for one in network.layers if getattr(one, "kernel", getattr(one, "kernels", None)) is not None]
    assert how == "none" or len(norms) == len(convolving) - 1  # all but the logits


def test_batch_norm_settings_reach_keras():
    network = ResNet(depth=8, normalization={"name": "batch", "momentum": 0.8, "epsilon": 1e-3}).build(PICTURE, 3)
    norms = [one for one in network.layers if isinstance(one, keras.layers.BatchNormalization)]
    assert len(norms) == 7 and {(one.momentum, one.epsilon) for one in norms} == {(0.8, 1e-3)}


def test_dropout_of_pictures_silences_whole_maps():
    keras.utils.set_random_seed(0)
    x = np.ones((40, 5, 6, 50), "float32")
    entry = keras.Input(x.shape[1:])
    model = keras.Model(entry, dropped(entry, 0.3, "drop"))
    after = keras.ops.convert_to_numpy(model(x, training=True))
    assert (after == after[:, :1, :1, :]).all(), "a map is silenced everywhere or nowhere"
    kept = after[:, 0, 0] > 0
    assert kept.mean() == pytest.approx(0.7, abs=0.04)
    assert after[:, 0, 0][kept] == pytest.approx(1 / 0.7)
    assert 0 < kept[:, 0].mean() < 1, "each example has draws of its own"
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(model(x, training=False)), x)


def test_dropout_of_rows_silences_units():
    keras.utils.set_random_seed(0)
    entry = keras.Input((50,))
    model = keras.Model(entry, dropped(entry, 0.3, "drop"))
    after = keras.ops.convert_to_numpy(model(np.ones((200, 50), "float32"), training=True))
    assert (after > 0).mean() == pytest.approx(0.7, abs=0.02)
    assert dropped(entry, 0.0, "none") is entry


@pytest.mark.parametrize("model", [LeNet5(spatial_dropout=0.2), LeNet5(form="paper", spatial_dropout=0.2)])
def test_spatial_dropout_of_lenet5_comes_after_both_poolings(model):
    network = model.build(PICTURE, 3)
    assert [one.name for one in network.layers if "Dropout" in type(one).__name__] == ["S2_dropout", "S4_dropout"]


def test_dropout_of_resnet():
    network = ResNet(depth=8, spatial_dropout=0.2, dropout=0.3).build(PICTURE, 3)
    found = [(one.name, type(one).__name__, one.rate) for one in network.layers if "Dropout" in type(one).__name__]
    spatial = [(f"conv{stage}_block1_1_dropout", "SpatialDropout2D", 0.2) for stage in (2, 3, 4)]
    assert found == [*spatial, ("dropout", "Dropout", 0.3)]


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "float64", "float32"])
@pytest.mark.parametrize("model", [Linear(), MLP(), LeNet5(), LeNet5(form="paper"), ResNet(depth=8)])
def test_logits_are_of_full_precision(model, policy):
    """A softmax of bfloat16 logits would know three digits of them."""
    keras.config.set_dtype_policy(policy)
    try:
        network = model.build(TABLE if "table" in model.accepts else PICTURE, 3)
    finally:
        keras.config.set_dtype_policy("float32")
    assert network.output.dtype == {"mixed_bfloat16": "float32"}.get(policy, policy)
    inner = [one.compute_dtype for one in network.layers if one.name in ("hidden_1", "C1", "conv1_conv")]
    assert inner == [policy.removeprefix("mixed_")] * (model.name != "linear")
