"""The human level: stated in the recipe, or worked out of what several annotators answered on dev."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dlspec.runs import folder as folders
from dlspec.runs.human_answers import SPLIT, answers
from dlspec.runs.human_verdict import by_chance, chosen, sentences
from dlspec.runs.judged import Judged, Part
from dlspec.strategy.agreement import cohen_kappa, fleiss_kappa, krippendorff_alpha, together
from dlspec.strategy.intervals import Interval, intervals
from dlspec.strategy.ledger import Level
from dlspec.types import ArgumentError

TOGETHER = {"nominal": "the majority", "interval": "the median"}
"""what several annotators say together, as one more of them"""


@dataclass(frozen=True)
class Human:
    """How well people do on a metric; value is NaN where their answers do not tell."""

    metric: str
    value: float
    low: float
    high: float
    n: int
    """examples that it was measured on; 0: stated"""
    name: str
    """whose level it is: the best annotator, or `stated`"""
    annotators: list[dict[str, Any]] = field(default_factory=list)
    """name, n, value, low, high of each, and of what they say together"""
    agreement: dict[str, Any] = field(default_factory=dict)
    says: list[str] = field(default_factory=list)

    @property
    def level(self) -> Level | None:
        """For the ledger; None where it is not known."""
        if not math.isfinite(self.value):
            return None
        return Level("human", self.n, value=self.value, low=self.low, high=self.high)


def human_level(given: Mapping[str, float] | str | None, judged: Judged, split: str = SPLIT) -> Human | None:
    """How well people do, on the metric that decides; kept in human.json, where annotators tell it.

    given: `goal.human`: values by metric, or the file of what annotators answered on the split.  Where the split was
    judged before, what is kept of that.  None where nothing is known for this metric.  Raises DataError that names file
    and line.
    """
    name = judged.metric.name
    if given is None:
        return None
    if isinstance(given, Mapping):
        value = given.get(name)
        return None if value is None else Human(name, value, value, value, 0, "stated")
    if split not in judged.parts:
        return _kept(judged.home, name)
    found = _annotated(given, judged, judged.parts[split], split)
    if judged.home is not None:
        folders.write_json(judged.home / "human.json", asdict(found))
    return found


def asked(text: str | None) -> dict[str, float] | str | None:
    """`accuracy=0.99` as a value by metric, anything else as the name of a file.  Raises ArgumentError."""
    if text is None:
        return None
    metric, equals, value = text.partition("=")
    if not equals or Path(text).is_file():
        if not Path(text).is_file():
            raise ArgumentError(f"--human is a value (accuracy=0.99) or a file of annotators' answers; no file {text}")
        return text
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ArgumentError(f"--human {text}: expected a number after '{metric}='")
    return {metric.strip(): number}


def kept_value(folder: Path, metric: str) -> float | None:
    """The human level that an evaluation of a run has worked out of annotators' answers; None where it has not."""
    kept = folders.read_json(folder / "human.json", {})
    value: float | None = kept.get("value") if kept.get("metric") == metric else None
    return value


def _kept(home: Path | None, metric: str) -> Human | None:
    """What an earlier evaluation made of the annotators' answers."""
    kept = folders.read_json(home / "human.json", {}) if home is not None else {}
    if kept.get("metric") != metric:
        return None
    return Human(**{**kept, **{key: math.nan for key in ("value", "low", "high") if kept[key] is None}})


def _annotated(file: str, judged: Judged, part: Part, split: str) -> Human:
    ids = {one for other in judged.parts.values() for one in other.examples.ids}
    if judged.opened is not None:
        ids |= set(folders.read_manifest(judged.opened.folder / "manifest.csv"))
    kind, classes, given = answers(file, judged.evaluator, judged.state, part.examples, ids, split)
    coded = np.stack(list(given.values()))
    every = {**given, TOGETHER[kind]: together(coded, kind)}
    table = [_scored(name, answers, judged, part, classes, kind) for name, answers in every.items()]
    pairs = [
        {"one": one, "other": other, "kappa": kappa, "n": n}
        for i, one in enumerate(given)
        for other in list(given)[i + 1 :]
        for kappa, n in [cohen_kappa(every[one], every[other])]
        if kind == "nominal"
    ]
    agreement: dict[str, Any] = {
        "alpha": krippendorff_alpha(coded, kind)._asdict(),
        "kind": kind,
        "fleiss_kappa": fleiss_kappa(coded) if kind == "nominal" else math.nan,
        "pairs": pairs,
        "examples": int(((~np.isnan(coded)).sum(axis=0) >= 2).sum()),
    }
    table = [one for one in table if one["n"]]
    best = chosen(table, judged.metric)
    says = sentences(table, best, agreement, judged.metric, split, len(part.examples), judged.opened is None)
    name, n, ends = "", 0, Interval(math.nan, math.nan, math.nan)
    if best is not None and not by_chance(agreement["alpha"]):
        name, n, ends = best["name"], best["n"], Interval(best["value"], best["low"], best["high"])
    return Human(judged.metric.name, *ends, n, name, table, agreement, says)


def _scored(
    name: str, answers: np.ndarray, judged: Judged, part: Part, classes: Sequence[str], kind: str
) -> dict[str, Any]:
    """One row of the table: the level of one annotator, on what that one has answered."""
    rows = np.flatnonzero(~np.isnan(answers)).tolist()
    nothing = {"name": name, "n": len(rows), "value": math.nan, "low": math.nan, "high": math.nan}
    evaluator, metric = judged.evaluator, judged.metric.name
    # People give classes, not probabilities.
    state = {**judged.state, "probabilities": False} if kind == "nominal" else judged.state
    if not rows or metric not in [one.name for one in evaluator.metrics(state)]:
        return nothing
    guesses = [classes[int(answers[row])] for row in rows] if kind == "nominal" else answers[rows].tolist()
    examples = part.examples.take(rows)
    statistics = evaluator.statistics(examples, evaluator.from_columns({"guess": guesses}, state), state)
    groups = None if part.groups is None else [part.groups[row] for row in rows]
    found = intervals(
        evaluator.combine,
        statistics,
        len(rows),
        groups=groups,
        shares=evaluator.shares(statistics),
        only={metric},
    )[metric]
    return {**nothing, **found._asdict()}
