"""Looking into networks of any make: activations that are layers, graphs within, losses that are scaled."""

import numpy as np
import pytest

from dlspec.runs import probe
from dlspec.runs.activations import activation_of
from dlspec.runs.optimizing import optimizer_of


def batch(count=16):
    draws = np.random.default_rng(1)
    return draws.normal(size=(count, 4)).astype("float32"), draws.normal(size=(count, 2)).astype("float32")


def compiled(*layers, **settings):
    import keras

    keras.utils.set_random_seed(3)
    network = keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(2, name="out")])
    network.compile(optimizer=settings.pop("optimizer", "sgd"), loss="mse", **settings)
    return network


def looked(network):
    import keras

    of = keras.tree.map_structure(keras.ops.convert_to_tensor, batch())
    layers = probe.ordered(network, of)
    return layers, probe.look(layers, of)


@pytest.mark.parametrize("how", ["layer", "argument", "function"])
def test_a_rectifier_that_is_a_layer_is_seen_as_one(how):
    import keras

    rectifier = {"layer": None, "argument": keras.layers.ReLU(), "function": "relu"}[how]
    behind = [keras.layers.ReLU()] if how == "layer" else []
    first = keras.layers.Dense(5, activation="tanh", name="first")
    network = compiled(first, keras.layers.Dense(6, activation=rectifier, name="second"), *behind)
    network.layers[1].set_weights([np.ones((5, 6), "float32") * 0.1, np.array([-99.0] * 3 + [9.0] * 3, "float32")])
    layers, seen = looked(network)
    assert [one.rpartition("/")[2] for one in layers.names] == ["first", "second", "out"]
    np.testing.assert_array_equal(seen.dead, [np.nan, 0.5, np.nan])
    assert np.isfinite(seen.saturated[0]) and np.isfinite(seen.gradient).all()


@pytest.mark.parametrize("kind", ["LeakyReLU", "ELU", "PReLU", "ReLU"])
def test_layers_of_activations_of_every_kind_can_be_looked_at(kind):
    import keras

    make = getattr(keras.layers, kind)
    network = compiled(keras.layers.Dense(5), make(), keras.layers.Dense(5, activation=make()))
    network(batch()[0])
    before = [one.tobytes() for one in network.get_weights()]
    _, seen = looked(network)
    assert np.isfinite(seen.gradient).all() and np.isfinite(seen.dead).any() == (kind == "ReLU")
    assert [one.tobytes() for one in network.get_weights()] == before


def test_an_activation_that_cannot_be_tried_on_its_own_is_not_known():
    import keras

    def gated(x):  # two entries at least
        one, other = keras.ops.split(x, 2, axis=-1)
        return keras.ops.concatenate([one * keras.ops.sigmoid(other), one], axis=-1)

    network = compiled(keras.layers.Dense(6, activation=gated, name="gated"))
    assert activation_of(network.layers[0]) is None
    _, seen = looked(network)
    assert np.isnan(seen.saturated).all() and np.isfinite(seen.output).all()


def test_layers_called_inside_a_graph_of_their_own_are_passed_over():
    import keras
    import tensorflow as tf

    class Within(keras.layers.Layer):
        def build(self, shape):
            self.inner = keras.layers.Dense(4, activation="relu")
            self.inner.build(shape)

        def call(self, x):
            return tf.function(self.inner)(x)

    layers, seen = looked(compiled(Within()))
    place = [one.endswith("out") for one in layers.names].index(False)
    assert np.isnan(seen.output[place]) and seen.gradient[place] > 0


def test_small_gradients_in_float16_are_seen():
    import keras

    from dlspec.recipe.training import Train

    keras.utils.set_random_seed(3)
    train = Train(precision="mixed_float16")
    norms = []
    for policy in ("float32", "mixed_float16"):
        layers = [keras.layers.Dense(5, dtype=policy), keras.layers.Dense(2, dtype=policy)]
        layers.append(keras.layers.Rescaling(1e-4, dtype="float32"))
        keras.utils.set_random_seed(3)
        network = keras.Sequential([keras.Input((4,)), *layers])
        optimizer = optimizer_of(train, network, 1) if policy != "float32" else "sgd"
        network.compile(optimizer=optimizer, loss="mse", loss_weights=1e-4, auto_scale_loss=False)
        network.optimizer.build(network.trainable_variables)
        norms.append(looked(network)[1].gradient)
    np.testing.assert_allclose(norms[1], norms[0], rtol=0.1)


def test_brain_floats_are_no_raw_bytes():
    import keras

    from dlspec.runs.divergence import _finite

    one = keras.ops.cast(keras.ops.convert_to_tensor([1.0, float("nan")]), "bfloat16")
    assert not _finite(one) and _finite(one[:1])
