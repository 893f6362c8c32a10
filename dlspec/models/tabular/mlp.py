"""Layers of weights with an activation between: the multilayer perceptron."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from dlspec.models.base import Backbone, Shapes, flat
from dlspec.models.initializers import Auto, Initializer, initializer
from dlspec.models.pieces import (
    Activation,
    NoNorm,
    Normalization,
    Share,
    activated,
    dropped,
    has_bias,
    logits,
    normalized,
)
from dlspec.proposals import Facts, Line, Suggestion

if TYPE_CHECKING:
    import keras


MOST_UNITS = 4096


class MLP(Backbone):
    """The multilayer perceptron of Rumelhart, Hinton and Williams (1986), of any depth.

    Each hidden layer is a weighted sum, normalisation where asked for, the activation, and dropout where asked for.
    """

    name: Literal["mlp"] = "mlp"
    accepts: ClassVar[tuple[str, ...]] = ("table", "picture", "series")
    summary: ClassVar[str] = "multilayer perceptron: any number of hidden layers"

    hidden: tuple[Annotated[int, Field(gt=0)], ...] = (64, 64)
    """units of each hidden layer, the first nearest to the input"""
    activation: Activation = "relu"
    """what follows each hidden layer"""
    initializer: Initializer = Auto()
    """how the weights start; auto: he_normal before relu, leaky_relu, elu, gelu and silu, glorot_uniform elsewhere"""
    normalization: Normalization = NoNorm()
    """none, batch, layer or group: each hidden layer before its activation"""
    dropout: Share = 0.0
    """share of each hidden layer's units that is silenced at each training step"""

    @classmethod
    def suggest(cls, facts: Facts) -> Suggestion | None:
        """Tables; the more rows, the more units."""
        if facts.kind != "table":
            return None
        units = 32 if facts.examples < 5_000 else 64 if facts.examples < 100_000 else 128
        hidden = Line("hidden", [units, units], "units of each hidden layer; more bend more, and need more rows")
        dropout = Line("dropout", 0.2, "take this where dev is much worse than train", sure=False)
        return Suggestion(0.6, "bends where a straight line (linear) does not do", model=(hidden, dropout))

    def larger(self) -> dict[str, Any] | None:
        """Twice the units, and no fewer than 64 in each of two layers."""
        units = [min(MOST_UNITS, max(64, 2 * one)) for one in self.hidden]
        units += units[-1:] * (2 - len(units)) or [64, 64][len(units) :]
        return {"hidden": units} if units != list(self.hidden) else None

    def smaller(self) -> dict[str, Any] | None:
        """Half the units, down to 4 a layer."""
        units = [max(min(4, one), one // 2) for one in self.hidden]
        return {"hidden": units} if units != list(self.hidden) else None

    def build(self, inputs: Shapes, outputs: int) -> keras.Model:
        import keras

        layers, biased = keras.layers, has_bias(self.normalization)
        doors, x = flat(inputs)
        for number, units in enumerate(self.hidden, 1):
            start = initializer(self.initializer, self.activation)
            x = layers.Dense(units, use_bias=biased, kernel_initializer=start, name=f"hidden_{number}")(x)
            x = normalized(x, self.normalization, f"norm_{number}")
            x = activated(x, self.activation, f"{self.activation}_{number}")
            x = dropped(x, self.dropout, f"dropout_{number}")
        return keras.Model(doors, logits(x, outputs, initializer(self.initializer)), name="mlp")
