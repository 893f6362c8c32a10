"""A network in training, looked into: what every layer gives, and the gradient it gets, on a few examples.

Run eagerly, with the layers' own calls listened to: nothing is traced, no architecture is named, models within models
and layers that are used twice are seen as well.  Whatever a training step changes besides is put back.
"""

from __future__ import annotations

import contextlib
import functools
import weakref
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

FAR = 50.0
"""an activation that is finite here on both sides, and the same as at twice that, is bounded"""
ASYMPTOTE = 0.01
"""of an activation's range, how near to one of its bounds a value counts as saturated"""


class Look(NamedTuple):
    """One look.  Arrays have an entry a layer with weights, in the order of work; NaN where a layer has no such thing.

    loss: mean over the batch, regularisation included.  gradient, weight: Euclidean norms over the layer's trainable
    variables.  size: how many weights.  output: root mean square of what the layer gives.  dead: share of units
    (entries of the last axis) of the rectifier that follows which give 0 everywhere.  saturated: share of values of
    the bounded activation that follows which lie at one of its bounds.
    """

    loss: float
    gradient: np.ndarray
    weight: np.ndarray
    size: np.ndarray
    output: np.ndarray
    dead: np.ndarray
    saturated: np.ndarray


class Layers:
    """The layers of a network that hold weights themselves, in the order of work, and what is known of each."""

    def __init__(self, network: Any, order: list[Any] | None = None) -> None:
        self.network = network
        owners = [one for one in network._flatten_layers() if own_weights(one)]
        place = {id(one): i for i, one in enumerate(order or [])}
        self.layers = sorted(owners, key=lambda one: place.get(id(one), len(place)))
        self.names = [_name(one) for one in self.layers]
        self.kinds = [type(one).__name__ for one in self.layers]
        self.kernels = [any(len(v.shape) > 1 for v in own_weights(one)) for one in self.layers]

    @property
    def weights(self) -> list[list[Any]]:
        """Of each layer, its own trainable variables."""
        return [own_weights(one) for one in self.layers]


def own_weights(layer: Any) -> list[Any]:
    """The trainable variables that a layer holds itself, those of layers within it left to them."""
    return [one for one in layer._trainable_variables if one.trainable and layer.trainable]


def ordered(network: Any, batch: Any) -> Layers:
    """The layers with weights in the order in which they work on a batch."""
    calls: list[Any] = []
    with unchanged(network), listening(network, lambda layer, outputs: calls.append(layer)):
        network(batch[0], training=True)
    return Layers(network, list(dict.fromkeys(calls)))


def look(layers: Layers, batch: Any) -> Look:
    """Look into a compiled network, in training mode, on a batch of (x, y) or (x, y, weights)."""
    import keras

    count = len(layers.layers)
    output, dead, saturated = (np.full(count, np.nan) for _ in range(3))
    place = {id(one): i for i, one in enumerate(layers.layers)}
    seen: dict[str, tuple[int, Any]] = {}
    last = -1

    def hear(layer: Any, outputs: Any) -> None:
        nonlocal last
        tensors = [one for one in keras.tree.flatten(outputs) if "float" in str(getattr(one, "dtype", ""))]
        if not tensors:
            return
        if id(layer) in place:
            last = place[id(layer)]
            seen[f"output {last}"] = last, tensors[0]
        activation = activation_of(layer)
        if last < 0 or activation is None:
            return
        if activation.rectifies:
            seen[f"dead {last}"] = last, tensors[0]
        elif activation.bounds:
            seen[f"saturated {last}"] = last, (tensors[0], *activation.bounds)

    with unchanged(layers.network):
        loss, given = gradients(layers.network, batch, hear)
    ops = keras.ops
    found: list[tuple[np.ndarray, int, Any]] = []
    for name, (i, value) in seen.items():
        if name.startswith("output"):
            found.append((output, i, ops.sqrt(ops.mean(ops.square(ops.cast(value, "float32"))))))
        elif name.startswith("dead"):
            most = ops.max(ops.abs(value), axis=tuple(range(len(value.shape) - 1)))
            found.append((dead, i, ops.mean(ops.cast(most == 0, "float32"))))
        else:
            tensor, low, high = value
            near = ASYMPTOTE * (high - low)
            there = ops.logical_or(tensor < low + near, tensor > high - near)
            found.append((saturated, i, ops.mean(ops.cast(there, "float32"))))
    for into, i, value in found:
        into[i] = float(value)
    return Look(
        loss,
        np.array([norm(values) for values in given(layers.weights)]),
        np.array([norm(values) for values in layers.weights]),
        np.array([sum(int(np.prod(one.shape)) for one in own) for own in layers.weights]),
        output,
        dead,
        saturated,
    )


def norm(values: list[Any]) -> float:
    """The Euclidean norm of several tensors together."""
    import keras

    ops = keras.ops
    squares = [ops.sum(ops.square(ops.cast(ops.convert_to_tensor(one), "float32"))) for one in values]
    return float(ops.sqrt(sum(squares))) if squares else 0.0


