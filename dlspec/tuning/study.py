"""A study: trials by number in Optuna's storage, each worked on by one worker at a time, again if that dies.

Optuna numbers attempts.  What a person calls trial 7 is the attribute `index`; what is drawn hangs on that alone.  Of
two attempts at one index (two machines that filled the same gap) the one with the lower number counts.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import optuna
from optuna.exceptions import DuplicatedStudyError, UpdateFinishedTrialError
from optuna.storages import fail_stale_trials
from optuna.trial import FrozenTrial, Trial, TrialState

from dlspec.recipe.load import Loaded, load
from dlspec.recipe.schema import Recipe
from dlspec.recipe.space_paths import renamed
from dlspec.runs.resume import flat
from dlspec.tuning import storage as storages
from dlspec.tuning.samplers import INDEX, ORDERED, experiments, pruner, sampler
from dlspec.tuning.space import Space
from dlspec.types import ArgumentError, Metric

optuna.logging.set_verbosity(optuna.logging.WARNING)

TOLD, WORKER, DIED, SURPLUS, PROGRESS = "told", "worker", "died", "surplus", "progress"
"""attributes of attempts: what came of it, who worked on it, what its worker died of, that another one counts, and
how far it has come (epoch, of how many, value), where other machines may ask"""
SEARCH, TRIALS, FOLDER = "search", "trials", "folder"
"""attributes of studies: what is searched, how many trials there are to be, where the runs are"""
DEATHS = 2
"""a trial whose worker has died so often is not tried again"""


STATES = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "waiting",
}
"""what a person calls them"""


class Where(NamedTuple):
    """All that a worker needs to open a study."""

    home: str
    file: str
    """the study's recipe, within its folder"""
    name: str
    url: str


def metric_of(recipe: Recipe) -> Metric:
    """The metric that decides between trials: the goal's, or the evaluator's first."""
    metrics: list[Metric] = recipe.evaluator.metrics({})
    return next((one for one in metrics if one.name == recipe.goal.optimize), metrics[0])


def searched(recipe: Recipe) -> dict[str, Any]:
    """What must be the same for two searches to be one: all of the recipe but how many trials there are."""
    assert recipe.tune
    space = renamed(recipe.tune.space, lambda text: str(flat(text)[""]))  # own code by its content
    held = recipe.model_copy(update={"tune": recipe.tune.model_copy(update={"space": space})})
    found = flat(held.model_dump(mode="json"))
    return {key: one for key, one in found.items() if key != f"tune.{TRIALS}"}


