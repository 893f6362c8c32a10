"""What convolutional networks are put together from: convolutions with all that follows them, stems, and sizes."""

from __future__ import annotations

from typing import Any, Literal, Protocol

from dlspec.models.initializers import depthwise_initializer, initializer
from dlspec.models.pieces import activated, has_bias, normalized
from dlspec.types import Place, RecipeError

Stem = Literal["large", "small"]
"""How a network begins.  large: as its paper has it, for pictures of some hundred pixels; small: two halvings fewer."""

LARGE = 96
"""pixels of a picture's shorter side, from which on the large stem is taken where a recipe does not say"""


class Settings(Protocol):
    """What every convolutional architecture has."""

    @property
    def activation(self) -> Any: ...
    @property
    def initializer(self) -> Any: ...
    @property
    def normalization(self) -> Any: ...


def convolved(
    x: Any,
    of: Settings,
    filters: int,
    side: int | tuple[int, int],
    name: str,
    *,
    stride: int = 1,
    padding: str = "same",
    bias: bool | None = None,
    bent_after: bool = True,
    scale: bool = True,
) -> Any:
    """A convolution `<name>_conv` and, unless told otherwise, normalisation and activation after it.

    side: of the kernel, or its height and width.  bias: nothing given: where no normalisation follows.  scale: the
    normalisation has a factor a map beside the shift.
    """
    import keras

    x = keras.layers.Conv2D(
        filters,
        side,
        strides=stride,
        padding=padding,
        use_bias=has_bias(of.normalization) if bias is None else bias,
        kernel_initializer=initializer(of.initializer, of.activation),
        data_format="channels_last",
        name=f"{name}_conv",
    )(x)
    return bent(x, of, name, scale=scale) if bent_after else x


def depthwise(x: Any, of: Settings, side: int, stride: int, name: str) -> Any:
    """Each map convolved for itself, `<name>_conv`, then normalisation and activation."""
    import keras

    x = keras.layers.DepthwiseConv2D(
        side,
        strides=stride,
        padding="same",
        use_bias=has_bias(of.normalization),
        depthwise_initializer=depthwise_initializer(of.initializer, of.activation, x.shape[-1]),
        data_format="channels_last",
        name=f"{name}_conv",
    )(x)
    return bent(x, of, name)


def bent(x: Any, of: Settings, name: str, *, scale: bool = True) -> Any:
    """Normalisation, then activation."""
    x = normalized(x, of.normalization, f"{name}_norm", scale=scale)
    return activated(x, of.activation, f"{name}_{of.activation}")


def pooled(x: Any, how: str, side: int, stride: int, name: str, *, padding: str = "valid") -> Any:
    """Squares of places made one: by their greatest (`max`) or their mean (`average`)."""
    import keras

    pool = keras.layers.AveragePooling2D if how == "average" else keras.layers.MaxPooling2D
    return pool(side, stride, padding=padding, data_format="channels_last", name=name)(x)


def mean_of_maps(x: Any, name: str = "pool") -> Any:
    """(batch, height, width, maps) → (batch, maps)."""
    import keras

    return keras.layers.GlobalAveragePooling2D(data_format="channels_last", name=name)(x)


def scaled(maps: int, width: float) -> int:
    """So many times the paper's maps, rounded, at least 1."""
    return max(1, round(maps * width))


def scaled_to_8(maps: float) -> int:
    """The nearest multiple of 8, at least 8, and never less than 0.9 of it (Sandler et al. 2018, in their code)."""
    near = max(8, int(maps + 4) // 8 * 8)
    return near + 8 if near < 0.9 * maps else near


def stem_of(stem: Stem | None, x: Any) -> Stem:
    """The stem that is given, or that which suits the picture's size."""
    return stem or ("large" if min(x.shape[1:3]) >= LARGE else "small")


def strides_of(stem: Stem, *strides: int) -> list[int]:
    """The strides of a network's layers, of which a small stem makes the first two that halve 1."""
    halving = [place for place, stride in enumerate(strides) if stride > 1]
    left_out = halving[:2] if stem == "small" else []
    return [1 if place in left_out else stride for place, stride in enumerate(strides)]


def check_size(x: Any, name: str, smallest: int, mend: str) -> None:
    """Raises RecipeError where a picture's side is less than `smallest`; mend: what to do about it."""
    height, width = x.shape[1:3]
    if min(height, width) < smallest:
        raise RecipeError(
            f"{name} takes pictures of at least {smallest}×{smallest}, these are {height}×{width}; {mend}",
            where=Place(key="input.size"),
        )
