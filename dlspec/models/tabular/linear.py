"""One linear layer: logistic, softmax or linear regression, as the task has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from dlspec.models.base import Backbone, Shapes, flat
from dlspec.models.initializers import Initializer, Zeros, initializer
from dlspec.models.pieces import logits

if TYPE_CHECKING:
    import keras


class Linear(Backbone):
    """Logits are a weighted sum of the inputs: logistic regression (Cox 1958), softmax or linear regression."""

    name: Literal["linear"] = "linear"
    accepts: ClassVar[tuple[str, ...]] = ("table", "picture")
    summary: ClassVar[str] = "logistic, softmax or linear regression: one layer of weights"

    initializer: Initializer = Zeros()
    """how the weights start; zeros are safe here, as the loss has one minimum"""

    def build(self, inputs: Shapes, outputs: int) -> keras.Model:
        import keras

        doors, x = flat(inputs)
        return keras.Model(doors, logits(x, outputs, initializer(self.initializer)), name="linear")
