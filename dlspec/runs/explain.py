"""What of a picture a network's answer comes from: Grad-CAM by its gradients, occlusion by hiding parts of it.

What of an answer is explained, a task says (Task.aims): a weighted sum of the logits of each picture, as that of the
guessed class; or how far an answer moves, as points do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from dlspec.runs.opened import OpenedRun
from dlspec.tasks.base import Aim
from dlspec.types import Arrays, Examples

PARTS = 8
"""a hidden square has this share of the picture's shorter side, twice; it moves by one of these"""


class Maps(NamedTuple):
    """Of each picture, from 0 to 1: where what was aimed at comes from.  gradients: None where there is no Grad-CAM."""

    aim: Aim
    gradients: np.ndarray | None
    hidden: np.ndarray

    @property
    def both(self) -> list[np.ndarray]:
        return [one for one in (self.gradients, self.hidden) if one is not None]


def panels(
    opened: OpenedRun, examples: Examples, kinds: Sequence[str]
) -> tuple[list[np.ndarray], list[str], str] | None:
    """Of each example's picture, as the network sees it, the maps beside it; what each explains; the legend of all.

    kinds: of each example the kind of its error; where an answer says several things, the wrong one is explained.
    None where the network takes no pictures, or the task says of nothing how it may be explained.
    """
    from dlspec.report.heat import beside

    if not len(examples) or not explainable(opened):
        return None
    arrays = opened.encode(examples)
    found = explanations(opened, arrays, kinds)
    if not found:
        return None
    maps = found[0]
    drawn = [beside(picture, [one[row] for one in maps.both]) for row, picture in enumerate(arrays["picture"])]
    what = f"Of the first {len(drawn)}: what the network sees; "
    if maps.gradients is None:
        what += "it has no layer with a map of places, so that there is no Grad-CAM; "
    else:
        what += f"where its answer comes from by Grad-CAM (layer {explained_layer(opened.network).name}); "
    return drawn, maps.aim.says, f"{what}what makes the answer weaker when it is hidden. Yellow is most"


def explainable(opened: OpenedRun) -> bool:
    """Whether a network takes pictures and gives one array."""
    return "picture" in opened.state["shapes"] and len(opened.network.outputs) == 1


def explanations(opened: OpenedRun, arrays: Arrays, kinds: Sequence[str] | None = None) -> list[Maps]:
    """Maps of each thing that the task says may be explained of the answers to some encoded examples."""
    from dlspec.runs.fit import forward

    network = opened.network
    logits = np.asarray(forward(network)(arrays), np.float64)
    return [
        Maps(
            aim,
            None if aim.moves else grad_cam(network, arrays, aim.weights),
            occlusion(forward(network), arrays, aim.weights, moves=aim.moves),
        )
        for aim in opened.recipe.task.aims(logits, opened.state, kinds)
    ]


def explained_layer(network: Any) -> Any:
    """The layer that Grad-CAM looks at: the last that gives a map (batch, height, width, channels) of several places.

    Of a network that gives a map itself, the last of those whose maps have the fewest places: what comes later knows
    little more than its own pixel (Vinogradova, Dibrov and Myers 2020).  Of one that looks for objects on several
    grids, the same of those that all grids come from.  None: there is no such layer.
    """
    found = [layer for layer in network.layers if _is_map(network, layer)]
    if len(network.outputs[0].shape) == 3:
        found = _of_all_grids(network.outputs[0], found)
    if found and len(network.outputs[0].shape) > 2:
        fewest = min(_places(layer) for layer in found)
        found = [layer for layer in found if _places(layer) == fewest]
    return found[-1] if found else None


def _of_all_grids(output: Any, layers: Sequence[Any]) -> list[Any]:
    """Those of some layers that every part comes from of which an output (batch, priors, numbers) is put together."""
    tensor, parts = output, [output]
    while len(tensor.shape) == 3:
        parts = _before(tensor)
        if len(parts) != 1:
            break
        [tensor] = parts
    reached = [_ancestors(one) for one in parts]
    return [layer for layer in layers if all(id(layer.output) in own for own in reached)]


