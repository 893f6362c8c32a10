"""The networks of keras.applications, with weights that were learned on ImageNet, or from nothing."""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from dlspec.models.base import Backbone, Shapes, picture
from dlspec.models.initializers import Auto, Initializer, initializer
from dlspec.models.pieces import BatchNorm, Share, dropped, logits
from dlspec.models.weight_files import read_into
from dlspec.recipe.component import PathOr, unknown
from dlspec.types import Place, RecipeError

if TYPE_CHECKING:
    import keras
    import numpy as np

IMAGENET = "imagenet"


class KerasApplication(Backbone):
    """A network of keras.applications without its last layer, the mean (or greatest) over each map, and the logits.

    Its base is what keras.applications makes, and the pooling.  Whatever range of values the recipe's `input.scale`
    gives, the network begins by bringing it to what its weights expect: a rescaling layer, saved with it, that is
    measured of keras.applications' own `preprocess_input`.  Grey pictures are given to all three channels.
    """

    name: Literal["keras_application"] = "keras_application"
    accepts: ClassVar[tuple[str, ...]] = ("picture",)
    summary: ClassVar[str] = "any network of keras.applications: MobileNetV2, ResNet50, EfficientNetB0, …; transfer"

    architecture: str = "MobileNetV2"
    """as keras.applications names it"""
    weights: Annotated[str, PathOr(IMAGENET, to_begin=True)] | None = None
    """imagenet: downloaded once, by Keras, to ~/.keras/models; or a file of weights of the network without its last
    layer (.weights.h5, or the .h5 that Keras downloads).  Nothing given: from nothing"""
    options: dict[str, str | bool | int | float] = Field(default_factory=dict)
    """what else the architecture's function in keras.applications takes, as {alpha: 0.35}"""
    pooling: Literal["average", "max"] = "average"
    """what is taken of each map"""
    dropout: Share = 0.0
    """share of the pooled maps that is silenced at each training step"""
    initializer: Initializer = Auto()
    """how the weights of the last layer start"""

    @field_validator("architecture")
    @classmethod
    def _keras_has_it(cls, architecture: str) -> str:
        if architecture not in architectures():
            message = unknown("architecture", architecture, architectures())
            raise PydanticCustomError("architecture", "{message}", {"message": message})
        return architecture

    @property
    def learned(self) -> str | None:
        return self.weights

    def build(self, inputs: Shapes, outputs: int) -> keras.Model:
        """From nothing, batch normalisation averages over as few batches as our own architectures do.  Over the last
        thousand, as MobileNetV2 comes with, a short training would be judged by statistics of the network as it began.

        Raises RecipeError where the picture is too small, with the smallest that can be taken.
        """
        import keras

        doors, x = picture(inputs)
        spec = inputs["picture"]
        x = self._prepared(x, spec.get("range") or [[0.0], [1.0]])
        base = self._made(input_tensor=x, input_shape=tuple(x.shape[1:]))
        if self.weights is None:
            for layer in base.layers:
                if isinstance(layer, keras.layers.BatchNormalization):
                    layer.momentum = min(layer.momentum, BatchNorm().momentum)
        x = base.output
        pool = keras.layers.GlobalMaxPooling2D if self.pooling == "max" else keras.layers.GlobalAveragePooling2D
        x = pool(name="pool")(x)
        x = dropped(x, self.dropout, "dropout")
        return keras.Model(doors, logits(x, outputs, initializer(self.initializer)), name=self.architecture.lower())

    def begin(self, network: keras.Model, tell: Callable[[str], None]) -> None:
        import keras

        if self.weights is None:
            return
        part = keras.Model(network.inputs, self.base(network))
        if self.weights != IMAGENET:
            read_into(part, self.weights, "model.weights")
            tell(f"weights: {self.architecture} from {self.weights}")
            return
        tell(
            f"weights: imagenet for {self.architecture}, of keras.applications; downloaded where ~/.keras has them not"
        )
        shape = part.get_layer("pool").input.shape
        with contextlib.redirect_stdout(sys.stderr):  # a progress bar
            theirs = self._downloaded((*network.inputs[0].shape[1:3], 3))
        assert theirs.output.shape == shape
        own = [layer for layer in part.layers if layer.weights]
        for layer, learned in zip(own, [one for one in theirs.layers if one.weights], strict=True):
            layer.set_weights(learned.get_weights())

    def _downloaded(self, shape: tuple[int, ...]) -> keras.Model:
        try:
            return self._made(weights=IMAGENET, input_shape=shape)
        except RecipeError:
            raise
        except Exception as error:
            said = " ".join(str(error).split())[:200]
            raise RecipeError(
                f"the imagenet weights of {self.architecture} cannot be had ({said}); fetch them where there is a "
                "network and copy ~/.keras/models, or give the path of a file: weights: FILE",
                where=Place(key="model.weights"),
            ) from None

    def _made(self, *, weights: str | None = None, **given: Any) -> keras.Model:
        """What keras.applications makes, up to its last maps.  Raises RecipeError where it refuses."""
        import keras

        function = getattr(keras.applications, self.architecture)
        known = [name for name in inspect.signature(function).parameters if name not in RESERVED]
        for name in self.options:
            if name not in known:
                raise RecipeError(unknown("option", name, known), where=Place(key=f"model.options.{name}"))
        try:
            return function(include_top=False, weights=weights, **given, **self.options)
        except ValueError as error:
            if weights is not None:
                raise
            said = " ".join(str(error).split())
            if small := re.search(r"at least (\d+)x(\d+)", said):
                least = f"{small[1]}×{small[2]}"
                height, width = given["input_shape"][:2]
                message = f"{self.architecture} takes pictures of at least {least}, these are {height}×{width}; "
                message += f"set input: {{size: [{small[1]}, {small[2]}]}} or more"
                raise RecipeError(message, where=Place(key="input.size")) from None
            raise RecipeError(
                f"{self.architecture} cannot be made so: {said[:200]}", where=Place(key="model")
            ) from None

    def _prepared(self, x: Any, ends: Any) -> Any:
        """The picture in the range that the weights expect.  ends: what black and white are in each channel."""
        import keras
        import numpy as np

        matrix, offset = preprocessing(self.architecture)
        if x.shape[-1] == 1:
            x = keras.layers.Concatenate(name="three_channels")([x] * 3)
        low, high = (np.broadcast_to(np.asarray(end, np.float64), 3) for end in ends)
        scale = 255 / (high - low)
        if np.any(matrix != np.diag(np.diag(matrix))):  # blue, green, red
            x = keras.ops.flip(x, axis=-1)
            matrix, low, scale = matrix[::-1], low[::-1], scale[::-1]
        factor = np.diag(matrix) * scale
        shift = offset - factor * low
        if np.allclose(factor, 1) and np.allclose(shift, 0):
            return x
        return keras.layers.Rescaling(factor.tolist(), shift.tolist(), name="preprocessing")(x)


