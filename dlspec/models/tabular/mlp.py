"""Layers of weights with an activation between: the multilayer perceptron."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from dlspec.models.base import Backbone, Shapes, flat
from dlspec.models.pieces import Activation, Initializer, initializer

if TYPE_CHECKING:
    import keras


class MLP(Backbone):
    """The multilayer perceptron of Rumelhart, Hinton and Williams (1986), of any depth.

    Each hidden layer is a weighted sum, batch normalisation (Ioffe and Szegedy 2015) where asked for, the activation,
    and dropout (Srivastava et al. 2014) where asked for.
    """

    name: Literal["mlp"] = "mlp"
    accepts: ClassVar[tuple[str, ...]] = ("table", "picture")
    summary: ClassVar[str] = "multilayer perceptron: any number of hidden layers"

    hidden: tuple[Annotated[int, Field(gt=0)], ...] = (64, 64)
    """units of each hidden layer, the first nearest to the input"""
    activation: Activation = "relu"
    """what follows each hidden layer"""
    initializer: Initializer = "auto"
    """how the weights start; auto: he_normal before relu, leaky_relu, elu, gelu and silu, glorot_uniform elsewhere"""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """share of each hidden layer's units that is silenced at each training step"""
    batch_norm: bool = False
    """normalise each hidden layer over the batch, before its activation"""

    def build(self, inputs: Shapes, outputs: int) -> keras.Model:
        import keras

        layers = keras.layers
        doors, x = flat(inputs)
        for number, units in enumerate(self.hidden, 1):
            start = initializer(self.initializer, self.activation)
            # Batch normalisation has a bias of its own.
            x = layers.Dense(units, use_bias=not self.batch_norm, kernel_initializer=start, name=f"hidden_{number}")(x)
            if self.batch_norm:
                x = layers.BatchNormalization(name=f"norm_{number}")(x)
            x = layers.Activation(self.activation, name=f"{self.activation}_{number}")(x)
            if self.dropout:
                x = layers.Dropout(self.dropout, name=f"dropout_{number}")(x)
        logits = layers.Dense(outputs, kernel_initializer=initializer(self.initializer), name="logits")(x)
        return keras.Model(doors, logits, name="mlp")
