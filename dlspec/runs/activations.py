"""What kind of function an activation is, found by trying it on numbers: no name is asked for."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

FAR = 50.0
"""an activation that is finite here on both sides, and the same as at twice that, is bounded"""


class Activation(NamedTuple):
    """rectifies: everything negative becomes 0.  bounds: the values far to the left and right, where it has such."""

    rectifies: bool
    bounds: tuple[float, float] | None


def activation_of(layer: Any) -> Activation | None:
    """What kind of activation a layer ends in, by trying it; None where it has none, is linear, or cannot be tried."""
    import keras

    function = getattr(layer, "activation", None)
    if not callable(function):
        if not isinstance(layer, keras.layers.ReLU | keras.layers.LeakyReLU | keras.layers.ELU):
            return None
        function = layer
    if isinstance(function, keras.Layer) and function.weights:  # what it is, it learns
        return None
    # Vectors of one entry: softmax, which looks at all of them, is 1 everywhere and so no activation of a unit.
    values = np.array([-2 * FAR, -FAR, -2.0, -1.0, 1.0, FAR, 2 * FAR], np.float32)[:, None]
    tensor = keras.ops.convert_to_tensor(values)
    try:
        # A layer's own `call`: through __call__ it would be built for these values.
        found = type(function).call(function, tensor) if isinstance(function, keras.Layer) else function(tensor)
        given = np.asarray(keras.ops.convert_to_numpy(found))[:, 0].astype(np.float32)
    except Exception:  # it may want another shape, or whatever else: it is anybody's
        return None
    if given.shape != (len(values),):
        return None
    low, high = float(given[1]), float(given[-2])
    rectifies = bool(np.all(given[:4] == 0) and given[4] > 0)
    near = abs(given[0] - low) + abs(given[-1] - high) <= 1e-6 * (high - low)
    bounds = (low, high) if near and low < high and not rectifies else None
    return Activation(rectifies, bounds) if rectifies or bounds else None
