"""The trainings of a trial: one, or one for each fold and seed; each an ordinary run, and together a mean."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dlspec.evaluators.base import Evaluator
from dlspec.recipe.load import load
from dlspec.recipe.tune import Tune
from dlspec.runs import folder as folders
from dlspec.runs import serving
from dlspec.runs.goals import standing_of
from dlspec.runs.kept import kept_statistics
from dlspec.strategy.intervals import intervals
from dlspec.strategy.leading import Mean, fold_mean, seed_mean
from dlspec.strategy.paired import Side
from dlspec.types import Statistics

if TYPE_CHECKING:
    from dlspec.tuning.study import Study


class Training(NamedTuple):
    """One training of a trial: what its recipe and its runs are called after, and what it changes of the trial's."""

    name: str
    changes: Mapping[str, Any]
    fold: int | None = None
    seed: int | None = None


def trainings(tune: Tune, stem: str, seed: int) -> list[Training]:
    """Every training of a trial, fold after fold.  seed: train.seed of the trial's recipe, which comes first."""
    found = []
    for fold in range(tune.folds) if tune.folds else (None,):
        for turn in range(tune.seeds) if tune.seeds > 1 else (None,):
            name, changes = stem, {}
            if fold is not None:
                name += f"-fold-{fold}"
                changes |= {"data.split.folds": tune.folds, "data.split.fold": fold}
            if turn is not None:
                name += f"-seed-{seed + turn}"
                changes["train.seed"] = seed + turn
            found.append(Training(name, changes, fold, None if turn is None else seed + turn))
    return found


def newest(study: Study, name: str) -> Path | None:
    """The last run of a training, finished or not."""
    found = [one for one in (study.home / "runs" / name).glob("*") if folders.is_run(one)]
    return max(found, key=lambda one: one.name, default=None)


def finished(run: Path | None) -> bool:
    """Whether a run has come to its end."""
    return run is not None and (run / "model.keras").is_file() and (run / "scores.json").is_file()


def facts(study: Study, ended: Sequence[tuple[Training, Path]]) -> dict[str, Any]:
    """What is noted of a trial whose trainings have come to their end, or the first of them alone.

    scores: name → mean over trainings; low, high, error: 95 % interval and standard error of the metric's mean.
    """
    stood = [standing_of(run) for _, run in ended]
    scores = {name: float(np.mean([one.scores[name] for one in stood])) for name in stood[0].scores}
    kept = [folders.read_json(run / "scores.json") for _, run in ended]
    rows = [
        {
            "name": one.name,
            "run": os.path.relpath(run, study.home),
            "fold": one.fold,
            "seed": one.seed,
            "value": standing.value,
            "epochs": held["epochs"],
        }
        for (one, run), standing, held in zip(ended, stood, kept, strict=True)
    ]
    seen = [round(held["examples_per_second"] * held["seconds"]) for held in kept if held["examples_per_second"]]
    found = {
        "run": rows[0]["run"],
        "scores": scores,
        "epochs": sum(held["epochs"] for held in kept),
        "best_epoch": kept[0]["best_epoch"] if len(kept) == 1 else None,
        "parameters": folders.read_json(ended[0][1] / "data.json", {}).get("parameters"),
        "seen": sum(seen),
        "measured": serving.shown(serving.kept(ended[0][1])),
        "trainings": rows,
    }
    mean = mean_of(study, rows)
    return {**found, **({} if mean is None else {"low": mean.low, "high": mean.high, "error": mean.error})}


def mean_of(study: Study, rows: Sequence[Mapping[str, Any]]) -> Mean | None:
    """The metric's mean over the trainings of a trial, with its interval; None where it has none."""
    values = [one["value"] for one in rows]
    if not all(map(math.isfinite, values)):
        return None
    folds = by_fold(rows)
    if len(folds) > 1:
        return fold_mean(folds)
    scored = Scored.of(study, rows)
    if scored is None:
        return None
    side, groups = scored.side, scored.tied
    found = intervals(side.combine, side.statistics, len(scored.ids), groups=groups, shares=side.shares)
    return seed_mean(values, *found[study.metric.name][1:])


def by_fold(rows: Sequence[Mapping[str, Any]]) -> list[float]:
    """The mean value of each fold, over its seeds; nothing where there are no folds."""
    folds: dict[int, list[float]] = {}
    for one in rows:
        if one["fold"] is not None:
            folds.setdefault(one["fold"], []).append(one["value"])
    return [float(np.mean(folds[fold])) for fold in sorted(folds)]


class Scored(NamedTuple):
    """What a trial's dev metric was made of, one training after the other: a row an example of each."""

    ids: list[str]
    groups: list[str] | None
    """None: the data has none"""
    side: Side
    trainings: int

    @property
    def tied(self) -> list[str] | None:
        """What is drawn together: the rows of a group, and those of one example; None: each row is alone."""
        return self.groups if self.groups is not None else self.ids if self.trainings > 1 else None

    @classmethod
    def of(cls, study: Study, rows: Sequence[Mapping[str, Any]]) -> Scored | None:
        """As the trainings have kept it; None where one of them has not."""
        homes = [study.home / one["run"] for one in rows]
        kept = [kept_statistics(home, "dev") for home in homes]
        some = [one for one in kept if one is not None]
        if len(some) < len(kept) or not (homes[0] / "recipe.yaml").is_file():
            return None
        evaluator: Evaluator = load(homes[0] / "recipe.yaml", paths_may_be_missing=True).recipe.evaluator
        ids = [name for names, _, _ in some for name in names]
        groups = [name for _, names, _ in some for name in names or ()] or None
        statistics = {name: np.concatenate([held[name] for _, _, held in some]) for name in some[0][2]}
        metric = study.metric.name

        def combine(statistics: Statistics, weights: np.ndarray | None = None) -> Mapping[str, float]:
            return {metric: evaluator.combine(statistics, weights, only={metric})[metric]}

        shares = {name: one for name, one in evaluator.shares(statistics).items() if name == metric}
        return cls(ids, groups, Side(combine, statistics, shares), len(kept))
