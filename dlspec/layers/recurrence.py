"""Loops over time: what every recurrent layer's cell is run by.

On the TensorFlow backend a loop whose number of steps is known is compiled by XLA: what a step does is little, and much
of its time would go to handing it from operation to operation.  XLA would compile a loop anew for every length; where
it is not known, several steps are taken at a time, so that the loop itself costs little.  What a loop reads and keeps
is stacked over time (T first), so that all that does not wait for the step before is done outside it, for all steps at
once.  Sequences are padded on the right, where what a cell does is thrown away: loops know of no mask.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras

FEWEST, MOST = 5, 10
"""steps a turn of the loop, where their number is known"""
USUAL = 4
"""steps a turn, where it is not: up to three are taken in vain at the end"""
ROWS = 8
"""examples that a share of a batch has at least"""

Step = Callable[[list[Any], list[Any]], tuple[list[Any], list[Any]]]
"""(what is read at a time, states) → (states, what is kept)"""

Ready = Callable[[list[Any]], list[Any]]
"""from series (T, b, …) to series of the same length"""


def block_of(length: int | None, dtype: Any) -> int | None:
    """Steps a turn: those that leave the fewest to be taken in vain, and of these the most; None: left to XLA."""
    if length is None:
        return USUAL
    if compiled(length, dtype):
        return None
    if length <= MOST:
        return max(1, length)
    return min(range(FEWEST, MOST + 1), key=lambda steps: (-length % steps, -steps))


def compiled(length: int | None, dtype: Any) -> bool:
    """Whether a loop of this many steps is left to XLA: in a graph, where it is compiled but once.

    Not on a GPU, and not at half precision, of which what XLA makes for a CPU is slower than the operations.
    """
    import tensorflow as tf

    whole = keras.backend.standardize_dtype(dtype) in ("float32", "float64")
    return length is not None and whole and not tf.executing_eagerly() and not tf.config.list_physical_devices("GPU")


def parts_of(batch: int | None) -> int:
    """P, shares of a batch to be taken side by side: one for each processor's sake, none of them too small for it.

    What a step does is too little to be spread over two threads by itself.  On a GPU it is not, and steps wait.
    """
    import tensorflow as tf

    threads = tf.config.threading.get_inter_op_parallelism_threads() or os.cpu_count() or 1
    if threads == 1 or (batch is not None and batch < 2 * ROWS) or tf.config.list_physical_devices("GPU"):
        return 1
    return 2


def shared_out(values_Bn: Any, parts: int) -> Any:
    """(B, …) → (P, b, …): shares of a batch, with zeros behind where it cannot be shared out evenly."""
    if parts == 1:
        return values_Bn[None]
    rows = keras.ops.shape(values_Bn)[0] if values_Bn.shape[0] is None else values_Bn.shape[0]
    missing = -rows % parts
    if not isinstance(missing, int) or missing:
        values_Bn = keras.ops.pad(values_Bn, [[0, missing], *[[0, 0]] * (len(values_Bn.shape) - 1)])
    return keras.ops.reshape(values_Bn, (parts, (rows + missing) // parts, *_known(values_Bn)[1:]))


def together(values_PTbn: Any, batch: Any) -> Any:
    """(P, T, b, n) → (B, T, n): the batch of what was shared out."""
    import tensorflow as tf

    parts, length, rows, width = _known(values_PTbn)
    values = tf.reshape(tf.transpose(values_PTbn, (0, 2, 1, 3)), (parts * rows, length, width))
    return values if isinstance(batch, int) and batch % parts == 0 else values[:batch]


def filled(values_TBn: Any, block: int, axis: int = 0) -> Any:
    """Zeros behind the last step, up to whole blocks, and one block at least."""
    length = values_TBn.shape[axis]
    missing = -length % block if length else block
    if length is None:
        length = keras.ops.shape(values_TBn)[axis]
        missing = -keras.ops.maximum(length, 1) % block + keras.ops.cast(length == 0, "int32")
    if isinstance(missing, int) and not missing:
        return values_TBn
    return keras.ops.pad(values_TBn, [[0, missing if at == axis else 0] for at in range(len(values_TBn.shape))])


def loop(step: Step, series: Sequence[Any], states: Sequence[Any], widths: Sequence[int], block: int | None,
         *, always: Sequence[Any] = (), ready: Ready | None = None, backwards: bool = False) -> list[Any]:  # fmt: skip
    """Take a step for each time, and stack what the steps keep: (P, T, b, width) each, behind the states at the end.

    TensorFlow's alone.  Each of the P shares of a batch is a chain of its own, and they go on side by side.  series:
    read by time, (P, T, b, …), T a multiple of block.  block: steps a turn; None: compiled by XLA, and then without a
    gradient, so that one has to be written.  states: what a step hands on, (P, b, n).  widths: of what a step keeps.
    always: (P, b, …), read at each time alike, behind the series.  ready: makes what is read out of the series, for all
    steps at once.  backwards: from the last time to the first.
    """
    import tensorflow as tf

    by_xla, block = block is None, block or 1
    parts, length, rows = series[0].shape[:3]
    turns = tf.shape(series[0])[1] // block if length is None else length // block
    begin = tf.convert_to_tensor(turns - 1 if backwards else 0)

    def goes_on(number: Any, *_: Any) -> Any:
        return number >= 0 if backwards else number < turns

    def chain(series: list[Any], states: list[Any], always: list[Any]) -> tuple[list[Any], list[Any]]:
        found = series if ready is None else ready(series)
        blocks = [tf.reshape(one, (-1, block, *_known(one)[1:])) for one in found]

        def turn(number: Any, states: list[Any], kept: list[Any]) -> tuple[Any, list[Any], list[Any]]:
            read = [tf.unstack(one[number], block) for one in blocks]
            for place in range(block - 1, -1, -1) if backwards else range(block):
                states, found = step([*(one[place] for one in read), *always], states)
                kept = [array.write(number * block + place, one) for array, one in zip(kept, found, strict=True)]
            return number + (-1 if backwards else 1), states, kept

        kept = [
            tf.TensorArray(series[0].dtype, size=turns * block, element_shape=(rows, width), infer_shape=False)
            for width in widths
        ]
        *_, last, kept = tf.while_loop(goes_on, turn, (begin, states, kept))
        return last, kept

    def whole(*given: list[Any]) -> tuple[list[Any], list[Any]]:
        last, kept = chain(*given)
        return last, [array.stack() for array in kept]

    run = tf.function(whole, jit_compile=True, autograph=False) if by_xla else chain
    chains = [run(*([one[part] for one in many] for many in (series, states, always))) for part in range(parts)]
    lasts, kepts = zip(*chains, strict=True)
    ends = [tf.stack(one) for one in zip(*lasts, strict=True)]
    join = tf.stack if by_xla else partial(_stacked, length=turns * block)
    return ends + [join(many) for many in zip(*kepts, strict=True)]


def _stacked(arrays: Sequence[Any], length: Any) -> Any:
    """(P, T, …): what is in P arrays; in a graph it is copied once."""
    import tensorflow as tf

    first = arrays[0]
    if len(arrays) == 1 or tf.executing_eagerly():
        return tf.stack([one.stack() for one in arrays])
    flow = first.flow
    for other in arrays[1:]:
        flow = tf.raw_ops.TensorListConcatLists(input_a=flow, input_b=other.flow, element_dtype=first.dtype)
    shape = [-1 if size is None else size for size in first.element_shape]
    values = tf.raw_ops.TensorListStack(
        input_handle=flow, element_shape=shape, element_dtype=first.dtype, num_elements=-1
    )
    values.set_shape((None, *first.element_shape))
    return tf.reshape(values, (len(arrays), length, *_known(values)[1:]))


def _known(values: Any) -> list[Any]:
    """The shape, as numbers where they are known."""
    import tensorflow as tf

    shape = tf.shape(values)
    return [shape[axis] if size is None else size for axis, size in enumerate(values.shape)]


def before(start_PBn: Any, values_PTBn: Any) -> Any:
    """What each step began with: the start, and what the steps but the last gave."""
    return keras.ops.concatenate([start_PBn[:, None], values_PTBn[:, :-1]], axis=1)


def read(variable: Any) -> Any:
    """The tensor that a variable holds: on TensorFlow a gradient of one's own takes no variables."""
    if keras.backend.backend() != "tensorflow":
        return keras.ops.convert_to_tensor(variable)
    import tensorflow as tf

    return tf.convert_to_tensor(variable.value if isinstance(variable, keras.Variable) else variable)


