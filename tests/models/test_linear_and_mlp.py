"""linear and mlp: parameter counts, and a forward pass against NumPy."""

import keras
import numpy as np
import pytest
from pydantic import ValidationError
from scipy.special import erf

from dlspec.models.base import embedding_width
from dlspec.models.tabular.linear import Linear
from dlspec.models.tabular.mlp import MLP

TABLE = {"numeric": {"shape": [7], "dtype": "float32"}}
MIXED = {**TABLE, "categories": {"shape": [2], "dtype": "int32", "sizes": [4, 30]}}
PICTURE = {"picture": {"shape": [4, 5, 2], "dtype": "float32"}}
ACTIVATIONS = {
    "relu": lambda a: np.maximum(a, 0),
    "tanh": np.tanh,
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "leaky_relu": lambda a: np.where(a > 0, a, 0.2 * a),
    "elu": lambda a: np.where(a > 0, a, np.exp(a) - 1),
    "gelu": lambda a: a * (1 + erf(a / np.sqrt(2))) / 2,
    "silu": lambda a: a / (1 + np.exp(-a)),
}


def predicted(model, **arrays):
    return keras.ops.convert_to_numpy(model(arrays, training=False))


def weights(model, layer):
    return [keras.ops.convert_to_numpy(w) for w in model.get_layer(layer).weights]


def randomized(model):
    """Every weight away from where it starts, so that biases and normalisation count."""
    rng = np.random.default_rng(3)
    model.set_weights([w + rng.uniform(0.1, 0.5, w.shape).astype("float32") for w in model.get_weights()])
    return model


@pytest.mark.parametrize(("inputs", "features"), [(TABLE, 7), (PICTURE, 40), (MIXED, 7 + 3 + 11)])
def test_linear_is_one_layer(inputs, features):
    model = Linear().build(inputs, 3)
    embedded = 4 * 3 + 30 * 11 if "categories" in inputs else 0
    assert model.count_params() == features * 3 + 3 + embedded
    assert model.output_shape == (None, 3) and set(model.input) == set(inputs)


def test_linear_knows_nothing_at_the_start():
    assert (predicted(Linear().build(TABLE, 3), numeric=np.ones((2, 7))) == 0).all()


def test_linear_agrees_with_numpy_on_pictures():
    model = randomized(Linear().build(PICTURE, 2))
    x = np.random.default_rng(0).normal(size=(3, 4, 5, 2)).astype("float32")
    kernel, bias = weights(model, "logits")
    assert predicted(model, picture=x) == pytest.approx(x.reshape(3, -1) @ kernel + bias, abs=1e-5)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("normalization", ["none", "batch", "layer", {"name": "group", "groups": 2}])
def test_mlp_agrees_with_numpy(activation, normalization):
    settings = {"hidden": (6, 8), "activation": activation, "normalization": normalization, "dropout": 0.5}
    model = randomized(MLP(**settings).build(MIXED, 2))
    rng = np.random.default_rng(0)
    numeric = rng.normal(size=(9, 7)).astype("float32")
    categories = np.stack([rng.integers(0, 4, 9), rng.integers(0, 30, 9)], axis=1).astype("int32")
    tables = [weights(model, f"categories_{place}")[0] for place in (0, 1)]
    x = np.concatenate([numeric, tables[0][categories[:, 0]], tables[1][categories[:, 1]]], axis=1)
    for number in (1, 2):
        kernel, *bias = weights(model, f"hidden_{number}")
        x = x @ kernel + (bias[0] if bias else 0)
        assert bool(bias) == (normalization == "none")
        if normalization != "none":
            gamma, beta, *running = weights(model, f"norm_{number}")
            x = gamma * normalized(x, normalization, running) + beta
        x = ACTIVATIONS[activation](x)
    kernel, bias = weights(model, "logits")
    assert predicted(model, numeric=numeric, categories=categories) == pytest.approx(
        x @ kernel + bias, rel=1e-4, abs=1e-5
    )


def normalized(x, how, running):
    if how == "batch":
        return (x - running[0]) / np.sqrt(running[1] + 1e-5)
    groups = x.reshape(len(x), 1 if how == "layer" else how["groups"], -1)
    mean, variance = groups.mean(axis=2, keepdims=True), groups.var(axis=2, keepdims=True)
    return ((groups - mean) / np.sqrt(variance + 1e-5)).reshape(x.shape)


def test_mlp_parameter_count_and_depth():
    assert MLP(hidden=(10,)).build(TABLE, 1).count_params() == 7 * 10 + 10 + 10 + 1
    assert MLP(hidden=()).build(TABLE, 4).count_params() == 7 * 4 + 4
    # Batch normalisation takes the place of the bias: scale, shift, moving mean and variance of each unit.
    assert MLP(hidden=(10,), normalization="batch").build(TABLE, 1).count_params() == 7 * 10 + 4 * 10 + 10 + 1


def test_dropout_silences_in_training_alone():
    keras.utils.set_random_seed(0)
    model = MLP(hidden=(200,), dropout=0.4).build(TABLE, 1)
    x = {"numeric": np.random.default_rng(0).normal(size=(50, 7)).astype("float32")}
    cut = keras.Model(model.input, [model.get_layer("relu_1").output, model.get_layer("dropout_1").output])
    before, after = (keras.ops.convert_to_numpy(a) for a in cut(x, training=True))
    kept = after[before > 0] > 0
    assert kept.mean() == pytest.approx(0.6, abs=0.02)
    before, after = (keras.ops.convert_to_numpy(a) for a in cut(x, training=False))
    assert np.array_equal(before, after)


def test_embedding_width():
    assert [embedding_width(n) for n in (1, 2, 3, 10, 1000, 10**6)] == [2, 2, 3, 6, 50, 50]


@pytest.mark.parametrize("wrong", [{"hidden": (0,)}, {"dropout": 1.0}, {"activation": "rleu"}, {"initializer": "he"}])
def test_settings_out_of_range(wrong):
    with pytest.raises(ValidationError):
        MLP(**wrong)
