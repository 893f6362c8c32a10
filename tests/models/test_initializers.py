"""Initialisers: the documented deviation, and the seed."""

from typing import get_args

import keras
import numpy as np
import pytest
from pydantic import ValidationError

from dlspec.models.initializers import INITIALIZERS, initializer
from dlspec.models.pieces import Activation
from dlspec.models.tabular.linear import Linear
from dlspec.models.tabular.mlp import MLP
from dlspec.models.vision.lenet5 import LeNet5
from dlspec.models.vision.resnet import ResNet

OF = {cls.model_fields["name"].default: cls for cls in INITIALIZERS}

FAN_IN, FAN_OUT = 300, 500
# Orthogonal rows are FAN_IN unit vectors of FAN_OUT entries.
DEVIATION = {
    "zeros": 0,
    "random_normal": 0.05,
    "random_uniform": 0.05 / np.sqrt(3),
    "glorot_uniform": np.sqrt(2 / (FAN_IN + FAN_OUT)),
    "glorot_normal": np.sqrt(2 / (FAN_IN + FAN_OUT)),
    "he_uniform": np.sqrt(2 / FAN_IN),
    "he_normal": np.sqrt(2 / FAN_IN),
    "lecun_uniform": np.sqrt(1 / FAN_IN),
    "lecun_normal": np.sqrt(1 / FAN_IN),
    "orthogonal": np.sqrt(1 / FAN_OUT),
}


def drawn(start, shape=(FAN_IN, FAN_OUT)):
    return keras.ops.convert_to_numpy(start(shape))


@pytest.mark.parametrize("name", DEVIATION)
def test_documented_deviation(name):
    keras.utils.set_random_seed(5)
    values = drawn(initializer(OF[name]()))
    assert values.std() == pytest.approx(DEVIATION[name], rel=0.01, abs=1e-9)
    assert values.mean() == pytest.approx(0, abs=4 * DEVIATION[name] / np.sqrt(values.size) + 1e-9)


def test_every_name_is_held_to_its_deviation():
    assert {*DEVIATION, "auto"} == set(OF)


@pytest.mark.parametrize("activation", get_args(Activation))
def test_auto_goes_by_the_activation(activation):
    keras.utils.set_random_seed(5)
    named = "glorot_uniform" if activation in ("tanh", "sigmoid") else "he_normal"
    assert drawn(initializer(OF["auto"](), activation)).std() == pytest.approx(DEVIATION[named], rel=0.01)


@pytest.mark.parametrize("name", sorted(set(DEVIATION) - {"zeros"}))
def test_seeds_and_layers(name):
    def kernels(seed):
        keras.utils.set_random_seed(seed)
        model = MLP(hidden=(20, 20, 20), initializer=name).build({"numeric": {"shape": [20], "dtype": "float32"}}, 20)
        return [w for w in model.get_weights() if w.ndim == 2]

    first, again, other = kernels(1), kernels(1), kernels(2)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    different = [*first, *other]
    for i, a in enumerate(different):
        for b in different[i + 1 :]:
            assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.2


@pytest.mark.parametrize("name", sorted(set(DEVIATION) - {"zeros"}))
def test_scale(name):
    """Of random_normal it is the deviation, of random_uniform the limit; of all others it multiplies."""
    times = {"random_normal": 0.3 / 0.05, "random_uniform": 0.3 / 0.05}.get(name, 0.3)
    keras.utils.set_random_seed(5)
    values = drawn(initializer(OF[name](scale=0.3)))
    assert values.std() == pytest.approx(times * DEVIATION[name], rel=0.01)
    if name == "random_uniform":
        assert 0.299 < np.abs(values).max() <= 0.3


def test_scale_1_draws_what_keras_draws_under_the_same_name():
    for name in sorted(set(DEVIATION) - {"zeros"}):
        keras.utils.set_random_seed(5)
        ours = drawn(initializer(OF[name]()))
        keras.utils.set_random_seed(5)
        np.testing.assert_array_equal(ours, drawn(keras.initializers.get(name)))


@pytest.mark.parametrize("shape", [(40, 90), (90, 40), (3, 3, 7, 20), (3, 3, 2, 40)])
def test_orthogonal_rows_or_columns(shape):
    keras.utils.set_random_seed(2)
    matrix = drawn(initializer(OF["orthogonal"](scale=1.5)), shape).reshape(-1, shape[-1]).astype(np.float64)
    small = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
    np.testing.assert_allclose(small, 1.5**2 * np.eye(len(small)), atol=1e-5)


TABLE = {"numeric": {"shape": [20], "dtype": "float32"}}
PICTURE = {"picture": {"shape": [16, 16, 3], "dtype": "float32"}}


@pytest.mark.parametrize("name", OF)
@pytest.mark.parametrize(
    ("architecture", "inputs", "settings"),
    [
        (Linear, TABLE, {}),
        (MLP, TABLE, {"hidden": (30, 30)}),
        (LeNet5, PICTURE, {}),
        (LeNet5, PICTURE, {"form": "paper"}),
        (ResNet, PICTURE, {"depth": 8, "shortcut": "projection"}),
    ],
)
def test_every_kernel_of_every_architecture_starts_as_the_recipe_says(architecture, inputs, settings, name):
    def kernels(**how):
        keras.utils.set_random_seed(1)
        model = architecture(**settings, initializer={"name": name, **how}).build(inputs, 20)
        return {w.path: drawn(lambda _, w=w: w, None) for w in model.weights if len(w.shape) > 1}

    if name == "zeros":
        assert not any(values.any() for values in kernels().values())
        return
    plain, twice = kernels(), kernels(scale={"random_normal": 0.1, "random_uniform": 0.1}.get(name, 2.0))
    assert (
        len(plain)
        == {"Linear": 1, "MLP": 3, "LeNet5": 7 if "form" in settings else 5, "ResNet": 10}[architecture.__name__]
    )
    for path, values in plain.items():
        np.testing.assert_allclose(twice[path], 2 * values, rtol=1e-4, atol=1e-6, err_msg=path)


def test_scale_is_positive_and_zeros_have_none():
    for wrong in (
        {"name": "he_normal", "scale": 0.0},
        {"name": "zeros", "scale": 1.0},
        "he",
        {"name": "he_normal", "gain": 2},
    ):
        with pytest.raises(ValidationError):
            MLP(initializer=wrong)


def test_a_scale_alone_is_of_auto():
    assert MLP(initializer={"scale": 2.0}).model_dump()["initializer"] == {"name": "auto", "scale": 2.0}
