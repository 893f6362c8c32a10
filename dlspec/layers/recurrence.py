"""Loops over time: what every recurrent layer's cell is run by.

On the TensorFlow backend several steps are taken at a time, so that the loop itself costs little; what a loop reads and
keeps is stacked over time (T first), so that all that does not wait for the step before is done outside it, for all
steps at once.  Sequences are padded on the right, where what a cell does is thrown away: loops know of no mask.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import keras

FEWEST, MOST = 5, 10
"""steps a turn of the loop, where their number is known"""
USUAL = 4
"""steps a turn, where it is not: up to three are taken in vain at the end"""

Step = Callable[[list[Any], list[Any]], tuple[list[Any], list[Any]]]
"""(what is read at a time, states) → (states, what is kept)"""


def block_of(length: int | None) -> int:
    """Steps a turn: those that leave the fewest to be taken in vain, and of these the most."""
    if length is None:
        return USUAL
    if length <= MOST:
        return max(1, length)
    return min(range(FEWEST, MOST + 1), key=lambda steps: (-length % steps, -steps))


def filled(values_TBn: Any, block: int) -> Any:
    """Zeros behind the last step, up to whole blocks, and one block at least."""
    length = values_TBn.shape[0]
    missing = -length % block if length else block
    if length is None:
        length = keras.ops.shape(values_TBn)[0]
        missing = -keras.ops.maximum(length, 1) % block + keras.ops.cast(length == 0, "int32")
    if isinstance(missing, int) and not missing:
        return values_TBn
    return keras.ops.pad(values_TBn, [[0, missing], *[[0, 0]] * (len(values_TBn.shape) - 1)])


def loop(step: Step, series: Sequence[Any], states: Sequence[Any], widths: Sequence[int], block: int,
         *, backwards: bool = False) -> list[Any]:  # fmt: skip
    """Take a step for each time, and stack what the steps keep: (T, B, width) each.

    TensorFlow's alone; not differentiable by itself.  series: read by time, (T, B, …), T a multiple of block.
    states: what a step hands on, (B, n).  widths: of what a step keeps.  backwards: from the last time to the first.
    """
    import tensorflow as tf

    length, batch = series[0].shape[:2]
    turns = tf.shape(series[0])[0] // block if length is None else length // block
    blocks = [tf.reshape(one, (-1, block, *_known(one)[1:])) for one in series]
    kept = [
        tf.TensorArray(series[0].dtype, size=turns * block, element_shape=(batch, width), infer_shape=False)
        for width in widths
    ]
    order = range(block - 1, -1, -1) if backwards else range(block)

    def turn(number: Any, states: list[Any], kept: list[Any]) -> tuple[Any, list[Any], list[Any]]:
        read = [tf.unstack(one[number], block) for one in blocks]
        for place in order:
            states, found = step([one[place] for one in read], states)
            kept = [array.write(number * block + place, one) for array, one in zip(kept, found, strict=True)]
        return number + (-1 if backwards else 1), states, kept

    first = turns - 1 if backwards else 0
    *_, states, kept = tf.while_loop(
        lambda number, *_: number >= 0 if backwards else number < turns,
        turn,
        (tf.convert_to_tensor(first), list(states), kept),
    )
    return [*states, *(one.stack() for one in kept)]


def _known(values: Any) -> list[Any]:
    """The shape, as numbers where they are known."""
    import tensorflow as tf

    shape = tf.shape(values)
    return [shape[axis] if size is None else size for axis, size in enumerate(values.shape)]


def before(start_Bn: Any, values_TBn: Any) -> Any:
    """What each step began with: the start, and what the steps but the last gave."""
    return keras.ops.concatenate([start_Bn[None], values_TBn[:-1]], axis=0)


def read(variable: Any) -> Any:
    """The tensor that a variable holds: on TensorFlow a gradient of one's own takes no variables."""
    if keras.backend.backend() != "tensorflow":
        return keras.ops.convert_to_tensor(variable)
    import tensorflow as tf

    return tf.convert_to_tensor(variable.value)


def parts(values: Any, sizes: Sequence[int]) -> list[Any]:
    """The last axis in parts of these sizes: one operation where the backend has it."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return list(tf.split(values, sizes, axis=-1))
    return list(keras.ops.split(values, list(itertools.accumulate(sizes))[:-1], axis=-1))


def products(left_TBn: Any, right_TBm: Any) -> Any:
    """The sum over all steps and examples of the outer products, (n, m): the gradient of a kernel."""
    left, right = (keras.ops.reshape(one, (-1, one.shape[-1])) for one in (left_TBn, right_TBm))
    return keras.ops.matmul(keras.ops.transpose(left), right)


def normal(values: Any, gain: Any, shift: Any = None, epsilon: float = 1e-5) -> Any:
    """Layer normalisation of Ba, Kiros and Hinton (2016), equation 4, over the last axis."""
    mean, variance = keras.ops.moments(values, axes=[-1], keepdims=True)
    values = (values - mean) * keras.ops.rsqrt(variance + epsilon) * gain
    return values if shift is None else values + shift
