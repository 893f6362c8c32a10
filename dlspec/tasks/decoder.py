"""From sources to sentences: in parts of about one length that fit into memory, in a graph for batches of any size."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dlspec.decode.beam import Search
from dlspec.models.base import Translator
from dlspec.types import Arrays

if TYPE_CHECKING:
    import keras

SAID = "target"
"""what a Translator takes of what has been said"""
TOKENS = 1 << 14
"""tokens of all hypotheses for which keys and values are held at a time"""
SIZES = (16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
"""what the greatest number of tokens is rounded up to: a graph is traced for each"""


class Best(NamedTuple):
    """The N best of each source; where there are fewer, their score is -inf."""

    tokens: np.ndarray
    """int32 (B, N, T): with the end, and padding after it"""
    scores: np.ndarray
    """float64 (B, N): log-probability, divided for length, with coverage"""


class Decoder:
    """What says the best sentences of a network, whatever the sizes of its batches."""

    def __init__(self, model: Translator, network: keras.Model, how: Search) -> None:
        self.model, self.network, self.how = model, network, how
        self.compiled, self.followed = functools.cache(self._compiled), functools.cache(self._followed)

    def follow(self, batch: Arrays, said: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What the network makes of tokens that it is made to say, int (B, T): see dlspec.decode.looking.followed."""
        longest = rounded(said.shape[1])
        inputs = {name: np.asarray(batch[name]) for name in self.network.input if name != SAID}
        whole = np.zeros((len(said), longest), np.int32)
        whole[:, : said.shape[1]] = said
        size, found = max(1, TOKENS // longest), []
        for some in (slice(start, start + size) for start in range(0, len(said), size)):
            with _without_pruning():
                parts = self.followed(longest)({name: one[some] for name, one in inputs.items()}, whole[some])
                found.append([np.asarray(one)[:, : said.shape[1]] for one in parts])
        chances, attention = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return chances.astype(np.float64), attention

    def __call__(self, batch: Arrays, limits: np.ndarray) -> Best:
        """limits: (B,), tokens that are said of each source at most, the end among them; of 0 nothing is said."""
        limits = np.asarray(limits, np.int32)
        inputs = {name: np.asarray(batch[name]) for name in self.network.input if name != SAID}
        wide = int(limits.max(initial=1))
        tokens = np.zeros((len(limits), self.how.best, wide), np.int32)
        scores = np.full((len(limits), self.how.best), -np.inf)
        scores[limits == 0, 0] = 0.0
        for chosen in self._parts(limits):
            longest = rounded(int(limits[chosen].max()))
            some = {name: _trimmed(values[chosen]) for name, values in inputs.items()}
            with _without_pruning():
                found = [np.asarray(one) for one in self.compiled(longest)(some, limits[chosen])]
            tokens[chosen, :, : min(wide, longest)] = found[0][..., :wide]
            scores[chosen] = found[1]
        return Best(tokens, scores)

    def _parts(self, limits: np.ndarray) -> list[np.ndarray]:
        """Which sources are decoded together: those of about one length."""
        order = np.argsort(limits, kind="stable")
        order = order[limits[order] > 0]
        parts, start = [], 0
        for end in range(1, len(order) + 1):
            if end == len(order) or (end + 1 - start) * self.how.width * rounded(int(limits[order[end]])) > TOKENS:
                parts.append(order[start:end])
                start = end
        return parts

    def _compiled(self, longest: int) -> Callable[[Any, Any], Any]:

        from dlspec.decode.beam import by_slot, search

        def found(inputs: Any, limits: Any) -> Any:
            course = self.model.course(self.network, inputs, self.how.width, longest)
            moved = course.moved or by_slot
            best = search(course.step, course.cache, limits, longest, self.how, moved=moved, places=course.places)
            return best.tokens, best.scores

        return self._traced(found, (None,))

    def _followed(self, longest: int) -> Callable[[Any, Any], Any]:
        from dlspec.decode.looking import followed

        def found(inputs: Any, said: Any) -> Any:
            return followed(self.model.course(self.network, inputs, 1, longest), said)

        return self._traced(found, (None, longest))

    def _traced(self, found: Callable[[Any, Any], Any], shape: tuple[int | None, ...]) -> Callable[[Any, Any], Any]:
        """As a graph, on TensorFlow.  shape: of what is given beside the inputs."""
        import keras

        if keras.backend.backend() != "tensorflow":
            return found
        import tensorflow as tf

        doors = self.network.input
        kinds = {name: tf.TensorSpec((None, *one.shape[1:]), one.dtype) for name, one in doors.items() if name != SAID}
        signature = [kinds, tf.TensorSpec(shape, tf.int32)]
        # Concrete: TensorFlow would warn that functions of one name are traced again and again.
        made = tf.function(found, input_signature=signature, autograph=False).get_concrete_function()
        return lambda inputs, more: made(tf.nest.map_structure(tf.convert_to_tensor, inputs), tf.constant(more))


@contextlib.contextmanager
def _without_pruning() -> Iterator[None]:
    """What is called within, in this thread, keeps the control dependencies of its loops.

    TensorFlow's pruning of them breaks some (2.21: a Transformer of one layer then says nothing at all, without a
    word); it costs no time to leave them.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf
    from tensorflow.python.eager import context  # public are options of the whole process alone

    here = context.context()
    before = here.function_call_options
    config = tf.compat.v1.ConfigProto.FromString(before.config_proto_serialized)
    config.graph_options.rewrite_options.dependency_optimization = 2  # off
    here.function_call_options = context.FunctionCallOptions(before.executor_type, config)
    try:
        yield
    finally:
        here.function_call_options = before


@functools.lru_cache(maxsize=4)
def decoder_of(model: Translator, network: keras.Model, how: Search) -> Decoder:
    """The decoder of a network, made once: tracing it takes as long as hundreds of sentences."""
    return Decoder(model, network, how)


def rounded(longest: int) -> int:
    """The next of the sizes that graphs are traced for."""
    return next((one for one in SIZES if one >= longest), -(-longest // SIZES[-1]) * SIZES[-1])


def _trimmed(values: np.ndarray) -> np.ndarray:
    """Of padded tokens (B, L), without the columns that are padding in every row, one at least."""
    if values.ndim != 2 or values.dtype.kind != "i":
        return values
    return values[:, : max(1, int((values != 0).sum(axis=1).max(initial=1)))]
