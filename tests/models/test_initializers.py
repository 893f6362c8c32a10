"""Initialisers: the documented deviation, and the seed."""

from typing import get_args

import keras
import numpy as np
import pytest

from dlspec.models.pieces import Activation, Initializer, initializer
from dlspec.models.tabular.mlp import MLP

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
    values = drawn(initializer(name))
    assert values.std() == pytest.approx(DEVIATION[name], rel=0.01, abs=1e-9)
    assert values.mean() == pytest.approx(0, abs=4 * DEVIATION[name] / np.sqrt(values.size) + 1e-9)


def test_every_name_is_held_to_its_deviation():
    assert {*DEVIATION, "auto"} == set(get_args(Initializer))


@pytest.mark.parametrize("activation", get_args(Activation))
def test_auto_goes_by_the_activation(activation):
    keras.utils.set_random_seed(5)
    named = "glorot_uniform" if activation in ("tanh", "sigmoid") else "he_normal"
    assert drawn(initializer("auto", activation)).std() == pytest.approx(DEVIATION[named], rel=0.01)


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
