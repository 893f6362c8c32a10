"""What evaluate and error-analysis work on: examples and what was predicted of them, wherever that comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from dlspec.evaluators.base import Evaluator
from dlspec.report.watch import Watch
from dlspec.runs.opened import OpenedRun
from dlspec.runs.prepare import headline
from dlspec.types import SPLITS, ArgumentError, Example, Examples, Metric, Prediction, Rendering, State, Statistics


class Shown(Protocol):
    """What is asked of an input here: its kind, an example as a person looks at it, what may explain errors."""

    @property
    def kind(self) -> str: ...
    @property
    def facts_of(self) -> int | None: ...
    def facts(self, examples: Examples, state: State) -> dict[str, Any]: ...
    def show(self, example: Example) -> Rendering: ...


@dataclass(frozen=True)
class Part:
    """A split: its units of scoring, what was predicted of each, and the evaluator's statistics, a row each."""

    examples: Examples
    predictions: Sequence[Prediction]
    statistics: Statistics

    @property
    def groups(self) -> list[str] | None:
        """The group of each example; None where the data has none."""
        return self.examples.column("groups") if self.examples.columns["groups"] is not None else None


@dataclass(frozen=True)
class Judged:
    """Predictions and the evaluator that says what they are worth; no network is asked for."""

    evaluator: Evaluator
    state: State
    """the task's part of it"""
    metric: Metric
    """the one that decides: the goal's, or the evaluator's first"""
    parts: Mapping[str, Part]
    """by split, in the order of SPLITS"""
    input: Shown
    home: Path | None
    """the folder that results are written to; None: nothing is written"""
    opened: OpenedRun | None = None
    """the run, where it is one: its network may be asked again"""


def judged_run(opened: OpenedRun, parts: Mapping[str, Examples], watch: Watch) -> Judged:
    """A run and its predictions on some examples.  Raises DataError where one has no truth or cannot be read."""
    evaluator, state = opened.recipe.evaluator, opened.state["task"]
    found = {}
    for split, examples in parts.items():
        units = evaluator.scored(examples, opened.recipe.train.seed)
        units, predictions = opened.scored(units, watch, f"examples of {split}")
        found[split] = Part(units, predictions, evaluator.statistics(units, predictions, state))
    metric = headline(opened.recipe, opened.state)
    return Judged(evaluator, state, metric, found, opened.recipe.input, opened.folder, opened)


def parts_of(opened: OpenedRun, wanted: Sequence[str], watch: Watch) -> dict[str, Examples]:
    """The splits that were asked for; none means all but test.  Raises ArgumentError where one is not there."""
    read = opened.splits(watch)
    have = [name for name in SPLITS if name in read and len(read[name])]
    return {name: read[name] for name in chosen(have, wanted, "this run")}


def chosen(have: Sequence[str], wanted: Sequence[str], whose: str) -> list[str]:
    """The splits that were asked for; none means all but test.  Raises ArgumentError where one is not there."""
    missing = [name for name in wanted if name not in have]
    if missing:
        blind = (
            "; without dev nothing is known of how it does on examples it was not trained on: give data.split.dev"
            if missing == ["dev"] and have == ["train"]
            else ""
        )
        raise ArgumentError(f"{whose} has no split {', '.join(missing)}; it has {', '.join(have)}{blind}")
    return list(wanted) or [name for name in have if name != "test"]