def parts(values: Any, sizes: Sequence[int]) -> list[Any]:
    """The last axis in parts of these sizes: one operation where the backend has it."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return list(tf.split(values, sizes, axis=-1))
    return list(keras.ops.split(values, list(itertools.accumulate(sizes))[:-1], axis=-1))


def affine(inputs: Any, kernel: Any, bias: Any) -> Any:
    """(…, D), (D, n), (n,) → (…, n): weighted sums and a bias, which TensorFlow makes one operation."""
    kernel, bias = read(kernel), read(bias)
    if keras.backend.backend() != "tensorflow":
        return keras.ops.matmul(inputs, kernel) + bias
    import tensorflow as tf

    kernel, bias = tf.cast(kernel, inputs.dtype), tf.cast(bias, inputs.dtype)
    sums = tf.nn.bias_add(tf.matmul(tf.reshape(inputs, (-1, inputs.shape[-1])), kernel), bias)
    return tf.reshape(sums, (*_known(inputs)[:-1], sums.shape[-1]))


def products(left_PTbn: Any, right_PTbm: Any) -> Any:
    """The sum over all steps and examples of the outer products, (n, m): the gradient of a kernel.  TensorFlow's."""
    import tensorflow as tf

    left, right = (tf.reshape(one, (-1, one.shape[-1])) for one in (left_PTbn, right_PTbm))
    return tf.matmul(left, right, transpose_a=True)


def normal(values: Any, gain: Any, shift: Any = None, epsilon: float = 1e-5) -> Any:
    """Layer normalisation of Ba, Kiros and Hinton (2016), equation 4, over the last axis."""
    mean, variance = keras.ops.moments(values, axes=[-1], keepdims=True)
    values = (values - mean) * keras.ops.rsqrt(variance + epsilon) * gain
    return values if shift is None else values + shift