class Study:
    """A study that is open."""

    def __init__(self, where: Where) -> None:
        self.where, self.home = where, Path(where.home)
        self.loaded: Loaded = load(self.home / where.file)
        tune = self.loaded.recipe.tune
        assert tune is not None
        self.tune, self.space = tune, Space(tune.space)
        self.metric = metric_of(self.loaded.recipe)
        self.storage = storages.opened(where.url)
        with storages.telling(where.url):
            self.study = optuna.load_study(
                study_name=where.name,
                storage=self.storage,
                sampler=sampler(tune, self.space),
                pruner=pruner(tune, self.loaded.recipe.train.epochs),
            )
            self.id = self.storage.get_study_id_from_name(where.name)

    def close(self) -> None:
        """Let go of the storage."""
        storages.close(self.storage)

    @property
    def trials(self) -> int:
        """How many there are to be."""
        asked = int(self.study.user_attrs[TRIALS])
        return min(asked, self.space.grid_size()) if self.tune.sampler == "grid" else asked

    def extend(self, trials: int) -> None:
        """Have more trials than before; fewer than there are already change nothing."""
        if trials > self.study.user_attrs[TRIALS]:
            self.study.set_user_attr(TRIALS, trials)

    def attempts(self) -> dict[int, list[FrozenTrial]]:
        """Every attempt that counts, by the trial's index, in the order in which they came."""
        found: dict[int, list[FrozenTrial]] = {}
        for one in self.study.get_trials(deepcopy=False):
            if INDEX in one.user_attrs and SURPLUS not in one.user_attrs:
                found.setdefault(int(one.user_attrs[INDEX]), []).append(one)
        return found

    def current(self) -> dict[int, FrozenTrial]:
        """For each index the attempt that holds."""
        return {index: holding(some) for index, some in sorted(self.attempts().items())}

    def fill(self, most: int) -> None:
        """See to it that up to so many trials wait for a worker, those first whose worker died."""
        attempts = self.attempts()
        current = {index: holding(some) for index, some in attempts.items()}
        waiting = sum(one.state == TrialState.WAITING for one in current.values())
        for index in range(self.trials):
            if waiting >= most:
                return
            if index in current and not dead(current[index]):
                continue
            drawn: Mapping[str, Any] = {}
            if self.tune.sampler in ORDERED:  # what is drawn anew would be something else
                drawn = max((one.params for one in attempts.get(index, ())), key=len, default={})
            self.study.enqueue_trial(dict(drawn), user_attrs={INDEX: index})
            waiting += 1

    def claim(self, threads: int) -> Trial | None:
        """A trial that waits, which is this worker's from now on."""
        for one in self.study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            if INDEX not in one.user_attrs:
                continue
            place = self.storage.get_trial_id_from_study_id_trial_number(self.id, one.number)
            try:
                if not self.storage.set_trial_state_values(place, TrialState.RUNNING):
                    continue
            except UpdateFinishedTrialError:
                continue
            with experiments():
                self.study.sampler.before_trial(self.study, one)
                trial = Trial(self.study, place)
            if self.current()[one.user_attrs[INDEX]].number != one.number:
                trial.set_user_attr(SURPLUS, True)
                self.storage.set_trial_state_values(place, TrialState.FAIL)
                continue
            trial.set_user_attr(WORKER, {"host": socket.gethostname(), "pid": os.getpid(), "threads": threads})
            return trial
        return None

    def number_of(self, trial: Trial) -> int:
        """The storage's own number of a trial."""
        found: int = self.storage.get_trial_id_from_study_id_trial_number(self.id, trial.number)
        return found

    def bury(self, pid: int | None = None, died_of: str | None = None) -> None:
        """Give back what a worker of this machine (None: any) was at when it ended.

        died_of: what its process died of, where nobody told it to end; a trial does not get too many workers killed.
        """
        attempts = self.attempts()
        for index, some in attempts.items():
            for one in some:
                worker = one.user_attrs.get(WORKER, {})
                mine = pid is None or (worker.get("host"), worker.get("pid")) == (socket.gethostname(), pid)
                if one.state != TrialState.RUNNING or not mine:
                    continue
                place = self.storage.get_trial_id_from_study_id_trial_number(self.id, one.number)
                try:
                    if died_of:
                        self.storage.set_trial_user_attr(place, DIED, died_of)
                        deaths = 1 + sum(DIED in other.user_attrs for other in attempts[index])
                        if deaths >= DEATHS:
                            cause = f"its process died {deaths} times ({died_of}); out of memory, perhaps"
                            self.storage.set_trial_user_attr(place, TOLD, {"cause": cause})
                    self.storage.set_trial_state_values(place, TrialState.FAIL)
                except UpdateFinishedTrialError:
                    continue

    def bury_silent(self) -> None:
        """Give back what workers of any machine were at that have not been heard of for long."""
        with experiments():
            fail_stale_trials(self.study)


def holding(some: Sequence[FrozenTrial]) -> FrozenTrial:
    """Of attempts at one trial the one that counts: the first that is not dead, or the last of the dead."""
    return next((one for one in some if not dead(one)), some[-1])


def dead(one: FrozenTrial) -> bool:
    """Whether an attempt has ended without having come to an end."""
    return one.state == TrialState.FAIL and not one.user_attrs.get(TOLD, {}).get("cause")


def create(where: Where, recipe: Recipe, trials: int, folder: str) -> bool:
    """A new study; False where there is one of this name.  folder: where its runs are, within --out."""
    storage = storages.opened(where.url)
    best = metric_of(recipe).best
    with storages.telling(where.url):
        try:
            made = optuna.create_study(
                storage=storage, study_name=where.name, direction="maximize" if best == "max" else "minimize"
            )
        except DuplicatedStudyError:
            storages.close(storage)
            return False
        with experiments():
            made.set_metric_names([metric_of(recipe).name])
        made.set_user_attr(FOLDER, folder)
        made.set_user_attr(TRIALS, trials)
        made.set_user_attr(SEARCH, searched(recipe))
    storages.close(storage)
    return True


def check_same(study: Study, recipe: Recipe) -> None:
    """Raises ArgumentError, with the difference, where a recipe is not the one that a study searches."""
    kept, given = study.study.user_attrs[SEARCH], searched(recipe)
    keys = [key for key in dict.fromkeys([*kept, *given]) if kept.get(key) != given.get(key)]
    if keys:
        listed = "; ".join(f"{key}: {kept.get(key)} → {given.get(key)}" for key in keys[:10])
        raise ArgumentError(
            f"the study {study.where.name} searches something else ({listed}); its trials could not be compared: go on "
            "with the recipe as it was, or begin another study"
        )
