"""Inception: convolutions of several sizes side by side.  GoogLeNet, and Inception-v3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from dlspec.models.base import Backbone, Shapes, picture
from dlspec.models.convolutions import Stem, check_size, convolved, mean_of_maps, pooled, scaled, stem_of
from dlspec.models.initializers import Auto, Initializer, initializer
from dlspec.models.pieces import Activation, BatchNorm, LocalNorm, LocalNormalization, Share, activated, dropped, logits

if TYPE_CHECKING:
    import keras

FIRST = {
    "3a": (64, 96, 128, 16, 32, 32), "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64), "4b": (160, 112, 224, 24, 64, 64), "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64), "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128), "5b": (384, 192, 384, 48, 128, 128),
}  # fmt: skip
"""table 1 of Szegedy et al. (2015): maps of 1×1; of 1×1 before 3×3, of 3×3; before 5×5, of 5×5; behind the pooling"""
AUXILIARY = ("4a", "4d")
"""modules whose output the auxiliary heads see"""
Step = tuple[int, int | tuple[int, int]]
"""maps and kernel of a convolution"""
Branch = Sequence[Step | Sequence[Step]]
"""convolutions one after another; where there are several for one, they lie side by side"""
SMALLEST = {(1, "large"): 32, (1, "small"): 8, (3, "large"): 75, (3, "small"): 15}
"""of a picture's sides, by version and stem"""
NARROWEST = 1 / 8


