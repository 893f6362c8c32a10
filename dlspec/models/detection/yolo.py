"""YOLO: boxes, how sure they are, and their classes, of every cell of one or several grids, all at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from dlspec.models.base import Detector, Shapes, Sought
from dlspec.models.convolutions import convolved
from dlspec.models.detection.backbones import BackboneChoice, Darknet, maps_of, taps
from dlspec.models.detection.cells import check_cells
from dlspec.models.initializers import Auto, Initializer
from dlspec.models.pieces import Activation, BatchNorm, Normalization, Share, dropped
from dlspec.proposals import Facts, Line, Suggestion

if TYPE_CHECKING:
    import keras

STRIDES = (4, 8, 16, 32)
WIDEST = 512
START = 0.01
"""deviation of the last weights at the start (Lin et al. 2017, section 4.1): all that the network says is its bias"""


class Yolo(Detector):
    """One look at the picture gives all boxes (Redmon et al. 2016), here as in YOLOv3 (Redmon and Farhadi 2018).

    At each cell of up to four grids there are a few priors; of each it says a box, how sure it is, and the classes.

    A backbone gives maps of every stride.  The coarsest are brought up to the finer ones, and joined with them, so that
    small boxes too are told by what is seen of the whole: a 1×1 convolution, twice the size, side by side, a 1×1 and a
    3×3 convolution.  Nothing is decoded here (see dlspec.decode.nms).
    """

    name: Literal["yolo"] = "yolo"
    accepts: ClassVar[tuple[str, ...]] = ("picture",)
    summary: ClassVar[str] = "YOLO (2016, 2018): boxes of one, two or three grids over a darknet or any backbone"

    backbone: BackboneChoice = Darknet()
    """what looks at the picture: darknet, resnet, mobilenet, efficientnet or keras_application, with its settings"""
    strides: tuple[int, ...] = (8, 16, 32)
    """pixels from cell to cell of each grid, of 4, 8, 16 and 32: small boxes want a fine one"""
    width: int = Field(64, gt=0)
    """maps of the neck at each grid"""
    activation: Activation = "leaky_relu"
    """what follows each normalisation of the neck"""
    initializer: Initializer = Auto()
    """how the weights of the neck start; auto: by the activation"""
    normalization: Normalization = BatchNorm()
    """none, batch, layer or group: the maps of each convolution of the neck"""
    dropout: Share = 0.0
    """share of the neck's maps, whole ones, that is silenced before each output, at each training step"""

    @field_validator("strides")
    @classmethod
    def _rising(cls, strides: tuple[int, ...]) -> tuple[int, ...]:
        if not strides or any(one not in STRIDES for one in strides) or list(strides) != sorted(set(strides)):
            message = f"expected some of {', '.join(map(str, STRIDES))}, each once and the smallest first, "
            message += f"got {list(strides)}"
            raise PydanticCustomError("strides", "{message}", {"message": message})
        return strides

    @classmethod
    def suggest(cls, facts: Facts) -> Suggestion | None:
        """For pictures with boxes: a small darknet, with a grid as fine as small pictures want it."""
        if facts.kind != "picture":
            return None
        strides = (4, 8, 16) if min(facts.shape[:2]) < 128 else (8, 16, 32)
        lines = (
            Line("backbone", "darknet", "small, from nothing; keras_application has networks that have learned"),
            Line("strides", list(strides), "pixels from cell to cell of each grid: small boxes want a fine one"),
        )
        return Suggestion(0.9, "finds all boxes of a picture in one look", lines)

    def larger(self) -> dict[str, Any] | None:
        """A darknet of twice the maps; else a wider neck."""
        if isinstance(self.backbone, Darknet) and self.backbone.filters < 64:
            return {"backbone": {"filters": 2 * self.backbone.filters}}
        return {"width": 2 * self.width} if self.width < WIDEST else None

    def smaller(self) -> dict[str, Any] | None:
        """A darknet of half the maps; else a narrower neck."""
        if isinstance(self.backbone, Darknet) and self.backbone.filters > 4:
            return {"backbone": {"filters": self.backbone.filters // 2}}
        return {"width": self.width // 2} if self.width > 16 else None

    @property
    def learned(self) -> str | None:
        return self.backbone.learned if not isinstance(self.backbone, Darknet) else None

    def grids(self, inputs: Shapes) -> tuple[int, ...]:
        check_cells(inputs, self.strides[-1], "fewer model.strides")
        return self.strides

    def build(self, inputs: Shapes, outputs: Sought) -> keras.Model:
        """Raises RecipeError where a stride does not divide the picture, or the backbone has no maps of it."""
        import keras

        self.grids(inputs)
        doors, seen = maps_of(self.backbone, inputs, self.strides)
        # By these names the places are found at which the backbone ends.
        seen = [keras.layers.Identity(name=f"tap{s}")(x) for s, x in zip(self.strides, seen, strict=True)]
        made: list[Any] = []
        above = None
        for stride, x, anchors in reversed(list(zip(self.strides, seen, outputs.anchors, strict=True))):
            above = self._joined(x, above, f"neck{stride}", inputs["picture"]["shape"][0] // stride)
            made.insert(0, self._output(above, anchors, outputs.classes, stride))
        x = made[0] if len(made) == 1 else keras.layers.Concatenate(axis=1, name="scales")(made)
        # What is sure at the start is that most priors find nothing: the bias of objectness (Lin et al. 2017).
        offset = [0.0] * 4 + [outputs.start] + [0.0] * outputs.classes
        return keras.Model(doors, keras.layers.Rescaling(1.0, offset, name="boxes")(x), name="yolo")

    def begin(self, network: keras.Model, tell: Callable[[str], None]) -> None:
        import keras

        [entry] = keras.tree.flatten(network.input)
        shapes = {"picture": {"shape": list(entry.shape[1:]), "dtype": entry.dtype}}
        whole = self.backbone.build(shapes, 1)
        self.backbone.begin(whole, tell)
        theirs = keras.Model(whole.input, taps(whole, self.backbone.name, self.strides))
        keras.Model(network.input, self.base(network)).set_weights(theirs.get_weights())

    def base(self, network: keras.Model) -> Any:
        return [network.get_layer(f"tap{stride}").output for stride in self.strides]

    def _joined(self, x: Any, above: Any, name: str, rows: int) -> Any:
        import keras

        x = convolved(x, self, self.width, 1, f"{name}_in")
        if above is not None:
            up = convolved(above, self, max(1, self.width // 2), 1, f"{name}_from_above")
            times = rows // up.shape[1]
            up = keras.layers.UpSampling2D(times, data_format="channels_last", name=f"{name}_up")(up)
            x = convolved(
                keras.layers.Concatenate(name=f"{name}_joined")([x, up]), self, self.width, 1, f"{name}_mixed"
            )
        return convolved(x, self, self.width, 3, f"{name}_out")

    def _output(self, x: Any, anchors: int, classes: int, stride: int) -> Any:
        """(batch, rows · columns · anchors, 5 + classes)"""
        import keras

        x = dropped(x, self.dropout, f"output{stride}_dropout")
        x = keras.layers.Conv2D(
            anchors * (5 + classes),
            1,
            kernel_initializer=keras.initializers.RandomNormal(stddev=START),
            data_format="channels_last",
            name=f"output{stride}",
        )(x)
        return keras.layers.Reshape((-1, 5 + classes), name=f"output{stride}_rows")(x)
