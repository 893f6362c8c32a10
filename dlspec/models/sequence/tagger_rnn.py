"""Recurrent networks that say something of every token: taggers, and, in one direction, language models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from dlspec.models.base import Course, Shapes, Tagger
from dlspec.models.initializers import Auto, Initializer, initializer
from dlspec.models.pieces import dropped, logits
from dlspec.models.sequence.pieces import LAYER
from dlspec.models.sequence.recurrent import RecurrentModel
from dlspec.proposals import Facts, Line, Suggestion

if TYPE_CHECKING:
    import keras


class TaggerRNN(RecurrentModel, Tagger):
    """Stacked recurrent layers, and logits of what they say at each step: (B, L, outputs).

    In one direction a token's logits hang on nothing behind it: then it is a language model as in Mikolov et al.
    (2010), "Recurrent neural network based language model".  In both it is the tagger of Huang, Xu and Yu (2015),
    "Bidirectional LSTM-CRF models for sequence tagging", and with the characters of words (input.characters) that of Ma
    and Hovy (2016), "End-to-end sequence labeling via bi-directional LSTM-CNNs-CRF", each without the CRF.
    """

    name: Literal["tagger_rnn"] = "tagger_rnn"
    summary: ClassVar[str] = "recurrent network with an answer a token: simple, GRU or LSTM, one direction or both"
    endless: ClassVar[bool] = True

    initializer: Initializer = Auto()
    """how the weights of the logits start; those of the cells start as in Keras"""

    @property
    def causal(self) -> bool:
        return not self.bidirectional

    @classmethod
    def suggest(cls, facts: Facts) -> Suggestion | None:
        """Texts: in both directions where an answer may hang on what comes later."""
        if facts.kind != "text":
            return None
        if facts.causal:
            units = Line("units", 256, "what it remembers of the text so far")
            return Suggestion(0.6, "learns from little, and remembers beyond the length it was trained on", (units,))
        both = Line("bidirectional", True, "what comes after a word tells about it too")
        held = Line("dropout", 0.3, "holds back what is learned by heart")
        spelled = Line("characters", 20, "how a word is spelled tells of one that train has not")
        return Suggestion(0.6, "says of each word what the words around it tell", (both, held), (spelled,))

    def build(self, inputs: Shapes, outputs: int) -> keras.Model:
        import keras

        doors, x, _ = self.read(inputs, all_steps=True)
        x = dropped(x, self.dropout, "dropout")
        return keras.Model(doors, logits(x, outputs, initializer(self.initializer)), name="tagger_rnn")

    def course(self, network: keras.Model, count: int, width: int, longest: int) -> Course:
        """What is kept is each layer's states, (count, width, units)."""
        import keras

        if not self.causal or LAYER not in [one.name for one in network.layers]:
            return super().course(network, count, width, longest)
        ops = keras.ops
        table, last = network.get_layer(LAYER), network.get_layer("logits")
        cells = [network.get_layer(f"{self.cell}_{number}") for number in range(1, self.layers + 1)]

        def apart(values: Any) -> Any:
            return ops.reshape(values, (count, width, values.shape[-1]))

        def step(tokens: Any, time: Any, cache: Any, ancestors: Any) -> tuple[Any, Any, Any]:
            x, kept = table(ops.reshape(tokens, (-1,))), []
            for cell, states in zip(cells, cache, strict=True):
                x, states = cell.step(x, [ops.reshape(one, (count * width, cell.units)) for one in states])
                kept.append([apart(one) for one in states])
            return apart(last(x)), kept, None

        start = [[apart(one) for one in cell.first_states(count * width)] for cell in cells]
        return Course(step, start, ops.ones((count, 1), "bool"))
