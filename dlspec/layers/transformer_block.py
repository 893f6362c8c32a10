"""A layer of the Transformer (Vaswani et al. 2017, section 3.1): attention, and a network for each place by itself."""

from __future__ import annotations

from typing import Any

import keras

from dlspec.layers.attention import MultiHeadAttention

EPSILON = 1e-6


@keras.saving.register_keras_serializable("dlspec")
class TransformerBlock(keras.layers.Layer):
    """Attention to itself, to a memory if it `remembers`, and two dense layers: (B, T, D) → (B, T, D).

    Around each is a shortcut: LayerNorm(x + dropout(f(x))) as in the paper (`norm` post), or
    x + dropout(f(LayerNorm(x))) (pre; Xiong et al. 2020, "On layer normalization in the Transformer architecture"),
    which wants a normalisation after the last block.

    heads: H.  feed_forward: units of the inner dense layer.  causal: a place sees those before it alone (a decoder's).
    dropout: after each of the three, before it is added.  attention_dropout: of the weights of attention;
    inner_dropout: of the inner dense layer's units.
    """

    def __init__(
        self,
        heads: int,
        feed_forward: int,
        activation: str = "relu",
        norm: str = "post",
        causal: bool = False,
        remembers: bool = False,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        inner_dropout: float = 0.0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.heads, self.feed_forward, self.activation, self.norm = heads, feed_forward, activation, norm
        self.causal, self.remembers, self.dropout = causal, remembers, dropout
        self.attention_dropout, self.inner_dropout = attention_dropout, inner_dropout
        names = ("itself", "memory", "each") if remembers else ("itself", "each")
        self.norms = {name: keras.layers.LayerNormalization(epsilon=EPSILON, name=f"norm_{name}") for name in names}
        self.silences = {name: keras.layers.Dropout(dropout, name=f"silence_{name}") for name in names if dropout}
        self.itself = MultiHeadAttention(heads, causal=causal, dropout=attention_dropout, name="itself")
        self.memory = MultiHeadAttention(heads, dropout=attention_dropout, name="memory") if remembers else None
        self.inner = keras.layers.Dense(feed_forward, activation, name="inner")
        self.inner_silence = keras.layers.Dropout(inner_dropout, name="inner_silence") if inner_dropout else None

    def build(self, inputs_shape: Any, memory_shape: Any = None) -> None:
        shape = (*inputs_shape[:-1], inputs_shape[-1])
        for norm in self.norms.values():
            norm.build(shape)
        self.itself.build(shape)
        if self.memory is not None:
            self.memory.build(shape, memory_shape)
        self.inner.build(shape)
        self.outer = keras.layers.Dense(shape[-1], name="outer")
        self.outer.build((*shape[:-1], self.feed_forward))

    def call(
        self, inputs: Any, memory: Any = None, allowed: Any = None, memory_allowed: Any = None, training: Any = None
    ) -> Any:
        """allowed, memory_allowed: bool (B, T) and (B, S), which places may be seen; None: all."""
        x = self._around("itself", inputs, lambda x: self.itself(x, None, allowed, training=training), training)
        if self.memory is not None:
            own = self.memory
            x = self._around("memory", x, lambda x: own(x, memory, memory_allowed, training=training), training)
        return self._around("each", x, lambda x: self._each(x, training), training)

    def compute_output_shape(self, inputs_shape: Any) -> Any:
        return inputs_shape

    def step(
        self, x: Any, kept: Any, here: Any, added: Any, remembered: Any, memory_added: Any
    ) -> tuple[Any, Any, Any]:
        """One token of each hypothesis of a beam (B, W, D) → the same, what is kept, and the memory's weights or None.

        kept: keys and values of all slots at all times, (B, H, T, W, d) each, in which this time's are written, where
        `here` (T, 1, 1) is true.  added: to the scores of what is kept, (B, 1, W, T W).  remembered: keys and values of
        the memory, (B, H, S, d) each; memory_added: to their scores, (B, 1, 1, S); both None where it has none.
        """
        ops, weights = keras.ops, None

        def to_itself(x: Any) -> Any:
            nonlocal kept
            new = self.itself.keys_and_values(x)
            kept = tuple(ops.where(here, one[:, :, None], old) for one, old in zip(new, kept, strict=True))
            count, heads, _, _, each = ops.shape(kept[0])
            keys, values = (ops.reshape(one, (count, heads, -1, each)) for one in kept)
            return self.itself.look(x, keys, values, added)[0]

        def to_memory(x: Any) -> Any:
            nonlocal weights
            assert self.memory is not None
            keys, values = remembered
            looked, weights = self.memory.look(x, keys, values, memory_added)
            return looked

        x = self._around("itself", x, to_itself, False)
        if self.memory is not None:
            x = self._around("memory", x, to_memory, False)
        return self._around("each", x, lambda x: self._each(x, False), False), kept, weights

    def _around(self, name: str, x: Any, inside: Any, training: Any) -> Any:
        norm = self.norms[name]
        found = inside(norm(x) if self.norm == "pre" else x)
        if name in self.silences:
            found = self.silences[name](found, training=training)
        return x + found if self.norm == "pre" else norm(x + found)

    def _each(self, x: Any, training: Any) -> Any:
        inner = self.inner(x)
        if self.inner_silence is not None:
            inner = self.inner_silence(inner, training=training)
        return self.outer(inner)

    def get_config(self) -> dict[str, Any]:
        names = ["heads", "feed_forward", "activation", "norm", "causal", "remembers"]
        names += ["dropout", "attention_dropout", "inner_dropout"]
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
