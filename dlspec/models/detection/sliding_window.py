"""Sliding windows: a classifier that looks at every place of a picture at once, its dense layers as convolutions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from dlspec.models.base import Detector, Shapes, Sought, picture
from dlspec.models.detection.cells import check_cells
from dlspec.models.detection.yolo import START
from dlspec.models.vision.convnet import ConvNet
from dlspec.models.vision.lenet5 import LeNet5
from dlspec.recipe.component import OneOf
from dlspec.types import Place, RecipeError

if TYPE_CHECKING:
    import keras

AS_THEY_ARE = ("Conv2D", "MaxPooling2D", "AveragePooling2D", "BatchNormalization", "Activation", "SpatialDropout2D")
"""layers that do to a whole picture what they do to each window of it"""


class SlidingWindow(Detector):
    """OverFeat (Sermanet et al. 2014, section 3.5, after Matan et al. 1992): a classifier is run over all windows of a
    picture in one pass, as what neighbouring windows share is worked out once.

    The classifier takes squares of `window` pixels.  Its convolutions and poolings go over the whole picture, the first
    dense layer becomes a convolution as large as the maps of one window, those after it 1×1 convolutions.  All are
    without padding, so that what is said at a place is what the classifier says of that window cut out, to the bit of
    rounding.  Windows lie as far apart as the classifier's strides multiply to, one around the middle of each cell;
    where they reach over the picture's edge, they see black.

    There is one prior a cell: the window.  `box` says whether that is the answer, or the classifier says where in it
    the object lies.  The task's `anchors` are not asked for; objects of very different sizes want `yolo`.
    """

    name: Literal["sliding_window"] = "sliding_window"
    accepts: ClassVar[tuple[str, ...]] = ("picture",)
    summary: ClassVar[str] = "OverFeat (2014): a classifier of windows, run over all of a picture at once"

    window: int = Field(32, gt=0)
    """pixels of a window's side: somewhat more than of most objects"""
    classifier: Annotated[Any, OneOf(None, LeNet5, ConvNet)] = LeNet5()
    """what looks at a window: lenet5 or convnet; without padding, normalised by the batch or not at all"""
    box: Literal["regressed", "window"] = "regressed"
    """regressed: middle and sides are learned, too (OverFeat, section 4); window: every box is the window itself, as in
    the course before YOLO: where objects have one size, or only where they are matters"""

    def larger(self) -> dict[str, Any] | None:
        """A classifier of twice the maps, where it has a size; then the detector that sees more than a window."""
        more = self.classifier.larger() if isinstance(self.classifier, ConvNet) else None
        return {"classifier": more} if more else {"name": "yolo"}

    def smaller(self) -> dict[str, Any] | None:
        less = self.classifier.smaller()
        return {"classifier": less} if less else None

    @property
    def stride(self) -> int:
        """Pixels from window to window."""
        if isinstance(self.classifier, LeNet5):
            return 4
        return math.prod(one.stride * one.pooled_stride for one in self.classifier.layers)

    def grids(self, inputs: Shapes) -> tuple[int, ...]:
        check_cells(inputs, self.stride, "other strides of model.classifier")
        return (self.stride,)

    def sides(self, inputs: Shapes) -> tuple[tuple[tuple[float, float], ...], ...]:
        return (((self.window, self.window),),)

    def build(self, inputs: Shapes, outputs: Sought) -> keras.Model:
        """Raises RecipeError where cells do not divide the picture, or the classifier cannot go over a picture."""
        import keras

        self.grids(inputs)
        assert outputs.anchors == (1,), "there is one window a cell"
        around = self.window - self.stride
        if around < 0 or around % 2:
            near = self.stride if around < 0 else self.window + 1
            raise self._wrong(
                f"a window of {self.window} pixels has no cell of {self.stride} in its middle; set model.window: {near}"
            )
        doors, x = picture(inputs)
        x = keras.layers.ZeroPadding2D(around // 2, data_format="channels_last", name="edge")(x)
        said = 4 * (self.box == "regressed") + 1 + outputs.classes
        x = self._over_all(self._of_one(inputs, said), x)
        x = keras.layers.Reshape((-1, said), name="rows")(x)
        if self.box == "window":
            # Four zeros before the others: the middle of the cell, and the sides of the prior.
            x = keras.layers.Reshape((-1, said, 1), name="columns")(x)
            x = keras.layers.ZeroPadding2D(((0, 0), (4, 0)), data_format="channels_last", name="as_the_window")(x)
            x = keras.layers.Reshape((-1, 4 + said), name="with_window")(x)
        # What is sure at the start is that most windows hold nothing, as in yolo.
        offset = [0.0] * 4 + [outputs.start] + [0.0] * outputs.classes
        return keras.Model(doors, keras.layers.Rescaling(1.0, offset, name="boxes")(x), name="sliding_window")

    def _of_one(self, inputs: Shapes, outputs: int) -> keras.Model:
        """The classifier of a single window."""
        channels = inputs["picture"]["shape"][2]
        shapes = {"picture": {**inputs["picture"], "shape": [self.window, self.window, channels]}}
        try:
            return self.classifier.build(shapes, outputs)
        except RecipeError as error:
            why = error.complaints[0].message.partition("; ")[0]
            raise self._wrong(f"windows of {self.window} pixels: {why}; let the window be larger") from None

    def _over_all(self, classifier: keras.Model, x: Any) -> Any:
        """The layers of a classifier on a larger picture: (batch, rows, columns, outputs), a place a window."""
        import keras

        layers: Any = keras.layers
        left = (1, 1)
        """of a window's maps, the height and width that no layer has gone over yet"""
        for layer in classifier.layers[1:]:
            kind, settings = type(layer).__name__, layer.get_config()
            if kind == "Flatten":
                left = layer.input.shape[1:3]
            elif kind == "Dense":
                settings = {key: settings[key] for key in ("units", "use_bias", "dtype", "name")}
                start = layer.kernel_initializer
                if layer is classifier.layers[-1]:
                    start = keras.initializers.RandomNormal(stddev=START)
                settings |= {"data_format": "channels_last", "kernel_initializer": start}
                x = layers.Conv2D(settings.pop("units"), left, **settings)(x)
                left = (1, 1)
            elif kind == "GlobalAveragePooling2D":
                side = layer.input.shape[1:3]
                x = layers.AveragePooling2D(side, 1, data_format="channels_last", name=layer.name)(x)
            elif kind == "Dropout":
                x = layers.SpatialDropout2D(layer.rate, data_format="channels_last", name=layer.name)(x)
            elif kind in AS_THEY_ARE and settings.get("padding", "valid") == "valid":
                x = type(layer).from_config(settings)(x)
            else:
                why = "has padding" if kind in AS_THEY_ARE else f"is of the kind {kind}"
                raise RecipeError(
                    f"layer '{layer.name}' of the classifier {why}, and of a window alone it would not say what it "
                    "says within a picture; let every layer have padding: valid, normalization be none or batch, and "
                    "lenet5 have its form modern",
                    where=Place(key="model.classifier"),
                )
        return x

    def _wrong(self, message: str) -> RecipeError:
        return RecipeError(message, where=Place(key="model.window"))
