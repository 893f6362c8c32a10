"""One number an example: RMSE, MAE, R²; errors are bands of size, too high and too low."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from dlspec.evaluators.base import Evaluator
from dlspec.evaluators.tables import few_whole_numbers, number_column
from dlspec.evaluators.truths import numbers
from dlspec.types import Error, Example, Examples, Figure, Metric, Mistakes, NumberLabels, Share, State, Statistics

if TYPE_CHECKING:
    import numpy as np

BANDS = (0.25, 0.5, 1.0, 2.0)
"""where kinds of error begin, in standard deviations of train's target; what is within the first is no error"""
MOST_POINTS = 20_000
"""a figure keeps no more; of more examples, so many evenly spread"""
HISTOGRAM_BINS = 24


class Numbers(Evaluator):
    """Predictions are a float array (N,), in the target's own units.

    `state`: `mean` and `scale`, the mean and standard deviation (sd) of train's target.  A prediction within a quarter
    of an sd of the truth is no error; the others are told apart by direction and size.  R² = 1 − Σr²/Σ(y − ȳ)², with
    ȳ of the rows that are scored; NaN where their truths are all equal.
    """

    summary: ClassVar[str] = "one number each: RMSE, MAE, R²"
    name: Literal["numbers"] = "numbers"

    def metrics(self, state: State) -> list[Metric]:
        return [Metric("rmse", "min", 0.0), Metric("mae", "min", 0.0), Metric("r2", "max", 1.0)]

    def statistics(self, examples: Examples, predictions: Sequence[Any], state: State) -> Statistics:
        """truth and guess, float64 (N,).  Raises DataError that names examples whose truth is missing or no number."""
        import numpy as np

        truth, guess = numbers(examples), np.asarray(predictions, np.float64)
        assert guess.shape == truth.shape, guess.shape
        return {"truth": truth, "guess": guess}

    def combine(
        self, statistics: Statistics, weights: np.ndarray | None = None, *, only: Collection[str] | None = None
    ) -> dict[str, float]:
        import numpy as np

        truth = statistics["truth"]
        residual = statistics["guess"] - truth
        if weights is None:
            weights, drawn = np.ones(len(truth)), truth
        else:
            weights = np.asarray(weights, np.float64)
            drawn = truth[weights > 0]
        total = weights.sum()
        if not total > 0:
            return {"rmse": math.nan, "mae": math.nan, "r2": math.nan}
        with np.errstate(invalid="ignore", over="ignore"):  # predictions of a network that diverged may be infinite
            squares = weights @ residual**2
            around = weights @ (truth - weights @ truth / total) ** 2
            absolute = weights @ np.abs(residual)
        return {
            "rmse": math.sqrt(squares / total),
            "mae": float(absolute / total),
            "r2": float(1 - squares / around) if drawn.min() < drawn.max() else math.nan,
        }

    def shares(self, statistics: Statistics) -> dict[str, Share]:
        import numpy as np

        with np.errstate(invalid="ignore", over="ignore"):
            residual = statistics["guess"] - statistics["truth"]
            return {"rmse": Share(residual**2, None, math.sqrt), "mae": Share(np.abs(residual))}

    def errors(self, example: Example, prediction: Any, state: State) -> list[Error]:
        """At most one, such as `too high by 0.5 to 1 sd (38.5 to 77)`; its size is |residual|."""
        truth, guess, scale = float(example.y), float(prediction), float(state["scale"])
        residual = guess - truth
        if math.isnan(residual):
            return [Error(example.id, "not a number", math.inf, _shown(truth, 6), "not a number")]
        band = sum(abs(residual) > bound * scale for bound in BANDS) - 1
        if band < 0:
            return []
        kind = _band(band, "high" if residual > 0 else "low", scale)
        return [Error(example.id, kind, abs(residual), _shown(truth, 6), _shown(guess, 6))]

    def kinds_of(
        self, examples: Examples, predictions: Sequence[Any], statistics: Statistics, state: State
    ) -> Mistakes:
        import numpy as np

        residual, scale = statistics["guess"] - statistics["truth"], float(state["scale"])
        size = np.abs(residual)
        band = sum((size > bound * scale).astype(np.int64) for bound in BANDS) - 1
        none = np.isnan(residual)
        rows = np.flatnonzero((band >= 0) | none)
        codes = np.where(none, 2 * len(BANDS), 2 * band + (residual > 0))[rows]
        names = [_band(code // 2, "high" if code % 2 else "low", scale) for code in range(2 * len(BANDS))]
        return Mistakes(rows, codes, np.where(none, math.inf, size)[rows], [*names, "not a number"])

    def mended(self, examples: Examples, predictions: Sequence[Any], kind: str, state: State) -> np.ndarray:
        return numbers(examples)  # an example has one error at most

    def perfect(self, example: Example, state: State) -> float:
        return float(example.y)

    def columns(self, predictions: Sequence[Any], state: State) -> dict[str, Any]:
        import numpy as np

        return {"guess": np.asarray(predictions, np.float64)}

    def from_columns(self, columns: Mapping[str, Sequence[Any]], state: State) -> np.ndarray:
        """Out of `guess`; a missing value is NaN."""
        return number_column(columns, "guess")

    needs: ClassVar[str] = "guess, a number"

    def recognize(self, columns: Mapping[str, Sequence[Any]], *, asked: bool = False) -> State | None:
        """Mean and deviation are those of train's truths where the table has some, else of all."""
        import numpy as np

        if "guess" not in columns or not (asked or _numbers_alone(columns)):
            return None
        truth = number_column(columns, "truth")
        of_train = np.array([split == "train" for split in columns["split"]], bool)
        known = truth[of_train] if of_train.any() else truth
        known = known[np.isfinite(known)]
        deviation = float(known.std()) if len(known) else 0.0
        return {"mean": float(known.mean()) if len(known) else 0.0, "scale": deviation if deviation > 0 else 1.0}

    def truth(self, examples: Examples, state: State) -> list[Any]:
        values = [None if value is None else float(value) for value in examples.column("y")]
        return [None if value is None or math.isnan(value) else value for value in values]

    def labels(self, examples: Examples, predictions: Sequence[Any], state: State) -> NumberLabels:
        """Raises DataError that names examples whose truth is missing or no number."""
        import numpy as np

        return NumberLabels(numbers(examples), np.asarray(predictions, np.float64))

    def figures(self, statistics: Statistics, state: State) -> list[Figure]:
        """Truth against guess, and a histogram of guess − truth; guesses that are no finite numbers are left out."""
        import numpy as np

        from dlspec.numeric.rounding import round_range

        fit = np.isfinite(statistics["guess"])
        truth, guess = statistics["truth"][fit], statistics["guess"][fit]
        if not len(truth):
            return []
        kept = np.unique(np.linspace(0, len(truth) - 1, min(len(truth), MOST_POINTS)).round().astype(int))
        points = {
            "x": [float(f"{one:.6g}") for one in truth[kept]],
            "y": [float(f"{one:.6g}") for one in guess[kept]],
            "x_title": "truth",
            "y_title": "guess",
            "diagonal": True,
        }
        residual = guess - truth
        edges = round_range(float(residual.min()), float(residual.max()), HISTOGRAM_BINS)
        bars = {
            "edges": edges,
            "values": np.histogram(np.clip(residual, edges[0], edges[-1]), edges)[0].tolist(),
            "x_title": "guess − truth",
            "y_title": "examples",
        }
        left_out = len(fit) - len(truth)
        missing = f"; left out: {left_out:,} that {'is' if left_out == 1 else 'are'} not finite" if left_out else ""
        return [
            Figure("points", "Truth against guess", points, f"on the line, a guess is right{missing}"),
            Figure(
                "bars",
                "Residuals",
                bars,
                f"guesses are too {'high' if residual.mean() > 0 else 'low'} by {_shown(abs(residual.mean()), 3)} on "
                f"average; half of them are within {_shown(float(np.median(np.abs(residual))), 3)} of the truth",
            ),
        ]

    def stack(self, predictions: Sequence[Any]) -> np.ndarray:
        import numpy as np

        return np.array([float(one) for one in predictions], np.float64)


def _band(band: int, side: str, scale: float) -> str:
    low = BANDS[band]
    if band + 1 == len(BANDS):
        return f"too {side} by more than {low:g} sd (more than {_shown(low * scale, 3)})"
    high = BANDS[band + 1]
    return f"too {side} by {low:g} to {high:g} sd ({_shown(low * scale, 3)} to {_shown(high * scale, 3)})"


def _numbers_alone(columns: Mapping[str, Sequence[Any]]) -> bool:
    known = [value for name in ("truth", "guess") for value in columns[name] if value is not None]
    numeric = bool(known) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in known)
    return numeric and not few_whole_numbers(columns)


def _shown(value: float, digits: int) -> str:
    """To so many significant digits, without an exponent where a person would not write one."""
    return f"{float(f'{value:.{digits}g}'):,.12g}"
