"""A recurrent encoder and decoder with attention between them: Bahdanau et al. (2015), Luong et al. (2015)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from dlspec.models.base import Course, Shapes, Translator, entries
from dlspec.models.pieces import Share, kind_of_logits
from dlspec.remedies import AT_ONCE, EARLY, Remedy, Situation
from dlspec.types import Place, RecipeError

if TYPE_CHECKING:
    import keras

MOST_UNITS, MOST_LAYERS = 1024, 4
"""of Luong et al.: four layers of 1,000 cells"""
Count = Annotated[int, Field(ge=1)]


class AttentionSeq2Seq(Translator):
    """A recurrent encoder and decoder: the decoder looks at the encoder's states after each step (Luong et al. 2015).

    Each layer of the decoder begins with the last states of that of the encoder (Sutskever et al. 2014).  Of a
    bidirectional encoder each direction remembers half of `units`, so that both side by side are as wide as the
    decoder.  Scores of attention: `additive` are those of Bahdanau et al. (2015), `general` and `dot` those of Luong
    et al.; all are asked with the decoder's new state.
    """

    name: Literal["attention_seq2seq"] = "attention_seq2seq"
    accepts: ClassVar[tuple[str, ...]] = ("text",)
    summary: ClassVar[str] = "recurrent encoder and decoder, with additive or multiplicative attention"

    cell: Literal["simple", "gru", "lstm"] = "lstm"
    """simple (Elman 1990), gru (Cho et al. 2014), or lstm (Hochreiter and Schmidhuber 1997)"""
    units: Count = 256
    """numbers that a layer remembers, of encoder and decoder each; even, where the encoder is bidirectional"""
    layers: Count = 1
    """of the encoder, and of the decoder"""
    embedding: Count = 128
    """numbers that stand for a token"""
    bidirectional: bool = True
    """the encoder reads from the end to the begin too (Bahdanau et al. 2015)"""
    attention: Literal["additive", "general", "dot"] = "additive"
    """how well a place of the source fits: additive, vᵀ tanh(W s + U m) (Bahdanau et al. 2015); general, sᵀ W m, or
    dot, sᵀ m (Luong et al. 2015), whose scores grow until one place alone is looked at"""
    input_feeding: bool = True
    """what was found at one step goes into the next one too (Luong et al. 2015, section 3.3), so that it is known what
    was looked at; without it training is faster"""
    dropout: Share = 0.0
    """share of each layer's inputs that is silenced at each training step, the same all along a sequence, and of what
    the logits are made of"""

    def larger(self) -> dict[str, Any] | None:
        """Twice the units; in the end a layer more."""
        if self.units < MOST_UNITS:
            return {"units": min(MOST_UNITS, 2 * self.units)}
        return {"layers": self.layers + 1} if self.layers < MOST_LAYERS else None

    def smaller(self) -> dict[str, Any] | None:
        """Half the units, down to 16; in the end a layer less."""
        if self.units >= 32:
            return {"units": self.units // 4 * 2}
        return {"layers": self.layers - 1} if self.layers > 1 else None

    def remedies(self, of: Situation) -> list[Remedy]:
        """Beside the usual: gates, both directions, additive scores, input feeding."""
        found = super().remedies(of)
        if of.cause == "avoidable bias":
            if self.cell == "simple":
                reason = "gates keep what a simple cell forgets within some steps"
                found.append(Remedy({"cell": "lstm"}, reason, AT_ONCE))
            if not self.bidirectional and self.units % 2 == 0:
                reason = "what comes after a word tells about it too"
                found.append(Remedy({"bidirectional": True}, reason, EARLY))
            if self.attention != "additive":
                reason = "scores by a product grow until one place alone is looked at; additive ones are bounded"
                found.append(Remedy({"attention": "additive"}, reason, EARLY))
            if not self.input_feeding:
                found.append(Remedy({"input_feeding": True}, "the decoder then knows what it has looked at", EARLY))
        return found

    def build(self, inputs: Shapes, outputs: int) -> keras.Model:
        import keras

        from dlspec.layers.attentive_decoder import CELLS, AttentiveDecoder
        from dlspec.layers.bidirectional import Bidirectional

        if self.bidirectional and self.units % 2:
            message = f"of {self.units} units each direction of the encoder would have half; take {self.units + 1}"
            raise RecipeError(message, where=Place(key="model.units"))
        doors = entries(inputs)
        allowed = keras.ops.not_equal(doors["tokens"], 0)
        size = inputs["tokens"]["vocabulary"]
        x = keras.layers.Embedding(size, self.embedding, name="source_embedding")(doors["tokens"])
        starts: list[Any] = []
        for number in range(1, self.layers + 1):
            name = f"encoder_{number}"
            layer = CELLS[self.cell](
                self.units // 2 if self.bidirectional else self.units,
                return_sequences=True,
                return_state=True,
                dropout=self.dropout,
                name=name,
            )
            x, *ends = (Bidirectional(layer, name=name) if self.bidirectional else layer)(x, mask=allowed)
            starts += self._joined(ends)
        said = keras.layers.Embedding(outputs, self.embedding, name="target_embedding")(doors["target"])
        decoder = AttentiveDecoder(
            self.units, self.layers, self.cell, self.attention, self.input_feeding, self.dropout, name="decoder"
        )
        # What is padded stands at the target's end: no step before it hangs on it.
        h = decoder(said, x, starts, allowed)
        if self.dropout:
            h = keras.layers.Dropout(self.dropout, name="dropout")(h)
        return keras.Model(doors, keras.layers.Dense(outputs, dtype=kind_of_logits(), name="logits")(h), name=self.name)

    def course(self, network: keras.Model, inputs: Mapping[str, Any], width: int, longest: int) -> Course:
        """The source is encoded once; of a hypothesis the cells' states are kept, and what it looked at last."""
        import keras

        from dlspec.layers.attention import forbidding

        layers = [network.get_layer(f"encoder_{number}").output for number in range(1, self.layers + 1)]
        encoder = keras.Model(network.input["tokens"], [layers[-1][0], *(end for _, *ends in layers for end in ends)])
        memory, *ends = encoder(inputs["tokens"], training=False)
        each = len(ends) // self.layers
        by_layer = [ends[place : place + each] for place in range(0, len(ends), each)]
        starts = [state for ends in by_layer for state in self._joined(ends)]
        decoder, table, last = (network.get_layer(name) for name in ("decoder", "target_embedding", "logits"))
        keys = decoder.looking.keys(memory)
        places = keras.ops.not_equal(inputs["tokens"], 0)
        added = forbidding(places, decoder.compute_dtype)[:, None]

        def step(tokens: Any, time: Any, cache: Any, ancestors: Any) -> tuple[Any, Any, Any]:
            h, cache, seen = decoder.step(table(tokens), cache, memory, keys, added)
            return last(h), cache, seen

        return Course(step, decoder.first_states(starts, width), places)

    def _joined(self, ends: list[Any]) -> list[Any]:
        """The last states of a layer of the encoder: of both directions side by side."""
        import keras

        if not self.bidirectional:
            return ends
        half = len(ends) // 2
        return [keras.ops.concatenate(pair, axis=-1) for pair in zip(ends[:half], ends[half:], strict=True)]
