"""The section `goal`: what a run is judged by, and what the scores are held against."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field
from pydantic_core import InitErrorDetails, PydanticCustomError

from dlspec.recipe.component import DataPath, Section, unknown
from dlspec.types import Metric

Fault = tuple[tuple[str, ...], str, Any]
"""keys that lead to it, what is wrong, and what was given"""


class Goal(Section):
    """What the run is judged by."""

    optimize: str | None = None
    """the metric that decides on dev; left out: the task's headline metric"""
    human: dict[str, float] | DataPath | None = None
    """how well people do: a value for a metric or several ({accuracy: 0.99}), or a CSV file of what several annotators
    answered; the gap between that and train is the avoidable bias"""
    costs: dict[str, Annotated[float, Field(ge=0)]] = {}
    """how many times an error counts, by its kind ("3 → 8"), its tag (blurred) or the value of a tag ("light=dark"); an
    error that none of them names counts once"""


def unfit(given: Any, metrics: Sequence[Metric]) -> list[InitErrorDetails]:
    """All that a task with these metrics cannot be judged by; values of a wrong type are left to others to refuse."""
    if isinstance(given, Goal):
        given = given.model_dump()
    if not isinstance(given, Mapping):
        return []
    return [
        InitErrorDetails(type=PydanticCustomError("unfit", "{message}", {"message": text}), loc=keys, input=value)
        for keys, text, value in [*_optimize(given.get("optimize"), metrics), *_human(given.get("human"), metrics)]
    ]


def _optimize(given: Any, metrics: Sequence[Metric]) -> Iterator[Fault]:
    known = [metric.name for metric in metrics]
    if isinstance(given, str) and given not in known:
        yield ("optimize",), unknown("metric", given, known), given


def _human(given: Any, metrics: Sequence[Metric]) -> Iterator[Fault]:
    known = {metric.name: metric for metric in metrics}
    for name, value in given.items() if isinstance(given, Mapping) else ():
        if name not in known:
            yield ("human", str(name)), unknown("metric", str(name), list(known)), value
        elif isinstance(value, int | float) and not isinstance(value, bool):
            _, best, perfect = known[name]
            if (value > perfect) if best == "max" else (value < perfect):
                hint = f"; of 100, write {value / 100:g}" if best == "max" and 1 < value <= 100 and perfect == 1 else ""
                yield ("human", name), f"nothing is better than {name} {perfect:g}, got {value:g}{hint}", value
