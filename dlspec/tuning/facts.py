"""What the page of a search shows beside its trials: axes, which of them mattered, how the best learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState

from dlspec.report.searched import page
from dlspec.runs import folder as folders
from dlspec.tuning.outcome import Tried, ranked
from dlspec.tuning.samplers import distribution, experiments, parameter
from dlspec.tuning.study import Study

CURVES = 5
FEWEST = 4
"""trials with a value, below which nothing is said of what mattered"""


def axes(study: Study) -> list[dict[str, Any]]:
    """Every axis: name, kind, and its ends or the names of what it chooses from."""
    found: list[dict[str, Any]] = []
    for axis in study.space.every():
        one: dict[str, Any] = {"name": axis.name, "kind": axis.kind}
        if axis.kind == "choice":
            one["options"] = list(distribution(axis).choices)  # type: ignore[attr-defined]
        else:
            one |= {"low": axis.low, "high": axis.high}
        found.append(one)
    return found


def importance(study: Study) -> dict[str, float]:
    """Axis → share of the metric's variance, greatest first, of those that every trial has; empty where unknown."""
    done = [one for one in study.current().values() if one.state == TrialState.COMPLETE]
    if len(done) < FEWEST or len({one.value for one in done}) == 1:
        return {}
    names = {parameter(axis): axis.name for axis in study.space.every()}
    with experiments():
        alone = optuna.create_study(direction=study.study.direction.name.lower())
        alone.add_trials(done)
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
        found = optuna.importance.get_param_importances(alone, evaluator=evaluator)
    return {names[name]: float(value) for name, value in found.items()}


def curves(study: Study, best: Sequence[Tried]) -> dict[int, list[float | None]]:
    """Trial → its dev metric by epoch."""
    found = {}
    for one in best:
        rows = folders.read_history(Path(one.run) / "history.csv") if one.run else []
        values = [row.get(f"dev_{study.metric.name}") for row in rows]
        if len([value for value in values if value is not None]) > 1:
            found[one.number] = values
    return found


def write_page(study: Study, found: Sequence[Tried], result: Mapping[str, Any]) -> None:
    """report.html; result: as `tune --json` prints it."""
    facts = {"axes": axes(study), "importance": importance(study), "curves": curves(study, ranked(found)[:CURVES])}
    name = study.where.file.removesuffix(".yaml")
    folders.write_text(study.home / "report.html", page(result, name, facts))
