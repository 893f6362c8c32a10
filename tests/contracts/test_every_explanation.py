"""Every architecture for pictures can be explained: filters, feature maps, Grad-CAM as a tape over all of it says."""

import numpy as np
import pytest
from contracts.test_every_model import CASES, built, known

from dlspec.runs.explain import explained_layer, grad_cam
from dlspec.runs.insides import features, filters

PICTURES = [name for name, kind in CASES if kind == "picture"]
FLAT = {"linear", "mlp"}


@pytest.mark.parametrize("name", PICTURES)
def test_filters_and_feature_maps_are_there(name):
    network, batch = known(name, "picture")
    found, layer = filters(network), explained_layer(network)
    assert found is not None and found.whole == (name in FLAT) and found.kernel.ndim == 4
    assert (layer is None) == (name in FLAT)
    maps = features(network, batch, layer)
    assert (not maps) == (name in FLAT)
    assert all(one.maps.shape[0] == len(batch["picture"]) and np.isfinite(one.maps).all() for one in maps)


@pytest.mark.parametrize("name", [name for name in PICTURES if name not in FLAT])
def test_grad_cam_agrees_with_a_tape_over_the_whole_network(name):
    import keras
    import tensorflow as tf

    network, batch = built(name, "picture")
    layer = explained_layer(network)
    # Fresh networks are nearly symmetric; weights that are drawn freely are not.
    draws = np.random.default_rng(0)
    network.set_weights([one + 0.1 * draws.random(one.shape) for one in network.get_weights()])
    both = keras.Model(network.inputs, [layer.output, network.outputs[0]])
    picture = tf.convert_to_tensor(batch["picture"])
    with tf.GradientTape() as tape:
        tape.watch(picture)
        maps, logits = both([picture], training=False)
        weights = draws.normal(size=logits.shape).astype(np.float32)
        value = tf.reduce_sum(logits * weights)
    slope = tape.gradient(value, maps).numpy().astype(np.float64)
    heat = np.maximum((maps.numpy() * slope.mean(axis=(1, 2), keepdims=True)).sum(axis=-1), 0)
    most = heat.max(axis=(1, 2), keepdims=True)
    assert slope.any() and heat.any()
    found = grad_cam(network, batch, weights)
    np.testing.assert_allclose(found, heat / np.where(most > 0, most, 1), atol=1e-3)
