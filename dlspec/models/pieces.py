"""What architectures are put together from: activations, normalisation, dropout; the same names in every one."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import Field

from dlspec.recipe.component import OneOf, Section
from dlspec.types import Place, RecipeError

Activation = Literal["relu", "relu6", "tanh", "sigmoid", "leaky_relu", "elu", "gelu", "silu"]
"""What follows a layer's weighted sum.  relu6 stays at 6 above it, leaky_relu has the slope 0.2 below 0, elu is α = 1,
gelu the exact one."""

Share = Annotated[float, Field(ge=0, lt=1)]
"""Of units or maps, how many are silenced at each training step."""

MOST_GROUPS = 32
MAPS_TOGETHER, UNITS_TOGETHER = 4, 16
"""how many maps of a picture, or units of a vector, a group holds at least, where the recipe does not say"""


class NoNorm(Section):
    """Nothing is normalised."""

    name: Literal["none"] = "none"

    def apply(self, x: Any, name: str, *, scale: bool = True) -> Any:
        return x


class BatchNorm(Section):
    """Ioffe and Szegedy (2015): each unit, or each map of a picture, over the batch (and the picture).

    In inference by running means of what training saw, which wants batches of some 8 examples and more.
    """

    name: Literal["batch"] = "batch"
    momentum: float = Field(0.9, ge=0, lt=1)
    """how much of the running mean and variance is kept at each step; nearer to 1 for many steps an epoch"""
    epsilon: float = Field(1e-5, gt=0)
    """added to the variance"""

    def apply(self, x: Any, name: str, *, scale: bool = True) -> Any:
        import keras

        return keras.layers.BatchNormalization(momentum=self.momentum, epsilon=self.epsilon, scale=scale, name=name)(x)


class LayerNorm(Section):
    """Ba, Kiros and Hinton (2016): over all units of the layer, an example for itself; the batch does not matter.

    Of a picture over height, width and maps together; scale and shift are one a unit, or one a map.
    """

    name: Literal["layer"] = "layer"
    epsilon: float = Field(1e-5, gt=0)
    """added to the variance"""

    def apply(self, x: Any, name: str, *, scale: bool = True) -> Any:
        """Raises RecipeError where the layer is a single number."""
        import keras

        _refuse_one(x.shape, name)
        if len(x.shape) == 2:
            return keras.layers.LayerNormalization(epsilon=self.epsilon, scale=scale, name=name)(x)
        return keras.layers.GroupNormalization(1, epsilon=self.epsilon, scale=scale, name=name)(x)


class GroupNorm(Section):
    """Wu and He (2018): over groups of maps, each with height and width, an example for itself; units in groups too."""

    name: Literal["group"] = "group"
    groups: int | None = Field(None, gt=0)
    """how many; it must divide the maps or units of every layer.  Nothing given: of each layer the most, up to the
    paper's 32, that leave 4 maps or 16 units in a group"""
    epsilon: float = Field(1e-5, gt=0)
    """added to the variance"""

    def apply(self, x: Any, name: str, *, scale: bool = True) -> Any:
        """Raises RecipeError where the groups do not divide the layer, or would hold one number each."""
        import keras

        groups = self.of(x.shape, name)
        return keras.layers.GroupNormalization(groups, epsilon=self.epsilon, scale=scale, name=name)(x)

    def of(self, shape: Any, name: str) -> int:
        """How many groups a layer of this shape (with the batch axis) has."""
        _refuse_one(shape, name)
        maps, places = shape[-1], math.prod(shape[1:-1])
        if self.groups is None:
            together = UNITS_TOGETHER if len(shape) == 2 else MAPS_TOGETHER
            return max(n for n in range(1, MOST_GROUPS + 1) if maps % n == 0 and (n == 1 or maps // n >= together))
        possible = [n for n in range(1, maps + 1) if maps % n == 0 and (n == 1 or maps // n * places > 1)]
        if self.groups not in possible:
            what = "units" if len(shape) == 2 else "maps"
            why = "would hold one number each, and make it 0" if maps % self.groups == 0 else "do not divide them"
            raise RecipeError(
                f"layer '{name}' has {maps} {what}, and {self.groups} groups {why}; "
                f"possible: {', '.join(map(str, possible))}",
                where=Place(key="model.normalization.groups"),
            )
        return self.groups


def _refuse_one(shape: Any, name: str) -> None:
    if math.prod(shape[1:]) == 1:
        message = f"layer '{name}' normalises a single number, and makes it 0; give the layer more units, or say batch"
        raise RecipeError(message, where=Place(key="model.normalization"))


class LocalNorm(NoNorm):
    """Krizhevsky, Sutskever and Hinton (2012), section 3.3: by the maps around it, without weights, in a few places."""

    name: Literal["local"] = "local"  # type: ignore[assignment]
    depth: int = Field(5, gt=0)
    """how many maps are taken together, the one in the middle among them"""
    k: float = Field(2.0, gt=0)
    """what is there where all maps are 0"""
    alpha: float = Field(1e-4, gt=0)
    """of the sum of squares"""
    beta: float = Field(0.75, gt=0)
    """the power of both"""

    def after(self, x: Any, name: str) -> Any:
        """Where the paper has it: behind an activation."""
        from dlspec.layers.local_response_normalization import LocalResponseNormalization

        return LocalResponseNormalization(**self.model_dump(exclude={"name"}), name=name)(x)


NORMALIZATIONS = (NoNorm, BatchNorm, LayerNorm, GroupNorm)

Normalization = Annotated[Any, OneOf(None, *NORMALIZATIONS)]
"""A field by which a recipe says what is normalised: `batch`, or `{name: group, groups: 8}`."""

LocalNormalization = Annotated[Any, OneOf(None, LocalNorm, *NORMALIZATIONS)]
"""The same for an architecture whose paper has local normalisation."""


def activated(x: Any, activation: str, name: str) -> Any:
    """What follows a weighted sum."""
    import keras

    return keras.layers.Activation(activation, name=name)(x)


def normalized(x: Any, how: Any, name: str, *, scale: bool = True) -> Any:
    """As the recipe's `normalization` says; scale: with a factor a unit or map, beside the shift."""
    return how.apply(x, name, scale=scale)


def has_bias(how: Any) -> bool:
    """Whether the layer before a normalisation has a bias: not where the normalisation has a shift of its own."""
    return isinstance(how, NoNorm)


def dropped(x: Any, share: float, name: str) -> Any:
    """Silenced at random in training, the rest scaled up: units (Srivastava et al. 2014), or whole maps of a picture.

    A map's neighbouring places tell each other, so that silencing places would leave all of it there (Tompson et al.
    2015, "Efficient object localization", spatial dropout).
    """
    import keras

    if not share:
        return x
    if len(x.shape) == 4:
        return keras.layers.SpatialDropout2D(share, data_format="channels_last", name=name)(x)
    return keras.layers.Dropout(share, name=name)(x)


def logits(x: Any, outputs: int, start: Any, name: str = "logits") -> Any:
    """The last layer: (batch, outputs), a weighted sum and nothing after it; in float32 where others compute in less.

    start: the initialiser of its weights.
    """
    import keras

    return keras.layers.Dense(outputs, kernel_initializer=start, dtype=kind_of_logits(), name=name)(x)


def kind_of_logits() -> str | None:
    """float32 where layers compute in less; None: as all layers do, which may be more."""
    import keras

    return "float32" if keras.config.dtype_policy().compute_dtype in ("float16", "bfloat16") else None
