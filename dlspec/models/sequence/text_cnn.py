"""Convolutions over neighbouring words, of each filter the greatest answer: Kim (2014)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from dlspec.models.base import Backbone, Shapes
from dlspec.models.initializers import Auto, Initializer, initializer
from dlspec.models.pieces import Activation, Share, activated, dropped, logits
from dlspec.models.sequence.pieces import EmbeddingModel, embedded, only_real
from dlspec.proposals import Facts, Suggestion

if TYPE_CHECKING:
    import keras

ENOUGH = 5_000
"""texts from which filters over several words find what a bag of words does not"""
MOST_FILTERS = 512


class TextCNN(EmbeddingModel, Backbone):
    """Kim (2014), "Convolutional neural networks for sentence classification": filters that span a few words each.

    A text has zeros around it, so that the shortest one is long enough; what stands beyond its end changes nothing.
    """

    name: Literal["text_cnn"] = "text_cnn"
    accepts: ClassVar[tuple[str, ...]] = ("text", "series")
    summary: ClassVar[str] = "convolutions over neighbouring words, or steps of a series (Kim 2014)"

    windows: tuple[Annotated[int, Field(ge=1)], ...] = Field((3, 4, 5), min_length=1)
    """how many neighbouring words the filters span"""
    filters: int = Field(100, ge=1)
    """filters of each span"""
    activation: Activation = "relu"
    """what follows each filter"""
    initializer: Initializer = Auto()
    """how the weights start; auto: he_normal before relu, leaky_relu, elu, gelu and silu, glorot_uniform elsewhere"""
    dropout: Share = 0.5
    """share of the greatest answers that is silenced at each training step"""

    @classmethod
    def suggest(cls, facts: Facts) -> Suggestion | None:
        """Texts, where there are enough."""
        if facts.kind != "text":
            return None
        suits = 0.7 if facts.examples >= ENOUGH else 0.4
        return Suggestion(suits, "sees words that stand together, which bag_of_embeddings does not")

    def larger(self) -> dict[str, Any] | None:
        """Twice the filters."""
        more = min(MOST_FILTERS, 2 * self.filters)
        return {"filters": more} if more > self.filters else None

    def smaller(self) -> dict[str, Any] | None:
        """Half the filters, down to 8 of a span."""
        fewer = max(min(8, self.filters), self.filters // 2)
        return {"filters": fewer} if fewer < self.filters else None

    def build(self, inputs: Shapes, outputs: int) -> keras.Model:
        import keras

        from dlspec.layers.masked_pooling import MaskedMax

        doors, x, mask = embedded(inputs, self.embedding)
        x = only_real(x, mask)
        found = []
        for width in dict.fromkeys(self.windows):
            start = initializer(self.initializer, self.activation)
            convolution = keras.layers.Conv1D(
                self.filters, width, padding="same", kernel_initializer=start, name=f"convolution_{width}"
            )
            answers = activated(convolution(x), self.activation, f"{self.activation}_{width}")
            found.append(MaskedMax(name=f"greatest_{width}")([answers, mask]))
        x = found[0] if len(found) == 1 else keras.layers.Concatenate(name="features")(found)
        x = dropped(x, self.dropout, "dropout")
        return keras.Model(doors, logits(x, outputs, initializer(self.initializer)), name="text_cnn")
