"""A table of the layers of a network: what each gives, sees and costs."""

from __future__ import annotations

import math
from typing import Any

from dlspec.runs.check_arithmetic import arithmetic
from dlspec.runs.check_fields import Field, entry_field, given
from dlspec.runs.check_trial import calls


def table(network: Any) -> dict[str, Any]:
    """`layers`: name, kind, output, receptive_field, parameters, multiply_adds, arithmetic of each; and the sums.

    output: its shape without the batch axis.  receptive_field: on each spatial side, how many entries of the input one
    entry of the output sees; "all" where it sees the whole; null where there are no sides (rows of a table).
    multiply_adds: of an example, in matrix products and convolutions; null where that cannot be derived.
    arithmetic: how the output's size comes about, of convolutions and poolings; else null.
    """
    fields = [entry_field(one.shape) for one in network.inputs]
    rows = _rows(network, fields, "", set())[0]
    known = [row["multiply_adds"] for row in rows if row["multiply_adds"] is not None]
    return {
        "layers": rows,
        "parameters": int(network.count_params()),
        "trainable": sum(math.prod(one.shape) for one in network.trainable_variables),
        "multiply_adds": sum(known) if len(known) == len(rows) else None,
    }


def _rows(network: Any, fields: list[Field], prefix: str, seen: set[int]) -> tuple[list[dict[str, Any]], list[Field]]:
    """The rows of a network whose inputs see so much, and what its outputs see; models within it are unfolded."""
    import keras

    clone, found = calls(network)
    sees = {id(tensor): field for tensor, field in zip(clone.inputs, fields, strict=True)}
    rows: list[dict[str, Any]] = []
    for call in found:
        taken = [sees[id(one)] for one in call.inputs]
        if isinstance(call.layer, keras.Model) and hasattr(call.layer, "inputs"):
            inner, passed = _rows(call.layer, taken, f"{prefix}{call.layer.name}/", seen)
            rows += inner
        else:
            passed = [given(call, taken)] * len(call.outputs)
            if isinstance(call.layer, keras.layers.Layer):
                rows.append(_row(call, passed[0], prefix, seen))
        sees |= {id(tensor): field for tensor, field in zip(call.outputs, passed, strict=True)}
    return rows, [sees[id(one)] for one in clone.outputs]


def _row(call: Any, field: Field, prefix: str, seen: set[int]) -> dict[str, Any]:
    layer = call.layer
    new = id(layer) not in seen  # a layer that is used twice has its weights once
    seen.add(id(layer))
    return {
        "name": f"{prefix}{layer.name}",
        "kind": type(layer).__name__,
        "output": list(call.outputs[0].shape[1:]),
        "receptive_field": field if isinstance(field, str) or field is None else [side.size for side in field],
        "parameters": int(layer.count_params()) if new else 0,
        "multiply_adds": _multiply_adds(call),
        "arithmetic": arithmetic(layer, call.inputs[0].shape, call.outputs[0].shape) if call.inputs else None,
    }


def _multiply_adds(call: Any) -> int | None:
    """Every weight of a kernel is used once at every place of the output; null where a layer works otherwise.

    Places are all axes of the output but the batch and the channels; of a transposed convolution and a recurrent
    layer, those of the input.  Vectors (biases, scales) are not counted, nor is a table that is only looked up.
    """
    import keras

    layers, layer = keras.layers, call.layer
    kernels = [one for one in layer.weights if len(one.shape) > 1]
    if isinstance(layer, layers.Dot) or "Attention" in type(layer).__name__ or len(call.outputs) > 1:
        return None
    if not kernels or isinstance(layer, layers.Embedding):
        return 0
    transposed = isinstance(layer, layers.Conv1DTranspose | layers.Conv2DTranspose | layers.Conv3DTranspose)
    over = call.inputs[0] if transposed or isinstance(layer, layers.RNN | layers.Bidirectional) else call.outputs[0]
    first = getattr(layer, "data_format", None) == "channels_first"
    places = over.shape[2:] if first else over.shape[1:-1]
    if None in places:
        return None
    if isinstance(layer, layers.EinsumDense):
        # Axes that the kernel makes are no places of their own.
        return int(math.prod(call.inputs[0].shape[1:]) * _made(layer))
    return int(math.prod(places) * sum(math.prod(one.shape) for one in kernels))


def _made(layer: Any) -> int:
    """How many numbers an EinsumDense makes of each of its input."""
    inputs, rest = layer.equation.split(",")
    kernel = rest.split("->")[0]
    return math.prod(size for axis, size in zip(kernel, layer.kernel.shape, strict=True) if axis not in inputs)
