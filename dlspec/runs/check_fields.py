"""Receptive fields: how many entries of the input one entry of a layer's output sees."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Literal, NamedTuple

import numpy as np

LARGEST = 4_000_000
"""numbers in the input of an unknown layer, above which it is not tried"""


class Side(NamedTuple):
    """Along one side: entries seen by one, and how far apart the first ones are that two neighbours see."""

    size: int
    step: Fraction


Field = list[Side] | Literal["all"] | None
"""a side each; "all": the whole input; None: there are no sides, or nobody knows"""


def entry_field(shape: Any) -> Field:
    """The field of an input of this shape (with the batch axis): each entry sees itself.  None for rows of a table."""
    return [Side(1, Fraction(1))] * (len(shape) - 2) or None


def given(call: Any, fields: list[Field]) -> Field:
    """What the output of a layer sees, where its inputs see so much."""
    field = _widest(fields)
    if field is None or field == "all":
        return field
    shapes = [one.shape for one in (*call.inputs, *call.outputs)]
    if any(len(shape) != len(shapes[0]) for shape in shapes):
        return "all" if len(call.outputs[0].shape) < len(call.inputs[0].shape) else None
    reach = _reach(call)
    if reach is None or reach == "all":
        return reach
    return [Side(*_wider(side, *one)) for side, one in zip(field, reach, strict=True)]


def _wider(side: Side, size: int, step: Fraction) -> Side:
    """Dumoulin and Visin (2016), "A guide to convolution arithmetic": steps multiply, sizes add in steps."""
    return Side(side.size + int((size - 1) * side.step), side.step * step)


def _widest(fields: list[Field]) -> Field:
    known = [field for field in fields if field is not None]
    if not known or "all" in known:
        return "all" if known else None
    sides = [field for field in known if isinstance(field, list)]
    if len({len(field) for field in sides}) > 1:
        return None
    return [Side(max(one.size for one in along), max(one.step for one in along)) for along in zip(*sides, strict=True)]


_Reach = list[tuple[int, Fraction]] | Literal["all"] | None


def _reach(call: Any) -> _Reach:
    """Of one layer alone: along each side, entries of its input that one of its output sees, and the step."""
    import keras

    layer, layers = call.layer, keras.layers
    sides = len(call.inputs[0].shape) - 2
    same = [(1, Fraction(1))] * sides
    if isinstance(layer, layers.UpSampling1D | layers.UpSampling2D | layers.UpSampling3D):
        return [(1, Fraction(1, int(by))) for by in np.broadcast_to(layer.size, sides)]
    window = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
    if window is not None and len(np.broadcast_to(window, sides)) == sides:
        steps = np.broadcast_to(layer.strides, sides).tolist()
        apart = np.broadcast_to(getattr(layer, "dilation_rate", 1), sides).tolist()
        sizes = np.broadcast_to(window, sides).tolist()
        if "Transpose" in type(layer).__name__:
            return [(-(-size // step), Fraction(1, step)) for size, step in zip(sizes, steps, strict=True)]
        return [((size - 1) * gap + 1, Fraction(step)) for size, gap, step in zip(sizes, apart, steps, strict=True)]
    if len(call.inputs) > 1 or type(layer).__name__.startswith(_EACH_BY_ITSELF):
        return "all" if "Attention" in type(layer).__name__ else same
    return _tried(call, sides)


_EACH_BY_ITSELF = (
    "Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "Dropout", "SpatialDropout", "AlphaDropout",
    "Gaussian", "BatchNormalization", "Rescaling", "Normalization", "Dense", "ZeroPadding", "Cropping", "Identity",
)  # fmt: skip
"""layers of Keras whose every output sees one place of the input: names, or how they begin"""


def _tried(call: Any, sides: int) -> _Reach:
    """Of a layer that nobody knows: its input is changed up to a row and from a row on, until one output changes."""
    layer, shape = call.layer, call.inputs[0].shape
    made = call.outputs[0].shape
    if None in (*shape[1:], *made[1:]) or np.prod(shape[1:]) > LARGEST or not hasattr(layer, "compute_output_shape"):
        return None
    if not str(call.inputs[0].dtype).startswith("float"):
        return None
    plain = np.random.default_rng(0).normal(size=(2, *shape[1:])).astype(np.float32)
    reach = []
    for axis in range(1, sides + 1):
        middle = made[axis] // 2 if made[axis] < 3 else (made[axis] - 1) // 2
        low, high = _seen(layer, plain, axis, middle)
        if made[axis] == 1:
            reach.append((high - low, Fraction(1)))
            continue
        after = middle + 1 if middle + 1 < made[axis] else middle - 1
        other = _seen(layer, plain, axis, after)[0]
        step = abs(other - low)
        if not step:
            return "all"
        reach.append((high - low, Fraction(step)))
    return reach


def _seen(layer: Any, plain: np.ndarray, axis: int, place: int) -> tuple[int, int]:
    """The first entry along an axis that an output's place sees, and the one after the last."""
    count = plain.shape[axis]
    output = _along(_out(layer, plain), axis, place)

    def changes(part: slice) -> bool:
        other = plain.copy()
        _along(other, axis, part)[...] += 10
        return bool((_along(_out(layer, other), axis, place) != output).any())

    low = _first(lambda end: changes(slice(0, end)), count) - 1
    high = count - _first(lambda end: changes(slice(count - end, None)), count) + 1
    return low, high


def _first(holds: Any, count: int) -> int:
    """The least of 1 … count for which it holds, where it holds for all greater ones."""
    low, high = 1, count
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def _out(layer: Any, values: np.ndarray) -> np.ndarray:
    import keras

    return np.asarray(keras.ops.convert_to_numpy(keras.tree.flatten(layer(values))[0]))


def _along(values: np.ndarray, axis: int, place: Any) -> np.ndarray:
    return values[(slice(None),) * axis + (place,)]
