"""The section `goal`: what a run is judged by, and what the scores are held against."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, Field
from pydantic_core import InitErrorDetails, PydanticCustomError

from dlspec.recipe.component import DataPath, Section, shown, unknown
from dlspec.types import Metric

WEIGHTED = Metric("weighted_error", "min", 0.0)
MEASURED = (
    Metric("latency_ms_p50", "min", 0.0),
    Metric("latency_ms_p95", "min", 0.0),
    Metric("examples_per_second", "max", float("inf")),
    Metric("size_mb", "min", 0.0),
    Metric("parameters", "min", 0.0),
)
"""what is measured of a network, whatever its weights"""
SIGNS = {"<=": "<=", ">=": ">=", "<": "<", ">": ">", "≤": "<=", "≥": ">=", "=<": "<=", "=>": ">="}
_LIMIT = re.compile(rf"\s*({'|'.join(sorted(SIGNS, key=len, reverse=True))})\s*([-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?)\s*")
_SLICE = re.compile(r"([^\[\]]+)\[(.+)\]")
Fault = tuple[tuple[str, ...], str, Any]
"""keys that lead to it, what is wrong, and what was given"""


class Limit(NamedTuple):
    """What must hold of a figure."""

    name: str
    """as it is written: accuracy[light=dark]"""
    metric: str
    tag: str | None
    """over which examples: `tag=value`, or `tag`"""
    sign: str
    bound: float

    @property
    def measured(self) -> bool:
        """Whether it is of the network alone, whatever its weights."""
        return self.metric in [one.name for one in MEASURED]


def _text(given: Any) -> Any:
    if isinstance(given, str):
        return given
    number = isinstance(given, int | float) and not isinstance(given, bool)
    example = f'"<= {given:g}" or ">= {given:g}"' if number else '"<= 10"'
    raise PydanticCustomError(
        "unfit", "{message}", {"message": f"expected a sign and a number, as in {example}, got {shown(given)}"}
    )


class Goal(Section):
    """What the run is judged by: one metric decides, among all that keep the limits."""

    optimize: str | None = None
    """the metric that decides on dev, weighted_error (see costs) among them; left out: the task's headline metric"""
    subject_to: dict[str, Annotated[str, BeforeValidator(_text)]] = {}
    """limits that must hold, as `"<= 10"`: of a metric on dev, of a metric over the examples with a tag
(`accuracy[light=dark]`), or of what is measured of the network alone: latency_ms_p50, latency_ms_p95 (of one example),
examples_per_second, size_mb, parameters"""
    human: dict[str, float] | DataPath | None = None
    """how well people do: a value for a metric or several ({accuracy: 0.99}), or a CSV file of what several annotators
    answered; the gap between that and train is the avoidable bias"""
    costs: dict[str, Annotated[float, Field(ge=0)]] = {}
    """how many times an error counts in weighted_error, the mean over examples: by its kind ("3 → 8"), how that begins
("3"), its tag (blurred) or the value of a tag ("light=dark"); an error that none of them names counts once"""

    @property
    def limits(self) -> tuple[Limit, ...]:
        """What `subject_to` says."""
        found = [read_limit(name, text) for name, text in self.subject_to.items()]
        return tuple(one for one in found if one is not None)

    @property
    def limits_of_weights(self) -> tuple[Limit, ...]:
        """Those that change while a network is trained."""
        return tuple(one for one in self.limits if not one.measured)

    @property
    def weighs(self) -> bool:
        """Whether errors are weighed by what they cost."""
        human = self.human if isinstance(self.human, dict) else {}
        named = {self.optimize, *human, *(one.metric for one in self.limits)}
        return bool(self.costs) or WEIGHTED.name in named


def read_limit(name: str, text: str) -> Limit | None:
    """`accuracy[light=dark]`, `">= 0.9"` as a limit; None where the text is no sign and number."""
    found = _LIMIT.fullmatch(text.lower())
    if found is None:
        return None
    part = _SLICE.fullmatch(name.strip())
    metric, tag = (part[1].strip(), part[2].strip()) if part else (name.strip(), None)
    return Limit(name, metric, tag, SIGNS[found[1]], float(found[2]))