class Inception(Backbone):
    """The networks of Szegedy et al.: GoogLeNet (2015), "Going deeper with convolutions", and Inception-v3 (2016).

    Version 1: two convolutions, nine modules of 1×1, 3×3 and 5×5 convolutions and a pooling side by side, each behind a
    1×1 convolution that leaves few maps; the mean over each map, dropout, and the logits.  6,998,552 parameters on
    three channels and 1000 classes.  Two auxiliary heads, behind modules 4a and 4d, are trained with it and left out of
    what is saved.

    Version 3 ("Rethinking the Inception architecture"), laid out as in keras.applications, so that its weights fit:
    7×7 convolutions as 1×7 and 7×1, and batch normalisation without a factor.  23,851,784 parameters.

    The small stem, for pictures of some 28 to 64 pixels, leaves the first two halvings out.
    """

    name: Literal["inception"] = "inception"
    accepts: ClassVar[tuple[str, ...]] = ("picture",)
    summary: ClassVar[str] = "GoogLeNet (2015) with its auxiliary heads, and Inception-v3 (2016)"

    version: Literal[1, 3] = 1
    """1: GoogLeNet; 3: Inception-v3"""
    width: float = Field(1.0, gt=0, le=4)
    """how many times the paper's maps each convolution gives"""
    stem: Stem | None = None
    """large: the paper's, from 32×32 up (version 3: 75×75); small, from 8×8 up (15×15); nothing given: large from
    96×96 up"""
    activation: Activation = "relu"
    """what follows each convolution"""
    initializer: Initializer = Auto()
    """how the weights start; auto: by the activation (see mlp)"""
    auxiliary: float = Field(0.3, ge=0, allow_inf_nan=False)
    """how much the loss of each of the two auxiliary heads of version 1 counts beside that of the output; 0: none are
    built.  They are trained behind the modules 4a and 4d, for gradients to reach the first layers, and not saved"""
    auxiliary_dropout: Share = 0.7
    """share of the 1024 units of an auxiliary head that is silenced at each training step"""
    normalization: LocalNormalization | None = None
    """nothing given: as the papers have it.  local: behind the stem's first pooling and its last convolution (version
    1); batch (version 3), layer or group: the maps of each convolution; none"""
    dropout: Share | None = None
    """share of the means over the maps that is silenced at each training step; nothing given: 0.4, of version 3 none"""

    def larger(self) -> dict[str, Any] | None:
        """Twice the maps, up to the paper's; then version 3."""
        if self.width < 1:
            return {"width": min(1.0, 2 * self.width)}
        return {"version": 3} if self.version == 1 else None

    def smaller(self) -> dict[str, Any] | None:
        """Half the maps."""
        return {"width": self.width / 2} if self.width > NARROWEST else None

    def build(self, inputs: Shapes, outputs: int) -> keras.Model:
        """Raises RecipeError where the picture is too small, with the smallest that can be taken."""
        import keras

        doors, x = picture(inputs)
        stem = stem_of(self.stem, x)
        other = ", or model: {stem: small}" if stem == "large" else ""
        least = SMALLEST[self.version, stem]
        mend = f"set input: {{size: [{max(32, least)}, {max(32, least)}]}}{other}"
        check_size(x, f"inception {self.version} with a {stem} stem", least, mend)
        of = self._settled()
        x = of._third(x, stem) if self.version == 3 else of._first(x, stem)
        x = dropped(mean_of_maps(x), of.dropout or 0.0, "dropout")
        return keras.Model(doors, logits(x, outputs, initializer(self.initializer)), name=f"inception_v{self.version}")

    def training_heads(self, network: keras.Model, outputs: Any) -> list[tuple[Any, float]]:
        """Section 5 of the paper: the mean over 5×5 places in steps of 3, 128 maps, 1024 units, dropout, logits."""
        import keras

        if self.version != 1 or not self.auxiliary:
            return []
        of, heads = self._settled(), []
        for module in AUXILIARY:
            x, name = network.get_layer(f"mixed{module}").output, f"auxiliary_{module}"
            x = pooled(x, "average", min(5, *x.shape[1:3]), 3, f"{name}_pool")
            x = of._convolved(x, (128, 1), name)
            x = keras.layers.Flatten(name=f"{name}_flat", data_format="channels_last")(x)
            start = initializer(self.initializer, self.activation)
            x = keras.layers.Dense(scaled(1024, self.width), kernel_initializer=start, name=f"{name}_fc")(x)
            x = activated(x, self.activation, f"{name}_fc_{self.activation}")
            x = dropped(x, self.auxiliary_dropout, f"{name}_dropout")
            heads.append((logits(x, outputs, initializer(self.initializer), f"{name}_logits"), self.auxiliary))
        return heads

    def _settled(self) -> Inception:
        """The same with what the papers have where nothing is given."""
        usual = BatchNorm(epsilon=1e-3) if self.version == 3 else LocalNorm()
        dropout = 0.4 if self.version == 1 else 0.0
        given = {"normalization": self.normalization or usual}
        return self.model_copy(update={**given, "dropout": dropout if self.dropout is None else self.dropout})

    def _first(self, x: Any, stem: Stem) -> Any:
        small = stem == "small"
        x = self._convolved(x, (64, 3 if small else 7), "conv1", stride=1 if small else 2)
        x = x if small else pooled(x, "max", 3, 2, "pool1", padding="same")
        x = self._locally(x, "pool1")
        x = self._convolved(x, (64, 1), "conv2_reduce")
        x = self._locally(self._convolved(x, (192, 3), "conv2"), "conv2")
        stage = "2"
        for name, (one, before_3, three, before_5, five, behind) in FIRST.items():
            if name[0] != stage:
                x = pooled(x, "max", 3, 2, f"pool{stage}", padding="same")
                stage = name[0]
            branches = ([(one, 1)], [(before_3, 1), (three, 3)], [(before_5, 1), (five, 5)])
            x = self._mixed(x, branches, "max", behind, f"mixed{name}")
        return x

    def _third(self, x: Any, stem: Stem) -> Any:
        small = stem == "small"
        shrinking = "same" if small else "valid"
        x = self._convolved(x, (32, 3), "conv1", stride=1 if small else 2, padding=shrinking)
        x = self._convolved(x, (32, 3), "conv2", padding=shrinking)
        x = self._convolved(x, (64, 3), "conv3")
        x = x if small else pooled(x, "max", 3, 2, "pool1")
        x = self._convolved(x, (80, 1), "conv4", padding="valid")
        x = self._convolved(x, (192, 3), "conv5", padding=shrinking)
        x = pooled(x, "max", 3, 2, "pool2")
        for number, behind in enumerate((32, 64, 64)):
            double: Branch = [(64, 1), (96, 3), (96, 3)]
            x = self._mixed(x, ([(64, 1)], [(48, 1), (64, 5)], double), "average", behind, f"mixed{number}")
        x = self._reduced(x, ([(384, 3)], [(64, 1), (96, 3), (96, 3)]), "mixed3")
        wide, high = (1, 7), (7, 1)
        for number, few in enumerate((128, 160, 160, 192), 4):
            once: Branch = [(few, 1), (few, wide), (192, high)]
            twice: Branch = [(few, 1), (few, high), (few, wide), (few, high), (192, wide)]
            x = self._mixed(x, ([(192, 1)], once, twice), "average", 192, f"mixed{number}")
        x = self._reduced(x, ([(192, 1), (320, 3)], [(192, 1), (192, wide), (192, high), (192, 3)]), "mixed8")
        cross: Sequence[Step] = [(384, (1, 3)), (384, (3, 1))]
        for number in (9, 10):
            branches: Sequence[Branch] = ([(320, 1)], [(384, 1), cross], [(448, 1), (384, 3), cross])
            x = self._mixed(x, branches, "average", 192, f"mixed{number}")
        return x

    def _mixed(self, x: Any, branches: Sequence[Branch], pool: str, behind: int, name: str) -> Any:
        """A module: branches side by side, and a pooling with a 1×1 convolution behind it; the size stays."""
        import keras

        made = [self._along(x, branch, f"{name}_{number}") for number, branch in enumerate(branches, 1)]
        last = pooled(x, pool, 3, 1, f"{name}_pool", padding="same")
        made.append(self._convolved(last, (behind, 1), f"{name}_pooled"))
        return keras.layers.Concatenate(name=name)(made)

    def _reduced(self, x: Any, branches: Sequence[Branch], name: str) -> Any:
        """A module that halves the size: the last convolution of each branch, and the pooling, have a stride of 2."""
        import keras

        made = []
        for number, branch in enumerate(branches, 1):
            y = self._along(x, branch[:-1], f"{name}_{number}")
            made.append(self._convolved(y, branch[-1], f"{name}_{number}_last", stride=2, padding="valid"))
        return keras.layers.Concatenate(name=name)([*made, pooled(x, "max", 3, 2, f"{name}_pool")])

    def _along(self, x: Any, branch: Branch, name: str) -> Any:
        import keras

        for place, step in enumerate(branch, 1):
            if isinstance(step[0], int):
                x = self._convolved(x, step, f"{name}_{place}")
            else:
                sides = [self._convolved(x, one, f"{name}_{place}_{i}") for i, one in enumerate(step, 1)]
                x = keras.layers.Concatenate(name=f"{name}_{place}")(sides)
        return x

    def _convolved(self, x: Any, step: Any, name: str, *, stride: int = 1, padding: str = "same") -> Any:
        maps, side = step
        options: dict[str, Any] = {"stride": stride, "padding": padding, "scale": self.version == 1}
        return convolved(x, self, scaled(maps, self.width), side, name, **options)

    def _locally(self, x: Any, name: str) -> Any:
        return self.normalization.after(x, f"{name}_local") if isinstance(self.normalization, LocalNorm) else x
