"""Several labels an example: micro and macro F1, mAP, subset accuracy; errors are missing and extra labels."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from dlspec.evaluators import label_sets
from dlspec.evaluators.base import Evaluator
from dlspec.evaluators.tables import number_column, sentences, steps
from dlspec.evaluators.truths import some
from dlspec.types import DataError, Error, Example, Examples, Metric, Mistakes, Outcomes, Share, State, Statistics

if TYPE_CHECKING:
    import numpy as np

SMALLEST = 1e-15
"""a probability of what is true below this counts as this in the size of an error"""
MISSING, EXTRA = "missing ", "extra "


class Labels(Evaluator):
    """Predictions are a float array (N, L): the probability of each label, columns in the order of `state["classes"]`.

    `state`: `classes` (the labels' names), `thresholds` (one a label: it is guessed where its probability is at least
    that), `separator` and `empty` (see label_sets.truths).  A label of which nothing is known in an example counts
    nowhere.

    F1 = 2TP / (2TP + FP + FN): micro over all labels together, macro the mean over the labels that occur in truth or
    guess.  mean_average_precision (mAP) is the mean of each label's average precision, over those that are true of
    some example.  subset_accuracy: the share of examples with every label right; hamming_loss: the share of all labels
    that are wrong.  A label that train has not cannot be guessed: scores pass it over, and `remarks` says so.
    """

    summary: ClassVar[str] = "several labels an example: micro and macro F1, mAP, subset accuracy, Hamming loss"
    name: Literal["labels"] = "labels"

    def metrics(self, state: State) -> list[Metric]:
        names = ("micro_f1", "macro_f1", "mean_average_precision", "subset_accuracy")
        return [*(Metric(name, "max", 1.0) for name in names), Metric("hamming_loss", "min", 0.0)]

    def statistics(self, examples: Examples, predictions: Sequence[Any], state: State) -> Statistics:
        """truth (N, L): 1, 0 or NaN; guess (N, L): 1, 0, or NaN where the probability is; scores (N, L)."""
        import numpy as np

        scores, truth = self._array(predictions, state), label_sets.truths(examples, state)
        assert scores.shape == truth.shape, scores.shape
        return {"truth": truth, "guess": _guessed(scores, np.array(state["thresholds"])), "scores": scores}

    def combine(
        self, statistics: Statistics, weights: np.ndarray | None = None, *, only: Collection[str] | None = None
    ) -> dict[str, float]:
        import numpy as np

        from dlspec.numeric.average_precision import average_precision

        truth, guess = statistics["truth"], statistics["guess"]
        weights = np.ones(len(truth)) if weights is None else np.asarray(weights, np.float64)
        known, wrong = ~np.isnan(truth), _wrong(truth, guess)
        right = weights @ ((truth == 1) & (guess == 1))
        either = weights @ (truth == 1) + weights @ (known & (guess == 1))
        each = np.where(either > 0, 2 * right / np.where(either > 0, either, 1), 0.0)
        found = {
            "micro_f1": _mean(2 * right.sum(), either.sum()),
            "macro_f1": _mean(each.sum(), (either > 0).sum()),
            "subset_accuracy": _mean(weights @ (known.any(axis=1) & ~wrong.any(axis=1)), weights @ known.any(axis=1)),
            "hamming_loss": _mean((weights @ wrong).sum(), (weights @ known).sum()),
        }
        if only is None or "mean_average_precision" in only:
            areas = average_precision(statistics["scores"], truth).values(weights)
            found["mean_average_precision"] = _mean(np.nansum(areas), (~np.isnan(areas)).sum())
        return found

    def shares(self, statistics: Statistics) -> dict[str, Share]:
        import numpy as np

        truth, guess = statistics["truth"], statistics["guess"]
        known, wrong = ~np.isnan(truth), _wrong(truth, guess)
        none = Share(None)
        found = dict.fromkeys(("micro_f1", "macro_f1", "mean_average_precision", "hamming_loss"), none)
        if known.all() and truth.shape[1]:
            found["hamming_loss"] = Share(wrong.mean(axis=1))
        return {**found, "subset_accuracy": Share(~wrong.any(axis=1), known.any(axis=1))}

    def classes(self, examples: Examples, state: State) -> list[tuple[str, ...]]:
        """Those that train has not are among them."""
        names, beside = state["classes"], label_sets.strange(examples, state)
        return [
            (*(name for name, one in zip(names, row, strict=True) if one == 1), *others)
            for row, others in zip(label_sets.truths(examples, state), beside, strict=True)
        ]

    def remarks(self, examples: Examples, state: State) -> list[str]:
        unknown = [name for several in label_sets.strange(examples, state) for name in several]
        if not unknown:
            return []
        return [
            f"{len(unknown):,} labels of {len(examples):,} examples are none of train's "
            f"({some(sorted(set(unknown)))}): no network can guess them, and the scores pass them over"
        ]

    def errors(self, example: Example, prediction: Any, state: State) -> list[Error]:
        """One a label that is wrong, of the kind `missing LABEL` or `extra LABEL`; its size is −log p of the truth."""
        single = Examples([example.id], [None], [example.y])
        row = self._array([prediction], state)
        statistics = self.statistics(single, row, state)
        mistakes = self.kinds_of(single, row, statistics, state)
        said = label_sets.spelt(statistics["truth"], state)[0] or label_sets.NONE
        guess = self._said(row, state)[0] or "not a number"
        return [
            Error(example.id, mistakes.names[code], float(size), said, guess)
            for code, size in zip(mistakes.codes, mistakes.sizes, strict=True)
        ]

    def kinds_of(
        self, examples: Examples, predictions: Sequence[Any], statistics: Statistics, state: State
    ) -> Mistakes:
        import numpy as np

        truth, scores = statistics["truth"], statistics["scores"]
        rows, columns = np.nonzero(_wrong(truth, statistics["guess"]))
        true = truth[rows, columns] == 1
        of_truth = np.where(true, scores[rows, columns], 1 - scores[rows, columns])
        sizes = np.where(np.isnan(of_truth), math.inf, -np.log(np.maximum(of_truth, SMALLEST)))
        names = [kind + name for name in state["classes"] for kind in (MISSING, EXTRA)]
        return Mistakes(rows, 2 * columns + ~true, sizes, names)

    def mended(self, examples: Examples, predictions: Sequence[Any], kind: str, state: State) -> np.ndarray:
        mended = self._array(predictions, state).copy()
        truth = label_sets.truths(examples, state)
        for at, name in enumerate(state["classes"]):
            if kind == MISSING + name:
                mended[truth[:, at] == 1, at] = 1.0
            if kind == EXTRA + name:
                mended[truth[:, at] == 0, at] = 0.0
        return mended

    def mend(self, example: Example, prediction: Any, kind: str, state: State) -> np.ndarray:
        single = Examples([example.id], [None], [example.y])
        row: np.ndarray = self.mended(single, [prediction], kind, state)[0]
        return row

    def perfect(self, example: Example, state: State) -> np.ndarray:
        """1 for what is true, 0 for what is not, and for what is not known."""
        import numpy as np

        return np.nan_to_num(label_sets.truths(Examples([example.id], [None], [example.y]), state)[0])

    def columns(self, predictions: Sequence[Any], state: State) -> dict[str, Any]:
        """`guess`, as `cat;dog` or `none`, and `p_<label>` of each."""
        scores = self._array(predictions, state)
        return {
            "guess": self._said(scores, state),
            **{f"p_{name}": scores[:, i] for i, name in enumerate(state["classes"])},
        }

    def from_columns(self, columns: Mapping[str, Sequence[Any]], state: State) -> np.ndarray:
        """Out of `p_<label>` of every label, or, where the table has none, 0 and 1 out of `guess`."""
        import numpy as np

        names = state["classes"]
        if state.get("probabilities", True):
            found = [number_column(columns, f"p_{name}") for name in names]
            return np.stack(found, axis=1) if found else np.zeros((len(columns["guess"]), 0))
        guesses = columns["guess"]
        return label_sets.truths(Examples([""] * len(guesses), [None] * len(guesses), guesses), state)

    needs: ClassVar[str] = "guess, several labels as cat;dog, or --task multi_label with p_<label> for every label"

    def recognize(self, columns: Mapping[str, Sequence[Any]], *, asked: bool = False) -> State | None:
        """Labels in the order of their columns, else by name; thresholds of 0.5.

        Not asked, only texts in which several labels stand tell that they are some.
        """
        texts = [one for name in ("truth", "guess") for one in columns.get(name, ()) if isinstance(one, str)]
        several = any(mark in one for mark in label_sets.SEPARATORS[:2] for one in texts)
        if not (asked or (several and not sentences(columns) and not steps(columns))):
            return None
        mark = label_sets.separator_of(texts)
        names = [name.removeprefix("p_") for name in columns if name.startswith("p_")]
        if not names and "guess" not in columns:
            return None
        known = names or sorted({one for text in texts for one in label_sets.held(text, mark)} - {label_sets.NONE})
        state = {"classes": known, "thresholds": [0.5] * len(known), "separator": mark, "empty": "none"}
        return state if names else {**state, "probabilities": False}

    def received(
        self, columns: Mapping[str, Sequence[Any]], ids: Sequence[str], state: State
    ) -> tuple[np.ndarray, list[str]]:
        """Raises DataError that names the examples with a number that is no probability."""
        import numpy as np

        rows = self.from_columns(columns, state)
        wrong = ((rows < 0) | (rows > 1)).any(axis=1)
        if wrong.any():
            first = int(wrong.argmax())
            value = rows[first][(rows[first] < 0) | (rows[first] > 1)][0]
            raise DataError(
                f"the probabilities of {int(wrong.sum()):,} of {len(rows):,} examples are not between 0 and 1: in "
                f"'{ids[first]}' one is {value:g}; write probabilities, not logits, one column a label"
            )
        said = []
        if "guess" in columns and state.get("probabilities", True):
            own = _guessed(rows, np.array(state["thresholds"]))
            guesses = columns["guess"]
            theirs = label_sets.truths(Examples([""] * len(rows), [None] * len(rows), guesses), state)
            other = int((own != theirs).any(axis=1).sum())
            if other:
                said.append(
                    f"{other:,} of {len(rows):,} guesses are not the labels whose probability reaches the threshold; "
                    "the probabilities are what is scored"
                )
        return rows, said

    def sought(self, statistics: Statistics, state: State) -> Outcomes:
        """A row a label that is true; it is taken for none where it is not guessed."""
        import numpy as np

        rows, columns = np.nonzero(statistics["truth"] == 1)
        return Outcomes(columns, np.where(statistics["guess"][rows, columns] == 1, columns, -1), state["classes"])

    def truth(self, examples: Examples, state: State) -> list[Any]:
        return label_sets.spelt(label_sets.truths(examples, state), state)

    def stack(self, predictions: Sequence[Any]) -> np.ndarray:
        import numpy as np

        return np.stack([np.asarray(one, np.float64) for one in predictions])

    def _said(self, scores: np.ndarray, state: State) -> list[str | None]:
        import numpy as np

        return label_sets.spelt(_guessed(scores, np.array(state["thresholds"])), state)

    def _array(self, predictions: Sequence[Any], state: State) -> np.ndarray:
        import numpy as np

        return np.asarray(predictions, np.float64).reshape(-1, len(state["classes"]))


def _guessed(scores: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """1 where a label is guessed, 0 where not, NaN where its probability is NaN."""
    import numpy as np

    return np.where(np.isnan(scores), np.nan, scores >= thresholds)


def _wrong(truth: np.ndarray, guess: np.ndarray) -> np.ndarray:
    """Where a label that is known is not what was guessed; no guess at all is wrong."""
    import numpy as np

    wrong: np.ndarray = ~np.isnan(truth) & (truth != guess)
    return wrong


def _mean(total: Any, count: Any) -> float:
    return float(total / count) if count > 0 else math.nan
