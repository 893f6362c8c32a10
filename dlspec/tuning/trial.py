"""One trial: values drawn, the recipe with them checked again, an ordinary training, and what came of it."""

from __future__ import annotations

import contextlib
import functools
import math
import os
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import yaml
from optuna.exceptions import StorageInternalError
from optuna.trial import Trial, TrialState

from dlspec.recipe.load import Dumper, load
from dlspec.report.watch import EpochReport, Watch
from dlspec.runs import folder as folders
from dlspec.runs.kept import keep_statistics
from dlspec.runs.resume import resume
from dlspec.runs.train import train
from dlspec.runs.warm import Warm
from dlspec.strategy import goals
from dlspec.strategy.mends import as_patch
from dlspec.tuning import storage as storages
from dlspec.tuning.aside import Room
from dlspec.tuning.samplers import INDEX, experiments, suggested
from dlspec.tuning.study import PROGRESS, STATES, TOLD, Study
from dlspec.tuning.trainings import Training, facts, finished, newest, trainings
from dlspec.types import ArgumentError, Examples, Place, RecipeError, Statistics, UserError

WORST = 1e9
"""by how much a limit is missed that cannot be judged, as a constraint: it must be a number"""
KEEP_SECONDS = 2.0
"""how often a server is told how far a trial has come"""
MEMORY = ("ResourceExhaustedError", "MemoryError")


class TrialWatch(Watch):
    """Tells whoever waits how a trial comes along, as plain values; and asks the pruner whether it is to go on."""

    def __init__(
        self,
        tell: Callable[[Mapping[str, Any]], None],
        index: int,
        pruned_by: Trial | None,
        keep: Callable[[list[Any]], None] | None = None,
        room: Room | None = None,
        ours: Callable[..., None] | None = None,
        best: Callable[[float, float], float] | None = None,
    ) -> None:
        """keep: tells the storage, where other machines look, how far it has come.  room: shared with who measures.
        ours: see Pulse.check.  best: max or min where the best epoch is kept, so that the pruner goes by what a trial
        is worth, not by the ups and downs of its last epoch."""
        self.room, self.ours, self.best, self.worth = room, ours, best, math.nan
        self.tell, self.index, self.pruned_by, self.keep = tell, index, pruned_by, keep
        self.reported, self.cut, self.kept = 0, False, -math.inf
        self.place, self.of, self.name = 0, 1, ""

    def at(self, place: int, of: int, name: str) -> None:
        """Which of the trial's trainings comes now, and how it is named where it fails; the pruner judges the first."""
        self.place, self.of, self.name = place, of, name
        if place:
            self.pruned_by = None

    def report(self, epoch: int, value: float | None) -> None:
        """The value of an epoch, counted from 1, for the pruner; each once."""
        if self.pruned_by and epoch > self.reported and value is not None and math.isfinite(value):
            self.worth = self.best(self.worth, value) if self.best and self.reported else value
            self.pruned_by.report(self.worth, epoch)
            self.reported = epoch

    def enough(self) -> bool:
        self.cut = self.pruned_by is not None and self.pruned_by.should_prune()
        return self.cut

    def scored(self, run: Path, split: str, examples: Examples, statistics: Statistics) -> None:
        if split == "dev":
            keep_statistics(run, split, examples, statistics)

    def warn(self, sentence: str) -> None:
        self.tell({"what": "warning", "index": self.index, "says": sentence})

    def step(self, epoch: int, step: int, loss: float) -> None:
        if self.room:
            self.room.breathe()
        if self.ours:
            self.ours()

    def alone(self) -> AbstractContextManager[None]:
        return self.room.alone() if self.room else super().alone()

    def epoch(self, report: EpochReport) -> None:
        value = report.dev.get(report.headline)
        self.report(report.epoch, value)
        value = value if value is None or math.isfinite(value) else None
        epoch, epochs = report.epochs * self.place + report.epoch, report.epochs * self.of
        said = {"epoch": epoch, "epochs": epochs, "value": value}
        self.tell({"what": "epoch", "index": self.index, **said})
        if self.keep and time.monotonic() - self.kept > KEEP_SECONDS:
            self.kept = time.monotonic()
            self.keep(list(said.values()))


def stem(index: int) -> str:
    """What a trial's recipe and runs are called."""
    return f"trial-{index:03d}"


def write_recipe(file: Path, changes: Mapping[str, Any], extends: Path, head: str) -> None:
    """The study's recipe with changes, as a patch over it: no search any more."""
    held = {"extends": os.path.relpath(extends, file.parent), **as_patch(plain(changes, extends.parent)), "tune": None}
    folders.write_text(file, head + yaml.dump(held, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=110))


def plain(value: Any, home: Path) -> Any:
    """Mappings and lists as YAML has them; what lies in the study's folder, relative to that."""
    if isinstance(value, Mapping):
        return {key: plain(one, home) for key, one in value.items()}
    if isinstance(value, str) and value.startswith(f"{home}{os.sep}"):
        return f"./{Path(value).relative_to(home).as_posix()}"
    return [plain(one, home) for one in value] if isinstance(value, tuple | list) else value


def check_data(study: Study, warm: Warm) -> None:
    """Raises DataError, RecipeError where the data is not there, or there is no dev to judge trials by."""
    recipe = study.loaded.recipe
    if study.tune.folds:
        warm.most = max(warm.most, study.tune.folds)
        split = recipe.data.split.model_copy(update={"folds": study.tune.folds})
        recipe = recipe.model_copy(update={"data": recipe.data.model_copy(update={"split": split})})
    with study.loaded.placing(), _of_folds():
        if "dev" not in warm.splits(recipe):
            raise RecipeError("needs a dev split to judge trials by; give data.split.dev", where=Place(key="tune"))


