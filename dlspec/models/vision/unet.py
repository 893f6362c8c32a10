"""The U-Net: down to small maps that know what, up again with what was seen on the way down, which knows where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from dlspec.models.base import Segmenter, Shapes, picture
from dlspec.models.initializers import Auto, Initializer, initializer
from dlspec.models.pieces import (
    Activation,
    NoNorm,
    Normalization,
    Share,
    activated,
    dropped,
    has_bias,
    normalized,
)
from dlspec.proposals import Facts, Line, Suggestion
from dlspec.types import Place, RecipeError

if TYPE_CHECKING:
    import keras

MOST_FILTERS = 64


class UNet(Segmenter):
    """The U-Net of Ronneberger, Fischer and Brox (2015), figure 1, with padding.

    On each level two 3×3 convolutions; down by 2×2 max pooling, and twice as many maps; up by 2×2 transposed
    convolutions, beside the maps of the same level; last a 1×1 convolution to the classes.  With 64 filters and a depth
    of 4 it has the paper's 23 convolutions, 31,030,658 parameters on grey pictures with two classes.

    The paper does not pad, so that a picture of 572×572 gives a mask of 388×388; here masks are of the picture's size.
    A size that cannot be halved so often is padded with zeros below and to the right, and the mask cut off again.
    """

    name: Literal["unet"] = "unet"
    accepts: ClassVar[tuple[str, ...]] = ("picture",)
    summary: ClassVar[str] = "U-Net (2015): a class for each pixel; down to small maps and up again"

    filters: int = Field(64, gt=0)
    """maps of the first level; each level further down has twice as many.  16 suits small pictures"""
    depth: int = Field(4, ge=1, le=7)
    """how often the picture is halved"""
    up: Literal["transposed", "bilinear"] = "transposed"
    """how maps are doubled in size: by a learned 2×2 transposed convolution, as in the paper, or interpolated and then
    convolved, which leaves no checkerboard (Odena et al. 2016)"""
    activation: Activation = "relu"
    """what follows each convolution"""
    initializer: Initializer = Auto()
    """how the weights start; auto: by the activation, he_normal before relu as in the paper"""
    normalization: Normalization = NoNorm()
    """none, batch, layer or group: the maps of each 3×3 convolution; the paper has none"""
    dropout: Share = 0.0
    """share of the lowest level's maps that is silenced at each training step; the paper has dropout there, and does
    not say how much"""

    @classmethod
    def suggest(cls, facts: Facts) -> Suggestion | None:
        """For pictures of which each pixel has a class: small, with as many levels as leave 8 pixels."""
        if facts.kind != "picture":
            return None
        smallest = min(facts.shape[:2])
        depth = max(1, min(4, smallest.bit_length() - 4))
        lines = (
            Line("filters", 16, "maps of the first level; the paper's 64 learn more, and take 16 times as long"),
            Line("depth", depth, "how often pictures are halved"),
            Line("normalization", "batch", "training gets further, and sooner"),
        )
        return Suggestion(0.9, "keeps what and where apart, and brings them together", lines)

    def larger(self) -> dict[str, Any] | None:
        """Twice the maps."""
        return {"filters": 2 * self.filters} if self.filters < MOST_FILTERS else None

    def smaller(self) -> dict[str, Any] | None:
        """Half the maps."""
        return {"filters": self.filters // 2} if self.filters > 4 else None

    def build(self, inputs: Shapes, outputs: int) -> keras.Model:
        """Raises RecipeError where the picture is too small for the depth, with the smallest that can be taken."""
        import keras

        doors, x = picture(inputs)
        height, width = x.shape[1:3]
        step = 2**self.depth
        if min(height, width) < step:
            raise RecipeError(
                f"a unet of depth {self.depth} halves {self.depth} times: it takes pictures of at least {step}×{step}, "
                f"these are {height}×{width}: lower model.depth, or set input: {{size: [{step}, {step}]}}",
                where=Place(key="model.depth"),
            )
        below, right = -height % step, -width % step
        if below or right:
            x = keras.layers.ZeroPadding2D(((0, below), (0, right)), data_format="channels_last", name="pad")(x)
        seen = []
        for level in range(self.depth):
            x = self._convolved(x, level, f"down{level + 1}")
            seen.append(x)
            x = keras.layers.MaxPooling2D(2, data_format="channels_last", name=f"down{level + 1}_pool")(x)
        x = dropped(self._convolved(x, self.depth, "bottom"), self.dropout, "bottom_dropout")
        for level in reversed(range(self.depth)):
            name = f"up{level + 1}"
            x = keras.layers.Concatenate(name=f"{name}_joined")([seen[level], self._doubled(x, level, name)])
            x = self._convolved(x, level, name)
        # As the logits of a backbone: in float32 where others compute in less.
        narrow = keras.config.dtype_policy().compute_dtype in ("float16", "bfloat16")
        x = keras.layers.Conv2D(
            outputs,
            1,
            kernel_initializer=initializer(self.initializer),
            data_format="channels_last",
            dtype="float32" if narrow else None,
            name="logits",
        )(x)
        if below or right:
            x = keras.layers.Cropping2D(((0, below), (0, right)), data_format="channels_last", name="cut")(x)
        return keras.Model(doors, x, name="unet")

    def _convolved(self, x: Any, level: int, name: str) -> Any:
        """Twice a 3×3 convolution, normalised and bent."""
        import keras

        for number in (1, 2):
            x = keras.layers.Conv2D(
                self.filters * 2**level,
                3,
                padding="same",
                use_bias=has_bias(self.normalization),
                kernel_initializer=initializer(self.initializer, self.activation),
                data_format="channels_last",
                name=f"{name}_{number}_conv",
            )(x)
            x = normalized(x, self.normalization, f"{name}_{number}_norm")
            x = activated(x, self.activation, f"{name}_{number}_{self.activation}")
        return x

    def _doubled(self, x: Any, level: int, name: str) -> Any:
        """Twice as high and wide, with half the maps."""
        import keras

        settings = {
            "kernel_initializer": initializer(self.initializer, self.activation),
            "data_format": "channels_last",
        }
        filters = self.filters * 2**level
        if self.up == "transposed":
            return keras.layers.Conv2DTranspose(filters, 2, strides=2, name=f"{name}_double", **settings)(x)
        x = keras.layers.UpSampling2D(2, interpolation="bilinear", data_format="channels_last", name=f"{name}_double")(
            x
        )
        return keras.layers.Conv2D(filters, 2, padding="same", name=f"{name}_halve", **settings)(x)
