"""The steps to come of a series, all at once, as a change from the last value or from the season before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from dlspec.evaluators.forecasts import SERIES, Forecasts
from dlspec.evaluators.truths import some, steps_ahead
from dlspec.inputs.base import Input
from dlspec.models.base import Backbone, Model
from dlspec.tasks.base import Task
from dlspec.types import Arrays, DataError, Examples, Place, RecipeError, State

if TYPE_CHECKING:
    import numpy as np

UNLIKE = 10.0
"""times the smallest naive error of several series, from which on the largest is of another size"""


class Forecasting(Task):
    """H steps of T targets after each window, said at once by a network of H · T outputs.

    x is a series whose first T channels are the past of the targets, y (H, T) what came.  The network learns the
    change from a first guess, in units of train's: so it begins near a naive forecast, and what it learns is what that
    one misses.  Where the input scales each window by itself, changes are counted in the window's own deviations.
    """

    summary: ClassVar[str] = "the next steps of a series, against naive forecasts"
    takes: ClassVar[type[Model]] = Backbone
    asks_of: ClassVar[tuple[str, ...]] = ("series",)
    name: Literal["forecasting"] = "forecasting"
    loss: Literal["absolute", "squared", "huber"] = "absolute"
    """of the error in units of train's changes: absolute (what MASE and MAE measure), squared (what RMSE does), or
    huber (squared up to one unit, absolute beyond)"""
    change_from: Literal["last", "season", "mean"] = "last"
    """what the network says the change from: the last value; the value a season before each step; or the mean, that is
    no change at all"""
    season: int | None = Field(None, ge=1)
    """steps after which things come again, for the seasonal naive forecast; 1: they do not; left out: as the data says,
    or none"""

    @property
    def evaluator(self) -> Forecasts:
        return Forecasts()

    def prepare(self, train: Examples) -> State:
        """`horizon`, `targets`, `season`, `scale`: in-sample error of the naive forecast one step ahead, a target; of
        several series their mean, and `scales`: of each its own.

        Raises DataError where a truth is missing or truths are of several sizes; RecipeError where x does not reach
        back a season that is asked for.
        """
        import numpy as np

        horizon, targets = _sizes(train)
        truth = steps_ahead(train, horizon, targets)
        x = train.columns["x"]
        first = np.asarray(x[train.rows[0]], np.float64)
        length, channels = (*first.shape, 1)[:2]
        if channels < targets:
            raise DataError(
                f"a truth has {targets} targets, and a series {channels} channel{'s' * (channels > 1)}; its first "
                "channels are to be the targets' past"
            )
        season = self.season or int(getattr(x, "season", 1))
        if season > length and (self.season is not None or self.change_from == "season"):
            message = (
                f"a season of {season} steps is further back than the {length} that an example holds (data.window)"
            )
            raise RecipeError(message, where=Place(key="task.season" if self.season else "task.change_from"))
        if season == 1 and self.change_from == "season":
            message = "no season is known; say how many steps it has (task.season, data.season), or begin with last"
            raise RecipeError(message, where=Place(key="task.change_from"))
        scales = _scales(train, horizon, targets)
        scale = np.mean(list(scales.values()), axis=0).tolist()
        names = [str(one) for one in getattr(x, "names", ())][:targets] or [f"target_{k + 1}" for k in range(targets)]
        still = [name for name, one in zip(names, scale, strict=True) if not one > 0]
        if still:
            raise DataError(f"{some(still)} is the same at each step of train, so there is nothing to forecast")
        ahead = f"forecast: {horizon} step{'s' * (horizon > 1)} ahead; the naive error in train, one step ahead"
        notes = [f"{ahead}: {', '.join(f'{one:.4g}' for one in scale)}"]
        if len(scales) > 1:
            low, high = np.min(list(scales.values()), axis=0), np.max(list(scales.values()), axis=0)
            ranges = ", ".join(f"{a:.4g} to {b:.4g}" for a, b in zip(low, high, strict=True))
            notes = [f"{ahead}, by which errors of each series are scaled: {ranges} over {len(scales):,} series"]
            if (high > UNLIKE * low).any():
                notes.append("these series differ much in size; in training all count alike with input.scale: window")
        season = season if season <= length else 1
        deviation = truth.std(axis=(0, 1)).tolist()
        state = {"horizon": horizon, "targets": names, "season": season, "scale": scale}
        several = {"scales": scales} if len(scales) > 1 else {}
        return {**state, **several, "deviation": deviation, "notes": notes}

    def join(self, train: Examples, entry: Input, model: Model, state: State) -> State:
        """With `offset` and `unit` (T,): mean and deviation of train's changes, as the input scales them; and
        `initial_loss`, of always saying the mean change."""
        import numpy as np

        task = state["task"]
        encoded = entry.finish(entry.encode(train, state["input"]), state["input"])
        change = self._change(train, encoded, state)
        offset, unit = change.mean(axis=(0, 1)), change.std(axis=(0, 1))
        unit = np.where(unit > 0, unit, 1.0)
        left = np.abs((change - offset) / unit)
        losses = {
            "absolute": left,
            "squared": left**2,
            "huber": np.where(left <= 1, left**2 / 2, left - 0.5),
        }
        return {
            **task,
            "offset": offset.tolist(),
            "unit": unit.tolist(),
            "initial_loss": float(losses[self.loss].mean()),
        }

    def outputs(self, state: State) -> int:
        return int(state["task"]["horizon"] * len(state["task"]["targets"]))

    def target(self, examples: Examples, encoded: Arrays, state: State) -> Arrays:
        """`ahead`: the changes in units of train's, float32 (N, H · T), step by step.

        Raises DataError that names examples without a truth.
        """
        import numpy as np

        task = state["task"]
        change = self._change(examples, encoded, state)
        scaled = (change - np.array(task["offset"])) / np.array(task["unit"])
        return {"ahead": scaled.reshape(len(change), -1).astype(np.float32)}

    def compiled(self, state: State) -> Mapping[str, Any]:
        """The loss, and `error_in_sd`: the mean absolute error in deviations of train's changes."""
        import keras

        losses = {
            "absolute": keras.losses.MeanAbsoluteError,
            "squared": keras.losses.MeanSquaredError,
            "huber": keras.losses.Huber,
        }
        return {"loss": losses[self.loss](), "metrics": [keras.metrics.MeanAbsoluteError(name="error_in_sd")]}

    def expected_initial_loss(self, state: State) -> float:
        """The loss on train of a network that gives 0, train's mean change, for every window."""
        loss: float = state["task"]["initial_loss"]
        return loss

    def predict(self, network: Any, batches: Iterable[Arrays], state: State) -> np.ndarray:
        """(N, H, T) float64, in the targets' own units."""
        import numpy as np

        task = state["task"]
        shape = (-1, task["horizon"], len(task["targets"]))
        found = [np.zeros((0, *shape[1:]))]
        for batch in batches:
            logits = np.asarray(network(batch), np.float64).reshape(shape)
            centre, spread = self._frame(batch, state)
            change = logits * np.array(task["unit"]) + np.array(task["offset"])
            ahead = (change + self._first_guess(batch, state)) * spread + centre
            found.append(np.exp(ahead) if state["input"]["log"] else ahead)
        return np.concatenate(found)

    def _change(self, examples: Examples, encoded: Arrays, state: State) -> np.ndarray:
        """What came less the first guess, as the input scales it, (N, H, T).  Raises DataError that names examples
        without a truth, or with one that has no logarithm where the input takes them."""
        import numpy as np

        task = state["task"]
        truth = steps_ahead(examples, task["horizon"], len(task["targets"]))
        if state["input"]["log"]:
            few = (truth <= 0).any(axis=(1, 2))
            if few.any():
                ids = [one for one, wrong in zip(examples.ids, few, strict=True) if wrong]
                message = f"what came is not above 0 after {some(ids)}, and has no logarithm; leave it out"
                raise DataError(message, where=Place(key="input.log"))
            truth = np.log(truth)
        centre, spread = self._frame(encoded, state)
        return (truth - centre) / spread - self._first_guess(encoded, state)

    def _first_guess(self, batch: Arrays, state: State) -> np.ndarray:
        """What changes are counted from, as the input scales it: (N, H or 1, T)."""
        import numpy as np

        from dlspec.numeric.forecasts import seasonal_naive

        task, count = state["task"], len(state["task"]["targets"])
        past = np.asarray(batch.get("whole", batch["series"]), np.float64)[..., :count]
        if self.change_from == "season":
            return seasonal_naive(past, task["horizon"], task["season"])
        return past[:, -1:] if self.change_from == "last" else np.zeros((len(past), 1, count))

    def _frame(self, batch: Arrays, state: State) -> tuple[np.ndarray, np.ndarray]:
        """What the input takes from the targets, and divides them by: (N or 1, 1, T) each."""
        import numpy as np

        count = len(state["task"]["targets"])
        if "centre" in batch:
            found = (np.asarray(batch[name], np.float64)[:, None, :count] for name in ("centre", "spread"))
            return tuple(found)  # type: ignore[return-value]
        scaled = state["input"]["scaled"]
        mean = np.array(state["input"]["mean"][:count]) * scaled
        deviation = np.array(state["input"]["deviation"][:count])
        deviation = np.where((deviation > 0) & scaled, deviation, 1.0)
        return mean[None, None], deviation[None, None]


