"""EfficientNet: inverted residuals that weigh their maps, scaled in width and depth together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from pydantic import Field

from dlspec.models.base import Backbone, Shapes, picture
from dlspec.models.convolutions import (
    Stem,
    check_size,
    convolved,
    depthwise,
    mean_of_maps,
    scaled_to_8,
    stem_of,
    strides_of,
)
from dlspec.models.initializers import Auto, Initializer, initializer
from dlspec.models.pieces import Activation, BatchNorm, Normalization, Share, activated, dropped, logits, normalized

if TYPE_CHECKING:
    import keras

Size = Literal["b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7"]
SIZES = {
    "b0": (1.0, 1.0, 0.2), "b1": (1.0, 1.1, 0.2), "b2": (1.1, 1.2, 0.3), "b3": (1.2, 1.4, 0.3),
    "b4": (1.4, 1.8, 0.4), "b5": (1.6, 2.2, 0.4), "b6": (1.8, 2.6, 0.5), "b7": (2.0, 3.1, 0.5),
}  # fmt: skip
"""width, depth and dropout of each, as in the authors' code"""
STAGES = ((1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3), (6, 5, 2, 192, 4),
          (6, 3, 1, 320, 1))  # fmt: skip
"""table 1 of the paper: expansion, kernel, stride, maps and blocks of each stage of B0"""
SMALLEST = {"large": 32, "small": 8}
"""of a picture's sides: by so much they are divided"""
NARROWEST = 0.25


class EfficientNet(Backbone):
    """The networks of Tan and Le (2019), "EfficientNet: rethinking model scaling", table 1: B0, and B1 to B7.

    A 3×3 convolution of stride 2, seven stages of inverted residuals (see mobilenet), a 1×1 convolution to 1280 maps,
    the mean over each, dropout, and the logits.  Each residual weighs its maps by what it sees of all places (Hu, Shen
    and Sun 2018, "Squeeze-and-excitation networks"), and is passed over at random in training, the later the more often
    (Huang et al. 2016, "Deep networks with stochastic depth").

    B0 has 5,330,564 parameters on three channels and 1000 classes; keras.applications counts 7 more, the mean, variance
    and count of its input: scaling is the input's affair here.  Of its weights `get_weights()[3:]` are ours.

    The small stem, for pictures of some 28 to 64 pixels, leaves the first two of the five halvings out.
    """

    name: Literal["efficientnet"] = "efficientnet"
    accepts: ClassVar[tuple[str, ...]] = ("picture",)
    summary: ClassVar[str] = "EfficientNet (2019), B0 to B7: much accuracy for few multiplications"

    size: Size = "b0"
    """how wide and deep it is: b0, or b1 to b7"""
    width: float = Field(1.0, gt=0, le=4)
    """how many times the maps that the size has, in multiples of 8"""
    stem: Stem | None = None
    """large: the paper's, from 32×32 up; small, from 8×8 up; nothing given: large from 96×96 up"""
    activation: Activation = "silu"
    """what follows each normalisation, but that of the last convolution of a residual"""
    initializer: Initializer = Auto()
    """how the weights start; auto: by the activation (see mlp)"""
    normalization: Normalization = BatchNorm(epsilon=1e-3)
    """none, batch, layer or group: the maps of each convolution"""
    dropout: Share | None = None
    """share of the means over the maps that is silenced at each training step; nothing given: by the size, of b0 0.2"""
    stochastic_depth: Share = 0.2
    """share of examples for which the last residual is passed over at each training step; of earlier ones less"""

    def larger(self) -> dict[str, Any] | None:
        """The paper's maps, then the next size."""
        if self.width < 1:
            return {"width": min(1.0, 2 * self.width)}
        names = get_args(Size)
        return {"size": names[names.index(self.size) + 1]} if self.size != names[-1] else None

    def smaller(self) -> dict[str, Any] | None:
        """The size before; of b0, half the maps."""
        names = get_args(Size)
        if self.size != names[0]:
            return {"size": names[names.index(self.size) - 1]}
        return {"width": self.width / 2} if self.width > NARROWEST else None

    def build(self, inputs: Shapes, outputs: int) -> keras.Model:
        """Raises RecipeError where the picture is too small, with the smallest that can be taken."""
        import keras

        doors, x = picture(inputs)
        stem = stem_of(self.stem, x)
        other = ", or model: {stem: small}" if stem == "large" else ""
        check_size(x, f"efficientnet with a {stem} stem", SMALLEST[stem], f"set input: {{size: [32, 32]}}{other}")
        width, depth, dropout = SIZES[self.size]
        width *= self.width
        first, *strides = strides_of(stem, 2, *[stride for _, _, stride, _, _ in STAGES])
        x = convolved(x, self, scaled_to_8(32 * width), 3, "stem", stride=first)
        repeats = [math.ceil(depth * blocks) for *_, blocks in STAGES]
        before = 0
        for stage, (expansion, side, _, maps, _) in enumerate(STAGES):
            for block in range(repeats[stage]):
                x = self._residual(
                    x,
                    expansion,
                    side,
                    scaled_to_8(maps * width),
                    1 if block else strides[stage],
                    f"stage{stage + 1}_block{block + 1}",
                    passed=self.stochastic_depth * before / sum(repeats),
                )
                before += 1
        x = mean_of_maps(convolved(x, self, scaled_to_8(1280 * width), 1, "top"))
        x = dropped(x, dropout if self.dropout is None else self.dropout, "dropout")
        return keras.Model(doors, logits(x, outputs, initializer(self.initializer)), name=f"efficientnet_{self.size}")

    def _residual(self, x: Any, expansion: int, side: int, maps: int, stride: int, name: str, *, passed: float) -> Any:
        """An inverted residual whose maps are weighed; passed: how often the whole of it is passed over."""
        import keras

        layers: Any = keras.layers
        come = x.shape[-1]
        y = convolved(x, self, expansion * come, 1, f"{name}_expand") if expansion > 1 else x
        y = depthwise(y, self, side, stride, f"{name}_depthwise")
        y = layers.Multiply(name=f"{name}_weighed")([y, self._weights(y, max(1, come // 4), name)])
        y = convolved(y, self, maps, 1, f"{name}_project", bent_after=False)
        y = normalized(y, self.normalization, f"{name}_project_norm")
        if stride > 1 or come != maps:
            return y
        if passed:
            y = layers.Dropout(passed, noise_shape=(None, 1, 1, 1), name=f"{name}_depth")(y)
        return layers.Add(name=f"{name}_add")([y, x])

    def _weights(self, x: Any, squeezed: int, name: str) -> Any:
        """Hu, Shen and Sun (2018): of each map a number in 0 to 1, by the means of all maps."""
        import keras

        maps, name = x.shape[-1], f"{name}_squeeze"
        x = keras.layers.GlobalAveragePooling2D(keepdims=True, data_format="channels_last", name=name)(x)
        x = convolved(x, self, squeezed, 1, f"{name}_1", bias=True, bent_after=False)
        x = activated(x, self.activation, f"{name}_{self.activation}")
        x = convolved(x, self, maps, 1, f"{name}_2", bias=True, bent_after=False)
        return activated(x, "sigmoid", f"{name}_sigmoid")
