"""The Transformer's encoder (Vaswani et al. 2017) over a text or a series; one answer a sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from dlspec.models.attending import AttendingModel, Count
from dlspec.models.base import Backbone, Shapes
from dlspec.models.initializers import Auto, Initializer, initializer
from dlspec.models.pieces import dropped, logits
from dlspec.models.sequence.pieces import EmbeddingModel, embedded, only_real
from dlspec.proposals import Facts, Suggestion

if TYPE_CHECKING:
    import keras


class TransformerEncoder(AttendingModel, EmbeddingModel, Backbone):
    """Blocks in which each place sees all others, and of what they say one vector.

    Words whose vectors have another width than the blocks, and the numbers of a series, are projected to it first.
    """

    name: Literal["transformer_encoder"] = "transformer_encoder"
    accepts: ClassVar[tuple[str, ...]] = ("text", "series")
    summary: ClassVar[str] = "the Transformer's encoder: attention of each place to all others"

    layers: Count = 2
    """how many blocks"""
    width: Count = 128
    """numbers that stand for a place; the heads divide it"""
    feed_forward: Count = 512
    """units of the inner dense layer of each block"""
    pooling: Literal["mean", "max", "attention"] = "mean"
    """what becomes of the places: their mean, greatest, or a mean with learned weights (Yang et al. 2016)"""
    initializer: Initializer = Auto()
    """how the weights of the logits start"""

    @classmethod
    def suggest(cls, facts: Facts) -> Suggestion | None:
        """Texts; never the first choice, as it wants more of them than others."""
        if facts.kind != "text":
            return None
        return Suggestion(0.2, "sees all words at once; wants more texts than the others, or vectors of words")

    def build(self, inputs: Shapes, outputs: int) -> keras.Model:
        import keras

        from dlspec.layers.attention_pooling import AttentionPooling
        from dlspec.layers.masked_pooling import MaskedMax, MaskedMean

        self.check()
        how = self.embedding
        own = "tokens" in inputs and "characters" not in inputs and how.vectors is None and how.size is None
        doors, x, mask = embedded(inputs, how.model_copy(update={"size": self.width}) if own else how)
        if not own:
            x = keras.layers.Dense(self.width, name="projection")(x)
        x = only_real(self.placed(x, scale=own), mask)
        for number in range(1, self.layers + 1):
            x = self.block(f"block_{number}")(x, allowed=mask)
        x = self.normed(x)
        kind = {"mean": MaskedMean, "max": MaskedMax, "attention": AttentionPooling}[self.pooling]
        x = dropped(kind(name=self.pooling)([x, mask]), self.dropout, "dropout")
        return keras.Model(doors, logits(x, outputs, initializer(self.initializer)), name=self.name)
