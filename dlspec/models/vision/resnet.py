"""Residual networks: units of convolutions that add to what they are given, so that depth does not hurt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from dlspec.models.base import Backbone, Shapes, picture
from dlspec.models.convolutions import Stem, bent, check_size, convolved, mean_of_maps, pooled, stem_of
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

if TYPE_CHECKING:
    import keras

MOST_FILTERS = 128
WIDER = 4
"""how many times more maps a bottleneck gives than it convolves"""
UNITS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
"""table 1 of the first paper: depth → units of each stage; of two convolutions up to 34, then bottlenecks"""
BOTTLENECKS_FROM = 50


class Kind(NamedTuple):
    """What the two families differ in.

    units: of each stage.  strided: which convolution of a unit has the stride.  last: the last unit of a stage halves
    for the next, not the first.  biased: convolutions that have a bias though normalisation follows.
    """

    units: tuple[int, ...]
    filters: int
    bottleneck: bool
    shortcut: str
    strided: int = 1
    last: bool = False
    biased: tuple[str, ...] = ()


class ResNet(Backbone):
    """The residual networks of He, Zhang, Ren and Sun (2016), "Deep residual learning": both kinds.

    For small pictures (section 4.2, CIFAR-10): a 3×3 convolution, three stages of units with `filters`, 2 × and 4 × as
    many maps, each stage after the first at half the height and width, the mean over each map, and the logits.
    ResNet-20 has 269,722 trainable parameters on 32×32 pictures of three channels and 10 classes.

    For large ones (table 1, ImageNet): a 7×7 convolution and a 3×3 max pooling, both of stride 2, and four stages;
    depth 18, 34, 50, 101 or 152.  Those of bottlenecks are laid out as in keras.applications, biases before
    normalisation and all, so that its weights fit: ResNet-50 has 25,636,712 parameters on 1000 classes (moving means
    and variances among them).  The others have none: 11,689,512 of ResNet-18 are trained.  The small stem, for some
    28 to 64 pixels, is a 3×3 convolution.

    Version 1: a unit is convolution, normalisation, activation, convolution, normalisation; its input is added, and
    the activation comes last.  Version 2 ("Identity mappings in deep residual networks", 2016): normalisation and
    activation come before each convolution and nothing after the addition, so that the input goes through the whole
    network unchanged.  There units with a projection share their first activation with the shortcut, and a last one
    comes before the mean; of small pictures the first unit is given what is activated already, of large ones the last
    unit of a stage has the stride (of bottlenecks in the 3×3 convolution, as in keras.applications).

    A unit is two 3×3 convolutions (6n + 2 layers), or a bottleneck of 1×1, 3×3 and 1×1, whose last gives 4 × as many
    maps (9n + 2 layers; the second paper's ResNet-164 and 1001 are bottlenecks of version 2).  As in the authors' code,
    convolutions of stride 2 are padded evenly, and a bottleneck has its stride in the first 1×1.
    """

    name: Literal["resnet"] = "resnet"
    accepts: ClassVar[tuple[str, ...]] = ("picture",)
    summary: ClassVar[str] = "residual network (2016) of any depth, versions 1 and 2, for small and large pictures"

    form: Literal["cifar", "imagenet"] | None = None
    """cifar: three stages, for small pictures; imagenet: four, of more maps.  Nothing given: imagenet where the depth
    is 18, 34, 50, 101 or 152"""
    version: Literal[1, 2] = 1
    """1: as first published; 2: normalisation and activation before each convolution"""
    bottleneck: bool | None = None
    """units of 1×1, 3×3 and 1×1 convolutions in place of two of 3×3; nothing given: of imagenet from depth 50 on"""
    depth: int = Field(20, gt=0)
    """layers with weights.  imagenet: 18, 34, 50, 101, 152; cifar: 6n + 2 (the paper has 20, 32, 44, 56, 110), of
    bottlenecks 9n + 2 (110, 164, 1001)"""
    filters: int | None = Field(None, gt=0)
    """maps of the first stage, each further one has twice as many; nothing given: 16 (cifar), 64 (imagenet)"""
    stem: Stem | None = None
    """of imagenet.  large: the paper's, from 32×32 up; small, from 8×8 up; nothing given: large from 96×96 up"""
    shortcut: Literal["identity", "projection"] | None = None
    """how a unit that changes the maps adds its input.  identity: every second row and column, padded with maps of
    zeros (the paper's option A); projection: a 1×1 convolution (option B).  Nothing given: as the papers have it,
    projection of imagenet and of bottlenecks, else identity"""
    activation: Activation = "relu"
    """what follows each normalisation"""
    initializer: Initializer = Auto()
    """how the weights start; auto: by the activation, he_normal before relu as in the paper"""
    normalization: Normalization = BatchNorm(epsilon=1.001e-5)
    """none, batch, layer or group: the maps of each convolution; without any, deep networks do not train"""
    dropout: Share = 0.0
    """share of the means over the maps that is silenced at each training step"""
    spatial_dropout: Share = 0.0
    """share of the maps between a unit's convolutions that is silenced, whole maps at a time, at each training step
    (dropout between the convolutions is that of Zagoruyko and Komodakis 2016, "Wide residual networks")"""

    @field_validator("depth")
    @classmethod
    def _depth_is_of_the_family(cls, depth: int, info: ValidationInfo) -> int:
        form, bottleneck = info.data.get("form"), info.data.get("bottleneck")
        if _is_imagenet(form, depth, bottleneck):
            return depth
        if form == "imagenet":
            units = "" if bottleneck is None else f" with {'' if bottleneck else 'no '}bottlenecks"
            able = [one for one in UNITS if _is_imagenet(form, one, bottleneck)]
            message = f"a resnet of imagenet{units} has {', '.join(map(str, able))} layers; got {depth}"
            raise PydanticCustomError("depth", "{message}", {"message": message})
        each = 9 if bottleneck else 6
        if depth < each + 2 or (depth - 2) % each:
            low = max(each + 2, (depth - 2) // each * each + 2)
            what = "bottlenecks" if each == 9 else "units of two convolutions"
            known = "110, 164, 1001" if each == 9 else "20, 32, 44, 56, 110"
            message = (
                f"a resnet with {what} has {each}n + 2 layers: {', '.join(str(each * n + 2) for n in range(1, 5))}, …; "
                f"the papers' are {known}; got {depth}, nearest {low if depth < low else f'{low} or {low + each}'}"
                f"; for large pictures: {', '.join(map(str, UNITS))}"
            )
            raise PydanticCustomError("depth", "{message}", {"message": message})
        return depth

    def larger(self) -> dict[str, Any] | None:
        """The next of the papers' depths; of the deepest, twice the maps."""
        deeper, filters = next((depth for depth in self._depths() if depth > self.depth), None), self._kind.filters
        return self._of_depth(deeper) if deeper else {"filters": 2 * filters} if filters < MOST_FILTERS else None

    def smaller(self) -> dict[str, Any] | None:
        """The depth before; of the shallowest, half the maps."""
        depth, filters = next((one for one in reversed(self._depths()) if one < self.depth), None), self._kind.filters
        return self._of_depth(depth) if depth else {"filters": filters // 2} if filters > 4 else None

    def _depths(self) -> tuple[int, ...]:
        if _is_imagenet(self.form, self.depth, self.bottleneck):
            return tuple(UNITS)
        return (110, 164) if self.bottleneck else (20, 32, 44, 56, 110)

    def _of_depth(self, depth: int) -> dict[str, Any]:
        """Of imagenet the kind of unit may change with the depth."""
        changes = depth in UNITS and self.bottleneck not in (None, depth >= BOTTLENECKS_FROM)
        return {"depth": depth, **({"bottleneck": None} if changes else {})}

    @property
    def _kind(self) -> Kind:
        if not _is_imagenet(self.form, self.depth, self.bottleneck):
            each, shortcut = (9, "projection") if self.bottleneck else (6, "identity")
            units = ((self.depth - 2) // each,) * 3
            return Kind(units, self.filters or 16, bool(self.bottleneck), self.shortcut or shortcut)
        units, filters, shortcut = UNITS[self.depth], self.filters or 64, self.shortcut or "projection"
        second = self.version == 2
        if self.depth < BOTTLENECKS_FROM:
            return Kind(units, filters, False, shortcut, last=second)
        biased = ("conv1", "shortcut", "3") if second else ("conv1", "shortcut", "1", "2", "3")
        return Kind(units, filters, True, shortcut, strided=2 if second else 1, last=second, biased=biased)

    def build(self, inputs: Shapes, outputs: int) -> keras.Model:
        """Raises RecipeError where the picture is too small, with the smallest that can be taken."""
        import keras

        doors, x = picture(inputs)
        kind = self._kind
        small = len(kind.units) == 3
        x = self._begun_small(x, kind) if small else self._begun_large(x, kind)
        for stage, units in enumerate(kind.units):
            for unit in range(units):
                halves = unit == units - 1 and stage < len(kind.units) - 1 if kind.last else stage and not unit
                name, filters = f"conv{stage + 2}_block{unit + 1}", kind.filters * 2**stage
                x = self._unit(x, kind, filters, 2 if halves else 1, name, first=small and not stage + unit)
        if self.version == 2:
            x = bent(x, self, "post")
        x = dropped(mean_of_maps(x), self.dropout, "dropout")
        return keras.Model(doors, logits(x, outputs, initializer(self.initializer)), name=f"resnet{self.depth}")

    def _begun_small(self, x: Any, kind: Kind) -> Any:
        check_size(x, "resnet", 8, "set input: {size: [32, 32]}")
        return bent(self._convolution(x, kind, kind.filters, 3, 1, "conv1"), self, "conv1")

    def _begun_large(self, x: Any, kind: Kind) -> Any:
        import keras

        stem = stem_of(self.stem, x)
        side, stride, smallest, other = (7, 2, 32, ", or model: {stem: small}") if stem == "large" else (3, 1, 8, "")
        check_size(x, f"resnet {self.depth} with a {stem} stem", smallest, f"set input: {{size: [32, 32]}}{other}")
        x = self._convolution(x, kind, kind.filters, side, stride, "conv1")
        x = bent(x, self, "conv1") if self.version == 1 else x
        if stem == "small":
            return x
        x = keras.layers.ZeroPadding2D(1, data_format="channels_last", name="pool1_pad")(x)
        return pooled(x, "max", 3, 2, "pool1")

    def _unit(self, x: Any, kind: Kind, filters: int, stride: int, name: str, *, first: bool) -> Any:
        """One residual unit; first: of version 2, one that is given what is activated already."""
        import keras

        sides = (1, 3, 1) if kind.bottleneck else (3, 3)
        made = filters * WIDER if kind.bottleneck else filters
        projected = x.shape[-1] != made and kind.shortcut == "projection"
        y = x
        if self.version == 2 and not first:
            y = bent(x, self, f"{name}_0")
            x = y if projected else x
        if projected:
            x = self._convolution(x, kind, made, 1, stride, f"{name}_shortcut")
            x = x if self.version == 2 else normalized(x, self.normalization, f"{name}_shortcut_norm")
        elif stride > 1 or x.shape[-1] != made:
            from dlspec.layers.identity_shortcut import IdentityShortcut

            x = IdentityShortcut(made, stride, name=f"{name}_shortcut")(x)
        for number, side in enumerate(sides, 1):
            last = number == len(sides)
            step = stride if number == kind.strided else 1
            y = self._convolution(y, kind, made if last else filters, side, step, f"{name}_{number}")
            if not last:
                y = dropped(bent(y, self, f"{name}_{number}"), self.spatial_dropout, f"{name}_{number}_dropout")
            elif self.version == 1:
                y = normalized(y, self.normalization, f"{name}_{number}_norm")
        x = keras.layers.Add(name=f"{name}_add")([x, y])
        return x if self.version == 2 else activated(x, self.activation, f"{name}_{self.activation}")

    def _convolution(self, x: Any, kind: Kind, filters: int, side: int, stride: int, name: str) -> Any:
        import keras

        padding = "same"
        if stride > 1 and side > 1:
            # Of even sizes "same" pads one side alone: the places would be half a step off those of the shortcut.
            x = keras.layers.ZeroPadding2D(side // 2, data_format="channels_last", name=f"{name}_pad")(x)
            padding = "valid"
        bias = has_bias(self.normalization) or name.rpartition("_")[2] in kind.biased
        return convolved(x, self, filters, side, name, stride=stride, padding=padding, bias=bias, bent_after=False)


def _is_imagenet(form: str | None, depth: int, bottleneck: bool | None) -> bool:
    return form != "cifar" and depth in UNITS and bottleneck in (None, depth >= BOTTLENECKS_FROM)