RESERVED = {
    "include_top",
    "weights",
    "input_tensor",
    "input_shape",
    "pooling",
    "classes",
    "classifier_activation",
    "name",
}
"""arguments of a function of keras.applications that are not left to a recipe"""


@functools.cache
def architectures() -> list[str]:
    """What keras.applications has, read off its file: no keras is loaded for that."""
    spec = importlib.util.find_spec("keras")
    assert spec is not None and spec.submodule_search_locations
    file = Path(spec.submodule_search_locations[0]) / "applications" / "__init__.py"
    return sorted(set(re.findall(r"\bas ([A-Z]\w+)", file.read_text(encoding="utf-8"))))


@functools.cache
def preprocessing(architecture: str) -> tuple[np.ndarray, np.ndarray]:
    """What keras.applications does to pictures of 0 to 255 for an architecture: (3, 3) and (3,), x → x M + b.

    Measured of its `preprocess_input`, on black and on the three colours.
    """
    import keras
    import numpy as np

    function = importlib.import_module(getattr(keras.applications, architecture).__module__).preprocess_input
    black = np.asarray(function(np.zeros((1, 1, 1, 3), np.float32)), np.float64).ravel()
    colours = np.asarray(function(255 * np.eye(3, dtype=np.float32).reshape(1, 1, 3, 3)), np.float64).reshape(3, 3)
    return (colours - black) / 255, black
