"""A convolutional network whose every layer the recipe describes: the place to learn convolution arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from dlspec.models.base import Backbone, Shapes, picture
from dlspec.models.convolutions import bent, check_size, mean_of_maps, pooled
from dlspec.models.initializers import Auto, Initializer, initializer
from dlspec.models.pieces import (
    Activation,
    NoNorm,
    Normalization,
    Share,
    activated,
    dropped,
    has_bias,
    logits,
    normalized,
)
from dlspec.recipe.component import Section

if TYPE_CHECKING:
    import keras

MOST_FILTERS, FEWEST_FILTERS = 512, 4
Size = Annotated[int, Field(gt=0)]


class Layer(Section):
    """A convolution, and what follows it: normalisation and activation as the network has them, and a pooling.

    Along a side of n pixels a kernel of k at a stride of s gives ⌊(n + 2p − k) / s⌋ + 1 places; p is 0 where padding
    is valid, and where it is same, as much as makes ⌈n / s⌉ of them.
    """

    filters: int = Field(gt=0)
    """maps that it gives"""
    kernel: int = Field(3, gt=0)
    """side of the kernel, in pixels"""
    stride: int = Field(1, gt=0)
    """pixels between two places"""
    padding: Literal["valid", "same"] | Annotated[int, Field(ge=0)] = "same"
    """valid: none; same: zeros around the picture, so that it keeps its size at stride 1; or so many pixels a side"""
    pooling: Literal["none", "max", "average"] = "none"
    """how squares of what it gives become one place each"""
    pool: int = Field(2, gt=0)
    """side of these squares"""
    pool_stride: int | None = Field(None, gt=0)
    """pixels between two of them; nothing given: as many as their side, so that they do not overlap"""

    def apply(self, x: Any, of: ConvNet, name: str) -> Any:
        """(batch, height, width, maps) → the same, smaller."""
        import keras

        layers: Any = keras.layers
        padding = self.padding
        if isinstance(padding, int):
            if padding:
                x = layers.ZeroPadding2D(padding, data_format="channels_last", name=f"{name}_pad")(x)
            padding = "valid"
        x = layers.Conv2D(
            self.filters,
            self.kernel,
            strides=self.stride,
            padding=padding,
            use_bias=has_bias(of.normalization),
            kernel_initializer=initializer(of.initializer, of.activation),
            data_format="channels_last",
            name=name,
        )(x)
        x = bent(x, of, name)
        if self.pooling != "none":
            x = pooled(x, self.pooling, self.pool, self.pooled_stride, f"{name}_{self.pooling}")
        return dropped(x, of.spatial_dropout, f"{name}_dropout")

    def takes(self, places: int) -> int:
        """The shortest side of its input that leaves so many places."""
        if self.pooling != "none":
            places = (places - 1) * self.pooled_stride + self.pool
        wide = (places - 1) * self.stride
        return wide + 1 if self.padding == "same" else max(1, wide + self.kernel - 2 * self._pad)

    @property
    def _pad(self) -> int:
        return self.padding if isinstance(self.padding, int) else 0

    @property
    def pooled_stride(self) -> int:
        """Places of what the convolution gives, from one that is left to the next."""
        return 1 if self.pooling == "none" else self.pool_stride or self.pool


class ConvNet(Backbone):
    """Any stack of convolutions and poolings, then layers of weights.

    `dlspec check --run` prints the size of every layer and how it comes about: `(28 + 2*0 - 5)/1 + 1 = 24`.
    Dumoulin and Visin (2016), "A guide to convolution arithmetic for deep learning", is the text to it.
    """

    name: Literal["convnet"] = "convnet"
    accepts: ClassVar[tuple[str, ...]] = ("picture",)
    summary: ClassVar[str] = "convolutions and poolings as you describe them, layer by layer"

    layers: Annotated[tuple[Layer, ...], Field(min_length=1)] = (
        Layer(filters=16, pooling="max"),
        Layer(filters=32, pooling="max"),
        Layer(filters=64),
    )
    """the convolutions, the first nearest to the picture: `{filters: 16, kernel: 5, padding: valid, pooling: max}`"""
    head: Literal["flat", "mean"] = "mean"
    """flat: every place of every map goes on; mean: the mean over each map (Lin, Chen and Yan 2014)"""
    units: tuple[Size, ...] = ()
    """of layers between them and the logits"""
    activation: Activation = "relu"
    """what follows each convolution and each layer of units"""
    initializer: Initializer = Auto()
    """how the weights start; auto: by the activation (see mlp)"""
    normalization: Normalization = NoNorm()
    """none, batch, layer or group: the maps of each convolution and the units, before the activation"""
    dropout: Share = 0.0
    """share of the head's numbers, and of each layer of units, that is silenced at each training step"""
    spatial_dropout: Share = 0.0
    """share of the maps of each convolution that is silenced, whole maps at a time, at each training step"""

    def larger(self) -> dict[str, Any] | None:
        """Twice the maps of every layer."""
        return self._times(lambda maps: min(MOST_FILTERS, 2 * maps))

    def smaller(self) -> dict[str, Any] | None:
        """Half the maps of every layer."""
        return self._times(lambda maps: max(min(FEWEST_FILTERS, maps), maps // 2))

    def _times(self, change: Any) -> dict[str, Any] | None:
        layers = [{**one.model_dump(exclude_defaults=True), "filters": change(one.filters)} for one in self.layers]
        same = all(new["filters"] == old.filters for new, old in zip(layers, self.layers, strict=True))
        return None if same else {"layers": layers}

    def build(self, inputs: Shapes, outputs: int) -> keras.Model:
        """Raises RecipeError where the picture is too small, with the smallest that can be taken."""
        import keras

        doors, x = picture(inputs)
        smallest = 1
        for layer in reversed(self.layers):
            smallest = layer.takes(smallest)
        mend = f"set input: {{size: [{smallest}, {smallest}]}}, or let a layer have padding: same or no pooling"
        check_size(x, "convnet with these layers", smallest, mend)
        for number, layer in enumerate(self.layers, 1):
            x = layer.apply(x, self, f"conv{number}")
        if self.head == "mean":
            x = mean_of_maps(x, "mean")
        else:
            x = keras.layers.Flatten(name="flat", data_format="channels_last")(x)
        x = dropped(x, self.dropout, "dropout")
        for number, units in enumerate(self.units, 1):
            start, biased = initializer(self.initializer, self.activation), has_bias(self.normalization)
            name = f"fc{number}"
            x = keras.layers.Dense(units, use_bias=biased, kernel_initializer=start, name=name)(x)
            x = activated(normalized(x, self.normalization, f"{name}_norm"), self.activation, f"{name}_bent")
            x = dropped(x, self.dropout, f"{name}_dropout")
        return keras.Model(doors, logits(x, outputs, initializer(self.initializer)), name="convnet")
