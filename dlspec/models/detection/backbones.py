"""What a detector looks at pictures with: a small darknet, or any network for classes, tapped where it has maps of the
wanted sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from dlspec.models.base import Backbone, Shapes, picture
from dlspec.models.convolutions import convolved
from dlspec.models.initializers import Auto, Initializer
from dlspec.models.pieces import Activation, BatchNorm, Normalization
from dlspec.models.vision.efficientnet import EfficientNet
from dlspec.models.vision.keras_application import KerasApplication
from dlspec.models.vision.mobilenet import MobileNet
from dlspec.models.vision.resnet import ResNet
from dlspec.recipe.component import OneOf, Section
from dlspec.types import Place, RecipeError

if TYPE_CHECKING:
    import keras

HALVINGS = 5


class Darknet(Section):
    """The network of Redmon and Farhadi (2018), "YOLOv3", table 1, smaller: a 3×3 convolution, then five times one of
    stride 2 with twice the maps, and residual units of a 1×1 convolution to half the maps and a 3×3 one.

    Darknet-53 has 32 filters and 1, 2, 8, 8 and 4 units.
    """

    name: Literal["darknet"] = "darknet"
    filters: int = Field(16, gt=0)
    """maps at full size; each halving has twice as many"""
    units: tuple[int, int, int, int, int] = (0, 1, 1, 1, 1)
    """residual units after each of the five halvings"""
    most: int = Field(512, gt=0)
    """maps that no layer has more than"""
    activation: Activation = "leaky_relu"
    """what follows each normalisation"""
    initializer: Initializer = Auto()
    """how the weights start; auto: by the activation"""
    normalization: Normalization = BatchNorm()
    """none, batch, layer or group: the maps of each convolution"""

    def maps(self, inputs: Shapes, strides: Sequence[int]) -> tuple[dict[str, Any], list[Any]]:
        """The entries, and the last maps of each of these strides."""
        import keras

        doors, x = picture(inputs)
        x = convolved(x, self, min(self.filters, self.most), 3, "dark0")
        found = {1: x}
        for halving in range(1, HALVINGS + 1):
            if 2 ** (halving - 1) >= max(strides):
                break
            maps = min(self.filters * 2**halving, self.most)
            x = convolved(x, self, maps, 3, f"dark{halving}_down", stride=2)
            for unit in range(1, self.units[halving - 1] + 1):
                name = f"dark{halving}_unit{unit}"
                y = convolved(x, self, max(1, maps // 2), 1, f"{name}_1")
                x = keras.layers.Add(name=f"{name}_add")([x, convolved(y, self, maps, 3, f"{name}_2")])
            found[2**halving] = x
        return doors, [found[stride] for stride in strides]


BackboneChoice = Annotated[Any, OneOf(None, Darknet, ResNet, MobileNet, EfficientNet, KerasApplication)]
"""A field by which a recipe says what looks at the pictures: `darknet`, `{name: resnet, depth: 18}`, …"""


def maps_of(backbone: Any, inputs: Shapes, strides: Sequence[int]) -> tuple[Any, list[Any]]:
    """The entries of a network, and its last maps of each stride (at `taps`)."""
    if isinstance(backbone, Darknet):
        return backbone.maps(inputs, strides)
    assert isinstance(backbone, Backbone)
    whole = backbone.build(inputs, 1)
    return whole.input, taps(whole, backbone.name, strides)


def taps(network: keras.Model, name: str, strides: Sequence[int]) -> list[Any]:
    """Of a network for classes, the last maps whose sides are the picture's by each stride.

    Raises RecipeError where it has none of some stride.
    """
    height, width = network.input["picture"].shape[1:3]
    found: dict[tuple[int, int], Any] = {}
    for layer in network.layers:
        if layer._inbound_nodes and len(getattr(layer.output, "shape", ())) == 4:
            found[tuple(layer.output.shape[1:3])] = layer.output
    found.pop((height, width), None)
    wanted = [(height // stride, width // stride) for stride in strides]
    if not all(one in found for one in wanted):
        has = [str(height // rows) for rows, columns in found if (height // rows) * columns == width]
        raise RecipeError(
            f"'{name}' has maps of strides {', '.join(dict.fromkeys(has))} on pictures of {height}×{width}, and none "
            f"of {', '.join(str(s) for s, one in zip(strides, wanted, strict=True) if one not in found)}; choose "
            "others, or another backbone",
            where=Place(key="model.strides"),
        )
    return [found[one] for one in wanted]