def copied(variable: Any) -> Any:
    """The value of a variable, which keeps when the variable goes on."""
    import keras

    return keras.ops.copy(keras.ops.convert_to_tensor(variable))


def moved(before: list[Any], now: list[Any]) -> float:
    """The Euclidean norm of what variables have changed by."""
    import keras

    return norm([keras.ops.subtract(keras.ops.convert_to_tensor(b), a) for a, b in zip(before, now, strict=True)])


def learning_rate(network: Any) -> float:
    """The learning rate of the next step."""
    import keras

    optimizer = getattr(network.optimizer, "inner_optimizer", network.optimizer)
    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))


def gradients(network: Any, batch: Any, hear: Callable[[Any, Any], None]) -> tuple[float, Any]:
    """The loss of a batch, and a function from lists of variables to their gradients (0 where there is none)."""
    import keras

    x, y, weights = (*batch, None)[:3]
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        with listening(network, hear), tf.GradientTape(persistent=False) as tape:
            loss = network.compute_loss(x=x, y=y, y_pred=network(x, training=True), sample_weight=weights)
        variables = network.trainable_variables
        found = tape.gradient(
            loss, [one.value for one in variables], unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        dense = [tf.convert_to_tensor(one) for one in found]
    else:
        import jax

        with listening(network, hear):
            network(x, training=True)
        variables = network.trainable_variables
        fixed = [one.value for one in network.non_trainable_variables]

        def of(trainable: Any) -> Any:
            outputs, _, extra = network.stateless_call(trainable, fixed, x, training=True, return_losses=True)
            return network.compute_loss(x=x, y=y, y_pred=outputs, sample_weight=weights) + sum(extra)

        loss, dense = jax.value_and_grad(of)([one.value for one in variables])
    by = {id(one): gradient for one, gradient in zip(variables, dense, strict=True)}
    return float(loss), lambda groups: [[by[id(one)] for one in group] for group in groups]


@contextlib.contextmanager
def listening(network: Any, hear: Callable[[Any, Any], None]) -> Iterator[None]:
    """Within, `hear` is told of every layer as it has been called, and of what it gave."""
    patched = []

    def listened(layer: Any) -> Callable[..., Any]:
        call = layer.call

        def heard(*args: Any, **kwargs: Any) -> Any:
            outputs = call(*args, **kwargs)
            hear(layer, outputs)
            return outputs

        return heard

    try:
        for layer in network._flatten_layers(include_self=False):
            # Past Keras' own __setattr__, which would take note of it as a part of the layer.
            object.__setattr__(layer, "call", listened(layer))
            patched.append(layer)
        yield
    finally:
        for layer in patched:
            object.__delattr__(layer, "call")


@contextlib.contextmanager
def unchanged(network: Any) -> Iterator[None]:
    """Within, statistics of normalisation, seeds and metrics may change; after it they are what they were."""
    import keras

    variables = [*network.non_trainable_variables, *getattr(network, "metrics_variables", ())]
    variables = list({id(one): one for one in variables}.values())
    before = [keras.ops.copy(keras.ops.convert_to_tensor(one)) for one in variables]
    try:
        yield
    finally:
        for one, value in zip(variables, before, strict=True):
            one.assign(value)


class Activation(NamedTuple):
    """rectifies: everything negative becomes 0.  bounds: the values far to the left and right, where it has such."""

    rectifies: bool
    bounds: tuple[float, float] | None


def activation_of(layer: Any) -> Activation | None:
    """What kind of activation a layer ends in, by trying it; None where it has none, or is linear."""
    import keras

    function = getattr(layer, "activation", None)
    if not callable(function):
        if not isinstance(layer, keras.layers.ReLU | keras.layers.LeakyReLU | keras.layers.ELU):
            return None
        function = layer
    if function not in _KNOWN:
        # Past what listens to the calls of layers, which would ask for this again.
        layered = isinstance(function, keras.layers.Layer)
        tried = functools.partial(type(function).call, function) if layered else function
        # Vectors of one entry: softmax, which looks at all of them, is 1 everywhere and so no activation of a unit.
        values = np.array([-2 * FAR, -FAR, -2.0, -1.0, 1.0, FAR, 2 * FAR], np.float32)[:, None]
        given = np.asarray(keras.ops.convert_to_numpy(tried(keras.ops.convert_to_tensor(values))))[:, 0]
        low, high = float(given[1]), float(given[-2])
        rectifies = bool(np.all(given[:4] == 0) and given[4] > 0)
        near = abs(given[0] - low) + abs(given[-1] - high) <= 1e-6 * (high - low)
        bounded = bool(near and low < high) and not rectifies
        _KNOWN[function] = Activation(rectifies, (low, high) if bounded else None)
    found = _KNOWN[function]
    return found if found.rectifies or found.bounds else None


_KNOWN: weakref.WeakKeyDictionary[Any, Activation] = weakref.WeakKeyDictionary()


def _name(layer: Any) -> str:
    """A layer's name with those of what it is part of, as its variables have it."""
    variables = own_weights(layer)
    return variables[0].path.rpartition("/")[0] if variables else str(layer.name)
