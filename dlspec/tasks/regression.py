"""One number for each example: least squares, least absolute deviations, or Huber's loss."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from dlspec.evaluators.numbers import Numbers
from dlspec.evaluators.truths import numbers
from dlspec.models.base import Backbone, Model
from dlspec.tasks.base import Aim, Task
from dlspec.types import Arrays, DataError, Examples, State

if TYPE_CHECKING:
    import numpy as np


class Regression(Task):
    """One number for each example.

    The network learns the target standardised by train's mean and standard deviation (sd), so that learning rates mean
    the same whatever the target's unit; predictions are mapped back, float64 (N,).
    """

    summary: ClassVar[str] = "one number for each example"
    takes: ClassVar[type[Model]] = Backbone
    name: Literal["regression"] = "regression"
    loss: Literal["squared", "absolute", "huber"] = "squared"
    """of the standardised error: squared (learns the mean), absolute (the median; outliers weigh less), or huber \
(Huber 1964: squared up to one standard deviation of the target, absolute beyond)"""

    @property
    def evaluator(self) -> Numbers:
        return Numbers()

    def prepare(self, train: Examples) -> State:
        """`mean` and `scale` (standard deviation) of train's target, `initial_loss`: that of always guessing the mean.

        Raises DataError where a target is missing, is no number, or where all are the same.
        """
        import numpy as np

        values = numbers(train)
        low, high = float(values.min()), float(values.max())
        if low == high:
            raise DataError(
                f"the target is {low:g} in all {len(values)} examples of train, so there is nothing to learn: "
                "is it the right column?"
            )
        mean, scale = float(values.mean()), float(values.std())
        standardised = np.abs(values - mean) / scale
        losses = {
            "squared": standardised**2,
            "absolute": standardised,
            "huber": np.where(standardised <= 1, standardised**2 / 2, standardised - 0.5),
        }
        notes = [f"the target has mean {mean:.4g} and standard deviation {scale:.4g}, from {low:.4g} to {high:.4g}"]
        if len(np.unique(values)) == 2:
            notes.append(f"the target is either {low:g} or {high:g}; task: classification may suit it better")
        return {"mean": mean, "scale": scale, "initial_loss": float(losses[self.loss].mean()), "notes": notes}

    def outputs(self, state: State) -> int:
        return 1

    def target(self, examples: Examples, encoded: Arrays, state: State) -> Arrays:
        """`value`: the standardised target, float32 (N, 1).  Raises DataError that names examples without a number."""
        import numpy as np

        task = state["task"]
        return {"value": ((numbers(examples) - task["mean"]) / task["scale"]).astype(np.float32)[:, None]}

    def compiled(self, state: State) -> Mapping[str, Any]:
        """The loss, and `rmse_in_sd`: the root mean squared error in standard deviations of train's target."""
        import keras

        losses = {
            "squared": keras.losses.MeanSquaredError,
            "absolute": keras.losses.MeanAbsoluteError,
            "huber": keras.losses.Huber,
        }
        return {"loss": losses[self.loss](), "metrics": [keras.metrics.RootMeanSquaredError(name="rmse_in_sd")]}

    def expected_initial_loss(self, state: State) -> float:
        """The loss on train of a network that gives 0, train's mean, for every example: 1 for `squared`.

        A fresh network gives numbers around 0, not 0; where their variance is v, squared loss begins near 1 + v.
        """
        loss: float = state["task"]["initial_loss"]
        return loss

    def predict(self, network: Any, batches: Iterable[Arrays], state: State) -> np.ndarray:
        import numpy as np

        task = state["task"]
        logits = [np.asarray(network(batch), np.float64).reshape(-1) for batch in batches]
        return (np.concatenate(logits) if logits else np.zeros(0)) * task["scale"] + task["mean"]

    def aims(self, logits: np.ndarray, state: State, kinds: Sequence[str] | None = None) -> list[Aim]:
        """What makes the number as large, or as small, as it is."""
        import numpy as np

        above = logits.reshape(-1) >= 0
        says = [f"{'more' if one else 'less'} than the mean" for one in above]
        return [Aim(says, np.where(above, 1.0, -1.0)[:, None])]
