"""Runs side by side: scores on the same examples, whether they can be told apart, and how their recipes differ."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlspec.evaluators.base import Evaluator
from dlspec.recipe.goal import Goal
from dlspec.recipe.schema import Recipe
from dlspec.report.watch import Watch
from dlspec.runs import folder as folders
from dlspec.runs.compare_goals import standings, take
from dlspec.runs.compare_recipes import recipe_differences
from dlspec.runs.compare_verdict import cautions, sentence
from dlspec.runs.evaluate import evaluate
from dlspec.runs.kept import kept_table
from dlspec.runs.opened import OpenedRun
from dlspec.strategy.goals import as_json
from dlspec.strategy.intervals import intervals
from dlspec.strategy.paired import Side, differences
from dlspec.types import ArgumentError, Examples, State, Statistics


@dataclass
class Contender:
    """A run, what it is called here, and its table of predictions on the split."""

    name: str
    opened: OpenedRun
    table: Mapping[str, Any]
    goal: Goal
    """that of the first: all are judged by it"""

    @property
    def recipe(self) -> Recipe:
        return self.opened.recipe

    @property
    def evaluator(self) -> Evaluator:
        evaluator: Evaluator = self.recipe.task.evaluator
        return evaluator.weighed(self.goal.costs) if self.goal.weighs else evaluator

    @property
    def state(self) -> State:
        state: State = self.opened.state["task"]
        return state

    def examples(self, ids: Sequence[str]) -> Examples:
        """These examples, in this order, with the tags that the table holds."""
        some = self._rows(ids)
        guesses = {name for name in some if name == "guess" or name.startswith("p_")}
        tags = {name.removeprefix("tag "): some[name] for name in some.keys() - guesses - {"id", "truth", "group"}}
        return Examples(ids, [None] * len(ids), some["truth"], tags=tags)

    def statistics(self, ids: Sequence[str]) -> Statistics:
        """The evaluator's statistics of these examples, in this order, out of the table alone."""
        predictions = self.evaluator.from_columns(self._rows(ids), self.state)
        return self.evaluator.statistics(self.examples(ids), predictions, self.state)

    def _rows(self, ids: Sequence[str]) -> dict[str, list[Any]]:
        place = {name: row for row, name in enumerate(self.table["id"])}
        rows = [place[name] for name in ids]
        return {name: [values[row] for row in rows] for name, values in self.table.items()}


def compare(
    runs: Sequence[str | Path],
    *,
    split: str = "dev",
    root: str | Path = folders.RUNS,
    watch: Watch | None = None,
) -> dict[str, Any]:
    """Score two or more runs on the examples of a split that all of them have, and each against the first.

    Predictions are those that `evaluate` has left in the run; where there are none, the run is evaluated.
    Returns what `runs compare --json` prints.  Raises ArgumentError, DataError.
    """
    watch = watch or Watch()
    judged = _contenders(runs, split, root, watch)
    first = judged[0]
    metrics = _common_metrics(judged)
    ids, notes = _common_examples(judged, split)
    for note in notes:
        watch.warn(note)
    groups = next((_of(one, "group", ids) for one in judged if "group" in one.table), None)
    sides, scores = [], {}
    for one in judged:
        statistics = one.statistics(ids)
        sides.append(Side(one.evaluator.combine, statistics, one.evaluator.shares(statistics)))
        found = intervals(one.evaluator.combine, statistics, len(ids), groups=groups, shares=sides[-1].shares)
        scores[one.name] = {name: found[name]._asdict() for name in metrics}
    # As skill against a naive forecast, which needs the steps before, that no table of predictions has.
    absent = [name for name in metrics if all(_unknown(one[name]["value"]) for one in scores.values())]
    if absent and len(absent) < len(metrics):
        metrics = [name for name in metrics if name not in absent]
        scores = {run: {name: one[name] for name in metrics} for run, one in scores.items()}
        notes.append(
            f"predictions alone do not tell {' and '.join(absent)}, so that {'they are' if absent[1:] else 'it is'} "
            "not compared; `dlspec evaluate` shows what each run has"
        )
        watch.warn(notes[-1])
    compared, verdict = [], []
    for one, side in zip(judged[1:], sides[1:], strict=True):
        between = differences(side, sides[0], len(ids), groups=groups)
        compared += [
            {"run": one.name, "against": first.name, "metric": name, **between[name]._asdict()} for name in metrics
        ]
        if _same(side.statistics, sides[0].statistics):
            verdict.append(f"{one.name} and {first.name} predict the same for each of these {len(ids):,} examples")
            continue
        for name in _deciding(first, metrics):
            best = next(metric.best for metric in first.evaluator.metrics(first.state) if metric.name == name)
            verdict.append(sentence(one.name, first.name, name, best, between[name], len(ids)))
    stood = standings(judged, ids, [side.statistics for side in sides], watch)
    taken, why = take(stood, compared) if stood else (None, None)
    verdict += [*([why] if why else []), *cautions(len(judged) - 1, groups)]
    return {
        "runs": [{"name": one.name, "run": str(one.opened.folder)} for one in judged],
        "split": split,
        "examples": len(ids),
        "scores": scores,
        "goal": {"standings": {name: as_json(one) for name, one in stood.items()}, "take": taken} if stood else None,
        "differences": compared,
        "recipe_differences": recipe_differences({one.name: one.opened for one in judged}),
        "verdict": verdict,
        "notes": notes,
    }


