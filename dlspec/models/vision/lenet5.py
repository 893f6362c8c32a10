"""LeNet-5, the convolutional network for handwritten digits: as it is built today, and as the paper has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from dlspec.models.base import Backbone, Shapes, picture
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
from dlspec.types import RecipeError

if TYPE_CHECKING:
    import keras

# Table I of the paper: which maps of S2 each map of C3 is convolved from.
C3 = (
    *[tuple(sorted((m + i) % 6 for i in range(3))) for m in range(6)],
    *[tuple(sorted((m + i) % 6 for i in range(4))) for m in range(6)],
    *[tuple(sorted((m + i) % 6 for i in (0, 1, 3, 4))) for m in range(3)],
    tuple(range(6)),
)


class LeNet5(Backbone):
    """LeNet-5 of LeCun, Bottou, Bengio and Haffner (1998), figure 2 and section II-B.

    `modern`, as it is built today: 5×5 convolutions to 6 and 16 maps, each followed by the activation and 2×2 pooling,
    then 120 and 84 units and the logits; 61,706 parameters on 32×32 grey pictures of 10 classes.

    `paper`: the connection table between S2 and C3, trainable subsampling, and the squashing function
    1.7159 tanh(2a/3) after every layer up to F6; 60,000 parameters before the output on 32×32 grey pictures.
    One thing is replaced: the paper's output, the distance to fixed 7×12 pictures of the classes (radial basis
    functions), is a linear layer of logits here, as everywhere in dlspec.
    """

    name: Literal["lenet5"] = "lenet5"
    accepts: ClassVar[tuple[str, ...]] = ("picture",)
    summary: ClassVar[str] = "LeNet-5 (1998): two convolutions, two poolings, three layers of weights"

    form: Literal["modern", "paper"] = "modern"
    """as it is built today, or as the paper has it (connection table, trainable subsampling, squashing function)"""
    activation: Activation | None = None
    """what follows each layer; nothing given: relu (modern), or the squashing function 1.7159 tanh(2a/3) (paper)"""
    pooling: Literal["max", "average"] | None = None
    """how 2×2 squares become one; nothing given: max (modern), or the trainable subsampling (paper)"""
    padding: Literal["valid", "same"] = "valid"
    """valid: convolutions shrink the maps, as in the paper, from 16×16 up; same: they keep them, from 4×4 up"""
    initializer: Initializer = Auto()
    """how the weights start; auto: by the activation (see mlp), and in the paper's form uniform in ±2.4 / fan-in"""
    normalization: Normalization = NoNorm()
    """none, batch, layer or group: the maps of C1 and C3, the 120 and the 84 units, before what follows them"""
    dropout: Share = 0.0
    """share of the 120 and of the 84 units that is silenced at each training step"""
    spatial_dropout: Share = 0.0
    """share of the maps of S2 and S4 that is silenced, whole maps at a time, at each training step"""

    @classmethod
    def suggest(cls, facts: Facts) -> Suggestion | None:
        """Small pictures as they are, larger ones made smaller: it was made for 32×32."""
        if facts.kind != "picture":
            return None
        height, width, _ = facts.shape
        if facts.alike and min(height, width) >= 24 and max(height, width) <= 48:
            size, why = (height, width), "as the pictures are"
        else:
            size, why = _of_area(height, width, 32 if max(height, width) <= 64 else 48), f"made from {height}×{width}"
        why = f"height and width that the network sees: {why}, as lenet5 wants them small; larger takes longer"
        return Suggestion(0.5, "small and quick: a first network", input=(Line("size", size, why),))

    def larger(self) -> dict[str, Any] | None:
        """It has one size; the next is a network of another kind."""
        return {"name": "resnet"}

    def build(self, inputs: Shapes, outputs: int) -> keras.Model:
        """Raises RecipeError where the picture is too small, with the smallest that can be taken."""
        import keras

        layers, biased = keras.layers, has_bias(self.normalization)
        doors, x = picture(inputs)
        self._check_size(*x.shape[1:3])
        convolution: dict[str, Any] = {"padding": self.padding, "data_format": "channels_last", "use_bias": biased}
        x = layers.Conv2D(6, 5, kernel_initializer=self._start(), name="C1", **convolution)(x)
        x = self._pooled(self._bent(x, "C1"), "S2")
        if self.form == "paper":
            from dlspec.layers.connection_table_convolution import ConnectionTableConvolution

            table: dict[str, Any] = {"padding": self.padding, "use_bias": biased, "kernel_initializer": self._start()}
            x = ConnectionTableConvolution(C3, 5, name="C3", **table)(x)
        else:
            x = layers.Conv2D(16, 5, kernel_initializer=self._start(), name="C3", **convolution)(x)
        x = self._pooled(self._bent(x, "C3"), "S4")
        x = layers.Flatten(name="flat", data_format="channels_last")(x)
        for name, units in (("C5", 120), ("F6", 84)):
            x = layers.Dense(units, use_bias=biased, kernel_initializer=self._start(), name=name)(x)
            x = dropped(self._bent(x, name), self.dropout, f"{name}_dropout")
        return keras.Model(doors, logits(x, outputs, self._start("linear")), name="lenet5")

    def _check_size(self, height: int, width: int) -> None:
        smallest = 16 if self.padding == "valid" else 4
        if min(height, width) < smallest:
            other = ", or model: {padding: same}" if self.padding == "valid" and min(height, width) >= 4 else ""
            raise RecipeError(
                f"lenet5 with padding {self.padding} takes pictures of at least {smallest}×{smallest}, "
                f"these are {height}×{width}; set input: {{size: [32, 32]}}{other}"
            )

    def _start(self, activation: str = "") -> Any:
        if self.form == "paper" and self.initializer.name == "auto":
            from dlspec.layers.fan_in_uniform import FanInUniform

            return FanInUniform(2.4 * self.initializer.scale)
        return initializer(self.initializer, activation or self.activation or _USUAL[self.form])

    def _bent(self, x: Any, name: str) -> Any:
        return self._activated(normalized(x, self.normalization, f"{name}_norm"), name)

    def _activated(self, x: Any, name: str) -> Any:
        if self.form == "paper" and self.activation is None:
            from dlspec.layers.squash import Squash

            return Squash(name=f"{name}_squash")(x)
        activation = self.activation or _USUAL[self.form]
        return activated(x, activation, f"{name}_{activation}")

    def _pooled(self, x: Any, name: str) -> Any:
        import keras

        if self.form == "paper" and self.pooling is None:
            from dlspec.layers.subsampling import Subsampling

            x = self._activated(Subsampling(name=name)(x), name)
        else:
            pool = keras.layers.AveragePooling2D if self.pooling == "average" else keras.layers.MaxPooling2D
            x = pool(2, data_format="channels_last", name=name)(x)
        return dropped(x, self.spatial_dropout, f"{name}_dropout")


def _of_area(height: int, width: int, side: int) -> tuple[int, int]:
    """A height and width of these proportions, but no more than 2 to 1, with the area of a square of that side."""
    ratio = min(2.0, max(0.5, (height / width))) ** 0.5
    return round(side * ratio), round(side / ratio)


_USUAL = {"modern": "relu", "paper": "tanh"}
