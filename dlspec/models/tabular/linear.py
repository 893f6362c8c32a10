"""One linear layer: logistic, softmax or linear regression, as the task has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from dlspec.models.base import Backbone, Shapes, flat
from dlspec.models.initializers import Initializer, Zeros, initializer
from dlspec.models.pieces import logits
from dlspec.proposals import Facts, Line, Suggestion

if TYPE_CHECKING:
    import keras

FEW = 150
"""rows of a table from which a hidden layer is worth a try"""
FEW_WINDOWS = 1_000
"""series, or windows of one, from which on a recurrent network is worth a try"""
STEP = Line("optimizer", (Line("name", "adam"), Line("learning_rate", 1e-2)), "the loss has one minimum")


class Linear(Backbone):
    """Logits are a weighted sum of the inputs: logistic regression (Cox 1958), softmax or linear regression."""

    name: Literal["linear"] = "linear"
    accepts: ClassVar[tuple[str, ...]] = ("table", "picture", "series")
    summary: ClassVar[str] = "logistic, softmax or linear regression: one layer of weights"

    initializer: Initializer = Zeros()
    """how the weights start; zeros are safe here, as the loss has one minimum"""

    @classmethod
    def suggest(cls, facts: Facts) -> Suggestion | None:
        """Where there are few rows for so many columns, or few windows; pictures are seen by others better."""
        if facts.kind == "series":
            suits = 0.6 if facts.examples < FEW_WINDOWS else 0.3
            return Suggestion(suits, "weighs the last steps (autoregression); rnn and mlp bend", train=(STEP,))
        if facts.kind != "table":
            return None
        few = facts.examples < FEW or facts.examples < 5 * facts.shape[0]
        why = f"a straight line, as {facts.examples:,} rows are few; mlp bends"
        return Suggestion(0.8 if few else 0.3, why, train=(STEP,))

    def larger(self) -> dict[str, Any] | None:
        return {"name": "mlp"}

    def build(self, inputs: Shapes, outputs: int) -> keras.Model:
        import keras

        doors, x = flat(inputs)
        return keras.Model(doors, logits(x, outputs, initializer(self.initializer)), name="linear")