def _contenders(runs: Sequence[str | Path], split: str, root: str | Path, watch: Watch) -> list[Contender]:
    found = [folders.locate(run, root, finished=True) for run in runs]
    twice = next((str(run) for run, folder in zip(runs, found, strict=True) if found.count(folder) > 1), None)
    if twice is not None:
        same = " and ".join(str(run) for run, folder in zip(runs, found, strict=True) if found.count(folder) > 1)
        raise ArgumentError(f"{same} are the same run; give two that differ")
    if len(found) < 2:
        raise ArgumentError("give two runs or more; `dlspec runs list` shows them")
    short = [f"{folder.parent.name}/{folder.name}" for folder in found]
    names = short if len(set(short)) == len(short) else [str(folder) for folder in found]
    opened = [_predicted(folder, split, watch) for folder in found]
    goal = opened[0][0].recipe.goal
    return [Contender(name, *one, goal) for name, one in zip(names, opened, strict=True)]


def _predicted(folder: Path, split: str, watch: Watch) -> tuple[OpenedRun, dict[str, Any]]:
    """A run and its table of predictions; made where there is none yet, and a look at test is counted."""
    opened = OpenedRun(folder)
    file = folder / "predictions" / f"{split}.parquet"
    if not file.is_file():
        watch.note(f"{folder.parent.name}/{folder.name} has no predictions on {split} yet: evaluating it")
        evaluate(opened, splits=[split], watch=watch)
    elif split == "test":
        folders.looks_at_test(folder, looking=True)
    return opened, kept_table(file)


def _unknown(value: float | None) -> bool:
    return value is None or math.isnan(value)


def _common_metrics(judged: Sequence[Contender]) -> list[str]:
    of = {one.name: [metric.name for metric in one.evaluator.metrics(one.state)] for one in judged}
    first = of[judged[0].name]
    common = [name for name in first if all(name in names for names in of.values())]
    if not common:
        other = next(one for one in judged if not set(of[one.name]) & set(first))
        raise ArgumentError(
            f"{judged[0].name} is scored by {', '.join(first)}, {other.name} by {', '.join(of[other.name])}: "
            "runs of different tasks cannot be compared"
        )
    return common


def _common_examples(judged: Sequence[Contender], split: str) -> tuple[list[str], list[str]]:
    """The ids that all runs have, with the same truth, in the order of the first; and what is to be said of the rest.

    Raises ArgumentError where there are none.
    """
    truths = [dict(zip(one.table["id"], one.table["truth"], strict=True)) for one in judged]
    shared = [name for name in truths[0] if all(name in own for own in truths)]
    if not shared:
        raise ArgumentError(
            f"these runs have no example of {split} in common: they read other data, or divided it otherwise "
            "(data.split); train them on the same division to compare them"
        )
    ids = [name for name in shared if all(own[name] == truths[0][name] for own in truths)]
    notes = []
    if any(len(own) != len(shared) for own in truths):
        have = ", ".join(f"{one.name} {len(own):,}" for one, own in zip(judged, truths, strict=True))
        notes.append(
            f"the runs do not have the same examples of {split} ({have}); "
            f"compared over the {len(shared):,} that all have"
        )
    if len(ids) < len(shared):
        if 2 * len(ids) < len(shared):
            raise ArgumentError(
                f"of {len(shared):,} examples of {split} with the same ids, {len(shared) - len(ids):,} have another "
                "truth in another run: the runs were asked for different things, or their ids name different examples"
            )
        notes.append(f"{len(shared) - len(ids):,} of them have another truth in another run, and are left out")
    prints = [folders.read_json(one.opened.folder / "machine.json", {}).get("data_fingerprint") for one in judged]
    if len(set(prints)) > 1:
        notes.append("the runs did not read quite the same data (other rows, columns or truths); ids are trusted")
    return ids, notes


def _of(one: Contender, column: str, ids: Sequence[str]) -> list[str]:
    values = dict(zip(one.table["id"], one.table[column], strict=True))
    return [values[name] or "" for name in ids]


def _same(one: Statistics, other: Statistics) -> bool:
    import numpy as np

    return one.keys() == other.keys() and all(
        np.array_equal(array, other[name], equal_nan=array.dtype.kind == "f") for name, array in one.items()
    )


def _deciding(first: Contender, metrics: Sequence[str]) -> list[str]:
    """The headline metric, and the one that the first run's recipe optimizes."""
    goal = first.recipe.goal.optimize
    return [metrics[0], goal] if goal in metrics[1:] and goal is not None else [metrics[0]]
