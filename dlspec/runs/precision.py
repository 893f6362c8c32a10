"""Networks whose layers compute in half precision, but for the last: logits and loss are float32."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from dlspec.recipe.schema import Recipe
from dlspec.types import State


def build(recipe: Recipe, state: State) -> Any:
    """The task's network, in the recipe's precision."""
    with computing_in(recipe.train.precision):
        network = recipe.task.build(recipe.model, state)
    if recipe.train.precision != "float32":
        _whole_at_the_end(network)
    return network


@contextlib.contextmanager
def computing_in(precision: str) -> Iterator[None]:
    """Within, layers are made that compute in this precision."""
    import keras

    before = keras.config.dtype_policy()
    if precision != "float32":
        keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _whole_at_the_end(network: Any) -> None:
    """Let everything from the last weights to the outputs compute in float32.

    A logit in bfloat16 has three digits.  The policy of a layer is saved with it, so that a network that is opened
    gives the same.
    """
    import keras

    waiting = [one._keras_history.operation for one in keras.tree.flatten(getattr(network, "outputs", None) or [])]
    seen: set[int] = set()
    while waiting:
        operation = waiting.pop()
        if id(operation) in seen or isinstance(operation, keras.layers.InputLayer):
            continue
        seen.add(id(operation))
        if isinstance(operation, keras.Model):
            _whole_at_the_end(operation)
            continue
        if isinstance(operation, keras.Layer):
            operation.dtype_policy = "float32"
            if operation.weights and not getattr(operation, "passes_on", False):
                continue
        for node in operation._inbound_nodes:
            waiting += [one._keras_history.operation for one in node.input_tensors]
