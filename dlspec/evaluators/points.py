"""Points with names: normalised mean error, share of correct points; errors are of one point each."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from dlspec.evaluators.base import Evaluator
from dlspec.evaluators.tables import number_column
from dlspec.evaluators.truths_of_places import points
from dlspec.numeric.places import Point, points_of, points_text
from dlspec.types import Error, Example, Examples, Figure, Marks, Metric, Mistakes, Share, State, Statistics

if TYPE_CHECKING:
    import numpy as np

FAR = 2.0
"""a point is far off from so many thresholds on; nearer, it is a near miss"""
NOT_A_NUMBER = 1e6
"""how far off a prediction counts that is no number, in normalisers"""
HISTOGRAM_BINS = 24


class Points(Evaluator):
    """Predictions are a float array (N, K, 2): x and y of each point, in the picture's own pixels.

    `state`: `names` of the points; `threshold`, up to which distance a point is correct; `normalizer`, what distances
    are divided by: `diagonal` of the picture, `box` (the diagonal of the box around the picture's points that are
    marked), or the names of two points (the eyes), their distance.  A truth is a tuple of points; those that cannot be
    seen are not in it, and whatever is said of them costs nothing.

    nme: of each picture the mean distance of its points, normalised; the mean over the pictures that have points.
    pck: of all points, how many are within the threshold (percentage of correct keypoints, Yang and Ramanan 2013).
    accuracy: of the pictures with points, how many have all of theirs within it.  A picture whose normaliser is not
    known (an eye cannot be seen) does not count.

    Kinds of error, for each point: near miss (up to 2 thresholds), far off, and `at` another point, where it lies
    within the threshold of that one.
    """

    summary: ClassVar[str] = "points with names: normalised mean error, PCK"
    name: Literal["points"] = "points"

    def metrics(self, state: State) -> list[Metric]:
        return [Metric("nme", "min", 0.0), Metric("pck", "max", 1.0), Metric("accuracy", "max", 1.0)]

    def statistics(self, examples: Examples, predictions: Sequence[Any], state: State) -> Statistics:
        """apart (N, K): distances in normalisers, NaN where nothing is marked; nme (N,); marked, correct (N,): counts;
        at (N, K): which other point is taken for it, −1: none.

        Raises DataError that names examples without a truth; where pictures' sizes are not known and are asked for.
        """
        import numpy as np

        truth = self._truths(examples, state)
        guess = np.asarray(predictions, np.float64).reshape(truth.shape)
        unit = self._units(examples, truth, state)
        marked = ~np.isnan(truth[..., 0]) & np.isfinite(unit)[:, None]
        with np.errstate(invalid="ignore"):
            apart = np.linalg.norm(guess - truth, axis=2) / unit[:, None]
            apart = np.where(marked, np.nan_to_num(apart, nan=NOT_A_NUMBER, posinf=NOT_A_NUMBER), np.nan)
            others = np.linalg.norm(guess[:, :, None] - truth[:, None], axis=3) / unit[:, None, None]
            wrong = apart > state["threshold"]
            correct = (apart <= state["threshold"]).sum(axis=1)
        others = np.where(np.isnan(others), np.inf, others)
        nearest = others.argmin(axis=2) if len(state["names"]) else np.zeros(apart.shape, np.int64)
        near = np.take_along_axis(others, nearest[..., None], axis=2)[..., 0] <= state["threshold"]
        count = marked.sum(axis=1)
        total = np.where(marked, apart, 0.0).sum(axis=1)
        return {
            "apart": apart,
            "nme": total / np.maximum(count, 1),
            "marked": count,
            "correct": correct,
            "at": np.where(wrong & near & (nearest != np.arange(len(state["names"]))), nearest, -1),
        }

    def combine(
        self, statistics: Statistics, weights: np.ndarray | None = None, *, only: Collection[str] | None = None
    ) -> dict[str, float]:
        import numpy as np

        marked, correct = statistics["marked"], statistics["correct"]
        weights = np.ones(len(marked)) if weights is None else np.asarray(weights, np.float64)

        def ratio(part: Any, whole: Any) -> float:
            total = weights @ whole
            return float(weights @ part / total) if total > 0 else math.nan

        some = marked > 0
        return {
            "nme": ratio(statistics["nme"], some),
            "pck": ratio(correct, marked),
            "accuracy": ratio(some & (correct == marked), some),
        }

    def shares(self, statistics: Statistics) -> dict[str, Share]:
        some = statistics["marked"] > 0
        return {
            "nme": Share(statistics["nme"], some),
            "pck": Share(None),  # several points of one picture are no rows of their own
            "accuracy": Share(statistics["correct"] == statistics["marked"], some),
        }

    def errors(self, example: Example, prediction: Any, state: State) -> list[Error]:
        """One for each point that is not correct; its size is the distance in normalisers."""
        import numpy as np

        one = Examples([example.id], [example.x], [example.y])
        rows = np.asarray(prediction, np.float64)[None]
        statistics = self.statistics(one, rows, state)
        mistakes = self.kinds_of(one, rows, statistics, state)
        truth, found = self._truths(one, state)[0], []
        for code, size in zip(mistakes.codes.tolist(), mistakes.sizes.tolist(), strict=True):
            k = code // self._each(state)
            name = state["names"][k]
            texts = [points_text([Point(name, *map(float, of[k]))]) for of in (truth, rows[0])]
            found.append(Error(example.id, mistakes.names[code], size, texts[0], f"{texts[1]}, off by {size:.3g}"))
        return found

    def kinds_of(
        self, examples: Examples, predictions: Sequence[Any], statistics: Statistics, state: State
    ) -> Mistakes:
        import numpy as np

        apart, at, each = statistics["apart"], statistics["at"], self._each(state)
        with np.errstate(invalid="ignore"):
            rows, which = np.nonzero(apart > state["threshold"])
            far = apart[rows, which] > FAR * state["threshold"]
        other = at[rows, which]
        codes = which * each + np.where(other >= 0, 2 + other, far)
        return Mistakes(rows, codes, apart[rows, which], self._kinds(state))

    def perfect(self, example: Example, state: State) -> np.ndarray:
        """Where the points are; NaN for those that cannot be seen."""
        return self._truths(Examples([example.id], [None], [example.y]), state)[0]

    def mend(self, example: Example, prediction: Any, kind: str, state: State) -> np.ndarray:
        """The one point that the kind is of, where it has such an error."""
        import numpy as np

        row = np.array(prediction, np.float64)
        if any(error.kind == kind for error in self.errors(example, prediction, state)):
            k = self._kinds(state).index(kind) // self._each(state)
            row[k] = self.perfect(example, state)[k]
        return row

    def mended(self, examples: Examples, predictions: Sequence[Any], kind: str, state: State) -> np.ndarray:
        import numpy as np

        rows = np.array(predictions, np.float64)
        if not len(rows):
            return rows
        k = self._kinds(state).index(kind) // self._each(state)
        rows[:, k] = self._truths(examples, state)[:, k]
        return rows

    def columns(self, predictions: Sequence[Any], state: State) -> dict[str, Any]:
        """guess (`nose (10, 20); …`), and <name>_x, <name>_y of every point."""
        import numpy as np

        rows = np.asarray(predictions, np.float64).reshape(-1, len(state["names"]), 2)
        texts = [points_text(self._points(row, state)) for row in rows]
        numbers = {f"{name}_{xy}": rows[:, k, i] for k, name in enumerate(state["names"]) for i, xy in enumerate("xy")}
        return {"guess": texts, **numbers}

    needs: ClassVar[str] = "guess as 'nose (x, y); left_eye (x, y)'"

    def from_columns(self, columns: Mapping[str, Sequence[Any]], state: State) -> np.ndarray:
        """Out of the columns of numbers; of a table that has `guess` alone, out of that."""
        import numpy as np

        names = [f"{name}_{xy}" for name in state["names"] for xy in "xy"]
        if names[0] not in columns:
            guesses = [Example("", None, points_of(text)) for text in columns["guess"]]
            return self.stack([self.perfect(one, state) for one in guesses])
        rows = np.stack([number_column(columns, name) for name in names], axis=1)
        return rows.reshape(-1, len(state["names"]), 2)

    def recognize(self, columns: Mapping[str, Sequence[Any]], *, asked: bool = False) -> State | None:
        """Distances are normalised by the box around the points, as a table does not know its pictures."""
        try:
            said = [[points_of(text) for text in columns[name] if text is not None] for name in ("truth", "guess")]
        except (KeyError, ValueError, TypeError, AttributeError):
            return None
        names = list(dict.fromkeys(point.name for column in said for own in column for point in own))
        return {"names": names, "threshold": 0.05, "normalizer": "box"} if names else None

    def truth(self, examples: Examples, state: State) -> list[Any]:
        known = examples.take([i for i, y in enumerate(examples.column("y")) if y is not None])
        texts = iter([points_text(own) for own in self._listed(known, state)])
        return [None if y is None else next(texts) for y in examples.column("y")]

    def marks(self, example: Example, prediction: Any, state: State) -> tuple[Marks, Marks | None]:
        known = example.y is not None
        [truth] = self._listed(Examples([example.id], [None], [example.y]), state) if known else [()]
        return Marks(points=truth), None if prediction is None else Marks(points=self._points(prediction, state))

    def remarks(self, examples: Examples, state: State) -> list[str]:
        import numpy as np

        truth = self._truths(examples, state)
        unit = self._units(examples, truth, state)
        lost = int((np.isnan(unit) & ~np.isnan(truth).all(axis=(1, 2))).sum())
        if not lost:
            return []
        what = "those two points" if isinstance(state["normalizer"], list) else "two points"
        return [
            f"{lost:,} of {len(examples):,} pictures do not count: distances are normalised by {what}, and one lacks"
        ]

    def figures(self, statistics: Statistics, state: State) -> list[Figure]:
        """The mean distance of each point, and how the errors of pictures are spread."""
        import numpy as np

        from dlspec.numeric.rounding import round_range

        apart, some = statistics["apart"], statistics["marked"] > 0
        if not some.any():
            return []
        counts = (~np.isnan(apart)).sum(axis=0)
        means = np.nansum(apart, axis=0) / np.maximum(counts, 1)
        bars = {"names": list(state["names"]), "values": means.tolist(), "x_title": "point", "y_title": "mean distance"}
        nme = statistics["nme"][some]
        edges = round_range(0.0, float(np.quantile(nme, 0.99)) or 1.0, HISTOGRAM_BINS)
        spread = {"edges": edges, "values": np.histogram(np.clip(nme, edges[0], edges[-1]), edges)[0].tolist()}
        middle = float(np.median(nme))
        return [
            Figure("bars", "How far off each point is", bars, "distances are normalised, as in nme"),
            Figure(
                "bars",
                "How far off pictures are",
                {**spread, "x_title": "normalised mean error", "y_title": "pictures"},
                f"half of them are off by {middle:.3g} or less; the worst 1 % stand in the last bar",
            ),
        ]

    def stack(self, predictions: Sequence[Any]) -> np.ndarray:
        import numpy as np

        return np.array([np.asarray(one, np.float64) for one in predictions])

    def _listed(self, examples: Examples, state: State) -> list[list[Point]]:
        """The points of each that are among the names, in their order."""
        place = {name: k for k, name in enumerate(state["names"])}
        return [sorted((p for p in own if p.name in place), key=lambda p: place[p.name]) for own in points(examples)]

    def _truths(self, examples: Examples, state: State) -> np.ndarray:
        """(N, K, 2); NaN where a point is not marked."""
        import numpy as np

        place = {name: k for k, name in enumerate(state["names"])}
        truth = np.full((len(examples), len(place), 2), np.nan)
        for row, own in enumerate(self._listed(examples, state)):
            for point in own:
                truth[row, place[point.name]] = point[1:]
        return truth

    def _units(self, examples: Examples, truth: np.ndarray, state: State) -> np.ndarray:
        """What distances are divided by, in pixels (N,); NaN where it is not known or 0."""
        import numpy as np

        how = state["normalizer"]
        if how == "diagonal":
            from dlspec.numeric.pictures import sizes

            unit = np.linalg.norm(sizes(examples), axis=1)
        elif how == "box":
            low, high = np.where(np.isnan(truth), np.inf, truth), np.where(np.isnan(truth), -np.inf, truth)
            unit = np.linalg.norm(np.maximum(high.max(axis=1) - low.min(axis=1), 0), axis=1)
        else:
            one, other = (state["names"].index(name) for name in how)
            unit = np.linalg.norm(truth[:, one] - truth[:, other], axis=1)
        return np.where(unit > 0, unit, np.nan)

    def _points(self, row: np.ndarray, state: State) -> list[Point]:
        found = [Point(name, float(x), float(y)) for name, (x, y) in zip(state["names"], row, strict=True)]
        return [point for point in found if not math.isnan(point.x)]

    def _each(self, state: State) -> int:
        return 2 + len(state["names"])

    def _kinds(self, state: State) -> list[str]:
        ends = ["near miss", "far off", *(f"at {name}" for name in state["names"])]
        return [f"{name}: {end}" for name in state["names"] for end in ends]
