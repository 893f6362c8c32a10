"""Error analysis for every evaluator: mend one kind of error, score again, and the difference is what mending buys.

Ceiling analysis is Ng's (Machine Learning Yearning, chapters 13 to 19 and 53).  An evaluator arrives as an argument.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from dlspec.strategy.intervals import wilson
from dlspec.types import Error, Example, Examples, Metric, Mistakes, Prediction, State, Statistics

Found = Sequence[Sequence[Error]]
"""the errors of each example, in the order of the examples"""
MANY = 30_000_000
"""rows scored again for all kinds together, beyond which the metrics that are needed are looked at alone"""


class Scorer(Protocol):
    """What is asked of an evaluator (see dlspec.evaluators.base)."""

    def metrics(self, state: State) -> list[Metric]: ...
    def statistics(self, examples: Examples, predictions: Sequence[Prediction], state: State) -> Statistics: ...
    def combine(
        self, statistics: Statistics, weights: np.ndarray | None = None, *, only: Collection[str] | None = None
    ) -> dict[str, float]: ...
    def kinds_of(
        self, examples: Examples, predictions: Sequence[Prediction], statistics: Statistics, state: State
    ) -> Mistakes: ...
    def errors(self, example: Example, prediction: Prediction, state: State) -> list[Error]: ...
    def mended(
        self, examples: Examples, predictions: Sequence[Prediction], kind: str, state: State
    ) -> Sequence[Prediction]: ...


@dataclass(frozen=True)
class Kind:
    """One kind of error on a split."""

    kind: str
    count: int
    """examples that have it"""
    share: float
    """of all examples with an error; kinds may overlap, so shares may add up to more than 1"""
    low: float
    high: float
    """Wilson's interval of the share"""
    ceiling: float
    """the headline metric, were every error of this kind mended"""
    gain: float
    """how much better that is than the score"""
    ceilings: Mapping[str, float]
    """every metric, were every error of this kind mended"""


@dataclass(frozen=True)
class Slice:
    """The examples that share a tag."""

    name: str
    """of the tag"""
    value: str
    n: int
    errors: int
    """examples with an error"""
    rate: float
    """the share of its examples with an error"""
    low: float
    high: float
    """Wilson's interval of the rate"""
    share: float
    """its part of all examples with an error"""
    metric: float
    """the headline metric on its examples alone; NaN where they do not allow it"""


class Errors(Sequence[Sequence[Error]]):
    """The errors of every example, held as arrays; those of one example are put into words when they are asked for."""

    def __init__(
        self,
        evaluator: Scorer,
        examples: Examples,
        predictions: Sequence[Prediction],
        state: State,
        statistics: Statistics,
    ) -> None:
        self.mistakes = evaluator.kinds_of(examples, predictions, statistics, state)
        self.wrong = np.zeros(len(examples), bool)
        """(N,): whether an example has an error"""
        self.wrong[self.mistakes.rows] = True
        self._of = lambda row: evaluator.errors(examples[row], predictions[row], state)

    def __len__(self) -> int:
        return len(self.wrong)

    def __getitem__(self, row: Any) -> Any:
        return self._of(row) if self.wrong[row] else []

    def touched(self) -> list[tuple[str, np.ndarray]]:
        """Kind → the rows that have it, the most frequent first; of equals, by name."""
        rows, codes = self.mistakes.rows, self.mistakes.codes
        order = np.argsort(codes, kind="stable")
        bounds = np.searchsorted(codes[order], np.arange(len(self.mistakes.names) + 1))
        found = [
            (name, np.unique(rows[order[low:high]]))
            for name, low, high in zip(self.mistakes.names, bounds[:-1], bounds[1:], strict=True)
            if high > low
        ]
        return sorted(found, key=lambda item: (-len(item[1]), item[0]))

    def largest(self, count: int, among: np.ndarray | None = None) -> list[int]:
        """Rows by their largest error, the largest first; of equal ones, the earlier example.

        among: (N,) bool, those that are asked for; None: all.
        """
        size = np.full(len(self), -math.inf)
        np.maximum.at(size, self.mistakes.rows, self.mistakes.sizes)
        rows = np.flatnonzero(self.wrong if among is None else self.wrong & among)
        chosen: list[int] = rows[np.argsort(-size[rows], kind="stable")[:count]].tolist()
        return chosen


def find_errors(
    evaluator: Scorer,
    examples: Examples,
    predictions: Sequence[Prediction],
    state: State,
    statistics: Statistics | None = None,
) -> Errors:
    """The errors of every example; `kinds`, `slices` and `worst` start from them."""
    statistics = evaluator.statistics(examples, predictions, state) if statistics is None else statistics
    return Errors(evaluator, examples, predictions, state, statistics)


