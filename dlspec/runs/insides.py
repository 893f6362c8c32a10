"""What a network has learned to look for in pictures: the filters of its first layer, and some layers' maps."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from dlspec.types import Arrays

MAPS = 16
"""so many maps of a layer are shown"""


class Filters(NamedTuple):
    """Of the first layer: float (height, width, channels, filters), red, green and blue in this order where channels
    are three.  whole: a filter is as large as the picture, and no convolution."""

    layer: str
    kernel: np.ndarray
    whole: bool


class Features(NamedTuple):
    """What a layer makes of some pictures: float (N, height, width, maps), some of all its maps."""

    layer: str
    maps: np.ndarray
    of: int


def filters(network: Any) -> Filters | None:
    """The filters of the first layer with weights: a convolution, or one that is fully connected to the picture.

    None where it is something else.
    """
    entry = next((one for one in network.inputs if one.name == "picture"), None)
    layer = next((one for one in network._flatten_layers() if one.weights and _alone(one)), None)
    if entry is None or layer is None:
        return None
    kernel = np.asarray(layer.weights[0], np.float64)
    if kernel.ndim == 4:
        return Filters(layer.name, kernel[:, :, _colours(network, entry, layer)], False)
    if kernel.ndim == 2 and kernel.shape[0] == math.prod(entry.shape[1:]):
        return Filters(layer.name, kernel.reshape(*entry.shape[1:], -1), True)
    return None


def features(network: Any, arrays: Arrays, last: Any) -> list[Features]:
    """Maps of the first convolution, of the one in the middle, and of a last layer, of encoded pictures.

    Of each layer those that differ most from place to place in these pictures.  last: a layer of the network, or None.
    """
    import keras

    found = [one for one in network.layers if _convolution(one)]
    chosen = [found[0], found[len(found) // 2]] if found else []
    chosen = list(dict.fromkeys([*chosen, *([] if last is None else [last])]))
    if not chosen:
        return []
    inputs = keras.tree.flatten(network.inputs)
    given = [keras.ops.convert_to_tensor(arrays[one.name], dtype=one.dtype) for one in inputs]
    made = keras.Model(inputs, [one.output for one in chosen])(given, training=False)
    result = []
    for layer, values in zip(chosen, keras.tree.flatten(made), strict=True):
        maps = np.asarray(keras.ops.convert_to_numpy(values), np.float64)
        lively = np.argsort(-maps.std(axis=(1, 2)).mean(axis=0), kind="stable")[:MAPS]
        result.append(Features(layer.name, maps[..., np.sort(lively)], maps.shape[-1]))
    return result


def _alone(layer: Any) -> bool:
    """Whether it is no layer of layers."""
    return len(list(layer._flatten_layers())) == 1


def _convolution(layer: Any) -> bool:
    shape: Any = getattr(getattr(layer, "output", None), "shape", ())
    return len(shape) == 4 and None not in shape[1:] and any(len(one.shape) == 4 for one in layer.weights)


def _colours(network: Any, entry: Any, layer: Any) -> Any:
    """Which channels of a layer red, green and blue come to, found by showing each; all in order where that says not.

    Some networks were trained on pictures that begin with blue.
    """
    import keras

    whole = slice(None)
    taken = getattr(layer, "input", None)
    if entry.shape[-1] != 3 or taken is None or taken.shape[-1] != 3 or len(network.inputs) != 1 or taken is entry:
        return whole
    try:
        before = keras.Model(network.inputs, taken)
    except ValueError:  # it is within a layer of layers
        return whole
    shown = np.concatenate([np.zeros((1, 3)), np.eye(3)])[:, None, None, :] * np.ones((1, *entry.shape[1:3], 1))
    seen = np.asarray(keras.ops.convert_to_numpy(before([shown.astype("float32")], training=False))).mean(axis=(1, 2))
    order = (seen[1:] - seen[0]).argmax(axis=1)
    return order if sorted(order) == [0, 1, 2] else whole
