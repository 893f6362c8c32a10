"""A network in training, looked into: what every layer gives, and the gradient it gets, on a few examples.

Run eagerly, with the layers' own calls listened to: nothing is traced, no architecture is named, models within models
and layers that are used twice are seen as well.  Whatever a training step changes besides is put back.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from dlspec.runs.activations import activation_of

ASYMPTOTE = 0.01
"""of an activation's range, how near to one of its bounds a value counts as saturated"""
LOSS_SCALE = 2.0**10
"""of a loss in float16, where gradients smaller than 6e-8 would be 0"""


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
    over_time: list[dict[str, Any]]
    """of recurrent layers, the gradient of what entered so many steps before the end (time_gradients.as_json)"""


class Layers:
    """The layers of a network that hold weights themselves, in the order of work, and what is known of each."""

    def __init__(self, network: Any, order: list[Any] | None = None, work: float = 0.0) -> None:
        """work: multiply-adds of an example forward, as far as kernels tell."""
        self.network, self.work = network, work
        owners = [one for one in network._flatten_layers() if own_weights(one)]
        place = {id(one): i for i, one in enumerate(order or [])}
        self.layers = sorted(owners, key=lambda one: place.get(id(one), len(place)))
        self.names = [_name(one) for one in self.layers]
        self.kinds = [type(one).__name__ for one in self.layers]
        self.kernels = [any(len(v.shape) > 1 for v in own_weights(one)) for one in self.layers]
        # Tried before anything is listened to, as trying calls layers.  One that is another's activation is told of
        # with that.
        every = list(network._flatten_layers(include_self=False))
        within = {id(getattr(one, "activation", None)) for one in every}
        self.activations = {id(one): activation_of(one) for one in every if id(one) not in within}

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
    work = 0.0

    def hear(layer: Any, outputs: Any) -> None:
        nonlocal work
        calls.append(layer)
        # Those of frozen layers too: they cost as much.
        sizes = [math.prod(one.shape) for one in layer._trainable_variables if len(one.shape) > 1]
        places = [math.prod(one.shape[1:-1]) for one in concrete(outputs)[:1]]
        work += sum(sizes) * sum(places)

    with unchanged(network):
        with listening(network, hear):
            network(batch[0], training=True)
        return Layers(network, list(dict.fromkeys(calls)), work)


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
        tensors = [one for one in concrete(outputs) if "float" in str(one.dtype)]
        if not tensors:
            return
        if id(layer) in place:
            last = place[id(layer)]
            seen[f"output {last}"] = last, tensors[0]
        activation = layers.activations.get(id(layer))
        if last < 0 or activation is None:
            return
        if activation.rectifies:
            seen[f"dead {last}"] = last, tensors[0]
        elif activation.bounds:
            seen[f"saturated {last}"] = last, (tensors[0], *activation.bounds)

    with unchanged(layers.network):
        loss, given, over_time = gradients(layers.network, batch, hear)
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
        over_time,
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


def concrete(outputs: Any) -> list[Any]:
    """The tensors among what a layer gives that hold numbers: inside a graph of its own they only stand for some."""
    import keras

    found = [one for one in keras.tree.flatten(outputs) if hasattr(one, "dtype")]
    if keras.backend.backend() == "tensorflow":
        return [one for one in found if hasattr(one, "numpy")]
    import jax

    return [one for one in found if not isinstance(one, jax.core.Tracer)]


def synced(network: Any) -> None:
    """On JAX, variables are empty while `fit` holds their values elsewhere: it gives them back."""
    if hasattr(network, "jax_state_sync"):
        network.jax_state_sync()


def _loss_scale(network: Any) -> float:
    """By what a loss is multiplied before its gradient is taken: 1 unless layers compute in float16."""
    import keras

    scale = getattr(network.optimizer, "dynamic_scale", None)
    return 1.0 if scale is None else min(LOSS_SCALE, float(keras.ops.convert_to_numpy(scale)))


def gradients(network: Any, batch: Any, hear: Callable[[Any, Any], None]) -> tuple[float, Any, list[dict[str, Any]]]:
    """The loss of a batch, a function from lists of variables to their gradients (0 where there is none), and of
    recurrent layers those over time (on TensorFlow alone)."""
    import keras

    x, y, weights = (*batch, None)[:3]
    scale = _loss_scale(network)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        from dlspec.runs.time_gradients import Entered, as_json

        with tf.GradientTape(persistent=False) as tape, listening(network, hear, entered := Entered(tape)):
            loss = network.compute_loss(x=x, y=y, y_pred=network(x, training=True), sample_weight=weights)
            scaled = loss * scale
        variables = network.trainable_variables
        found = tape.gradient(
            scaled,
            [*(one.value for one in variables), *entered.added],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        dense = [tf.convert_to_tensor(one) for one in found[: len(variables)]]
        over_time = [as_json(_name(one), norms) for one, norms in entered.reach(found[len(variables) :])]
    else:
        import jax

        with listening(network, hear):
            network(x, training=True)
        variables = network.trainable_variables
        fixed = [one.value for one in network.non_trainable_variables]

        def of(trainable: Any) -> Any:
            outputs, _, extra = network.stateless_call(trainable, fixed, x, training=True, return_losses=True)
            # `compute_loss` adds penalties itself; these are those of the weights at hand, as in Keras' own step.
            network._losses_override.clear()
            network._losses_override = extra
            try:
                return scale * network.compute_loss(x=x, y=y, y_pred=outputs, sample_weight=weights)
            finally:
                network._losses_override = []

        over_time = []
        loss, dense = jax.value_and_grad(of)([one.value for one in variables])
        loss = loss / scale
    if scale != 1:
        dense = [keras.ops.cast(one, "float32") / scale for one in dense]
    by = {id(one): gradient for one, gradient in zip(variables, dense, strict=True)}
    return float(loss), lambda groups: [[by[id(one)] for one in group] for group in groups], over_time


@contextlib.contextmanager
def listening(network: Any, hear: Callable[[Any, Any], None], enter: Any = None) -> Iterator[None]:
    """Within, `hear` is told of every layer that was called, and of what it gave; `enter` changes its arguments."""
    patched = []

    def listened(layer: Any) -> Callable[..., Any]:
        call = layer.call

        def heard(*args: Any, **kwargs: Any) -> Any:
            outputs = call(*(enter(layer, args, kwargs) if enter else args), **kwargs)
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


def _name(layer: Any) -> str:
    """A layer's name with those of what it is part of, as its variables have it."""
    variables = own_weights(layer)
    return variables[0].path.rpartition("/")[0] if variables else str(layer.name)
