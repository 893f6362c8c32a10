"""Errors that cost more than others: what each is weighed by, and the mean cost of an example as a metric."""

from __future__ import annotations

import functools
import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from dlspec.types import Examples, Metric, Mistakes, Share, State, Statistics

if TYPE_CHECKING:
    import numpy as np

    from dlspec.evaluators.base import Evaluator

WEIGHTED = "weighted_error"
UNMARKED = ("", "0", "0.0", "no", "false", "none", "nan")
"""what says, in a column of marks, that there is none"""


def of_errors(mistakes: Mistakes, examples: Examples, costs: Mapping[str, float]) -> np.ndarray:
    """What each error costs, float (M,): the greatest of the costs that name it, or 1 where none does.

    A cost names an error by its kind or how that begins ("3 → 8"; "3": whatever a 3 was taken for), or by a tag of its
    example: `tag=value`, or `tag` alone where the tag's value is a mark (neither empty nor 0, no, false).
    """
    import numpy as np

    result = np.full(len(mistakes.rows), math.nan)
    for name, cost in costs.items():
        named = np.array([names_kind(name, kind) for kind in mistakes.names], bool)
        concerned = named[mistakes.codes] if len(mistakes.names) else np.zeros(len(result), bool)
        marked = with_tag(name, examples)
        if marked is not None:
            concerned |= marked[mistakes.rows]
        result[concerned] = np.fmax(result[concerned], cost)
    return np.where(np.isnan(result), 1.0, result)


def names_kind(name: str, kind: str) -> bool:
    """Whether a cost is that of a kind of error: `3 -> 8` may be typed for `3 → 8`."""
    name = name.replace("->", "→")
    return kind == name or kind.startswith(f"{name} ")


def with_tag(name: str, examples: Examples) -> np.ndarray | None:
    """Which examples a tag (`tag=value`, `tag`) is that of, bool (N,); None where they have no such tag."""
    import numpy as np

    tag, equals, value = name.partition("=")
    if name in examples.tag_names:
        return np.array([str(one).strip().lower() not in UNMARKED for one in examples.tag(name)], bool)
    if equals and tag in examples.tag_names:
        return np.array([str(one) == value for one in examples.tag(tag)], bool)
    return None


class Costs:
    """What is put before an evaluator's class: its statistics have `cost`, the sum over each example's errors."""

    costs: ClassVar[Mapping[str, float]]

    def metrics(self, state: State) -> list[Metric]:
        found: list[Metric] = super().metrics(state)  # type: ignore[misc]
        return [*found, Metric(WEIGHTED, "min", 0.0)]

    def statistics(self, examples: Examples, predictions: Sequence[Any], state: State) -> Statistics:
        import numpy as np

        found: Statistics = super().statistics(examples, predictions, state)  # type: ignore[misc]
        mistakes = self.kinds_of(examples, predictions, found, state)  # type: ignore[attr-defined]
        each = of_errors(mistakes, examples, self.costs)
        return {**found, "cost": np.bincount(mistakes.rows, each, minlength=len(examples)).astype(np.float64)}

    def combine(
        self, statistics: Statistics, weights: np.ndarray | None = None, *, only: Collection[str] | None = None
    ) -> dict[str, float]:
        cost = statistics["cost"]
        total = len(cost) if weights is None else weights.sum()
        summed = cost.sum() if weights is None else weights @ cost
        mean = float(summed / total) if total > 0 else math.nan
        if only is not None and set(only) == {WEIGHTED}:
            return {WEIGHTED: mean}
        found: dict[str, float] = super().combine(  # type: ignore[misc]
            statistics, weights, only=None if only is None else set(only) - {WEIGHTED}
        )
        return {**found, WEIGHTED: mean}

    def shares(self, statistics: Statistics) -> dict[str, Share]:
        found: dict[str, Share] = super().shares(statistics)  # type: ignore[misc]
        return {**found, WEIGHTED: Share(statistics["cost"])}


def weighed(evaluator: Evaluator, costs: Mapping[str, float]) -> Evaluator:
    """The evaluator with the metric `weighted_error`, whichever it is."""
    cls = _with_costs(type(evaluator), tuple(costs.items()))
    return cls.model_construct(**{name: getattr(evaluator, name) for name in type(evaluator).model_fields})


@functools.cache
def _with_costs(cls: type[Evaluator], costs: tuple[tuple[str, float], ...]) -> type[Evaluator]:
    held = {"costs": dict(costs), "__annotations__": {"costs": ClassVar[Mapping[str, float]]}, "__module__": __name__}
    made: type[Evaluator] = type(cls.__name__, (Costs, cls), held)
    return made