def _before(tensor: Any) -> list[Any]:
    layer, number, _ = tensor._keras_history
    return list(layer._inbound_nodes[number].input_tensors)


def _ancestors(tensor: Any) -> set[int]:
    waiting, seen = [tensor], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) not in seen:
            seen.add(id(one))
            waiting += _before(one)
    return seen


def _is_map(network: Any, layer: Any) -> bool:
    shape: Any = getattr(getattr(layer, "output", None), "shape", ())
    if len(shape) != 4 or None in shape[1:] or shape[1] * shape[2] < 2:
        return False
    return all(layer.output is not one for one in network.inputs)


def _places(layer: Any) -> int:
    return int(layer.output.shape[1] * layer.output.shape[2])


def grad_cam(network: Any, arrays: Arrays, weights: np.ndarray) -> np.ndarray | None:
    """float64 (N, h, w), from 0 to 1: Selvaraju et al. (2017), equations 1 and 2, at the layer of `explained_layer`.

    Each of its maps is weighed by the mean slope of the weighted sum of the logits by that map; of their sum what is
    above 0 is kept, and divided by its maximum.  None where no layer gives maps.
    """
    import keras

    layer = explained_layer(network)
    if layer is None:
        return None
    inputs = keras.tree.flatten(network.inputs)
    given = [keras.ops.convert_to_tensor(arrays[one.name], dtype=one.dtype) for one in inputs]
    maps = keras.Model(inputs, layer.output)(given, training=False)
    # What leads around the layer, as in a U-Net, comes from the inputs as before.
    upper = keras.Model([*inputs, layer.output], network.outputs[0])

    def value(features: Any) -> Any:
        logits = upper([*given, features], training=False)
        return keras.ops.sum(keras.ops.cast(logits, "float32") * keras.ops.cast(weights, "float32"))

    slope = np.asarray(_gradient(value, maps), np.float64)
    values = np.asarray(keras.ops.convert_to_numpy(maps), np.float64)
    return _scaled(np.maximum((values * slope.mean(axis=(1, 2), keepdims=True)).sum(axis=-1), 0))


def occlusion(
    forward: Callable[[Arrays], Any],
    arrays: Arrays,
    weights: np.ndarray,
    *,
    moves: bool = False,
    size: int | None = None,
    step: int | None = None,
) -> np.ndarray:
    """float64 (N, H, W), from 0 to 1: how much the explained sum falls when a place is hidden (Zeiler, Fergus 2014).

    A square of `size` pixels, grey as the picture is on average, stands at every `step`; a place's value is the mean
    over the squares that hide it, and what makes the sum rise counts 0.  moves: instead of the fall, how far the logits
    move.
    """
    pictures = np.asarray(arrays["picture"])
    count, height, width = pictures.shape[:3]
    step = step or max(1, min(height, width) // PARTS)
    size = size or 2 * step
    before = np.asarray(forward(arrays), np.float64)
    axes = tuple(range(1, before.ndim))
    grey = pictures.mean(axis=(1, 2), keepdims=True)
    fall, times = np.zeros((count, height, width)), np.zeros((height, width))
    for top in range(step - size, height, step):
        for left in range(step - size, width, step):
            place = np.s_[max(0, top) : top + size, max(0, left) : left + size]
            hidden = pictures.copy()
            hidden[:, *place] = grey
            change = before - np.asarray(forward({**arrays, "picture": hidden}), np.float64)
            lost = np.sqrt((weights * change**2).sum(axis=axes)) if moves else (weights * change).sum(axis=axes)
            fall[:, *place] += lost[:, None, None]
            times[place] += 1
    return _scaled(np.maximum(fall / np.maximum(times, 1), 0))


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
