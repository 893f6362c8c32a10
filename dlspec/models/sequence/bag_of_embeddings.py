"""The mean of the words' vectors, and layers of weights over it: fastText, or the deep averaging network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from dlspec.models.base import Backbone, Shapes
from dlspec.models.initializers import Auto, Initializer, initializer
from dlspec.models.pieces import Activation, Share, activated, dropped, logits
from dlspec.models.sequence.pieces import EmbeddingModel, embedded
from dlspec.proposals import Facts, Line, Suggestion

if TYPE_CHECKING:
    import keras

MOST_UNITS = 1024


class BagOfEmbeddings(EmbeddingModel, Backbone):
    """The mean over the words of a text, whatever their order, then hidden layers.

    Without hidden layers it is fastText's classifier (Joulin et al. 2017); with some, the deep averaging network of
    Iyyer et al. (2015), "Deep unordered composition rivals syntactic methods for text classification".
    """

    name: Literal["bag_of_embeddings"] = "bag_of_embeddings"
    accepts: ClassVar[tuple[str, ...]] = ("text", "series")
    summary: ClassVar[str] = (
        "the mean of the vectors of words, or of steps of a series; hidden layers (fastText, deep averaging network)"
    )

    hidden: tuple[Annotated[int, Field(gt=0)], ...] = ()
    """units of each hidden layer over the mean"""
    activation: Activation = "relu"
    """what follows each hidden layer"""
    initializer: Initializer = Auto()
    """how the weights start; auto: he_normal before relu, leaky_relu, elu, gelu and silu, glorot_uniform elsewhere"""
    dropout: Share = 0.0
    """share of the mean, and of each hidden layer's units, that is silenced at each training step"""

    @classmethod
    def suggest(cls, facts: Facts) -> Suggestion | None:
        """Texts: quick, and hard to beat where single words tell."""
        if facts.kind != "text":
            return None
        rate = Line("optimizer", (Line("name", "adam"), Line("learning_rate", 3e-3)), "a shallow network takes it")
        return Suggestion(0.6, "trains in seconds; text_cnn sees words that stand together", train=(rate,))

    def larger(self) -> dict[str, Any] | None:
        """A hidden layer, or twice the units."""
        units = [min(MOST_UNITS, 2 * one) for one in self.hidden] or [64]
        return {"hidden": units} if units != list(self.hidden) else None

    def smaller(self) -> dict[str, Any] | None:
        """Half the units; in the end no hidden layer."""
        if not self.hidden:
            return None
        units = [one // 2 for one in self.hidden]
        return {"hidden": units if min(units) >= 16 else []}

    def build(self, inputs: Shapes, outputs: int) -> keras.Model:
        import keras

        from dlspec.layers.masked_pooling import MaskedMean

        doors, x, mask = embedded(inputs, self.embedding)
        x = MaskedMean(name="mean")([x, mask])
        x = dropped(x, self.dropout, "dropout_0")
        for number, units in enumerate(self.hidden, 1):
            start = initializer(self.initializer, self.activation)
            x = keras.layers.Dense(units, kernel_initializer=start, name=f"hidden_{number}")(x)
            x = activated(x, self.activation, f"{self.activation}_{number}")
            x = dropped(x, self.dropout, f"dropout_{number}")
        return keras.Model(doors, logits(x, outputs, initializer(self.initializer)), name="bag_of_embeddings")
