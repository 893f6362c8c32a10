"""Error analysis for every evaluator: mend one kind of error, score again, and the difference is what mending buys.

Ceiling analysis is Ng's (Machine Learning Yearning, chapters 13 to 19 and 53).  An evaluator arrives as an argument.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from dlspec.strategy.intervals import wilson
from dlspec.types import Error, Example, Examples, Metric, Prediction, State, Statistics

Found = Sequence[Sequence[Error]]
"""the errors of each example, in the order of the examples"""


class Scorer(Protocol):
    """What is asked of an evaluator (see dlspec.evaluators.base)."""

    def metrics(self, state: State) -> list[Metric]: ...
    def statistics(self, examples: Examples, predictions: Sequence[Prediction], state: State) -> Statistics: ...
    def combine(self, statistics: Statistics, weights: np.ndarray | None = None) -> dict[str, float]: ...
    def errors(self, example: Example, prediction: Prediction, state: State) -> list[Error]: ...
    def mend(self, example: Example, prediction: Prediction, kind: str, state: State) -> Prediction: ...
    def stack(self, predictions: Sequence[Prediction]) -> Sequence[Prediction]: ...


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


def find_errors(evaluator: Scorer, examples: Examples, predictions: Sequence[Prediction], state: State) -> Found:
    """The errors of every example; `kinds`, `slices` and `worst` start from them."""
    return [evaluator.errors(examples[i], predictions[i], state) for i in range(len(examples))]


def kinds(
    evaluator: Scorer,
    examples: Examples,
    predictions: Sequence[Prediction],
    state: State,
    *,
    found: Found | None = None,
    statistics: Statistics | None = None,
    most: int = 100,
) -> list[Kind]:
    """Kinds of error, what buys most on the headline metric first.

    Only the examples that a kind touches are scored again.  Where there are more than `most` kinds (a thousand classes
    have a million pairs), the most frequent are looked at.  `found` and `statistics` spare computing them once more.
    """
    found = find_errors(evaluator, examples, predictions, state) if found is None else found
    statistics = evaluator.statistics(examples, predictions, state) if statistics is None else statistics
    headline = evaluator.metrics(state)[0]
    score = evaluator.combine(statistics)[headline.name]
    touched: dict[str, list[int]] = {}
    for row, errors in enumerate(found):
        for kind in {error.kind: None for error in errors}:
            touched.setdefault(kind, []).append(row)
    wrong = sum(bool(errors) for errors in found)
    result = []
    for kind, rows in sorted(touched.items(), key=lambda item: (-len(item[1]), item[0]))[:most]:
        mended = evaluator.stack([evaluator.mend(examples[row], predictions[row], kind, state) for row in rows])
        again = evaluator.statistics(examples.take(rows), mended, state)
        ceilings = evaluator.combine(_replaced(statistics, rows, again))
        ceiling = ceilings[headline.name]
        gain = ceiling - score if headline.best == "max" else score - ceiling
        low, high = wilson(len(rows), wrong)
        result.append(Kind(kind, len(rows), len(rows) / wrong, low, high, ceiling, gain, ceilings))
    return sorted(result, key=lambda one: (-_or_least(one.gain), -one.count, one.kind))


def slices(
    evaluator: Scorer,
    examples: Examples,
    statistics: Statistics,
    found: Found,
    state: State,
    *,
    most: int = 50,
) -> list[Slice]:
    """Every value of every tag, what is surely worst first (by the lower bound of its error rate).

    An empty tag is none.  Of a tag with more than `most` values, the most frequent are looked at.
    """
    headline = evaluator.metrics(state)[0].name
    wrong = np.array([bool(errors) for errors in found], bool)
    result = []
    for tag in examples.tag_names:
        values = np.array([str(value) for value in examples.tag(tag)], object)
        for value, n in Counter(value for value in values if value).most_common(most):
            rows = np.flatnonzero(values == value)
            errors = int(wrong[rows].sum())
            low, high = wilson(errors, n)
            metric = evaluator.combine({name: array[rows] for name, array in statistics.items()})[headline]
            share = errors / wrong.sum() if wrong.any() else 0.0
            result.append(Slice(tag, value, n, errors, errors / n, low, high, float(share), metric))
    return sorted(result, key=lambda one: (-one.low, -one.errors, one.name, one.value))


def worst(found: Found, count: int = 20) -> list[Error]:
    """The largest errors, one an example, the largest first; of equal ones, the earlier example."""
    largest = [max(errors, key=lambda error: error.size) for errors in found if errors]
    return heapq.nlargest(count, largest, key=lambda error: error.size)


def _replaced(statistics: Statistics, rows: Sequence[int], by: Statistics) -> Statistics:
    result = {}
    for name, array in statistics.items():
        result[name] = np.array(array)
        result[name][list(rows)] = by[name]
    return result


def _or_least(value: float) -> float:
    return -math.inf if math.isnan(value) else value
