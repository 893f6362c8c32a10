"""A recurrent decoder that looks at the source after each step: Luong, Pham and Manning (2015).

Legend of shapes: B examples, T tokens of the target, S places of the source, W hypotheses of a beam, E numbers of a
token's vector, N rows that are stepped at once, B or B × W.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from dlspec.layers.attention import AdditiveAttention, MultiplicativeAttention, forbidding
from dlspec.layers.gru import GRU
from dlspec.layers.lstm import LSTM
from dlspec.layers.recurrence import USUAL, filled, loop, read
from dlspec.layers.recurrent import Recurrent
from dlspec.layers.simple_rnn import SimpleRNN

CELLS: dict[str, type[Recurrent]] = {"simple": SimpleRNN, "gru": GRU, "lstm": LSTM}


@keras.saving.register_keras_serializable("dlspec")
class AttentiveDecoder(keras.layers.Layer):
    """s_t = cells(x_t, s_{t-1}), c_t = attention(s_t, memory), h_t = tanh(W [c_t; s_t]): Luong et al., equation 5.

    Takes vectors of what has been said (B, T, E), a memory (B, S, M), the states to begin with, (B, units) each, those
    of the first cell first, and which places of the memory may be seen, (B, S) bool; gives h, (B, T, units).

    attention: additive, vᵀ tanh(W s + U m) (Bahdanau, Cho and Bengio 2015); general, sᵀ W m; dot, sᵀ m, for which
    M = units.  feeding: h_{t-1} goes into the first cell beside x_t (input feeding, section 3.3), so that what was
    looked at before is known; without it no cell waits for the attention, and the steps are taken faster.
    dropout: share of each cell's inputs that is silenced, the same all along a sequence (Gal and Ghahramani 2016).
    """

    def __init__(
        self,
        units: int,
        layers: int = 1,
        cell: str = "lstm",
        attention: str = "general",
        feeding: bool = True,
        dropout: float = 0.0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.units, self.layers, self.cell, self.attention = units, layers, cell, attention
        self.feeding, self.dropout = feeding, dropout
        kind = CELLS[cell]
        self.cells = [kind(units, return_sequences=True, name=f"{cell}_{number}") for number in range(1, layers + 1)]
        plain = attention == "dot"
        self.looking = (
            AdditiveAttention(units, name="attention")
            if attention == "additive"
            else MultiplicativeAttention(plain, name="attention")
        )
        self.joining = keras.layers.Dense(units, "tanh", use_bias=False, name="joining")
        self.draws = keras.random.SeedGenerator() if dropout else None

    def build(self, said_shape: Any, memory_shape: Any) -> None:
        width = said_shape[-1]
        for cell in self.cells:
            cell.build((*said_shape[:-1], width))
            width = self.units
        self.looking.build((None, None, self.units), memory_shape)
        self.joining.build((None, None, memory_shape[-1] + self.units))
        if self.feeding:
            shape = (self.units, self.cells[0].gates * self.units)
            self.fed_kernel = self.add_weight(name="fed_kernel", shape=shape, initializer="glorot_uniform")

    def call(self, said: Any, memory: Any, states: Sequence[Any], allowed: Any, training: bool = False) -> Any:
        kept = [None] * self.layers
        if training and self.dropout:
            ones = [ops.ones((ops.shape(said)[0], cell.kernel.shape[0]), said.dtype) for cell in self.cells]
            kept = [keras.random.dropout(one, self.dropout, seed=self.draws) for one in ones]
        said = said if kept[0] is None else said * kept[0][:, None]
        added = forbidding(allowed, self.compute_dtype)[:, None]
        if self.feeding:
            return self._one_by_one(said, memory, list(states), added, kept)
        for cell, own, silenced in zip(self.cells, self._by_cell(states), kept, strict=True):
            if cell is not self.cells[0] and silenced is not None:
                said = said * silenced[:, None]
            said = cell(said, initial_state=own)
        return self._looked(said, memory, self.looking.keys(memory), added)[0]

    def step(self, said: Any, states: Sequence[Any], memory: Any, keys: Any, added: Any) -> tuple[Any, list[Any], Any]:
        """One token of each hypothesis of a beam, (B, W, E) → h (B, W, units), states, and the weights (B, W, S).

        states: what was given by the step before, (B, W, units) each; `first_states` to begin with.  keys: the
        attention's, of the memory.  added: to the scores, (B, 1, S).
        """
        width = said.shape[1]
        flat = [ops.reshape(one, (-1, one.shape[-1])) for one in (said, *states)]
        found = self._advanced(self.cells[0].projected(flat[0]), flat[1:], memory, keys, added, width)
        *states, seen = found
        beams = [ops.reshape(one, (-1, width, self.units)) for one in states]
        return beams[0], beams, seen

    def first_states(self, states: Sequence[Any], width: int) -> list[Any]:
        """What `step` begins with: of each hypothesis no h, and the states (B, units) → (B, W, units)."""
        each = [ops.repeat(one[:, None], width, axis=1) for one in states]
        return [ops.zeros_like(each[0]), *each]

    def _one_by_one(self, said: Any, memory: Any, states: list[Any], added: Any, kept: Sequence[Any]) -> Any:
        projected_TBn = self.cells[0].projected(ops.transpose(said, (1, 0, 2)))
        keys, start = self.looking.keys(memory), [ops.zeros_like(states[0]), *states]

        def advanced(now: Any, states: Sequence[Any]) -> list[Any]:
            *states, _ = self._advanced(now, states, memory, keys, added, 1, kept)
            return list(states)

        if keras.backend.backend() == "tensorflow":

            def turn(now: list[Any], states: list[Any]) -> tuple[list[Any], list[Any]]:
                states = advanced(now[0], states)
                return states, [states[0]]

            series, starts = [filled(projected_TBn, USUAL)[None]], [one[None] for one in start]
            *_, found_PTBn = loop(turn, series, starts, [self.units], USUAL)
            return ops.transpose(found_PTBn[0, : ops.shape(said)[1]], (1, 0, 2))

        def scanned(states: Any, now: Any) -> tuple[Any, Any]:
            states = tuple(advanced(now, states))
            return states, states

        return ops.transpose(ops.scan(scanned, tuple(start), projected_TBn)[1][0], (1, 0, 2))

    def _advanced(
        self, projected: Any, states: Sequence[Any], memory: Any, keys: Any, added: Any, width: int,
        kept: Sequence[Any] = (),
    ) -> list[Any]:  # fmt: skip
        """All cells and the attention, one step on: h (N, units), the cells' states, and the weights (B, W, S)."""
        fed, *rest = states
        found: list[Any] = []
        if self.feeding:
            projected = projected + ops.matmul(fed, read(self.fed_kernel))
        for number, (cell, own) in enumerate(zip(self.cells, self._by_cell(rest), strict=True)):
            if number:
                below = found[-cell.carried]
                silenced = kept[number] if kept else None
                projected = cell.projected(below if silenced is None else below * silenced)
            found += cell.advance(projected, own)
        above = ops.reshape(found[-self.cells[-1].carried], (-1, width, self.units))
        h, weights = self._looked(above, memory, keys, added)
        return [ops.reshape(h, (-1, self.units)), *found, weights]

    def _looked(self, above: Any, memory: Any, keys: Any, added: Any) -> tuple[Any, Any]:
        """From the last cell's outputs (B, T, units) to h, and the weights (B, T, S)."""
        seen, weights = self.looking.look(above, memory, keys, added)
        return self.joining(ops.concatenate([seen, above], axis=-1)), weights

    def _by_cell(self, states: Sequence[Any]) -> list[list[Any]]:
        carried = self.cells[0].carried
        return [list(states[place : place + carried]) for place in range(0, len(states), carried)]

    def compute_output_shape(self, said_shape: Any, *_: Any, **__: Any) -> Any:
        return (*said_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        names = ("units", "layers", "cell", "attention", "feeding", "dropout")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
