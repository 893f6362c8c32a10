"""One trial: values drawn, the recipe with them checked again, an ordinary training, and what came of it."""

from __future__ import annotations

import functools
import math
import os
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import yaml
from optuna.exceptions import StorageInternalError
from optuna.trial import Trial, TrialState

from dlspec.recipe.load import Dumper, load
from dlspec.report.watch import EpochReport, Watch
from dlspec.runs import folder as folders
from dlspec.runs import serving
from dlspec.runs.goals import standing_of
from dlspec.runs.resume import resume
from dlspec.runs.train import train
from dlspec.runs.warm import Warm
from dlspec.strategy.mends import as_patch
from dlspec.tuning import storage as storages
from dlspec.tuning.aside import Room
from dlspec.tuning.samplers import INDEX, experiments, suggested
from dlspec.tuning.study import PROGRESS, STATES, TOLD, Study
from dlspec.types import ArgumentError, Place, RecipeError, UserError

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
    ) -> None:
        """keep: tells the storage, where other machines look, how far it has come.  room: shared with who measures."""
        self.room = room
        self.tell, self.index, self.pruned_by, self.keep = tell, index, pruned_by, keep
        self.reported, self.cut, self.kept = 0, False, -math.inf

    def report(self, epoch: int, value: float | None) -> None:
        """The value of an epoch, counted from 1, for the pruner; each once."""
        if self.pruned_by and epoch > self.reported and value is not None and math.isfinite(value):
            self.pruned_by.report(value, epoch)
            self.reported = epoch

    def enough(self) -> bool:
        self.cut = self.pruned_by is not None and self.pruned_by.should_prune()
        return self.cut

    def warn(self, sentence: str) -> None:
        self.tell({"what": "warning", "index": self.index, "says": sentence})

    def step(self, epoch: int, step: int, loss: float) -> None:
        if self.room:
            self.room.breathe()

    def alone(self) -> AbstractContextManager[None]:
        return self.room.alone() if self.room else super().alone()

    def epoch(self, report: EpochReport) -> None:
        value = report.dev.get(report.headline)
        self.report(report.epoch, value)
        value = value if value is None or math.isfinite(value) else None
        said = {"epoch": report.epoch, "epochs": report.epochs, "value": value}
        self.tell({"what": "epoch", "index": self.index, **said})
        if self.keep and time.monotonic() - self.kept > KEEP_SECONDS:
            self.kept = time.monotonic()
            self.keep(list(said.values()))


def stem(index: int) -> str:
    """What a trial's recipe and runs are called."""
    return f"trial-{index:03d}"


def write_recipe(file: Path, changes: Mapping[str, Any], extends: Path, head: str) -> None:
    """The study's recipe with changes, as a patch over it: no search any more."""
    held = {"extends": os.path.relpath(extends, file.parent), **as_patch(_plain(changes, extends.parent)), "tune": None}
    folders.write_text(file, head + yaml.dump(held, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=110))


def _plain(value: Any, home: Path) -> Any:
    """Mappings and lists as YAML has them; what lies in the study's folder, relative to that."""
    if isinstance(value, Mapping):
        return {key: _plain(one, home) for key, one in value.items()}
    if isinstance(value, str) and value.startswith(f"{home}{os.sep}"):
        return f"./{Path(value).relative_to(home).as_posix()}"
    return [_plain(one, home) for one in value] if isinstance(value, tuple | list) else value


def check_data(study: Study, warm: Warm) -> None:
    """Raises DataError, RecipeError where the data is not there, or there is no dev to judge trials by."""
    with study.loaded.placing():
        if "dev" not in warm.splits(study.loaded.recipe):
            raise RecipeError("needs a dev split to judge trials by; give data.split.dev", where=Place(key="tune"))


def carry_out(
    study: Study,
    trial: Trial,
    threads: int | None,
    warm: Warm,
    tell: Callable[[Mapping[str, Any]], None],
    room: Room | None = None,
) -> None:
    """Train a trial and record what came of it, its failure included.

    room: where the workers of this machine step aside for one that measures.
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
    try:
        keep = None if storages.is_file(study.where.url) else functools.partial(trial.set_user_attr, PROGRESS)
        watch = TrialWatch(tell, index, trial if study.tune.pruner else None, keep, room)
        run = _trained(study, file, warm, watch)
        stood = standing_of(run)
        told = {"run": os.path.relpath(run, study.home), "scores": stood.scores}
        scores = folders.read_json(run / "scores.json")
        told["measured"] = serving.shown(serving.kept(run))
        told |= {"epochs": scores["epochs"], "best_epoch": scores["best_epoch"]}
        for held in stood.limits:
            with experiments():
                trial.set_constraint(held.limit.name, 0.0 if held.kept else min(held.relative, WORST) or WORST)
        if watch.cut and scores["epochs"] < load(file).recipe.train.epochs:
            state = TrialState.PRUNED
        elif math.isfinite(stood.value):
            state, value = TrialState.COMPLETE, stood.value
        else:
            told["cause"] = f"{stood.metric.name} on dev is no number"
    except (ArgumentError, StorageInternalError):
        raise
    except UserError as error:
        told["cause"] = str(error)
    except Exception as error:
        told["cause"] = _cause(error)
        folders.write_text(file.with_suffix(".txt"), traceback.format_exc())
    run_left = newest(study, index)
    if run_left is not None:
        told.setdefault("run", os.path.relpath(run_left, study.home))
    told["seconds"] = time.monotonic() - began
    trial.set_user_attr(TOLD, folders.finite(told))
    study.study.tell(trial, value, state=state)
    said = {"state": STATES[state], "value": value, "cause": told.get("cause")}
    tell({"what": "ended", "index": index, "seconds": told["seconds"], **said})


def _trained(study: Study, file: Path, warm: Warm, watch: TrialWatch) -> Path:
    """The run of a trial: trained, or gone on with where its worker died."""
    begun = newest(study, int(file.stem.partition("-")[2]))
    if begun is not None and (begun / "checkpoint").is_dir():
        for epoch, row in enumerate(folders.read_history(begun / "history.csv"), 1):
            watch.report(epoch, row.get(f"dev_{study.metric.name}"))
        return resume(begun, watch=watch).run
    return train(load(file), out=study.home / "runs", watch=watch, warm=warm).run


def newest(study: Study, index: int) -> Path | None:
    """The last run of a trial, finished or not."""
    found = [one for one in (study.home / "runs" / stem(index)).glob("*") if folders.is_run(one)]
    return max(found, key=lambda one: one.name, default=None)


def _cause(error: Exception) -> str:
    kind = type(error).__name__
    first = next((line for line in str(error).splitlines() if line.strip()), "")
    said = f"{kind}: {first}"[:300]
    return f"out of memory ({said})" if kind in MEMORY else said
