"""VGG: small convolutions one after another, and a pooling where the maps double."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from dlspec.models.base import Backbone, Shapes, picture
from dlspec.models.convolutions import check_size, convolved, pooled
from dlspec.models.initializers import Auto, Initializer, initializer
from dlspec.models.pieces import Activation, NoNorm, Normalization, Share, activated, dropped, logits

if TYPE_CHECKING:
    import keras

STAGES = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
"""table 1 of the paper, columns A, B, D and E: depth → convolutions of each stage"""
WIDER = (1, 2, 4, 8, 8)
"""maps of each stage, in those of the first"""
FEWEST, MOST = 8, 64


class VGG(Backbone):
    """The networks of Simonyan and Zisserman (2015), "Very deep convolutional networks", table 1: A, B, D and E.

    Stages of 3×3 convolutions with 64, 128, 256, 512 and 512 maps, after each a 2×2 max pooling; then two layers of
    4096 units with dropout, and the logits.  VGG-16 has 138,357,544 parameters on 224×224 pictures of three channels
    and 1000 classes.

    For small pictures: fewer stages (of 28×28, four leave 1×1; three leave 3×3), fewer filters, fewer units, as
    `{name: vgg, depth: 11, stages: 3, filters: 32, units: 256}`.
    """

    name: Literal["vgg"] = "vgg"
    accepts: ClassVar[tuple[str, ...]] = ("picture",)
    summary: ClassVar[str] = "VGG (2015): 11, 13, 16 or 19 layers of small convolutions and large layers of weights"

    depth: Literal[11, 13, 16, 19] = 16
    """layers with weights, as the paper counts them: with all five stages and the three layers at the end"""
    stages: int = Field(5, ge=1, le=5)
    """how many of the five are built; each halves the picture"""
    filters: int = Field(64, gt=0)
    """maps of the first stage; the others have 2 ×, 4 ×, 8 × and 8 × as many"""
    units: int = Field(4096, gt=0)
    """of each of the two layers before the logits"""
    activation: Activation = "relu"
    """what follows each convolution and each of the two layers"""
    initializer: Initializer = Auto()
    """how the weights start; auto: by the activation (see mlp)"""
    normalization: Normalization = NoNorm()
    """none, as in the paper, which is older; batch, layer or group: the maps of each convolution"""
    dropout: Share = 0.5
    """share of the units of each of the two layers that is silenced at each training step"""

    def larger(self) -> dict[str, Any] | None:
        """The next depth; of the deepest, twice the maps, up to the paper's."""
        deeper = next((depth for depth in STAGES if depth > self.depth), None)
        if deeper:
            return {"depth": deeper}
        return {"filters": min(MOST, 2 * self.filters)} if self.filters < MOST else None

    def smaller(self) -> dict[str, Any] | None:
        """Half the units, then the depth before, then half the maps."""
        if self.units > 256:
            return {"units": self.units // 2}
        depth = next((depth for depth in reversed(STAGES) if depth < self.depth), None)
        return {"depth": depth} if depth else {"filters": self.filters // 2} if self.filters > FEWEST else None

    def build(self, inputs: Shapes, outputs: int) -> keras.Model:
        """Raises RecipeError where the picture is too small, with the smallest that can be taken."""
        import keras

        doors, x = picture(inputs)
        self._check_size(x)
        for stage, convolutions in enumerate(STAGES[self.depth][: self.stages], 1):
            for number in range(1, convolutions + 1):
                x = convolved(x, self, self.filters * WIDER[stage - 1], 3, f"block{stage}_{number}")
            x = pooled(x, "max", 2, 2, f"block{stage}_pool")
        x = keras.layers.Flatten(name="flat", data_format="channels_last")(x)
        for name in ("fc1", "fc2"):
            start = initializer(self.initializer, self.activation)
            x = keras.layers.Dense(self.units, kernel_initializer=start, name=name)(x)
            x = activated(x, self.activation, f"{name}_{self.activation}")
            x = dropped(x, self.dropout, f"{name}_dropout")
        return keras.Model(doors, logits(x, outputs, initializer(self.initializer)), name=f"vgg{self.depth}")

    def _check_size(self, x: Any) -> None:
        can = min(x.shape[1:3]).bit_length() - 1
        fewer = f", or model: {{stages: {can}}}" if can else ""
        mend = f"set input: {{size: [{2**self.stages}, {2**self.stages}]}}{fewer}"
        check_size(x, f"vgg with {self.stages} stages", 2**self.stages, mend)