def _scales(train: Examples, horizon: int, targets: int) -> dict[str, list[float]]:
    """Of each series, "" where there is one: over all of train's steps, each once, where examples are windows of it;
    else over the steps within examples."""
    import numpy as np

    from dlspec.inputs.stacking import whole
    from dlspec.numeric.forecasts import in_sample_error

    x = train.columns["x"]
    if not hasattr(x, "starts"):
        return {"": in_sample_error(whole(train)[..., :targets]).tolist()}
    starts = x.starts[np.asarray(train.rows, np.int64)]
    names = np.array(train.tag(SERIES) if SERIES in train.tag_names else [""] * len(train))
    found = {}
    for name in dict.fromkeys(names.tolist()):
        own = starts[names == name]
        found[name] = in_sample_error(x.values[int(own.min()) : int(own.max()) + x.length + horizon, :targets]).tolist()
    return found


def _sizes(train: Examples) -> tuple[int, int]:
    """Steps and targets of a truth.  Raises DataError where none has one."""
    import numpy as np

    known: Sequence[Any] = [y for y in train.column("y") if y is not None]
    if not known:
        raise DataError("none of the examples has a truth; what came after each is needed, as time_series gives it")
    shape = np.shape(known[0])
    return (int(shape[0]) if shape else 1), (int(shape[1]) if len(shape) > 1 else 1)
