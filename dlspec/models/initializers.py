"""How weights start: initialisers by name, the same in every architecture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from dlspec.recipe.component import OneOf, Section

if TYPE_CHECKING:
    import keras


class Zeros(Section):
    """All weights are 0: for a single layer alone, as units of a hidden one would stay equal for good."""

    name: Literal["zeros"] = "zeros"

    def make(self, activation: str) -> keras.initializers.Initializer:
        import keras

        return keras.initializers.Zeros()


class RandomNormal(Section):
    """Normal with mean 0, whatever the size of the layer."""

    name: Literal["random_normal"] = "random_normal"
    scale: float = Field(0.05, gt=0)
    """the standard deviation"""

    def make(self, activation: str) -> keras.initializers.Initializer:
        import keras

        return keras.initializers.RandomNormal(0.0, self.scale)


class RandomUniform(Section):
    """Uniform around 0, whatever the size of the layer."""

    name: Literal["random_uniform"] = "random_uniform"
    scale: float = Field(0.05, gt=0)
    """the limit: from -scale to scale"""

    def make(self, activation: str) -> keras.initializers.Initializer:
        import keras

        return keras.initializers.RandomUniform(-self.scale, self.scale)


class Orthogonal(Section):
    """Saxe, McClelland and Ganguli (2014): as many rows or columns as can be are orthogonal to each other.

    Of a convolution, the columns are its maps.
    """

    name: Literal["orthogonal"] = "orthogonal"
    scale: float = Field(1.0, gt=0)
    """the length of each orthogonal row or column"""

    def make(self, activation: str) -> keras.initializers.Initializer:
        import keras

        return keras.initializers.Orthogonal(gain=self.scale)


class _ByFan(Section):
    """Variance `factor` over the fan-in, or over the mean of fan-in and fan-out; normal cut at two deviations."""

    factor: ClassVar[float]
    fan: ClassVar[Literal["fan_in", "fan_avg"]]
    name: str
    """which one"""
    scale: float = Field(1.0, gt=0)
    """multiplies the standard deviation: 2 draws weights twice as large"""

    def make(self, activation: str) -> keras.initializers.Initializer:
        import keras

        shape = "uniform" if self.name.endswith("uniform") else "truncated_normal"
        return keras.initializers.VarianceScaling(self.factor * self.scale**2, self.fan, shape)


class GlorotUniform(_ByFan):
    """Glorot and Bengio (2010): variance 2 / (fan-in + fan-out), uniform."""

    factor, fan = 1.0, "fan_avg"
    name: Literal["glorot_uniform"] = "glorot_uniform"


class GlorotNormal(_ByFan):
    """Glorot and Bengio (2010): variance 2 / (fan-in + fan-out), normal."""

    factor, fan = 1.0, "fan_avg"
    name: Literal["glorot_normal"] = "glorot_normal"


class HeUniform(_ByFan):
    """He et al. (2015): variance 2 / fan-in, uniform."""

    factor, fan = 2.0, "fan_in"
    name: Literal["he_uniform"] = "he_uniform"


class HeNormal(_ByFan):
    """He et al. (2015): variance 2 / fan-in, normal."""

    factor, fan = 2.0, "fan_in"
    name: Literal["he_normal"] = "he_normal"


class LeCunUniform(_ByFan):
    """LeCun et al. (1998), "Efficient BackProp": variance 1 / fan-in, uniform."""

    factor, fan = 1.0, "fan_in"
    name: Literal["lecun_uniform"] = "lecun_uniform"


class LeCunNormal(_ByFan):
    """LeCun et al. (1998), "Efficient BackProp": variance 1 / fan-in, normal."""

    factor, fan = 1.0, "fan_in"
    name: Literal["lecun_normal"] = "lecun_normal"


class Auto(Section):
    """By what follows the layer.

    He et al. (2015) normal before the rectifier and its relatives (relu, leaky_relu, elu, gelu, silu), Glorot and
    Bengio (2010) uniform before tanh, sigmoid and the logits.
    """

    name: Literal["auto"] = "auto"
    scale: float = Field(1.0, gt=0)
    """multiplies the standard deviation: 2 draws weights twice as large"""

    def make(self, activation: str) -> keras.initializers.Initializer:
        of = GlorotUniform if activation in {"tanh", "sigmoid", "linear"} else HeNormal
        return of(scale=self.scale).make(activation)


INITIALIZERS = (
    *(Auto, Zeros, RandomNormal, RandomUniform, Orthogonal),
    *(GlorotUniform, GlorotNormal, HeUniform, HeNormal, LeCunUniform, LeCunNormal),
)

Initializer = Annotated[Any, OneOf(None, *INITIALIZERS, default="auto")]
"""A field by which a recipe says how weights start: `he_normal`, or `{name: random_normal, scale: 0.01}`."""


def initializer(how: Any, activation: str = "linear") -> keras.initializers.Initializer:
    """A new initialiser, to be used for one variable: each draws its own numbers, from the global Keras seed.

    activation: what follows the layer; "linear": nothing, as of the logits.
    """
    return how.make(activation)


def depthwise_initializer(how: Any, activation: str, maps: int) -> keras.initializers.Initializer:
    """The same for a convolution of each map for itself: Keras takes all for the fan-in, and starts too small."""
    if isinstance(how, Auto | _ByFan):
        how = how.model_copy(update={"scale": how.scale * math.sqrt(maps)})
    return initializer(how, activation)
