"""Attention: scaled dot-product and multi-head (Vaswani et al. 2017), additive (Bahdanau, Cho and Bengio 2015) and
multiplicative (Luong, Pham and Manning 2015).

Legend of shapes: B examples, H heads, T queries, S places that are attended to, D width, d width of a head.
"""

from __future__ import annotations

import abc
from typing import Any

import keras

FORBIDDEN = -1e9
"""what is added to the score of a place that must not be seen: after softmax its weight is 0 in float32 (where some
place may be seen); finite, so that a row in which no place may be seen is even, and not NaN"""
LOW_PRECISION = -3e4
"""the same where layers compute in float16, which ends at 65,504"""


def forbidding(allowed: Any, dtype: Any = "float32") -> Any:
    """What is added to scores: 0 where `allowed` (any shape, bool), and elsewhere so much that the weight is 0."""
    least = LOW_PRECISION if keras.backend.standardize_dtype(dtype) == "float16" else FORBIDDEN
    return keras.ops.multiply(keras.ops.cast(keras.ops.logical_not(allowed), dtype), least)


def not_after(queries: int, places: int, dtype: Any = "float32") -> Any:
    """What is added to scores (T, S) so that query t sees the places up to t alone."""
    order = keras.ops.arange(places)[None, :] <= keras.ops.arange(queries)[:, None]
    return forbidding(order, dtype)


def attend(scores: Any, values: Any, dropout: Any = None, training: Any = None) -> tuple[Any, Any]:
    """The values' mean, weighted by the softmax of scores (…, T, S) and values (…, S, d) → (…, T, d); and the weights.

    dropout: a layer that silences weights at random, before they are used.
    """
    # Of a single place the weight is 1, of which Keras' softmax warns.
    weights = keras.ops.ones_like(scores) if scores.shape[-1] == 1 else keras.ops.softmax(scores, axis=-1)
    used = dropout(weights, training=training) if dropout is not None else weights
    return keras.ops.matmul(used, values), weights


def scaled_dot_product(queries: Any, keys: Any, values: Any, added: Any = None) -> tuple[Any, Any]:
    """softmax(Q Kᵀ / √d + added) V: Vaswani et al. (2017), equation 1; (…, T, d), and the weights (…, T, S)."""
    scaled = queries * (queries.shape[-1] ** -0.5)
    scores = keras.ops.matmul(scaled, keras.ops.swapaxes(keys, -1, -2))
    return attend(scores if added is None else scores + added, values)


