"""What of a picture a network's answer comes from: Grad-CAM by its gradients, occlusion by hiding parts of it.

Of a network that gives a vector of logits, the greatest one is explained; of a single one, its sign.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlspec.runs.opened import OpenedRun
from dlspec.types import Arrays, Examples

PARTS = 8
"""a hidden square has this share of the picture's shorter side, twice; it moves by one of these"""


def panels(opened: OpenedRun, examples: Examples) -> tuple[list[np.ndarray], str] | None:
    """Of each example's picture, as the network sees it, the maps beside it; and what they are, in words.

    None where the network takes no pictures, or gives no vector of logits.
    """
    from dlspec.report.heat import beside
    from dlspec.runs.fit import forward

    network = opened.network
    if not len(examples) or "picture" not in opened.state["shapes"]:
        return None
    if len(network.outputs) != 1 or len(network.outputs[0].shape) != 2:
        return None
    arrays = opened.encode(examples)
    gradients = grad_cam(network, arrays)
    hidden = occlusion(forward(network), arrays)
    maps = [hidden] if gradients is None else [gradients, hidden]
    drawn = [beside(picture, [one[row] for one in maps]) for row, picture in enumerate(arrays["picture"])]
    what = f"Of the first {len(drawn)}: what the network sees; "
    if gradients is None:
        what += "it has no layer with a map of places, so that there is no Grad-CAM; "
    else:
        what += f"where its answer comes from by Grad-CAM (layer {last_spatial(network).name}); "
    return drawn, f"{what}what makes the answer weaker when it is hidden. Yellow is most"


def last_spatial(network: Any) -> Any:
    """The last layer that gives a map (batch, height, width, channels) of more than one place; None: there is none."""
    for layer in reversed(network.layers):
        shape: Any = getattr(getattr(layer, "output", None), "shape", ())
        inputs = [id(one) for one in network.inputs]
        if len(shape) == 4 and None not in shape[1:] and shape[1] * shape[2] > 1 and id(layer.output) not in inputs:
            return layer
    return None


def grad_cam(network: Any, arrays: Arrays) -> np.ndarray | None:
    """float64 (N, h, w), from 0 to 1: Selvaraju et al. (2017), equations 1 and 2, at the last spatial layer.

    Each of its maps is weighed by the mean slope of the explained logit by that map; of their sum what is above 0 is
    kept, and divided by its maximum.  None where no layer is spatial, or what follows it takes more than its output.
    """
    import keras

    layer = last_spatial(network)
    if layer is None or len(network.outputs) != 1 or len(network.outputs[0].shape) != 2:
        return None
    lower = keras.Model(network.inputs, layer.output)
    try:
        upper = keras.Model(layer.output, network.outputs[0])
    except ValueError:  # another path leads around it
        return None
    maps = lower([arrays[name] for name in network.input] if isinstance(network.input, dict) else arrays)
    column, sign = explained(np.asarray(keras.ops.convert_to_numpy(upper(maps, training=False))))
    chosen = sign[:, None] * np.eye(upper.output.shape[-1])[column]

    def value(features: Any) -> Any:
        return keras.ops.sum(upper(features, training=False) * keras.ops.cast(chosen, "float32"))

    slope = np.asarray(_gradient(value, maps), np.float64)
    values = np.asarray(keras.ops.convert_to_numpy(maps), np.float64)
    heat = np.maximum((values * slope.mean(axis=(1, 2), keepdims=True)).sum(axis=-1), 0)
    return _scaled(heat)


def occlusion(
    forward: Callable[[Arrays], Any], arrays: Arrays, size: int | None = None, step: int | None = None
) -> np.ndarray:
    """float64 (N, H, W), from 0 to 1: how much the explained logit falls when a place is hidden (Zeiler, Fergus 2014).

    A square of `size` pixels, grey as the picture is on average, stands at every `step`; a place's value is the mean
    over the squares that hide it, and what makes the logit rise counts 0.
    """
    pictures = np.asarray(arrays["picture"])
    count, height, width = pictures.shape[:3]
    step = step or max(1, min(height, width) // PARTS)
    size = size or 2 * step
    column, sign = explained(np.asarray(forward(arrays)))
    rows = np.arange(count)
    before = sign * np.asarray(forward(arrays))[rows, column]
    grey = pictures.mean(axis=(1, 2), keepdims=True)
    fall, times = np.zeros((count, height, width)), np.zeros((height, width))
    for top in range(step - size, height, step):
        for left in range(step - size, width, step):
            place = np.s_[max(0, top) : top + size, max(0, left) : left + size]
            hidden = pictures.copy()
            hidden[:, *place] = grey
            after = sign * np.asarray(forward({**arrays, "picture": hidden}))[rows, column]
            fall[:, *place] += (before - after)[:, None, None]
            times[place] += 1
    return _scaled(np.maximum(fall / np.maximum(times, 1), 0))


def explained(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which logit of each example is explained, int (N,), and whether it counts as it is or turned round: 1 or -1."""
    if logits.shape[1] > 1:
        return logits.argmax(axis=1), np.ones(len(logits))
    return np.zeros(len(logits), int), np.where(logits[:, 0] >= 0, 1.0, -1.0)


def _scaled(heat: np.ndarray) -> np.ndarray:
    most = heat.max(axis=(1, 2), keepdims=True)
    scaled: np.ndarray = heat / np.where(most > 0, most, 1)
    return scaled


def _gradient(value: Callable[[Any], Any], at: Any) -> Any:
    """The slope of a number by a tensor, by the backend's own derivative."""
    import keras

    if keras.backend.backend() == "jax":
        import jax

        return jax.grad(value)(at)
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(at)
        found = value(at)
    return tape.gradient(found, at)
