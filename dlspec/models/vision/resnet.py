"""Residual networks: units of convolutions that add to what they are given, so that depth does not hurt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from dlspec.models.base import Backbone, Shapes, picture
from dlspec.models.initializers import Auto, Initializer, initializer
from dlspec.models.pieces import (
    Activation,
    BatchNorm,
    Normalization,
    Share,
    activated,
    dropped,
    has_bias,
    logits,
    normalized,
)
from dlspec.types import Place, RecipeError

if TYPE_CHECKING:
    import keras

MOST_FILTERS = 128
SMALLEST = 8
"""of a picture's sides: the last stage then sees 2×2 places"""
STAGES = 3
WIDER = 4
"""how many times more maps a bottleneck gives than it convolves"""


class ResNet(Backbone):
    """The residual network of He, Zhang, Ren and Sun (2016), section 4.2: the kind for small pictures (CIFAR-10).

    A 3×3 convolution, three stages of units with `filters`, 2 × and 4 × as many maps, each stage after the first at
    half the height and width, the mean over each map, and the logits.  ResNet-20 has 269,722 trainable parameters on
    32×32 pictures of three channels and 10 classes.

    Version 1: a unit is convolution, normalisation, activation, convolution, normalisation; its input is added, and
    the activation comes last.  Version 2 ("Identity mappings in deep residual networks", 2016): normalisation and
    activation come before each convolution and nothing after the addition, so that the input goes through the whole
    network unchanged.  There the first unit, and units with a projection, share their first activation with the
    shortcut, and a last one comes before the mean.

    A unit is two 3×3 convolutions (6n + 2 layers), or a bottleneck of 1×1, 3×3 and 1×1, whose last gives 4 × as many
    maps (9n + 2 layers; the second paper's ResNet-164 and 1001 are bottlenecks of version 2).  As in the authors' code,
    convolutions of stride 2 are padded evenly, and a bottleneck has its stride in the first 1×1.
    """

    name: Literal["resnet"] = "resnet"
    accepts: ClassVar[tuple[str, ...]] = ("picture",)
    summary: ClassVar[str] = "residual network (2016) of any depth, versions 1 and 2, for small pictures"

    version: Literal[1, 2] = 1
    """1: as first published; 2: normalisation and activation before each convolution"""
    bottleneck: bool = False
    """units of 1×1, 3×3 and 1×1 convolutions in place of two of 3×3"""
    depth: int = Field(20, gt=0)
    """layers with weights: 6n + 2 (the paper has 20, 32, 44, 56, 110), of bottlenecks 9n + 2 (110, 164, 1001)"""
    filters: int = Field(16, gt=0)
    """maps of the first stage; the second has 2 × and the third 4 × as many"""
    shortcut: Literal["identity", "projection"] | None = None
    """how a unit that changes the shape adds its input.  identity: every second row and column, padded with maps of
    zeros (the paper's option A); projection: a 1×1 convolution (option B).  Nothing given: as the papers have it,
    identity, and for bottlenecks projection"""
    activation: Activation = "relu"
    """what follows each normalisation"""
    initializer: Initializer = Auto()
    """how the weights start; auto: by the activation, he_normal before relu as in the paper"""
    normalization: Normalization = BatchNorm()
    """none, batch, layer or group: the maps of each convolution; without any, deep networks do not train"""
    dropout: Share = 0.0
    """share of the means over the maps that is silenced at each training step"""
    spatial_dropout: Share = 0.0
    """share of the maps between a unit's convolutions that is silenced, whole maps at a time, at each training step
    (dropout between the convolutions is that of Zagoruyko and Komodakis 2016, "Wide residual networks")"""

    @field_validator("depth")
    @classmethod
    def _depth_is_of_the_family(cls, depth: int, info: ValidationInfo) -> int:
        each = 9 if info.data.get("bottleneck") else 6
        if depth < each + 2 or (depth - 2) % each:
            low = max(each + 2, (depth - 2) // each * each + 2)
            what = "bottlenecks" if each == 9 else "units of two convolutions"
            known = "110, 164, 1001" if each == 9 else "20, 32, 44, 56, 110"
            message = (
                f"a resnet with {what} has {each}n + 2 layers: {', '.join(str(each * n + 2) for n in range(1, 5))}, …; "
                f"the papers' are {known}; got {depth}, nearest {low if depth < low else f'{low} or {low + each}'}"
            )
            raise PydanticCustomError("depth", "{message}", {"message": message})
        return depth

    def larger(self) -> dict[str, Any] | None:
        """The next of the papers' depths; of the deepest, twice the maps."""
        deeper = next((depth for depth in self._depths() if depth > self.depth), None)
        return {"depth": deeper} if deeper else {"filters": 2 * self.filters} if self.filters < MOST_FILTERS else None

    def smaller(self) -> dict[str, Any] | None:
        """The depth before; of the shallowest, half the maps."""
        depth = next((depth for depth in reversed(self._depths()) if depth < self.depth), None)
        return {"depth": depth} if depth else {"filters": self.filters // 2} if self.filters > 4 else None

    def _depths(self) -> tuple[int, ...]:
        return (110, 164) if self.bottleneck else (20, 32, 44, 56, 110)

    def build(self, inputs: Shapes, outputs: int) -> keras.Model:
        """Raises RecipeError where the picture is too small, with the smallest that can be taken."""
        import keras

        doors, x = picture(inputs)
        self._check_size(*x.shape[1:3])
        x = self._bent(self._convolution(x, self.filters, 3, 1, "conv1"), "conv1")
        units = (self.depth - 2) // (9 if self.bottleneck else 6)
        for stage in range(STAGES):
            for unit in range(units):
                stride = 2 if stage and not unit else 1
                x = self._unit(
                    x, self.filters * 2**stage, stride, f"conv{stage + 2}_block{unit + 1}", first=not stage + unit
                )
        if self.version == 2:
            x = self._bent(x, "post")
        x = keras.layers.GlobalAveragePooling2D(data_format="channels_last", name="pool")(x)
        x = dropped(x, self.dropout, "dropout")
        return keras.Model(doors, logits(x, outputs, initializer(self.initializer)), name=f"resnet{self.depth}")

    def _check_size(self, height: int, width: int) -> None:
        if min(height, width) < SMALLEST:
            raise RecipeError(
                f"resnet takes pictures of at least {SMALLEST}×{SMALLEST}, these are {height}×{width}; "
                "set input: {size: [32, 32]}",
                where=Place(key="input.size"),
            )

    def _unit(self, x: Any, filters: int, stride: int, name: str, *, first: bool) -> Any:
        """One residual unit; of version 2, the network's first one is given what is activated already."""
        import keras

        sides = (1, 3, 1) if self.bottleneck else (3, 3)
        made = filters * WIDER if self.bottleneck else filters
        projected = (stride > 1 or x.shape[-1] != made) and self._shortcut == "projection"
        y = x
        if self.version == 2 and not first:
            y = self._bent(x, f"{name}_0")
            x = y if projected else x
        if projected:
            x = self._convolution(x, made, 1, stride, f"{name}_shortcut")
            x = x if self.version == 2 else normalized(x, self.normalization, f"{name}_shortcut_norm")
        elif stride > 1 or x.shape[-1] != made:
            from dlspec.layers.identity_shortcut import IdentityShortcut

            x = IdentityShortcut(made, stride, name=f"{name}_shortcut")(x)
        for number, side in enumerate(sides, 1):
            last = number == len(sides)
            y = self._convolution(y, made if last else filters, side, 1 if number > 1 else stride, f"{name}_{number}")
            if not last:
                y = dropped(self._bent(y, f"{name}_{number}"), self.spatial_dropout, f"{name}_{number}_dropout")
            elif self.version == 1:
                y = normalized(y, self.normalization, f"{name}_{number}_norm")
        x = keras.layers.Add(name=f"{name}_add")([x, y])
        return x if self.version == 2 else activated(x, self.activation, f"{name}_{self.activation}")

    @property
    def _shortcut(self) -> str:
        return self.shortcut or ("projection" if self.bottleneck else "identity")

    def _bent(self, x: Any, name: str) -> Any:
        x = normalized(x, self.normalization, f"{name}_norm")
        return activated(x, self.activation, f"{name}_{self.activation}")

    def _convolution(self, x: Any, filters: int, side: int, stride: int, name: str) -> Any:
        import keras

        padding = "same"
        if stride > 1 and side > 1:
            # Of even sizes "same" pads one side alone: the places would be half a step off those of the shortcut.
            x = keras.layers.ZeroPadding2D(side // 2, data_format="channels_last", name=f"{name}_pad")(x)
            padding = "valid"
        return keras.layers.Conv2D(
            filters,
            side,
            strides=stride,
            padding=padding,
            use_bias=has_bias(self.normalization),
            kernel_initializer=initializer(self.initializer, self.activation),
            data_format="channels_last",
            name=f"{name}_conv",
        )(x)
