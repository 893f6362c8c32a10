"""What recurrent layers share: a cell taken from step to step over padded sequences, its inputs projected at once."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any, ClassVar

import keras
from keras import ops

from dlspec.layers.recurrence import block_of, filled, parts_of, shared_out, together


class Recurrent(keras.layers.Layer, abc.ABC):
    """A recurrent layer, of the layout of Keras' own: their weights can be exchanged, and they compute the same.

    Called with sequences (B, T, D), and where wanted the first states, each (B, units), and a mask (B, T) that is true
    for the first steps of each sequence and false behind them.  Gives the last output (B, units), or with
    `return_sequences` all (B, T, units), behind the end of a sequence its last (0 with `zero_behind`); with
    `return_state` the states at the end of each sequence too.

    What makes it fast: the inputs of all steps are projected by one product of matrices before the loop; masks act
    behind it, as sequences are padded on the right; the loop is compiled by XLA where its length is known, and several
    steps are one turn of it where not; the halves of a batch are loops side by side; and the gradient is written out,
    so that the loop back holds no more than what waits for the step after it.

    dropout: share of the inputs that is silenced, the same at each step of a sequence (Gal and Ghahramani 2016).
    recurrent_dropout: the same of the output as it enters the next step.  normalized: layer normalisation inside the
    cell (Ba, Kiros and Hinton 2016, supplementary material).  backwards: from the end of each sequence to its begin;
    outputs stay in the order of the inputs, 0 behind a sequence's end.
    """

    gates: ClassVar[int]
    """weighted sums of a step: columns of the kernels, in units"""
    carried: ClassVar[int] = 1
    """states, the output the first of them"""

    def __init__(
        self,
        units: int,
        *,
        return_sequences: bool = False,
        return_state: bool = False,
        backwards: bool = False,
        zero_behind: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        normalized: bool = False,
        seed: int | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.units, self.normalized = units, normalized
        self.backwards, self.zero_behind = backwards, zero_behind
        self.return_sequences, self.return_state = return_sequences, return_state
        self.dropout, self.recurrent_dropout, self.seed = dropout, recurrent_dropout, seed
        self.draws = keras.random.SeedGenerator(seed) if dropout or recurrent_dropout else None
        self.supports_masking = True

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        width = self.gates * self.units
        self.kernel = self.add_weight(name="kernel", shape=(sequences_shape[-1], width), initializer="glorot_uniform")
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel", shape=(self.units, width), initializer="orthogonal"
        )
        self.build_bias()
        if self.normalized:
            self.build_norms()

    def build_bias(self) -> None:
        """The bias, of the layout of Keras' layer."""
        self.bias = self.add_weight(name="bias", shape=(self.gates * self.units,), initializer="zeros")

    def build_norms(self) -> None:
        """A gain for each weighted sum; their shifts would be a second bias."""
        width = self.gates * self.units
        self.input_gain = self.add_weight(name="input_gain", shape=(width,), initializer="ones")
        self.recurrent_gain = self.add_weight(name="recurrent_gain", shape=(width,), initializer="ones")

    @abc.abstractmethod
    def projected(self, inputs: Any) -> Any:
        """(…, D) → (…, gates × units): what the inputs add to the weighted sums."""

    @abc.abstractmethod
    def advance(self, projected_Bn: Any, states: Sequence[Any], kept_Bn: Any = None) -> list[Any]:
        """One step, from projected inputs and states to states.  kept: by what the output is multiplied, if at all."""

    @abc.abstractmethod
    def unrolled(self, projected: Any, states: Sequence[Any], kept: Any, block: int | None) -> list[Any]:
        """All steps at once with a gradient of its own, on TensorFlow; the states over time, (P, T, b, units) each.

        projected: (P, T, b, gates × units), states and kept (P, b, units): shares of a batch.
        Of several states the output alone is given where `return_state` is off.
        """

    def step(self, inputs_BD: Any, states: Sequence[Any]) -> tuple[Any, list[Any]]:
        """One step alone, without dropout, as decoders take it: (output, states)."""
        found = self.advance(self.projected(inputs_BD), states)
        return found[0], found

    def first_states(self, batch: Any) -> list[Any]:
        """Zeros, (batch, units) each."""
        return [ops.zeros((batch, self.units), dtype=self.compute_dtype) for _ in range(self.carried)]

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        batch = sequences.shape[0]
        count = ops.shape(sequences)[0] if batch is None else batch
        if initial_state is None:
            states = self.first_states(count)
        else:
            states = list(initial_state) if isinstance(initial_state, list | tuple) else [initial_state]
        lengths = None if mask is None else ops.sum(ops.cast(mask, "int32"), axis=1)
        inputs = sequences
        if training and self.dropout:
            inputs = inputs * self._kept(count, sequences.shape[-1], self.dropout)[:, None]
        if self.backwards:
            inputs = reversed_in_time(inputs, lengths)
        kept = self._kept(count, self.units, self.recurrent_dropout) if training and self.recurrent_dropout else None
        if keras.backend.backend() == "tensorflow" and not self.normalized:
            over_time = self._in_parts(inputs, states, kept, batch)
        else:
            over_time = self._scanned(self.projected(ops.transpose(inputs, (1, 0, 2))), states, kept)
        return self._given(over_time, states, lengths, mask)

    def _in_parts(self, inputs_BTD: Any, states: Sequence[Any], kept_Bn: Any, batch: int | None) -> list[Any]:
        """The states over time, (B, T, units) each, of shares of the batch side by side."""
        length, parts = inputs_BTD.shape[1], parts_of(batch)
        block = block_of(length, self.compute_dtype)
        x = ops.transpose(shared_out(inputs_BTD, parts), (0, 2, 1, 3))
        shares = [shared_out(one, parts) for one in states]
        kept = None if kept_Bn is None else shared_out(kept_Bn, parts)
        found = self.unrolled(filled(self.projected(x), block or 1, axis=1), shares, kept, block)
        rows = ops.shape(inputs_BTD)[0] if batch is None else batch
        over_time = [together(one, rows) for one in found]
        if length is None or length % (block or 1):
            over_time = [one[:, : ops.shape(inputs_BTD)[1]] for one in over_time]
        return over_time

    def _scanned(self, projected_TBn: Any, states: Sequence[Any], kept_Bn: Any) -> list[Any]:
        """The same, (B, T, units) each, by the loop that any backend takes and differentiates."""

        def step(states: Any, now_Bn: Any) -> tuple[Any, Any]:
            found = tuple(self.advance(now_Bn, states, kept_Bn))
            return found, found

        return [ops.transpose(one, (1, 0, 2)) for one in ops.scan(step, tuple(states), projected_TBn)[1]]

    def _given(self, over_time: list[Any], starts: Sequence[Any], lengths: Any, mask: Any) -> Any:
        """Outputs and states as they were asked for, out of the states over time."""
        wanted = self.carried if self.return_state else 1
        steps = None
        if lengths is not None:  # 1 at the last step, nowhere for a sequence of none
            places = ops.arange(ops.shape(over_time[0])[1], dtype="int32")
            steps = ops.cast(places[None] == lengths[:, None] - 1, over_time[0].dtype)[..., None]
        last = []
        for values, start in zip(over_time[:wanted], starts, strict=False):
            if steps is None:
                last.append(values[:, -1])
            else:
                last.append(ops.where(lengths[:, None] > 0, ops.sum(values * steps, axis=1), start))
        output = last[0]
        if self.return_sequences:
            output = over_time[0]
            if self.backwards:
                output = reversed_in_time(output, lengths)
            if mask is not None:
                behind = ops.zeros_like(last[0]) if self.backwards or self.zero_behind else last[0]
                output = ops.where(ops.cast(mask, "bool")[..., None], output, behind[:, None])
        return (output, *last) if self.return_state else output

    def _kept(self, batch: Any, width: int, share: float) -> Any:
        return keras.random.dropout(ops.ones((batch, width), dtype=self.compute_dtype), share, seed=self.draws)

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        batch, length, _ = sequences_shape
        output = (batch, length, self.units) if self.return_sequences else (batch, self.units)
        return (output, *[(batch, self.units)] * self.carried) if self.return_state else output

    def compute_mask(self, sequences: Any, mask: Any = None) -> None:
        """Masks are handed on by name alone: one that rides on the outputs would, in Keras, act on the loss too."""

    def get_config(self) -> dict[str, Any]:
        names = ("units", "return_sequences", "return_state", "backwards", "zero_behind", "dropout",
                 "recurrent_dropout", "normalized", "seed")  # fmt: skip
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def reversed_in_time(values_BTn: Any, lengths_B: Any) -> Any:
    """Each sequence from its end to its begin; what is behind the end stays there."""
    if lengths_B is None:
        return ops.flip(values_BTn, axis=1)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.reverse_sequence(values_BTn, lengths_B, seq_axis=1, batch_axis=0)
    places = ops.arange(values_BTn.shape[1])[None]
    turned = lengths_B[:, None] - 1 - places
    return ops.take_along_axis(values_BTn, ops.where(turned >= 0, turned, places)[..., None], axis=1)
