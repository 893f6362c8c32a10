"""Forecasts of the steps to come: MASE, MAE, RMSE, and how much of the naive forecasts' error is spared."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from dlspec.evaluators import forecast_tables
from dlspec.evaluators.base import Evaluator
from dlspec.evaluators.truths import steps_ahead
from dlspec.types import Error, Example, Examples, Figure, Metric, Mistakes, Share, State, Statistics

if TYPE_CHECKING:
    import numpy as np

WRONG, FAR = 1.0, 2.0
"""a window is wrong where its mean error is above one naive error, and far off above two"""
SERIES = "series"
"""the tag that tells of which series a window is, where there are several"""
ONE_WAY = 0.8
"""share of a window's error that goes one way, from which on it is too high or too low"""
HISTORY = 3
"""of a window so many horizons are kept to be shown, and no fewer than 12 steps"""


class Forecasts(Evaluator):
    """Predictions are a float array (N, H, T): H steps of T targets, in their own units.

    `state`: `horizon`, `targets` (names), `season`, `scale` (T,): the in-sample error of the naive forecast one step
    ahead in train, which MASE (Hyndman & Koehler 2006) divides absolute errors by.  mae and rmse are over all steps and
    targets, whatever their units; mase is the mean over them of the scaled ones.  `scales`, of several series (the tag
    `series` of examples): series → scale (T,); then mase is the mean over series of that of each, as in the M4
    competition (Makridakis et al. 2020), however many windows they have; a series that train had not is measured by
    `scale`.

    skill_naive = 1 − MASE / MASE of saying the last value again (Murphy 1988): 0 is as good, 1 perfect, below 0 worse;
    skill_seasonal against saying the season before again.  Both forecasts are made of x, the first T channels of which
    are the past of the targets; they are NaN where x does not hold it.

    A window whose mean scaled error is at most 1 is no error.  The others are too high, too low, or move otherwise
    (less than 80 % of the error goes one way), by 1 to 2 naive errors or more.
    """

    summary: ClassVar[str] = "steps to come: MASE, MAE, RMSE, skill against naive forecasts"
    name: Literal["forecasts"] = "forecasts"

    def metrics(self, state: State) -> list[Metric]:
        found = [Metric(name, "min", 0.0) for name in ("mase", "mae", "rmse")]
        found.append(Metric("skill_naive", "max", 1.0))
        if state.get("season", 2) > 1:
            found.append(Metric("skill_seasonal", "max", 1.0))
        return found

    def statistics(self, examples: Examples, predictions: Sequence[Any], state: State) -> Statistics:
        """truth, guess, naive (N, H, T), where there is a season also seasonal; history (N, K, T), the steps before;
        unit (N, T): the scale; block (N,): the number of the group; where there are several series, series (N,):
        the number of each window's.  Raises DataError that names examples without a truth."""
        import numpy as np

        from dlspec.numeric.forecasts import naive, seasonal_naive

        truth = self._truths(examples, state)
        past, horizon = self._past(examples, state), state["horizon"]
        kept = past[:, -max(12, HISTORY * horizon) :]
        groups = examples.column("groups")
        numbers: dict[Any, int] = {}
        found = {
            "truth": truth,
            "guess": np.asarray(predictions, np.float64).reshape(truth.shape),
            "naive": naive(past, horizon),
            "history": kept,
            "unit": np.tile(np.array(state["scale"], np.float64), (len(truth), 1)),
            "block": np.array([numbers.setdefault(one or i, len(numbers)) for i, one in enumerate(groups)], np.int64),
        }
        if state["season"] > 1:
            found["seasonal"] = seasonal_naive(past, horizon, state["season"])
        if state.get("scales") and SERIES in examples.tag_names:
            names, scales = examples.tag(SERIES), state["scales"]
            found["unit"] = np.array([scales.get(one, state["scale"]) for one in names], np.float64)
            found["unit"] = found["unit"].reshape(len(names), len(state["scale"]))
            codes = {one: number for number, one in enumerate(scales)}
            found["series"] = np.array([codes.setdefault(one, len(codes)) for one in names], np.int64)
        return found

    def combine(
        self, statistics: Statistics, weights: np.ndarray | None = None, *, only: Collection[str] | None = None
    ) -> dict[str, float]:
        import numpy as np

        residual = statistics["guess"] - statistics["truth"]
        weights = np.ones(len(residual)) if weights is None else np.asarray(weights, np.float64)

        def mean(values: np.ndarray) -> float:
            total = weights.sum()
            return float(weights @ values / total) if total > 0 else math.nan

        def over_series(values: np.ndarray) -> float:
            """The mean over series of that of each, of those that have a weight."""
            if "series" not in statistics:
                return mean(values)
            totals = np.bincount(statistics["series"], weights)
            sums = np.bincount(statistics["series"], weights * values)
            there = totals > 0
            return float((sums[there] / totals[there]).mean()) if there.any() else math.nan

        with np.errstate(invalid="ignore", over="ignore"):
            mase = over_series(_scaled(statistics, "guess"))
            found = {
                "mase": mase,
                "mae": mean(np.abs(residual).mean(axis=(1, 2))),
                "rmse": math.sqrt(mean((residual**2).mean(axis=(1, 2)))),
            }
            for name, of in (("skill_naive", "naive"), ("skill_seasonal", "seasonal")):
                if of in statistics:
                    other = over_series(_scaled(statistics, of))
                    found[name] = 1 - mase / other if other > 0 else math.nan
        return found

    def shares(self, statistics: Statistics) -> dict[str, Share]:
        import numpy as np

        with np.errstate(invalid="ignore", over="ignore"):
            residual = statistics["guess"] - statistics["truth"]
            found = {
                "mae": Share(np.abs(residual).mean(axis=(1, 2))),
                "rmse": Share((residual**2).mean(axis=(1, 2)), None, math.sqrt),
            }
            counts = np.bincount(statistics.get("series", np.zeros(len(residual), np.int64)))
            if len(set(counts[counts > 0].tolist())) < 2:
                return {"mase": Share(_scaled(statistics, "guess")), **found}
            return found  # of series of several lengths it is no mean over windows, and it may be above 1: it is drawn

    def errors(self, example: Example, prediction: Any, state: State) -> list[Error]:
        """At most one; its size is the window's mean scaled error."""
        import numpy as np

        tags = {name: [value] for name, value in example.tags.items()}
        one = Examples([example.id], [example.x], [example.y], tags=tags)
        guess = np.asarray(prediction, np.float64)[None]
        mistakes = self.kinds_of(one, guess, self.statistics(one, guess, state), state)
        if not len(mistakes.rows):
            return []
        kind, size = mistakes.names[mistakes.codes[0]], float(mistakes.sizes[0])
        texts = forecast_tables.texts(np.stack([self._truths(one, state)[0], guess[0].reshape(state["horizon"], -1)]))
        return [Error(example.id, kind, size, *texts)]

    def kinds_of(
        self, examples: Examples, predictions: Sequence[Any], statistics: Statistics, state: State
    ) -> Mistakes:
        import numpy as np

        size = _scaled(statistics, "guess")
        signed = _scaled(statistics, "guess", signed=True)
        none = np.isnan(size)
        rows = np.flatnonzero(none | (size > WRONG))
        one_way = np.abs(signed) >= ONE_WAY * size
        way = np.where(one_way, np.where(signed > 0, 0, 1), 2)
        codes = np.where(none, 6, 2 * way + (size > FAR))[rows]
        ends = (f"by {WRONG:g} to {FAR:g} naive errors", f"by more than {FAR:g} naive errors")
        names = [f"{how} {end}" for how in ("too high", "too low", "moves otherwise, off") for end in ends]
        return Mistakes(rows, codes, np.where(none, math.inf, size)[rows], [*names, "not a number"])

    def perfect(self, example: Example, state: State) -> np.ndarray:
        return self._truths(Examples([example.id], [None], [example.y]), state)[0]

    def mended(self, examples: Examples, predictions: Sequence[Any], kind: str, state: State) -> np.ndarray:
        return self._truths(examples, state)  # a window has one error at most

    def columns(self, predictions: Sequence[Any], state: State) -> dict[str, Any]:
        return forecast_tables.columns(predictions, state)

    def said(self, predictions: Sequence[Any], state: State) -> list[dict[str, Any]]:
        return forecast_tables.said(predictions, state)

    needs: ClassVar[str] = "guess and truth as '18.2; 17.5; 16', a number a step"

    def from_columns(self, columns: Mapping[str, Sequence[Any]], state: State) -> np.ndarray:
        return forecast_tables.from_columns(columns, state)

    def recognize(self, columns: Mapping[str, Sequence[Any]], *, asked: bool = False) -> State | None:
        return forecast_tables.recognized(columns, asked=asked)

    def truth(self, examples: Examples, state: State) -> list[Any]:
        known = examples.take([i for i, y in enumerate(examples.column("y")) if y is not None])
        texts = iter(forecast_tables.texts(self._truths(known, state)))
        return [None if y is None else next(texts) for y in examples.column("y")]

    def facts(self, examples: Examples, state: State) -> dict[str, Any]:
        """Of the first target: the mean of what came, and how far that is from the last value before."""
        truth, past = self._truths(examples, state)[..., 0], self._past(examples, state)[..., 0]
        level = truth.mean(axis=1)
        return {"level of what came": level, "move to what came": level - past[:, -1]}

    def figures(self, statistics: Statistics, state: State) -> list[Figure]:
        from dlspec.evaluators.forecast_figures import figures

        return figures(statistics, state)

    def beside(self, example: Example, prediction: Any, state: State) -> Figure | None:
        """What was before, what came and what was forecast, of the target that was forecast worst; None where what came
        is not known."""
        import numpy as np

        from dlspec.evaluators.forecast_figures import window

        if example.y is None:
            return None
        one = Examples([example.id], [example.x], [example.y])
        guess = self._truths(one, state) if prediction is None else np.asarray(prediction, np.float64)[None]
        held = self.statistics(one, guess, state)
        far = (np.abs(held["guess"] - held["truth"]) / held["unit"][:, None])[0].mean(axis=0)
        return window(held, 0, int(far.argmax()), state, example.id, guessed=prediction is not None)

    def stack(self, predictions: Sequence[Any]) -> np.ndarray:
        import numpy as np

        return np.array([np.asarray(one, np.float64) for one in predictions])

    def _truths(self, examples: Examples, state: State) -> np.ndarray:
        """(N, H, T) float64.  Raises DataError that names examples without a truth, or with one of another shape."""
        return steps_ahead(examples, state["horizon"], len(state["targets"]))

    def _past(self, examples: Examples, state: State) -> np.ndarray:
        """The targets' past (N, L, T); one step of NaN where x is no series."""
        import numpy as np

        x, count = examples.columns["x"], len(state["targets"])
        rows = np.asarray(examples.rows, np.int64)
        if hasattr(x, "stacked"):
            found: np.ndarray = x.stacked(rows)[..., :count]
            return found
        own = [x[row] for row in rows]
        if not own or not hasattr(own[0], "dtype") or own[0].ndim != 2:
            return np.full((len(rows), 1, count), np.nan)
        return np.stack([np.asarray(one, np.float64)[:, :count] for one in own])


def _scaled(statistics: Statistics, of: str, *, signed: bool = False) -> np.ndarray:
    """The mean scaled error of each window, (N,); signed: too high counts against too low."""
    import numpy as np

    residual = (statistics[of] - statistics["truth"]) / statistics["unit"][:, None]
    found: np.ndarray = (residual if signed else np.abs(residual)).mean(axis=(1, 2))
    return found