def kinds(
    evaluator: Scorer,
    examples: Examples,
    predictions: Sequence[Prediction],
    state: State,
    *,
    found: Errors | None = None,
    statistics: Statistics | None = None,
    needed: str | None = None,
    most: int = 100,
) -> list[Kind]:
    """Kinds of error, what buys most on the headline metric first.

    Only the examples that a kind touches are scored again.  Where there are more than `most` kinds (a thousand classes
    have a million pairs), the most frequent are looked at; where examples are many, so are ceilings of the headline
    and the `needed` metric alone.  `found` and `statistics` spare computing them once more.
    """
    statistics = evaluator.statistics(examples, predictions, state) if statistics is None else statistics
    found = find_errors(evaluator, examples, predictions, state, statistics) if found is None else found
    headline = evaluator.metrics(state)[0]
    touched = found.touched()[:most]
    only = None if len(touched) * len(examples) <= MANY else {headline.name, needed or headline.name}
    score = evaluator.combine(statistics, only=only)[headline.name]
    wrong = int(found.wrong.sum())
    work = {name: np.array(array) for name, array in statistics.items()}
    result = []
    for kind, rows in touched:
        some = examples.take(rows.tolist())
        held = predictions[rows] if isinstance(predictions, np.ndarray) else [predictions[row] for row in rows]
        again = evaluator.statistics(some, evaluator.mended(some, held, kind, state), state)
        before = {name: array[rows] for name, array in work.items()}
        for name, array in work.items():
            array[rows] = again[name]
        # A view is another array: whoever remembers what it made of the last one (a ranking) makes it anew.
        ceilings = evaluator.combine({name: array.view() for name, array in work.items()}, only=only)
        for name, array in work.items():
            array[rows] = before[name]
        ceiling = ceilings[headline.name]
        gain = ceiling - score if headline.best == "max" else score - ceiling
        low, high = wilson(len(rows), wrong)
        result.append(Kind(kind, len(rows), len(rows) / wrong, low, high, ceiling, gain, ceilings))
    return sorted(result, key=lambda one: (-_or_least(one.gain), -one.count, one.kind))


def slices(
    evaluator: Scorer,
    examples: Examples,
    statistics: Statistics,
    found: Errors,
    state: State,
    *,
    metric: Metric | None = None,
    most: int = 50,
) -> list[Slice]:
    """Every value of every tag, what is surely worst first (by the lower bound of its error rate); where every example
    has an error, as those of a language model do, by the metric.

    metric: left out, the evaluator's first.  An empty tag is none.  Of a tag with more than `most` values, the most
    frequent are looked at.
    """
    metric = metric or evaluator.metrics(state)[0]
    wrong = found.wrong
    result = []
    for tag in examples.tag_names:
        places: dict[str, int] = {}
        codes = np.array([places.setdefault(value, len(places)) for value in map(str, examples.tag(tag))], np.int64)
        order = np.argsort(codes, kind="stable")
        bounds = np.searchsorted(codes[order], np.arange(len(places) + 1)).tolist()
        sizes = {value: bounds[code + 1] - bounds[code] for value, code in places.items() if value}
        for value, n in Counter(sizes).most_common(most):
            rows = order[bounds[places[value]] : bounds[places[value] + 1]]
            errors = int(wrong[rows].sum())
            low, high = wilson(errors, n)
            part = {name: array[rows] for name, array in statistics.items()}
            score = evaluator.combine(part, only={metric.name})[metric.name]
            share = errors / wrong.sum() if wrong.any() else 0.0
            result.append(Slice(tag, value, n, errors, errors / n, low, high, float(share), score))
    if wrong.all():
        sign = -1 if metric.best == "max" else 1
        return sorted(result, key=lambda one: (-_or_least(sign * one.metric), one.name, one.value))
    return sorted(result, key=lambda one: (-one.low, -one.errors, one.name, one.value))


def worst(found: Found, count: int = 20, among: np.ndarray | None = None) -> list[Error]:
    """The largest errors, one an example, the largest first; of equal ones, the earlier example.

    among: (N,) bool, the examples that may be shown (where errors are held as arrays); None: all.
    """
    if isinstance(found, Errors):
        return [max(found[row], key=lambda error: error.size) for row in found.largest(count, among)]
    largest = [max(errors, key=lambda error: error.size) for errors in found if errors]
    return heapq.nlargest(count, largest, key=lambda error: error.size)


def _or_least(value: float) -> float:
    return -math.inf if math.isnan(value) else value
