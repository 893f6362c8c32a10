"""Runs that are compared, by the goal of the first: which keep its limits, and which of them is to be taken."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dlspec.report.watch import Watch
from dlspec.runs import goals, serving
from dlspec.runs.compare_verdict import CERTAIN
from dlspec.runs.prepare import headline
from dlspec.strategy.goals import Standing, first, said, standing
from dlspec.types import Examples, Statistics

if TYPE_CHECKING:
    from dlspec.runs.compare import Contender


def standings(
    judged: Sequence[Contender], ids: Sequence[str], statistics: Sequence[Statistics], watch: Watch
) -> dict[str, Standing]:
    """Where each stands on these examples; nothing where the goal has no limits.

    Times are those that were kept where all are of one machine; else they are measured anew, on this one.
    """
    goal = judged[0].goal
    if not goal.limits:
        return {}
    metric = headline(judged[0].recipe, judged[0].opened.state)
    found = {}
    for one, of_run, measured in zip(judged, statistics, _measured(judged, watch), strict=True):
        held = goals.values(goal, one.evaluator, one.examples(ids), of_run)
        found[one.name] = standing(metric, goal.limits, {**held, **goals.of_network(goal, measured)})
    return found


def _measured(judged: Sequence[Contender], watch: Watch) -> list[dict[str, Any]]:
    names = serving.wanted(judged[0].goal)
    kept = [serving.kept(one.opened.folder) for one in judged]
    where = kept[0].get("machine")
    if not names or (where and all(serving.holds(one, names, where) for one in kept)):
        return kept
    return [serving.measured_of(one.opened, functools.partial(_some, one, watch), names, watch) for one in judged]


def _some(one: Contender, watch: Watch) -> Examples:
    return one.opened.splits(watch)["train"]


def take(stood: Mapping[str, Standing], compared: Sequence[Mapping[str, Any]]) -> tuple[str | None, str]:
    """Which is to be taken, and why; compared: differences of each from the first, with the chance of each."""
    names = list(stood)
    place = first(list(stood.values()))
    if place is None:
        return None, "which is to be taken cannot be said: none has a value"
    name, best = names[place], stood[names[place]]
    feasible = [one for one in names if stood[one].feasible]
    if not feasible:
        return name, f"none keeps every limit; the nearest is {name}: {'; '.join(said(one) for one in best.missed)}"
    if len(feasible) == 1:
        return name, f"take {name}: it alone keeps every limit"
    metric = best.metric.name
    chances = [
        one["p"] for one in compared if one["metric"] == metric and {one["run"], one["against"]} == set(feasible)
    ]
    if len(chances) == 1 and not chances[0] < CERTAIN:
        return name, f"both keep every limit, and {metric} does not tell them apart; {name} has the better value"
    return name, f"take {name}: of the {len(feasible)} that keep every limit its {metric} is the best"
