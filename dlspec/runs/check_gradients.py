"""Gradients: numerical ones, by central differences, against automatic ones, in float64."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from dlspec.recipe.schema import Recipe
from dlspec.runs.check_slopes import TOLERANCE, Compared, compare
from dlspec.runs.check_trial import Batch, calls, loss_of
from dlspec.types import Finding, State

MOVED = 0.05
"""deviation by which weights are moved first: where biases are 0, rectifiers stand at their kink"""


@contextlib.contextmanager
def float64() -> Iterator[None]:
    """Networks that are built within compute in float64."""
    import keras

    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        yield
    finally:
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(policy)


def gradients(recipe: Recipe, state: State, batch: Batch) -> tuple[str, list[Finding]]:
    """Compare the gradients of every trainable variable; what was measured, in words, and findings.

    Random layers are off.  Each coordinate is moved by two step sizes to both sides; where these disagree there is a
    kink (a rectifier, a maximum), and another is drawn.  TensorFlow alone: other backends round float64 away.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        return "not compared: that takes the TensorFlow backend", []
    wide = batch._replace(x={name: _wide(values) for name, values in batch.x.items()})
    with float64():
        try:
            network = recipe.task.build(recipe.model, _in_float64(state))
            network(wide.x, training=False)
        except Exception as error:
            if not recipe.model.name.endswith(".py"):
                raise
            # A layer of the user's own may be written for float32 alone.
            message = (
                f"gradients cannot be compared: the network does not compute in float64 "
                f"({str(error).strip().splitlines()[0]}). Let its layers take the type of their input, not 'float32'"
            )
            return "not compared", [Finding("note", "gradients_not_compared", "model", message)]
        _move(network)
        try:
            return _compared(recipe, state, network, wide)
        except Exception as error:
            if not recipe.model.name.endswith(".py"):
                raise
            said = str(error).strip().splitlines() or [type(error).__name__]
            message = (
                f"the gradient of the network cannot be computed: {said[-1].strip()}. Training would stop at its first "
                "step. Correct what its custom_gradient does with the upstream gradient, or leave it out"
            )
            return "not computed", [Finding("error", "gradient_fails", "model", message)]


def _compared(recipe: Recipe, state: State, network: Any, batch: Batch) -> tuple[str, list[Finding]]:
    loss = loss_of(recipe, state, network, all_slopes=True)

    def value() -> Any:
        return loss(network(batch.x, training=False), batch)

    variables = network.trainable_variables
    owners = {id(one): layer for layer in network.layers for one in layer.weights}
    found = compare(value, variables)
    bad = [(one, of) for one, of in zip(variables, found, strict=True) if of.wrong]
    findings = []
    if bad:
        blamed = _blamed(recipe, state, network, batch, {id(owners[id(one)]) for one, _ in bad})
        findings.append(_wrong(blamed, *bad[0]))
    loose = [one for one, of in zip(variables, found, strict=True) if not of.connected]
    if loose:
        findings.append(_loose(loose, owners))
    count, kinks = sum(one.compared for one in found), sum(one.kinks for one in found)
    worst = max((one.error for one in found), default=0.0)
    said = (
        f"{count:,} coordinates of {len(variables)} variables, the largest relative error {worst:.1e} (up to "
        f"{TOLERANCE:g} is right)" + (f"; {kinks:,} at a kink left out" if kinks else "")
    )
    return said, findings


def _wrong(blamed: Sequence[Any], variable: Any, worst: Compared) -> Finding:
    names = ", ".join(f"'{one.name}' ({type(one).__name__})" for one in blamed)
    told = f"{worst.automatic:.4g} where differences of the loss say {worst.numerical:.4g}"
    what = f"the gradient that layer {names} hands on is wrong" if blamed else "the gradient of the loss is wrong"
    return Finding(
        "error",
        "wrong_gradient",
        f"layer {names}" if blamed else "loss",
        f"{what}: it gives '{variable.path}' {told}. Training goes astray. Correct its "
        "keras.ops.custom_gradient (or tf.custom_gradient), or leave it out: gradients of Keras' operations are "
        "right. If it is bent on purpose (stop_gradient, straight-through), pass over this",
    )


def _blamed(recipe: Recipe, state: State, network: Any, batch: Batch, own: set[int]) -> list[Any]:
    """Layers that get a right gradient from all that use their output, but hand on a wrong one.

    own: layers with a variable whose gradient is wrong.  A variable, 0, is added to whatever enters a layer; its
    gradient is what the layer hands on there.  Another one is added along the last axis alone, and gathers the faults
    of all places, of which the coordinates that are compared may hold none.
    """
    import keras

    added: list[tuple[int, Any]] = []

    class Added(keras.layers.Layer):  # type: ignore[misc]
        def build(self, shape: Any) -> None:
            self.added = self.add_weight(shape=(batch.size, *shape[1:]), initializer="zeros", name="added")
            self.along = self.add_weight(shape=shape[-1:], initializer="zeros", name="along")

        def call(self, inputs: Any) -> Any:
            return inputs + self.added + self.along

    def entering(tensor: Any) -> Any:
        if not str(tensor.dtype).startswith("float") or None in tensor.shape[1:]:
            return tensor
        adding = Added()
        entered = adding(tensor)
        added.extend((id(entered), one) for one in (adding.added, adding.along))
        return entered

    clone, found = calls(network, entering)
    loss = loss_of(recipe, state, all_slopes=True)
    compared = compare(lambda: loss(clone(batch.x, training=False), batch), [one for _, one in added])
    wrong = {name for (name, _), one in zip(added, compared, strict=True) if one.wrong}
    spoiled = {
        id(given) for call in found for given, entered in zip(call.inputs, call.entered, strict=True)
        if id(entered) in wrong
    }  # fmt: skip
    blamed = {
        id(call.layer): call.layer
        for call in found
        if not any(id(one) in spoiled for one in call.outputs)
        and (id(call.layer) in own or any(id(one) in wrong for one in call.entered))
    }
    return list(blamed.values())


def _loose(variables: Sequence[Any], owners: Mapping[int, Any]) -> Finding:
    layers = list(dict.fromkeys(owners[id(one)].name for one in variables))
    names = ", ".join(f"'{one.path}'" for one in variables[:5]) + (", …" if len(variables) > 5 else "")
    many = len(variables) > 1
    return Finding(
        "warning",
        "no_gradient",
        f"layer {', '.join(layers)}",
        f"{'variables' if many else 'variable'} {names} {'get' if many else 'gets'} no gradient, and the loss stays "
        f"the same whatever {'they are' if many else 'it is'}: nothing of it reaches the output. Use what the layer "
        "gives, look for a stop_gradient, an argmax or a unit that is always 0, or take the layer out",
    )


def _move(network: Any) -> None:
    random = np.random.default_rng(0)
    for one in network.trainable_variables:
        one.assign(one.numpy() + random.normal(0, MOVED, one.shape))


def _in_float64(state: State) -> State:
    shapes = {
        name: {**of, "dtype": "float64" if str(of["dtype"]).startswith("float") else of["dtype"]}
        for name, of in state["shapes"].items()
    }
    return {**state, "shapes": shapes}


def _wide(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float64) if values.dtype.kind == "f" else values