@contextlib.contextmanager
def _of_folds() -> Iterator[None]:
    """What is said of data.split.folds is said of tune.folds, which gives it."""
    try:
        yield
    except UserError as error:
        told = (one._replace(where=Place(key="tune.folds")) for one in error.complaints)
        error.complaints = [
            new if one.where.key == "data.split.folds" else one for one, new in zip(error.complaints, told, strict=True)
        ]
        raise


def carry_out(
    study: Study,
    trial: Trial,
    threads: int | None,
    warm: Warm,
    tell: Callable[[Mapping[str, Any]], None],
    room: Room | None = None,
    ours: Callable[..., None] | None = None,
) -> None:
    """Train a trial and record what came of it, its failure included.

    room: where the workers of this machine step aside for one that measures.  ours: see Pulse.check.
    Raises ArgumentError where it is not the trial's fault (a disk that is full): it is to be tried again then.
    """
    index = int(trial.user_attrs[INDEX])
    drawn = suggested(study.space, trial)
    shown = study.space.shown(drawn)
    changes = study.space.changes(drawn)
    if threads and study.loaded.recipe.train.threads is None:
        changes = {"train.threads": threads, **changes}
    tell({"what": "trial", "index": index, "params": shown, "pid": os.getpid()})
    file = study.home / "trials" / f"{stem(index)}.yaml"
    write_recipe(file, changes, study.home / study.where.file, f"# trial {index} of {study.where.name}\n")
    began = time.monotonic()
    told: dict[str, Any] = {}
    state, value = TrialState.FAIL, None
    keep = None if storages.is_file(study.where.url) else functools.partial(trial.set_user_attr, PROGRESS)
    best = None
    if study.loaded.recipe.train.keep == "best":
        best = max if study.metric.best == "max" else min
    watch = TrialWatch(tell, index, trial if study.tune.pruner else None, keep, room, ours, best)
    try:
        ended, cut = _all_trained(study, file, warm, watch)
        told = facts(study, ended)
        stood = goals.standing(study.metric, study.loaded.recipe.goal.limits, told["scores"])
        for held in stood.limits:
            with experiments():
                trial.set_constraint(held.limit.name, 0.0 if held.kept else min(held.relative, WORST) or WORST)
        if cut:
            state = TrialState.PRUNED
        elif math.isfinite(stood.value):
            state, value = TrialState.COMPLETE, stood.value
        else:
            told["cause"] = f"{stood.metric.name} on dev is no number"
    except (ArgumentError, StorageInternalError):
        raise
    except UserError as error:
        told["cause"] = f"{watch.name}{error}"
    except Exception as error:
        told["cause"] = f"{watch.name}{_cause(error)}"
        folders.write_text(file.with_suffix(".txt"), traceback.format_exc())
    run_left = next(filter(None, (newest(study, one.name) for one in _trainings(study, file))), None)
    if run_left is not None:
        told.setdefault("run", os.path.relpath(run_left, study.home))
    told["seconds"] = time.monotonic() - began
    if ours:
        ours(anyhow=True)
    trial.set_user_attr(TOLD, folders.finite(told))
    study.study.tell(trial, value, state=state)
    said = {"state": STATES[state], "value": value, "cause": told.get("cause")}
    tell({"what": "ended", "index": index, "seconds": told["seconds"], **said})


def _all_trained(study: Study, file: Path, warm: Warm, watch: TrialWatch) -> tuple[list[tuple[Training, Path]], bool]:
    """The runs of a trial, one for each training; and whether it was given up, which its first training decides."""
    planned, ended = _trainings(study, file), []
    for place, one in enumerate(planned):
        watch.at(place, len(planned), f"{one.name}: " if one.changes else "")
        recipe = file
        if one.changes:
            recipe = file.with_name(f"{one.name}.yaml")
            write_recipe(recipe, one.changes, file, f"# {one.name} of {study.where.name}\n")
        run = _trained(study, one.name, recipe, warm, watch)
        ended.append((one, run))
        if watch.cut and folders.read_json(run / "scores.json")["epochs"] < load(recipe).recipe.train.epochs:
            return ended, True
    return ended, False


def _trainings(study: Study, file: Path) -> list[Training]:
    tune = study.tune
    seed = load(file).recipe.train.seed if tune.seeds > 1 else study.loaded.recipe.train.seed
    return trainings(tune, file.stem, seed)


def _trained(study: Study, name: str, recipe: Path, warm: Warm, watch: TrialWatch) -> Path:
    """The run of a training: as it was left where it is finished, gone on with where its worker died, or new."""
    begun = newest(study, name)
    if begun is not None and (finished(begun) or (begun / "checkpoint").is_dir()):
        for epoch, row in enumerate(folders.read_history(begun / "history.csv"), 1):
            watch.report(epoch, row.get(f"dev_{study.metric.name}"))
        if finished(begun):
            watch.enough()  # as it was asked then
            return begun
        return resume(begun, watch=watch).run
    return train(load(recipe), out=study.home / "runs", watch=watch, warm=warm).run


def _cause(error: Exception) -> str:
    kind = type(error).__name__
    first = next((line for line in str(error).splitlines() if line.strip()), "")
    said = f"{kind}: {first}"[:300]
    return f"out of memory ({said})" if kind in MEMORY else said