@keras.saving.register_keras_serializable("dlspec")
class MultiHeadAttention(keras.layers.Layer):
    """Vaswani et al. (2017), section 3.2.2: (B, T, D), and what is attended to (B, S, M) → (B, T, D).

    heads: H.  width: d, of a head; None: D / H.  causal: a query sees the places up to its own alone (T = S).
    dropout: the share of weights that is silenced in training.

    The kernels of queries, keys and values are (D or M, H d), that of the output (H d, D): those of
    `keras.layers.MultiHeadAttention` with their axes of heads flattened.

    For decoding, `keys_and_values` gives what of the places is needed again and again, and `look` the attention to
    such ones; `call` is the two of them.
    """

    def __init__(
        self,
        heads: int,
        width: int | None = None,
        causal: bool = False,
        dropout: float = 0.0,
        use_bias: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.heads, self.width, self.causal, self.dropout, self.use_bias = heads, width, causal, dropout, use_bias
        self.silence = keras.layers.Dropout(dropout, name="silence") if dropout else None

    def build(self, queries_shape: Any, memory_shape: Any = None) -> None:
        wide = queries_shape[-1]
        if self.width is None and wide % self.heads:
            raise ValueError(f"a width of {wide} does not divide among {self.heads} heads; the heads must divide it")
        self.each = self.width or wide // self.heads
        inner, seen = self.heads * self.each, (memory_shape or queries_shape)[-1]
        sides = {"query": (wide, inner), "key": (seen, inner), "value": (seen, inner), "output": (inner, wide)}
        self.kernels = {
            name: self.add_weight(name=f"{name}_kernel", shape=shape, initializer="glorot_uniform")
            for name, shape in sides.items()
        }
        if self.use_bias:
            self.biases = {
                name: self.add_weight(name=f"{name}_bias", shape=shape[1:], initializer="zeros")
                for name, shape in sides.items()
            }

    def call(
        self, queries: Any, memory: Any = None, allowed: Any = None, training: Any = None, return_weights: bool = False
    ) -> Any:
        """allowed: bool, which places may be seen, (B, S) or (B, T, S); None: all.  memory None: the queries.

        return_weights: also the weights (B, H, T, S).
        """
        keys, values = self.keys_and_values(queries if memory is None else memory)
        added = None
        if self.causal:
            added = not_after(keras.ops.shape(queries)[1], keras.ops.shape(keys)[2], self.compute_dtype)
        if allowed is not None:
            own = forbidding(allowed, self.compute_dtype)
            own = own[:, None, None, :] if len(allowed.shape) == 2 else own[:, None]
            added = own if added is None else added + own
        looked, weights = self.look(queries, keys, values, added, training)
        return (looked, weights) if return_weights else looked

    def keys_and_values(self, places: Any) -> tuple[Any, Any]:
        """Of (B, S, M): keys and values, (B, H, S, d) each."""
        return self._by_head(places, "key"), self._by_head(places, "value")

    def look(self, queries: Any, keys: Any, values: Any, added: Any = None, training: Any = None) -> tuple[Any, Any]:
        """Queries (B, T, D), at keys and values (B, H, S, d) → (B, T, D), and the weights (B, H, T, S).

        added: to the scores, of a shape that spreads to (B, H, T, S).
        """
        ops = keras.ops
        asked = self._by_head(queries, "query") * (self.each**-0.5)
        scores = ops.matmul(asked, ops.swapaxes(keys, -1, -2))
        found, weights = attend(scores if added is None else scores + added, values, self.silence, training)
        together = ops.transpose(found, (0, 2, 1, 3))
        together = ops.reshape(together, (-1, ops.shape(queries)[1], self.heads * self.each))
        return self._projected(together, "output"), weights

    def _projected(self, inputs: Any, name: str) -> Any:
        outputs = keras.ops.matmul(inputs, self.kernels[name])
        return outputs + self.biases[name] if self.use_bias else outputs

    def _by_head(self, inputs: Any, name: str) -> Any:
        shape = (-1, keras.ops.shape(inputs)[1], self.heads, self.each)
        return keras.ops.transpose(keras.ops.reshape(self._projected(inputs, name), shape), (0, 2, 1, 3))

    def get_config(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("heads", "width", "causal", "dropout", "use_bias")}
        return {**super().get_config(), **own}


class _Scored(keras.layers.Layer, abc.ABC):
    """One query's attention to the states of an encoder, as recurrent decoders have it; no heads."""

    def call(self, queries: Any, memory: Any, allowed: Any = None, keys: Any = None) -> tuple[Any, Any]:
        """(B, T, Q), (B, S, M) and, of the places that may be seen, (B, S) bool → (B, T, M), and weights (B, T, S).

        keys: what `keys` gave of the memory, where many steps look at the same one.
        """
        added = None if allowed is None else forbidding(allowed, self.compute_dtype)[:, None, :]
        return self.look(queries, memory, self.keys(memory) if keys is None else keys, added)

    def look(self, queries: Any, memory: Any, keys: Any, added: Any = None) -> tuple[Any, Any]:
        """The same where keys are at hand; added: to the scores, of a shape that spreads to (B, T, S)."""
        scores = self.scores(queries, keys)
        return attend(scores if added is None else scores + added, memory)

    def keys(self, memory: Any) -> Any:
        """What of a memory (B, S, M) does not hang on the query."""
        return memory

    @abc.abstractmethod
    def scores(self, queries: Any, keys: Any) -> Any:
        """How well each place fits each query: (B, T, S)."""


@keras.saving.register_keras_serializable("dlspec")
class AdditiveAttention(_Scored):
    """vᵀ tanh(W q + U k): Bahdanau, Cho and Bengio (2015), appendix A.1.2.

    units: of the layer between; W (Q, units), U (M, units), v (units,), without biases.
    """

    def __init__(self, units: int, **options: Any) -> None:
        super().__init__(**options)
        self.units = units

    def build(self, queries_shape: Any, memory_shape: Any) -> None:
        self.of_query = self.add_weight(name="of_query", shape=(queries_shape[-1], self.units))
        self.of_memory = self.add_weight(name="of_memory", shape=(memory_shape[-1], self.units))
        self.judging = self.add_weight(name="judging", shape=(self.units, 1))

    def keys(self, memory: Any) -> Any:
        return keras.ops.matmul(memory, self.of_memory)

    def scores(self, queries: Any, keys: Any) -> Any:
        between = keras.ops.matmul(queries, self.of_query)[:, :, None] + keys[:, None]
        return keras.ops.matmul(keras.ops.tanh(between), self.judging)[..., 0]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable("dlspec")
class MultiplicativeAttention(_Scored):
    """qᵀ W k: Luong, Pham and Manning (2015), equation 8, `general`; with `plain` it is their `dot`, qᵀ k.

    W (M, Q), without bias; plain: Q = M.
    """

    def __init__(self, plain: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.plain = plain

    def build(self, queries_shape: Any, memory_shape: Any) -> None:
        if not self.plain:
            self.between = self.add_weight(name="between", shape=(memory_shape[-1], queries_shape[-1]))

    def keys(self, memory: Any) -> Any:
        return memory if self.plain else keras.ops.matmul(memory, self.between)

    def scores(self, queries: Any, keys: Any) -> Any:
        return keras.ops.matmul(queries, keras.ops.swapaxes(keys, 1, 2))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "plain": self.plain}
