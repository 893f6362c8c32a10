"""Recurrent networks: simple, GRU and LSTM cells, stacked, in one direction or both; one answer a sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from dlspec.models.base import Backbone, Shapes
from dlspec.models.initializers import Auto, Initializer, initializer
from dlspec.models.pieces import dropped, logits
from dlspec.models.sequence.recurrent import RecurrentModel
from dlspec.proposals import Facts, Line, Suggestion

if TYPE_CHECKING:
    import keras

ENOUGH = 5_000
"""texts from which the order of words is learned"""


class RNN(RecurrentModel, Backbone):
    """Stacked recurrent layers over a sequence, and of what they remember or say at each step one vector.

    attention: a weighted mean, the weights a softmax of v·tanh(W h + b) over the steps (Yang et al. 2016, "Hierarchical
    attention networks for document classification", equations 5 to 7).
    """

    name: Literal["rnn"] = "rnn"
    summary: ClassVar[str] = "recurrent network: simple, GRU or LSTM, stacked, in one direction or both"

    pooling: Literal["last", "mean", "max", "attention"] = "last"
    """what becomes of the steps: the last (of each direction), their mean, greatest, or a mean with learned weights"""
    initializer: Initializer = Auto()
    """how the weights of the logits start; those of the cells start as in Keras: glorot_uniform, orthogonal, and 1 for
    the bias of an LSTM's forget gate"""

    @classmethod
    def suggest(cls, facts: Facts) -> Suggestion | None:
        """Texts and series, where there are enough."""
        if facts.kind == "series":
            small = (Line("cell", "gru"), Line("units", 32, "numbers that it remembers; more need more examples"))
            return Suggestion(0.5, "reads the steps in their order; linear weighs them", model=small)
        if facts.kind != "text":
            return None
        suits = 0.5 if facts.examples >= ENOUGH else 0.3
        return Suggestion(suits, "reads words in their order; slower than text_cnn")

    def build(self, inputs: Shapes, outputs: int) -> keras.Model:
        import keras

        from dlspec.layers.attention_pooling import AttentionPooling
        from dlspec.layers.masked_pooling import MaskedMax, MaskedMean

        doors, x, mask = self.read(inputs, all_steps=self.pooling != "last")
        if self.pooling != "last":
            kind = {"mean": MaskedMean, "max": MaskedMax, "attention": AttentionPooling}[self.pooling]
            x = kind(name=self.pooling)([x, mask])
        x = dropped(x, self.dropout, "dropout")
        return keras.Model(doors, logits(x, outputs, initializer(self.initializer)), name="rnn")
