"""Where a run stands with its goal: values on dev and of the network, held against the limits; kept in scores.json."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlspec.evaluators.base import Evaluator
from dlspec.evaluators.costs import with_tag
from dlspec.recipe.goal import Goal
from dlspec.report.watch import Watch
from dlspec.runs import folder as folders
from dlspec.runs import serving
from dlspec.runs.judged import Judged
from dlspec.runs.prepare import headline
from dlspec.strategy import goals
from dlspec.strategy.goals import Standing
from dlspec.types import Examples, Metric, Statistics


def values(goal: Goal, evaluator: Evaluator, examples: Examples, statistics: Statistics) -> dict[str, float]:
    """Every metric over these examples, and each that the goal limits over those with a tag; by the limit's name."""
    import numpy as np

    found = evaluator.combine(statistics)
    for limit in goal.limits:
        marked = None if limit.tag is None else with_tag(limit.tag, examples)
        if marked is not None:
            rows = np.flatnonzero(marked)
            some = {name: array[rows] for name, array in statistics.items()}
            found[limit.name] = evaluator.combine(some, only={limit.metric}).get(limit.metric, math.nan)
    return found


def of_network(goal: Goal, measured: Mapping[str, Any]) -> dict[str, float]:
    """The values of the limits that are of the network alone."""
    return {one.name: measured[one.metric] for one in goal.limits if one.measured and one.metric in measured}


def told(metric: Metric, goal: Goal, found: Mapping[str, float], split: str, measured: Mapping[str, Any]) -> Any:
    """A goal as it is kept and printed: the standing of these values on a split, and what was measured."""
    stood = goals.standing(metric, goal.limits, {**found, **of_network(goal, measured)})
    return folders.finite({**goals.as_json(stood), "split": split, "measured": dict(measured) or None})


def of_judged(judged: Judged, watch: Watch) -> dict[str, Any] | None:
    """Where a run stands on what was scored, on dev if that is among it; None where no network was asked.

    What is of the network alone is measured anew where it was measured on another machine, or never.
    """
    opened = judged.opened
    if opened is None:
        return None
    goal = opened.recipe.goal
    split = next(name for name in ("dev", "test", "new", *judged.parts) if name in judged.parts)
    part = judged.parts[split]
    measured = serving.measured_of(opened, lambda: part.examples, serving.wanted(goal), watch)
    found: dict[str, Any] = told(
        judged.metric, goal, values(goal, judged.evaluator, part.examples, part.statistics), split, measured
    )
    return found


def standing_of(run: str | Path, root: str | Path = folders.RUNS) -> Standing:
    """Where a finished run stands on dev, by its own goal, as train or the last `evaluate` has found.

    What is not known yet is NaN, which keeps no limit.  Raises ArgumentError where there is no such run.
    """
    from dlspec.recipe.load import load

    folder = folders.locate(run, root, finished=True)
    recipe = load(folder / "recipe.yaml", paths_may_be_missing=True).recipe
    metric = headline(recipe, folders.read_json(folder / "state.json"))
    scores = folders.read_json(folder / "scores.json", {})
    kept = scores.get("goal") or {}
    found = {name: one["value"] for name, one in scores.get("scores", {}).get("dev", {}).items()}
    found |= {one["name"]: one["value"] for one in kept.get("limits", ())}
    return goals.standing(metric, recipe.goal.limits, {name: one for name, one in found.items() if one is not None})
