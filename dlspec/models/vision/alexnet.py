"""AlexNet: the network that won ImageNet in 2012, in one tower."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from dlspec.models.base import Backbone, Shapes, picture
from dlspec.models.convolutions import Stem, check_size, convolved, pooled, scaled, stem_of
from dlspec.models.initializers import Auto, Initializer, initializer
from dlspec.models.pieces import Activation, LocalNorm, LocalNormalization, Share, activated, dropped, logits

if TYPE_CHECKING:
    import keras

SMALLEST = {"large": 67, "small": 15}
"""of a picture's sides: the last pooling then sees 3×3 places"""
NARROWEST = 1 / 16


class AlexNet(Backbone):
    """The network of Krizhevsky, Sutskever and Hinton (2012), "ImageNet classification with deep CNNs", section 3.

    An 11×11 convolution of stride 4 to 96 maps, a 5×5 one to 256, and 3×3 ones to 384, 384 and 256; 3×3 max pooling
    of stride 2 after the first, the second and the last; two layers of 4096 units with dropout, and the logits.  The
    paper divides the maps between two processors; here every map sees all before it, as it has been built since:
    62,378,344 parameters on 227×227 pictures of three channels and 1000 classes.

    The small stem, for pictures of some 28 to 64 pixels, has a 3×3 convolution of stride 1 in the place of the first.
    """

    name: Literal["alexnet"] = "alexnet"
    accepts: ClassVar[tuple[str, ...]] = ("picture",)
    summary: ClassVar[str] = "AlexNet (2012), one tower: five convolutions, three large layers of weights"

    stem: Stem | None = None
    """large: the paper's, from 67×67 up; small, from 15×15 up; nothing given: large from 96×96 up"""
    width: float = Field(1.0, gt=0, le=4)
    """how many times the paper's maps each convolution gives"""
    units: int = Field(4096, gt=0)
    """of each of the two layers before the logits"""
    activation: Activation = "relu"
    """what follows each convolution and each of the two layers"""
    initializer: Initializer = Auto()
    """how the weights start; auto: by the activation (see mlp)"""
    normalization: LocalNormalization = LocalNorm()
    """local: as in the paper, what the first two convolutions give, after the activation; none; batch, layer or group:
    the maps of each convolution before it"""
    dropout: Share = 0.5
    """share of the units of each of the two layers that is silenced at each training step"""

    def larger(self) -> dict[str, Any] | None:
        """Twice the maps, up to the paper's; then a network of another kind."""
        return {"width": min(1.0, 2 * self.width)} if self.width < 1 else {"name": "resnet"}

    def smaller(self) -> dict[str, Any] | None:
        """Half the units, then half the maps."""
        if self.units > 256:
            return {"units": self.units // 2}
        return {"width": self.width / 2} if self.width > NARROWEST else None

    def build(self, inputs: Shapes, outputs: int) -> keras.Model:
        """Raises RecipeError where the picture is too small, with the smallest that can be taken."""
        import keras

        doors, x = picture(inputs)
        stem = stem_of(self.stem, x)
        other = ", or model: {stem: small}" if stem == "large" else ""
        size = 227 if stem == "large" else 32
        mend = f"set input: {{size: [{size}, {size}]}}{other}"
        check_size(x, f"alexnet with a {stem} stem", SMALLEST[stem], mend)
        first: dict[str, Any] = {"side": 11, "stride": 4, "padding": "valid"} if stem == "large" else {"side": 3}
        x = self._locally(convolved(x, self, scaled(96, self.width), name="conv1", **first), "conv1")
        x = pooled(x, "max", 3, 2, "pool1")
        x = self._locally(convolved(x, self, scaled(256, self.width), 5, "conv2"), "conv2")
        x = pooled(x, "max", 3, 2, "pool2")
        for number, maps in ((3, 384), (4, 384), (5, 256)):
            x = convolved(x, self, scaled(maps, self.width), 3, f"conv{number}")
        x = pooled(x, "max", 3, 2, "pool5")
        x = keras.layers.Flatten(name="flat", data_format="channels_last")(x)
        for name in ("fc6", "fc7"):
            start = initializer(self.initializer, self.activation)
            x = keras.layers.Dense(self.units, kernel_initializer=start, name=name)(x)
            x = activated(x, self.activation, f"{name}_{self.activation}")
            x = dropped(x, self.dropout, f"{name}_dropout")
        return keras.Model(doors, logits(x, outputs, initializer(self.initializer)), name="alexnet")

    def _locally(self, x: Any, name: str) -> Any:
        return self.normalization.after(x, f"{name}_local") if isinstance(self.normalization, LocalNorm) else x
