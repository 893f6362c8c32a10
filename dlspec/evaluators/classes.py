"""Class probabilities: accuracy, precision, recall, F1, log-loss, ROC AUC, rates; errors are confused pairs."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from dlspec.evaluators.base import Evaluator
from dlspec.evaluators.class_guesses import NO_GUESS, NONE_OF_THEM, guessed, spoken
from dlspec.evaluators.class_shares import shares
from dlspec.evaluators.class_tables import certain, check, disagreeing, recognized
from dlspec.evaluators.tables import number_column
from dlspec.evaluators.truths import class_name, class_names, named, some
from dlspec.types import (
    ClassLabels,
    Error,
    Example,
    Examples,
    Figure,
    Metric,
    Mistakes,
    Outcomes,
    Share,
    State,
    Statistics,
)

if TYPE_CHECKING:
    import numpy as np

SMALLEST = 1e-15
"""a probability of the truth below this counts as this in the log-loss, so that one row cannot make it infinite"""


class Classes(Evaluator):
    """Predictions are a float array (N, C) of class probabilities, columns in the order of `state["classes"]`.

    `state`: `classes` (names), `positive` (of two classes, the name of the positive one; of more, None) and
    `threshold` (of two, the positive class is guessed where its probability is at least that; of more, None, and the
    most probable class is guessed); `probabilities`, if given and false: rows hold a 1 for the guess and zeros, from a
    table that had guesses alone, and there is neither log-loss nor ROC AUC.

    Precision, recall and F1 are those of the positive class; of more than two classes, macro averages over the classes
    that occur in truth or guess, as scikit-learn's.  A class that occurs but is never guessed has precision 0; where
    it occurs in neither, there is no value (NaN).  ROC AUC is that of the positive class; of more, the macro average
    of each class against the rest, over the classes for which there are both.  Of two classes there are also the
    false positive rate (how many that are not positive are taken for it) and the false negative rate (how many
    positives are not found).

    A truth that is none of the classes (dev holds a class that train lacks) is counted wrong; its probability is 0, so
    it weighs −log(1e-15) ≈ 34.5 in the log-loss; it is a negative for every class in precision and AUC, and macro
    averages are over the known classes.  Its perfect prediction is a row of zeros: none of these classes.
    A row with NaN is wrong too, and log-loss and AUC are then NaN.
    """

    summary: ClassVar[str] = "class probabilities: accuracy, precision, recall, F1, log-loss, ROC AUC"
    name: Literal["classes"] = "classes"

    def metrics(self, state: State) -> list[Metric]:
        found = [Metric(name, "max", 1.0) for name in ("accuracy", "precision", "recall", "f1")]
        if state.get("probabilities", True):
            found += [Metric("log_loss", "min", 0.0), Metric("roc_auc", "max", 1.0)]
        if state.get("positive", "") is not None:
            found += [Metric(name, "min", 0.0) for name in ("false_positive_rate", "false_negative_rate")]
        return found

    def statistics(self, examples: Examples, predictions: Sequence[Any], state: State) -> Statistics:
        """truth and guess (class index; truth −1: an unknown class), log_loss, scores (of AUC), column (see Ranking).

        Of two classes, also `positive`: the index of the positive class, the same in every row.
        Raises DataError that names examples without a truth.
        """
        import numpy as np

        probabilities = np.asarray(predictions, np.float64)
        index = {name: i for i, name in enumerate(state["classes"])}
        truth = np.array([index.get(name, -1) for name in class_names(examples)], np.int64)
        assert probabilities.shape == (len(truth), len(index)), probabilities.shape
        guess = guessed(probabilities, state)
        known = np.take_along_axis(probabilities, np.maximum(truth, 0)[:, None], axis=1)[:, 0]
        of_truth = np.where(truth >= 0, known, np.where(guess == NONE_OF_THEM, 1.0, 0.0))
        of_truth = np.where(guess == NO_GUESS, np.nan, of_truth)
        statistics = {
            "truth": truth,
            "guess": guess,
            "log_loss": -np.log(np.maximum(of_truth, SMALLEST)),
            "scores": probabilities,
            "column": truth,
        }
        if not state.get("probabilities", True):
            del statistics["log_loss"]
        if state["positive"] is not None:
            positive = index[state["positive"]]
            statistics["scores"] = probabilities[:, positive : positive + 1]
            statistics["column"] = np.where(truth == positive, 0, -1)
            statistics["positive"] = np.full(len(truth), positive)
        return statistics

    def combine(
        self, statistics: Statistics, weights: np.ndarray | None = None, *, only: Collection[str] | None = None
    ) -> dict[str, float]:
        import numpy as np

        from dlspec.numeric.ranking import ranking

        truth, guess, scores = statistics["truth"], statistics["guess"], statistics["scores"]
        weights = np.ones(len(truth)) if weights is None else np.asarray(weights, np.float64)
        if only is not None and set(only) <= {"accuracy"}:
            return {"accuracy": _mean(weights @ (truth == guess), weights.sum())}
        table = _table(truth, guess, 2 if "positive" in statistics else scores.shape[1], weights)
        right, truths, guesses = table[1:, 2:].diagonal(), table[1:].sum(axis=1), table[:, 2:].sum(axis=0)
        if "positive" in statistics:
            averaged = np.arange(2) == statistics["positive"].max(initial=0)
        else:
            averaged = np.ones(len(right), bool)
        averaged = averaged & (truths + guesses > 0)
        total = weights.sum()
        found = {
            "accuracy": _mean(weights @ (truth == guess), total),
            "precision": _mean((right / np.maximum(guesses, SMALLEST))[averaged].sum(), averaged.sum()),
            "recall": _mean((right / np.maximum(truths, SMALLEST))[averaged].sum(), averaged.sum()),
            "f1": _mean((2 * right / np.maximum(truths + guesses, SMALLEST))[averaged].sum(), averaged.sum()),
        }
        if "log_loss" in statistics:
            found["log_loss"] = _mean(weights @ statistics["log_loss"], total)
        if "log_loss" in statistics and (only is None or "roc_auc" in only):
            areas = ranking(scores, statistics["column"]).areas(weights)
            found["roc_auc"] = _mean(np.nansum(areas), (~np.isnan(areas)).sum())
        if "positive" in statistics:
            positive = int(statistics["positive"].max(initial=0))
            found["false_positive_rate"] = _mean(guesses[positive] - right[positive], total - truths[positive])
            found["false_negative_rate"] = _mean(truths[positive] - right[positive], truths[positive])
        return found

    def confusion(self, statistics: Statistics, classes: Sequence[str]) -> np.ndarray:
        """Counts (C, C) of truth (rows) by guess (columns); truths that are none of the classes are not in it."""
        table = _table(statistics["truth"], statistics["guess"], len(classes))
        return table[1:, 2:].astype(int)

    def shares(self, statistics: Statistics) -> dict[str, Share]:
        return shares(statistics)

    def classes(self, examples: Examples, state: State) -> list[tuple[str, ...]]:
        return [(name,) for name in class_names(examples)]

    def labels(self, examples: Examples, predictions: Sequence[Any], state: State) -> ClassLabels:
        """Raises DataError that names examples without a truth."""
        import numpy as np

        index = {name: i for i, name in enumerate(state["classes"])}
        given = np.array([index.get(name, -1) for name in class_names(examples)], np.int64)
        sure = np.asarray(predictions, np.float64)
        return ClassLabels(given, sure if state.get("probabilities", True) else sure * np.nan, state["classes"])

    def outcomes(self, statistics: Statistics, state: State) -> Outcomes:
        return Outcomes(statistics["truth"], statistics["guess"], state["classes"])

    def remarks(self, examples: Examples, state: State) -> list[str]:
        unknown = [name for name in class_names(examples) if name not in state["classes"]]
        if not unknown:
            return []
        return [
            f"{len(unknown):,} of {len(examples):,} examples have a class that train has not "
            f"({some(sorted(set(unknown)))}); they count as errors"
        ]

    def errors(self, example: Example, prediction: Any, state: State) -> list[Error]:
        """At most one, of the kind `truth → guess`, or `unknown class 'x'`; its size is −log p(truth), or 1."""
        import numpy as np

        row = np.asarray(prediction, np.float64)
        truth, guess = str(class_name(example.y)), int(guessed(row[None], state)[0])
        if truth not in state["classes"]:
            if guess == NONE_OF_THEM:
                return []
            kind, of_truth = f"unknown class '{truth}'", 0.0
        else:
            at = state["classes"].index(truth)
            if guess == at:
                return []
            kind, of_truth = f"{truth} → {spoken(guess, state)}", float(row[at])
        if not state.get("probabilities", True):
            return [Error(example.id, kind, 1.0, truth, spoken(guess, state))]
        size = -math.log(max(of_truth, SMALLEST)) if of_truth == of_truth else math.inf
        guess_text = f"{spoken(guess, state)} ({row[guess]:.3g})" if guess >= 0 else spoken(guess, state)
        return [Error(example.id, kind, size, f"{truth} ({of_truth:.3g})", guess_text)]

    def kinds_of(
        self, examples: Examples, predictions: Sequence[Any], statistics: Statistics, state: State
    ) -> Mistakes:
        import numpy as np

        truth, guess, classes = statistics["truth"], statistics["guess"], state["classes"]
        wrong = np.where(truth >= 0, truth != guess, guess != NONE_OF_THEM)
        rows = np.flatnonzero(wrong)
        unknown = np.flatnonzero(truth[rows] < 0)
        strange = class_names(examples.take(rows[unknown].tolist())) if len(unknown) else []
        names = [f"{a} → {spoken(b, state)}" for a in classes for b in range(NO_GUESS, len(classes))]
        place = {name: len(names) + i for i, name in enumerate(dict.fromkeys(strange))}
        codes = truth[rows] * (len(classes) - NO_GUESS) + guess[rows] - NO_GUESS
        codes[unknown] = [place[name] for name in strange]
        if not state.get("probabilities", True):
            sizes = np.ones(len(rows))
        else:
            known = np.take_along_axis(np.asarray(predictions)[rows], np.maximum(truth[rows], 0)[:, None], axis=1)[:, 0]
            known = np.where(truth[rows] >= 0, known, 0.0)
            sizes = np.where(np.isnan(known), math.inf, -np.log(np.maximum(known, SMALLEST)))
        return Mistakes(rows, codes, sizes, [*names, *(f"unknown class '{name}'" for name in place)])

    def mended(self, examples: Examples, predictions: Sequence[Any], kind: str, state: State) -> np.ndarray:
        return certain(examples.column("y"), state["classes"])  # an example has one error at most

    def perfect(self, example: Example, state: State) -> np.ndarray:
        """All probability on the truth; a row of zeros where it is none of the classes."""
        import numpy as np

        truth = class_name(example.y)
        return np.array([float(name == truth) for name in state["classes"]])

    def columns(self, predictions: Sequence[Any], state: State) -> dict[str, Any]:
        import numpy as np

        probabilities = np.asarray(predictions, np.float64)
        guess = [state["classes"][i] if i >= 0 else None for i in guessed(probabilities, state)]
        if not state.get("probabilities", True):
            return {"guess": guess}
        return {"guess": guess, **{f"p_{name}": probabilities[:, i] for i, name in enumerate(state["classes"])}}

    def from_columns(self, columns: Mapping[str, Sequence[Any]], state: State) -> np.ndarray:
        """Out of `p_<class>` of every class; a missing value is NaN.  `guess` follows from them, or is all there is."""
        import numpy as np

        if not state.get("probabilities", True):
            return certain(columns["guess"], state["classes"])

        wanted = [f"p_{name}" for name in state["classes"]]
        return np.stack([number_column(columns, name) for name in wanted], axis=1)

    needs: ClassVar[str] = "guess, or p_<class> for every class"

    def recognize(self, columns: Mapping[str, Sequence[Any]], *, asked: bool = False) -> State | None:
        return recognized(columns, asked=asked)

    def received(
        self, columns: Mapping[str, Sequence[Any]], ids: Sequence[str], state: State
    ) -> tuple[np.ndarray, list[str]]:
        rows = self.from_columns(columns, state)
        if not state.get("probabilities", True):
            return rows, []
        check(rows, ids, state["classes"])
        return rows, disagreeing(columns, self.columns(rows, state)["guess"])

    def truth(self, examples: Examples, state: State) -> list[Any]:
        return named(examples.column("y"))

    def figures(self, statistics: Statistics, state: State) -> list[Figure]:
        """Confusion matrix, calibration with its counts, and of two classes the ROC curve."""
        from dlspec.evaluators.class_figures import calibration, confusion, roc_curve

        if not len(statistics["truth"]):
            return []
        table = _table(statistics["truth"], statistics["guess"], len(state["classes"]))
        if "log_loss" not in statistics:
            return [confusion(table, state["classes"])]
        figures = [confusion(table, state["classes"]), *calibration(statistics, state)]
        if state["positive"] is not None:
            figures += roc_curve(statistics, state, self.combine(statistics)["roc_auc"])
        return figures

    def stack(self, predictions: Sequence[Any]) -> np.ndarray:
        import numpy as np

        return np.stack([np.asarray(one, np.float64) for one in predictions])


def _table(truth: np.ndarray, guess: np.ndarray, classes: int, weights: np.ndarray | None = None) -> np.ndarray:
    """Counts (1 + C, 2 + C): the first row is the unknown truths, the first columns no guess and none of them."""
    import numpy as np

    cells = (truth + 1) * (classes + 2) + (guess + 2)
    return np.bincount(cells, weights, (classes + 1) * (classes + 2)).reshape(classes + 1, classes + 2)


def _mean(total: Any, count: Any) -> float:
    return float(total / count) if count > 0 else math.nan
