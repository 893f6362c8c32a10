"""A freshly built network: its loss at the start, and whether what flows through it stays within bounds."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import numpy as np

from dlspec.recipe.schema import Recipe
from dlspec.runs.check_trial import Batch, calls, loss_of
from dlspec.types import Finding, State
from dlspec.wording import plural

FRESH = 3
"""networks whose losses are averaged: one may begin well or badly by luck"""
BELOW, ABOVE, MORE = 0.5, 2.0, 2.0
"""a loss at the start is right from half to twice the expected one and 2 more, as logits that vary around 0 give"""
FEW = 32
"""examples that are followed through the layers"""
HUGE = 30.0
"""root mean square of an output of the network, or of its input, above which it is too large"""
GROWS = 10.0
"""times by which a layer makes the root mean square larger, above which it is blamed"""


def start(recipe: Recipe, state: State, fresh: Callable[[], Any], batch: Batch) -> tuple[str, list[Finding]]:
    """Loss at the start, over these examples; what was measured, in words, and findings."""
    losses = []
    loss = loss_of(recipe, state)
    for _ in range(FRESH):
        network = fresh()
        losses.append(float(loss(first_outputs(network, batch), batch)))
    mean, expected = statistics.fmean(losses), recipe.task.expected_initial_loss(state)
    exploding = _exploding(network, batch.take(slice(0, FEW)))
    said = f"{mean:.4g}, mean over {FRESH} fresh networks and {plural(batch.size, 'example')} of train"
    if expected is None:
        return said, exploding
    low, high = BELOW * expected, ABOVE * expected + MORE
    said += f" (expected {expected:.4g}; right from {low:.3g} to {high:.3g})"
    if exploding or low <= mean <= high:
        return said, exploding
    if mean < low:
        message = (
            f"the loss at the start is {mean:.4g}, where a network that knows nothing has {expected:.4g}: it has "
            "learned already, or its outputs are not the logits that the loss takes. Look at what the model's last "
            "layer gives, and whether its weights are fresh"
        )
    else:
        message = (
            f"the loss at the start is {mean:.4g}, where a network that knows nothing has {expected:.4g} (up to "
            f"{high:.3g} is usual): its first outputs are sure of themselves and wrong, and the first steps only undo "
            "that. Let weights start smaller (an initialiser by the fan-in: glorot_uniform, he_normal), and look at "
            "the scale of the input"
        )
    return said, [Finding("warning", "initial_loss", "model", message)]


def first_outputs(network: Any, batch: Batch) -> Any:
    """The outputs that the first steps of training see: a fresh network has no running means to normalise by."""
    import keras

    class Training(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def call(self, inputs: Any) -> Any:
            return self.network(inputs, training=True)

    return Training().predict(batch.x, batch_size=FEW, verbose=0)


def _exploding(network: Any, batch: Batch) -> list[Finding]:
    """Outputs that are no finite numbers, or huge; and the layer where that begins."""
    import keras

    clone, found = calls(network)
    floats = [(call, one) for call in found for one in call.outputs if str(one.dtype).startswith("float")]
    given = [np.asarray(one) for one in keras.Model(clone.inputs, [one for _, one in floats])(batch.x, training=True)]
    sizes = {
        id(one): _size(batch.x[one.name]) for one in clone.inputs if one.name in batch.x and _real(batch.x[one.name])
    }
    entry = max(sizes.values(), default=1.0)
    outputs = {id(one) for one in clone.outputs}
    last, blamed = 0.0, ""
    for (call, tensor), values in zip(floats, given, strict=True):
        size = sizes[id(tensor)] = _size(values)
        before = max((sizes[id(one)] for one in call.inputs if id(one) in sizes), default=1.0)
        if not blamed and not size <= GROWS * max(1.0, before):
            blamed = f"'{call.layer.name}' ({type(call.layer).__name__})"
            grown = f"from {before:.3g} to {size:.3g}"
        if id(tensor) in outputs:
            last = size if not size <= last else last
    if last <= HUGE:
        return []
    what = "are no finite numbers" if not np.isfinite(last) else f"have a root mean square of {last:.3g}"
    if entry > HUGE or not np.isfinite(entry):
        message = (
            f"the outputs of the fresh network {what}, because its inputs are huge (root mean square {entry:.3g}). "
            "Scale them: leave input.scale at its default"
        )
        return [Finding("error", "exploding_initialization", "input", message)]
    where = f"layer {blamed}" if blamed else "model"
    begins = f"it begins at {where} (root mean square {grown})" if blamed else "it grows a little in every layer"
    message = (
        f"exploding initialisation: the outputs of the fresh network {what}, where about 1 is right; {begins}. "
        "Gradients are as large, and training does not recover. Let weights start by their fan-in "
        "(kernel_initializer he_normal before relu, else glorot_uniform), or normalise between layers"
    )
    return [Finding("error", "exploding_initialization", where, message)]


def _real(values: np.ndarray) -> bool:
    return bool(values.dtype.kind == "f")


def _size(values: np.ndarray) -> float:
    """Root mean square; infinite where a value is no finite number."""
    size = float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))
    return size if np.isfinite(size) else float("inf")
