"""What every evaluator does: it knows truths and predictions, and nothing of networks."""

from __future__ import annotations

import abc
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from dlspec.recipe.component import Component
from dlspec.types import (
    ClassLabels,
    Error,
    Example,
    Examples,
    Figure,
    Marks,
    Metric,
    Mistakes,
    NumberLabels,
    Outcomes,
    Passage,
    Prediction,
    Share,
    State,
    Statistics,
)

if TYPE_CHECKING:
    import numpy as np


class Head(NamedTuple):
    """One of several things that a prediction says: who judges it, its statistics, and its part of the state."""

    evaluator: Evaluator
    statistics: Statistics
    state: State
    rows: np.ndarray | None = None
    """the places of the examples whose truth is known, a row of the statistics each; None: all"""


class Evaluator(Component):
    """One kind of prediction.  `state` is the task's part of the state (class names, scale, thresholds)."""

    @abc.abstractmethod
    def metrics(self, state: State) -> list[Metric]:
        """The metrics, the headline first.  Of an empty state, all that there may be; of a state, those that are."""

    def scored(self, examples: Examples, seed: int) -> Examples:
        """The units of scoring; by default the examples themselves."""
        return examples

    @abc.abstractmethod
    def statistics(self, examples: Examples, predictions: Sequence[Prediction], state: State) -> Statistics:
        """Arrays with a row an example, enough to compute every metric, so that any metric can be bootstrapped."""

    @abc.abstractmethod
    def combine(
        self, statistics: Statistics, weights: np.ndarray | None = None, *, only: Collection[str] | None = None
    ) -> dict[str, float]:
        """Every metric; where `only` some are wanted, the others may be left out, for they may take long.

        `weights` (a number a row; how often a bootstrap drew it) stands for repeating rows.

        A metric that cannot be computed from these rows (AUC with one class) is NaN.
        """

    def shares(self, statistics: Statistics) -> dict[str, Share]:
        """The metrics that are means over rows: name → Share.  Their intervals hold where a bootstrap fails.

        `rows` (N,): 1 for a hit and 0 for none, which makes it a share of rows (precision, recall), or a loss of 0 or
        more; `among` (N,), bool: the rows that it is the mean of, None being all; `metric`, increasing: what makes the
        metric out of the mean, None being nothing.  `rows` None: a share of other things than rows (of pairs, or a mean
        of several shares), between 0 and 1.
        """
        return {}

    def by_class(
        self, statistics: Statistics, state: State, weights: np.ndarray | None = None
    ) -> dict[str, dict[str, float]]:
        """Metrics of each class alone, by its name, the most frequent classes; by default none.

        Their intervals are those of shares of other things than rows (see `shares`).
        """
        return {}

    @abc.abstractmethod
    def errors(self, example: Example, prediction: Prediction, state: State) -> list[Error]:
        """What is wrong in one prediction: none, one, or several errors of several kinds."""

    def kinds_of(
        self, examples: Examples, predictions: Sequence[Prediction], statistics: Statistics, state: State
    ) -> Mistakes:
        """What `errors` says of every example, as arrays: of a million examples, texts are wanted for a few alone.

        By default `errors` is asked one by one; whoever can tell from the statistics should.
        """
        import numpy as np

        names: dict[str, int] = {}
        rows, codes, sizes = [], [], []
        for row in range(len(examples)):
            for error in self.errors(examples[row], predictions[row], state):
                rows.append(row)
                codes.append(names.setdefault(error.kind, len(names)))
                sizes.append(error.size)
        return Mistakes(np.array(rows, np.int64), np.array(codes, np.int64), np.array(sizes), list(names))

    def mended(
        self, examples: Examples, predictions: Sequence[Prediction], kind: str, state: State
    ) -> Sequence[Prediction]:
        """`mend` for many examples, each of which has an error of this kind."""
        return self.stack([self.mend(examples[i], predictions[i], kind, state) for i in range(len(examples))])

    @abc.abstractmethod
    def perfect(self, example: Example, state: State) -> Prediction:
        """The prediction that nothing is wrong with."""

    def swapped(self, prediction: Prediction, example: Example, state: State) -> Prediction:
        """What was said of another example as a prediction of this one: wrong, but of the form that it would have; by
        default as it is."""
        return prediction

    def mend(self, example: Example, prediction: Prediction, kind: str, state: State) -> Prediction:
        """The prediction with its errors of one kind mended; by default perfect where it has one."""
        wrong = any(error.kind == kind for error in self.errors(example, prediction, state))
        return self.perfect(example, state) if wrong else prediction

    @abc.abstractmethod
    def columns(self, predictions: Sequence[Prediction], state: State) -> dict[str, Any]:
        """Predictions as columns of a table for people: guess, probabilities."""

    finds: ClassVar[bool] = False
    """whether predictions are boxes: `said` has `objects`, a list of {"class", "confidence", "box": [x0, y0, x1, y1]},
    and `found` gives them as numbers"""

    def found(self, prediction: Prediction, state: State) -> np.ndarray:
        """The boxes of one prediction, float64 (K, 6): corners, confidence, class index; where it `finds`."""
        raise TypeError(f"{self.name} finds no boxes")

    def said(self, predictions: Sequence[Prediction], state: State) -> list[dict[str, Any]]:
        """Each prediction as JSON has it; by default its row of `columns`."""
        columns = {
            name: values.tolist() if hasattr(values, "tolist") else values
            for name, values in self.columns(predictions, state).items()
        }
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]

    @abc.abstractmethod
    def from_columns(self, columns: Mapping[str, Sequence[Any]], state: State) -> Sequence[Prediction]:
        """The predictions that such columns were made of; others are passed over.  The inverse of `columns`.

        Raises DataError that says which column is missing.
        """

    needs: ClassVar[str] = "columns that it knows"
    """what a table of predictions must have beside id and truth, in words"""

    def recognize(self, columns: Mapping[str, Sequence[Any]], *, asked: bool = False) -> State | None:
        """The task's part of the state, as far as a table of predictions tells it; None where it holds no such ones.

        columns: truth, and what else there is of guess, split and the evaluator's own.  asked: the user says that they
        are of this kind, so that None is for those that cannot be.
        """
        return None

    def received(
        self, columns: Mapping[str, Sequence[Any]], ids: Sequence[str], state: State
    ) -> tuple[Sequence[Prediction], list[str]]:
        """`from_columns` for a table that others wrote: the predictions, and what is to be said of them.

        Raises DataError that names the examples whose predictions cannot be.
        """
        return self.from_columns(columns, state), []

    def fitted(self, examples: Examples, predictions: Sequence[Prediction], state: State) -> tuple[State, list[str]]:
        """The state with what it does not say fitted on these (a threshold of another tool's predictions), and what is
        to be said of that; by default as it is."""
        return state, []

    @abc.abstractmethod
    def truth(self, examples: Examples, state: State) -> list[Any]:
        """The truth of each example in the words of `columns`' guess (None where unknown)."""

    def classes(self, examples: Examples, state: State) -> list[tuple[str, ...]]:
        """The classes that are true of each example, one or several, to be counted; nothing where truths are none."""
        return []

    def facts(self, examples: Examples, state: State) -> dict[str, Any]:
        """What is true of each example and may explain why it is predicted badly, by name: float64 (N,), or words as an
        object array; by default nothing beside the truth and its classes."""
        return {}

    def labels(
        self, examples: Examples, predictions: Sequence[Prediction], state: State
    ) -> ClassLabels | NumberLabels | None:
        """What an audit of labels works on; by default None: the truths are no labels that one could audit.

        An example may have several, one each of its parts: then `part` says what these are.
        """
        return None

    def part(self, example: Example, place: int) -> tuple[str, str]:
        """A part that has a label of its own (a word), and the example with that part in brackets."""
        raise IndexError(f"{self.name} has a label an example, and none of parts")

    def heads(self, statistics: Statistics, state: State) -> dict[str, Head]:
        """What a prediction says, by name, where that is several things of different kinds; by default none."""
        return {}

    def outcomes(self, statistics: Statistics, state: State) -> Outcomes | None:
        """What was true and what was said of each example, where that is one class; by default None: it is not."""
        return None

    def sought(self, statistics: Statistics, state: State) -> Outcomes | None:
        """Each thing that is there to be found, its class, and what it was taken for, as `outcomes`; by default those.

        Of several labels each that is true is a row, and so is each of several objects.
        """
        return self.outcomes(statistics, state)

    def marks(self, example: Example, prediction: Prediction | None, state: State) -> tuple[Marks, Marks | None] | None:
        """Where in the picture truth and guess are, to be drawn on it; by default None: they are no places.

        prediction None: there is no guess.  An example whose y is None has an empty truth, Marks().
        """
        return None

    def beside(self, example: Example, prediction: Prediction | None, state: State) -> list[Passage] | Figure | None:
        """Truth and guess as a person looks at them, where they are more than a word: texts with what is wrong in them
        marked, or something drawn; by default None.

        prediction None: there is no guess.
        """
        return None

    def signatures(self, state: State) -> dict[str, str]:
        """metric → how it is computed, to be given with the figure, where others mean other things by its name."""
        return {}

    def remarks(self, examples: Examples, state: State) -> list[str]:
        """What a person should know of these truths before trusting the scores; each a sentence."""
        return []

    def figures(self, statistics: Statistics, state: State) -> list[Figure]:
        """What a person would rather look at than read: confusion matrix, calibration, truth against guess."""
        return []

    def weighed(self, costs: Mapping[str, float]) -> Evaluator:
        """The same with one metric more, `weighted_error`: the mean cost of an example's errors (see costs.weighed)."""
        from dlspec.evaluators.costs import weighed

        return weighed(self, costs)

    def stack(self, predictions: Sequence[Prediction]) -> Sequence[Prediction]:
        """Single predictions as the sequence that `statistics` takes (an array, where they are arrays)."""
        return list(predictions)
