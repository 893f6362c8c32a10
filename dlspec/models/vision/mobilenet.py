"""MobileNet, versions 1 and 2: convolutions of each map for itself, and 1×1 convolutions that mix the maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

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
from dlspec.models.pieces import Activation, BatchNorm, Normalization, Share, dropped, logits, normalized

if TYPE_CHECKING:
    import keras

FIRST = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))
"""table 1 of Howard et al.: maps and stride of each depthwise separable convolution"""
SECOND = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""table 2 of Sandler et al.: expansion t, maps c, blocks n, stride s of the first of them"""
LAST = 1280
WIDTHS = (0.25, 0.5, 0.75, 1.0, 1.4)
SMALLEST = {"large": 32, "small": 8}
"""of a picture's sides: by so much they are divided"""


class MobileNet(Backbone):
    """The networks of Howard et al. (2017), "MobileNets", table 1, and Sandler et al. (2018), "MobileNetV2", table 2.

    Version 1: a 3×3 convolution of stride 2, then thirteen times a 3×3 convolution of each map for itself and a 1×1
    convolution of all; the mean over each map, and the logits.  4,253,864 parameters on three channels and 1000
    classes, as keras.applications counts (moving means and variances among them).

    Version 2: inverted residuals.  A 1×1 convolution to 6 × as many maps, 3×3 of each for itself, and a 1×1 convolution
    back to few, with nothing after it; what comes in is added where the shape is the same.  3,538,984 parameters.

    The small stem, for pictures of some 28 to 64 pixels, leaves the first two of the five halvings out.
    """

    name: Literal["mobilenet"] = "mobilenet"
    accepts: ClassVar[tuple[str, ...]] = ("picture",)
    summary: ClassVar[str] = "MobileNet (2017, 2018), versions 1 and 2: few weights and few multiplications"

    version: Literal[1, 2] = 2
    """1: separable convolutions; 2: inverted residuals"""
    width: float = Field(1.0, gt=0, le=4)
    """how many times the paper's maps each layer gives, its α; of version 2 in multiples of 8, the last never fewer"""
    stem: Stem | None = None
    """large: the paper's, from 32×32 up; small, from 8×8 up; nothing given: large from 96×96 up"""
    activation: Activation = "relu6"
    """what follows each normalisation, but that of a narrow 1×1 convolution of version 2"""
    initializer: Initializer = Auto()
    """how the weights start; auto: by the activation (see mlp)"""
    normalization: Normalization = BatchNorm(epsilon=1e-3)
    """none, batch, layer or group: the maps of each convolution"""
    dropout: Share = 0.0
    """share of the means over the maps that is silenced at each training step"""

    def larger(self) -> dict[str, Any] | None:
        """The next of the papers' widths."""
        wider = next((width for width in WIDTHS if width > self.width), None)
        return {"width": wider} if wider else None

    def smaller(self) -> dict[str, Any] | None:
        """The width before."""
        narrower = next((width for width in reversed(WIDTHS) if width < self.width), None)
        return {"width": narrower} if narrower else None

    def build(self, inputs: Shapes, outputs: int) -> keras.Model:
        """Raises RecipeError where the picture is too small, with the smallest that can be taken."""
        import keras

        doors, x = picture(inputs)
        stem = stem_of(self.stem, x)
        other = ", or model: {stem: small}" if stem == "large" else ""
        check_size(x, f"mobilenet with a {stem} stem", SMALLEST[stem], f"set input: {{size: [32, 32]}}{other}")
        x = self._second(x, stem) if self.version == 2 else self._first(x, stem)
        x = dropped(mean_of_maps(x), self.dropout, "dropout")
        made = logits(x, outputs, initializer(self.initializer))
        return keras.Model(doors, made, name=f"mobilenet_v{self.version}")

    def _first(self, x: Any, stem: Stem) -> Any:
        first, *strides = strides_of(stem, 2, *[stride for _, stride in FIRST])
        x = convolved(x, self, self._maps(32), 3, "conv1", stride=first)
        for number, ((maps, _), stride) in enumerate(zip(FIRST, strides, strict=True), 1):
            x = depthwise(x, self, 3, stride, f"block{number}_depthwise")
            x = convolved(x, self, self._maps(maps), 1, f"block{number}_pointwise")
        return x

    def _second(self, x: Any, stem: Stem) -> Any:
        first, *strides = strides_of(stem, 2, *[stride for *_, stride in SECOND])
        x = convolved(x, self, scaled_to_8(32 * self.width), 3, "conv1", stride=first)
        for stage, ((expansion, maps, blocks, _), stride) in enumerate(zip(SECOND, strides, strict=True), 1):
            for block in range(1, blocks + 1):
                step, name = stride if block == 1 else 1, f"stage{stage}_block{block}"
                x = self._inverted(x, expansion, scaled_to_8(int(maps * self.width)), step, name)
        return convolved(x, self, scaled_to_8(LAST * self.width) if self.width > 1 else LAST, 1, "last")

    def _inverted(self, x: Any, expansion: int, maps: int, stride: int, name: str) -> Any:
        import keras

        y = convolved(x, self, expansion * x.shape[-1], 1, f"{name}_expand") if expansion > 1 else x
        y = depthwise(y, self, 3, stride, f"{name}_depthwise")
        y = convolved(y, self, maps, 1, f"{name}_project", bent_after=False)
        y = normalized(y, self.normalization, f"{name}_project_norm")
        return keras.layers.Add(name=f"{name}_add")([x, y]) if stride == 1 and x.shape[-1] == maps else y

    def _maps(self, maps: int) -> int:
        return max(1, int(maps * self.width))