def unfit(given: Any, metrics: Sequence[Metric]) -> list[InitErrorDetails]:
    """All that a task with these metrics cannot be judged by; values of a wrong type are left to others to refuse."""
    if isinstance(given, Goal):
        given = given.model_dump()
    if not isinstance(given, Mapping):
        return []
    metrics = [*metrics, WEIGHTED]
    faults = [
        *_optimize(given.get("optimize"), metrics),
        *_subject_to(given.get("subject_to"), metrics),
        *human_faults(given.get("human"), metrics),
    ]
    return [
        InitErrorDetails(type=PydanticCustomError("unfit", "{message}", {"message": text}), loc=keys, input=value)
        for keys, text, value in faults
    ]


def _optimize(given: Any, metrics: Sequence[Metric]) -> Iterator[Fault]:
    known = [metric.name for metric in metrics]
    if not isinstance(given, str) or given in known:
        return
    if given in [one.name for one in MEASURED]:
        message = (
            f"{given} is the same whatever was learned, so it cannot say which epoch is best; limit it in subject_to"
        )
    elif _SLICE.fullmatch(given):
        message = f"what decides is one metric over all of dev; limit {given} in subject_to"
    else:
        message = unknown("metric", given, known)
    yield ("optimize",), message, given


def _subject_to(given: Any, metrics: Sequence[Metric]) -> Iterator[Fault]:
    known = {one.name: one for one in (*metrics, *MEASURED)}
    for name, text in given.items() if isinstance(given, Mapping) else ():
        keys = ("subject_to", str(name))
        limit = read_limit(str(name), text if isinstance(text, str) else "<= 0")
        part = _SLICE.fullmatch(str(name).strip())
        metric = part[1].strip() if part else str(name).strip()
        if metric not in known:
            yield keys, unknown("metric", metric, list(known)), text
        elif part and known[metric] in MEASURED:
            yield keys, f"{metric} is of the network and not of some examples; leave [{part[2]}] out", text
        elif limit is None:
            yield keys, f'expected a sign and a number, as in "<= 10" or ">= 0.9", got {shown(text)}', text
        elif isinstance(text, str):
            message = _in_vain(limit, known[metric])
            if message:
                yield keys, message, text


def _in_vain(limit: Limit, metric: Metric) -> str | None:
    """Why a limit makes no sense for a metric; None where it does."""
    high = metric.best == "max"
    if (limit.sign[0] == ">") != high:
        turned = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}[limit.sign]
        better, most = ("higher", "least") if high else ("lower", "most")
        bound = f'"{turned} {limit.bound:g}"'
        return f"the {better} the better is {metric.name}: a limit says what it must be at {most}, {bound}"
    beyond = limit.bound > metric.perfect if high else limit.bound < metric.perfect
    if beyond or (limit.bound == metric.perfect and len(limit.sign) == 1):
        hint = _percent(metric, limit.bound)
        return f"nothing is better than {metric.name} {metric.perfect:g}, so no run could keep it{hint}"
    return None


def human_faults(given: Any, metrics: Sequence[Metric]) -> Iterator[Fault]:
    """What is wrong with a human level, stated as values by metric; whatever else it is, is left to others."""
    known = {metric.name: metric for metric in metrics}
    for name, value in given.items() if isinstance(given, Mapping) else ():
        if name not in known:
            yield ("human", str(name)), unknown("metric", str(name), list(known)), value
        elif isinstance(value, int | float) and not isinstance(value, bool):
            _, best, perfect = known[name]
            if (value > perfect) if best == "max" else (value < perfect):
                hint = _percent(known[name], value)
                yield ("human", name), f"nothing is better than {name} {perfect:g}, got {value:g}{hint}", value


def _percent(metric: Metric, value: float) -> str:
    share = metric.best == "max" and metric.perfect == 1 and 1 < value <= 100
    return f"; of 100, write {value / 100:g}" if share else ""
