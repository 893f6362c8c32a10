"""What recurrent architectures share: cells stacked over words or a series, in one direction or both."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from dlspec.models.base import Shapes
from dlspec.models.pieces import Share
from dlspec.models.sequence.pieces import EmbeddingModel, embedded
from dlspec.remedies import AT_ONCE, EARLY, USUAL, Remedy, Situation

MOST_UNITS, MOST_LAYERS = 512, 4


class RecurrentModel(EmbeddingModel):
    """An architecture whose vectors of words, or whose series, go through stacked recurrent layers."""

    accepts: ClassVar[tuple[str, ...]] = ("text", "series")

    cell: Literal["simple", "gru", "lstm"] = "lstm"
    """simple (Elman 1990), gru (Cho et al. 2014), or lstm (Hochreiter and Schmidhuber 1997)"""
    units: int = Field(128, ge=1)
    """numbers that a layer remembers, in each direction"""
    layers: int = Field(1, ge=1)
    """how many are stacked"""
    bidirectional: bool = False
    """read from the end to the begin too (Schuster and Paliwal 1997), with as many units again"""
    layer_norm: bool = False
    """normalise the weighted sums inside the cell (Ba, Kiros and Hinton 2016); slower by far"""
    dropout: Share = 0.0
    """share of each layer's inputs that is silenced at each training step, the same all along a sequence, and of what
    the logits are made of"""
    recurrent_dropout: Share = 0.0
    """the same of what a layer hands on from step to step (Gal and Ghahramani 2016)"""

    def larger(self) -> dict[str, Any] | None:
        """Twice the units; in the end a layer more."""
        if self.units < MOST_UNITS:
            return {"units": min(MOST_UNITS, 2 * self.units)}
        return {"layers": self.layers + 1} if self.layers < MOST_LAYERS else None

    def smaller(self) -> dict[str, Any] | None:
        """Half the units, down to 8; in the end a layer less."""
        if self.units > 8:
            return {"units": max(8, self.units // 2)}
        return {"layers": self.layers - 1} if self.layers > 1 else None

    def remedies(self, of: Situation) -> list[Remedy]:
        """Beside the usual: gates, both directions, and dropout from step to step."""
        found = super().remedies(of)
        if of.cause == "avoidable bias":
            if self.cell == "simple":
                found.append(
                    Remedy({"cell": "lstm"}, "gates keep what a simple cell forgets within some steps", AT_ONCE)
                )
            if not self.bidirectional:
                place = "step" if of.kind == "series" else "word"
                found.append(Remedy({"bidirectional": True}, f"what comes after a {place} tells about it too", USUAL))
            if self.recurrent_dropout:
                found.append(
                    Remedy({"recurrent_dropout": 0.0}, "dropout holds back a network that learns too little", USUAL)
                )
        if of.cause == "variance" and self.recurrent_dropout < 0.2:
            found.append(
                Remedy(
                    {"recurrent_dropout": 0.2}, "dropout from step to step keeps memory from learning by heart", EARLY
                )
            )
        return found

    def read(self, inputs: Shapes, *, all_steps: bool) -> tuple[dict[str, Any], Any, Any]:
        """The entries, what the last layer gives (B, L, n), or at its end (B, n), and which places are real."""
        from dlspec.layers.bidirectional import Bidirectional
        from dlspec.layers.gru import GRU
        from dlspec.layers.lstm import LSTM
        from dlspec.layers.simple_rnn import SimpleRNN

        kind = {"simple": SimpleRNN, "gru": GRU, "lstm": LSTM}[self.cell]
        doors, x, mask = embedded(inputs, self.embedding)
        for number in range(1, self.layers + 1):
            layer = kind(
                self.units,
                return_sequences=all_steps or number < self.layers,
                dropout=self.dropout,
                recurrent_dropout=self.recurrent_dropout,
                normalized=self.layer_norm,
                name=f"{self.cell}_{number}",
            )
            if self.bidirectional:
                layer = Bidirectional(layer, name=f"both_{number}")
            x = layer(x, mask=mask) if "tokens" in inputs else layer(x)  # of a series every place is real
        return doors, x, mask
