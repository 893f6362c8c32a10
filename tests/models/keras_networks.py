"""Networks of keras.applications to compare with: of random weights, and what is needed to put these into ours."""

import keras
import numpy as np


def picture(height, width=None, channels=3):
    return {"picture": {"shape": [height, width or height, channels], "dtype": "float32"}}


def unallocated(build):
    """What is built without a number of its weights: for counting them and looking at shapes."""
    with keras.StatelessScope(initialize_variables=False):
        return build()


def counted(model, size, outputs=1000, channels=3):
    """Parameters of an architecture, moving means and variances among them."""
    return unallocated(lambda: model.build(picture(size, channels=channels), outputs)).count_params()


def randomised(network, seed=0):
    """The same network, whose biases and normalisations are random too, so that none is without effect."""
    rng = np.random.default_rng(seed)
    for layer in network.layers:
        if isinstance(layer, keras.layers.Normalization):
            continue
        for weight in layer.weights:
            name, shape = weight.path.rpartition("/")[2], weight.shape
            if name in ("gamma", "moving_variance"):
                weight.assign(rng.uniform(0.5, 1.5, shape))
            elif name in ("beta", "bias", "moving_mean"):
                weight.assign(rng.normal(0, 0.1, shape))
    return network


def put_into(network, weights):
    """Theirs in their order, into ours: the same numbers, where theirs has logits by a 1×1 convolution too."""
    network.set_weights([one.reshape(own.shape) for one, own in zip(weights, network.weights, strict=True)])


def apart(ours, theirs, size, seed=0):
    """The greatest difference of the outputs for random pictures, in the greatest output."""
    x = np.random.default_rng(seed).uniform(-1, 1, (2, size, size, 3)).astype("float32")
    expected = keras.ops.convert_to_numpy(theirs(x))
    found = keras.ops.convert_to_numpy(ours({"picture": x}))
    assert found.shape == expected.shape and expected.std() > 1e-6
    return np.abs(found - expected).max() / np.abs(expected).max()
