"""Custom layers: found, registered, saved and read back, and the numbers they give."""

import keras
import numpy as np
import pytest

import dlspec.layers
from dlspec.layers.connection_table_convolution import ConnectionTableConvolution
from dlspec.layers.fan_in_uniform import FanInUniform
from dlspec.layers.identity_shortcut import IdentityShortcut
from dlspec.layers.squash import Squash
from dlspec.layers.subsampling import Subsampling

LAYERS = ["ConnectionTableConvolution", "FanInUniform", "IdentityShortcut", "Squash", "Subsampling"]


@pytest.mark.parametrize("name", LAYERS)
def test_importing_the_package_registers_every_layer(name):
    assert dlspec.layers
    assert keras.saving.get_registered_object(f"dlspec>{name}") is not None


def test_squash_by_hand():
    values = keras.ops.convert_to_numpy(Squash()(np.array([[-1.0, 0.0, 1.0, 100.0]], "float32")))
    assert values.ravel() == pytest.approx([-1, 0, 1, 1.7159], abs=1e-4)


def test_subsampling_by_hand():
    layer = Subsampling()
    x = np.arange(2 * 5 * 4 * 2, dtype="float32").reshape(2, 5, 4, 2)
    layer.build(x.shape)
    layer.set_weights([np.array([0.5, 2.0]), np.array([1.0, -1.0])])
    result = keras.ops.convert_to_numpy(layer(x))
    # An odd row at the edge is left out.
    assert result.shape == (2, 2, 2, 2)
    assert result[0, 0, 0].tolist() == [0.5 * (0 + 2 + 8 + 10) + 1, 2 * (1 + 3 + 9 + 11) - 1]


def test_subsampling_starts_within_the_papers_limits():
    layer = Subsampling()
    layer.build((None, 4, 4, 5000))
    coefficient = keras.ops.convert_to_numpy(layer.coefficient)
    assert np.abs(coefficient).max() <= 0.6 and coefficient.std() == pytest.approx(0.6 / np.sqrt(3), rel=0.03)


def test_fan_in_uniform():
    keras.utils.set_random_seed(1)
    first, second = FanInUniform(), FanInUniform()
    a, b = (keras.ops.convert_to_numpy(one((5, 5, 4, 300))) for one in (first, second))
    assert np.abs(a).max() <= 0.024 and a.std() == pytest.approx(0.024 / np.sqrt(3), rel=0.02)
    assert np.abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.02
    keras.utils.set_random_seed(1)
    assert np.array_equal(keras.ops.convert_to_numpy(FanInUniform()((5, 5, 4, 300))), a)
    again = FanInUniform.from_config(FanInUniform(seed=7).get_config())
    assert np.array_equal(again((3, 3)), FanInUniform(seed=7)((3, 3)))


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_connection_table_convolution_is_a_convolution_without_the_missing_connections(padding):
    table = [[0, 2], [1], [0, 1, 2], [2], [1, 2], [0, 1]]
    layer = ConnectionTableConvolution(table, 3, padding, name="c")
    x = np.random.default_rng(0).normal(size=(2, 6, 7, 3)).astype("float32")
    result = keras.ops.convert_to_numpy(layer(x))
    assert layer.count_params() == 9 * 11 + 6
    kernels = {int(w.path.rsplit("_", 1)[1]): keras.ops.convert_to_numpy(w) for w in layer.kernels}
    seen = {1: 0, 2: 0, 3: 0}
    for m, inputs in enumerate(table):
        own = kernels[len(inputs)][..., [seen[len(inputs)]]]
        seen[len(inputs)] += 1
        alone = keras.ops.conv(x[..., inputs], own, padding=padding, data_format="channels_last")
        assert result[..., m] == pytest.approx(keras.ops.convert_to_numpy(alone)[..., 0], abs=1e-5)


def test_kernels_of_one_layer_draw_numbers_of_their_own():
    keras.utils.set_random_seed(0)
    layer = ConnectionTableConvolution([[0, 1], [0, 1, 2]], 5, kernel_initializer="glorot_uniform")
    layer.build((None, 9, 9, 3))
    two, three = (keras.ops.convert_to_numpy(kernel).ravel() for kernel in layer.kernels)
    assert abs(np.corrcoef(two, three[: len(two)])[0, 1]) < 0.5


def test_connection_table_convolution_survives_its_config():
    layer = ConnectionTableConvolution([[0, 1], [1]], 3, "same", kernel_initializer=FanInUniform(seed=3), name="c")
    again = ConnectionTableConvolution.from_config(layer.get_config())
    x = np.ones((1, 4, 4, 2), "float32")
    assert np.array_equal(again(x), layer(x)) and again.connections == [[0, 1], [1]]


def test_a_convolution_without_bias():
    layer = ConnectionTableConvolution([[0, 1], [1]], 3, use_bias=False)
    again = ConnectionTableConvolution.from_config(layer.get_config())
    again.build((None, 5, 5, 2))
    assert again.count_params() == 9 * 3


def test_identity_shortcut_by_hand():
    x = np.arange(2 * 3 * 4 * 2, dtype="float32").reshape(2, 3, 4, 2)
    layer = IdentityShortcut(5, 2)
    result = keras.ops.convert_to_numpy(layer(x))
    assert result.shape == layer.compute_output_shape(x.shape) == (2, 2, 2, 5)
    assert result[0, :, :, :2].tolist() == [[[0, 1], [4, 5]], [[16, 17], [20, 21]]]
    assert not result[..., 2:].any() and not layer.weights
    again = IdentityShortcut.from_config(layer.get_config())
    assert np.array_equal(again(x), result)
    with pytest.raises(ValueError, match="2 maps come in, and only 1 go out"):
        IdentityShortcut(1)(x)
    assert np.array_equal(IdentityShortcut(2)(x), x)
