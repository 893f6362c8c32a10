"""Samplers for Optuna whose trial n is a function of the seed and n alone, whoever asks, in whatever order, how often.

Optuna's own RandomSampler is one stream of numbers, so that workers with the same seed repeat each other.
"""

from __future__ import annotations

import abc
import contextlib
import itertools
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler
from optuna.storages import RetryHeartbeatStaleTrialCallback
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial

from dlspec.recipe.tune import Tune
from dlspec.tuning.space import Axis, Drawn, Space, Value

ORDERED = ("tpe", "cmaes")
"""samplers that learn from the trials that have ended, so that what they draw depends on the order of those"""


@contextlib.contextmanager
def experiments() -> Iterator[None]:
    """Optuna warns of each use of what it may still change; the version is locked, so nobody need be told."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        yield


INDEX = "index"
"""a user attribute of trials: which of the study's trials it is, whatever Optuna's count of attempts"""


def original(trial: FrozenTrial) -> int:
    """Which of the trials it is; one that is run again for a worker that died has that of the first attempt."""
    if INDEX in trial.user_attrs:
        return int(trial.user_attrs[INDEX])
    with experiments():
        number = RetryHeartbeatStaleTrialCallback.retried_trial_number(trial)
    return trial.number if number is None else number


def parameter(axis: Axis) -> str:
    """What Optuna calls an axis: where 1 - x is drawn, it says so."""
    return f"1 - {axis.name}" if axis.kind == "one_minus_log_uniform" else axis.name


def distribution(axis: Axis) -> BaseDistribution:
    """An axis as Optuna has it, for its own samplers and pictures; a choice by its names, where they differ."""
    if axis.kind == "choice":
        return CategoricalDistribution(_labels(axis))
    if axis.kind == "integer":
        return IntDistribution(int(axis.low), int(axis.high))
    if axis.kind == "one_minus_log_uniform":
        return FloatDistribution(1 - axis.high, 1 - axis.low, log=True)
    return FloatDistribution(axis.low, axis.high, log=axis.kind == "log_uniform")


def suggested(space: Space, trial: Trial) -> Drawn:
    """Everything that a trial is to try, drawn by the study's sampler before any of it is used."""

    def pick(axis: Axis) -> Value:
        name, of = parameter(axis), distribution(axis)
        if isinstance(of, CategoricalDistribution):
            return of.choices.index(trial.suggest_categorical(name, of.choices))
        if isinstance(of, IntDistribution):
            return trial.suggest_int(name, of.low, of.high)
        value = trial.suggest_float(name, of.low, of.high, log=of.log)  # type: ignore[attr-defined]
        return 1 - value if axis.kind == "one_minus_log_uniform" else value

    return space.draw(pick)


def sampler(tune: Tune, space: Space) -> BaseSampler:
    """The sampler that a recipe asks for."""
    if tune.sampler == "tpe":
        with experiments():
            return optuna.samplers.TPESampler(seed=tune.seed, multivariate=True, group=True, constant_liar=True)
    if tune.sampler == "cmaes":
        return optuna.samplers.CmaEsSampler(seed=tune.seed)
    return {"random": Random, "grid": Grid, "qmc": QuasiRandom}[tune.sampler](space, tune.seed)


def pruner(tune: Tune, epochs: int) -> BasePruner:
    """What gives trials up early, as a recipe asks for it.  epochs: of a whole trial."""
    if tune.pruner == "asha":
        return optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=tune.reduction)
    if tune.pruner == "hyperband":
        return optuna.pruners.HyperbandPruner(min_resource=1, max_resource=epochs, reduction_factor=tune.reduction)
    if tune.pruner == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=max(1, epochs // 10))
    return optuna.pruners.NopPruner()


class Numbered(BaseSampler):
    """Draws by number: `drawn(n)` is the whole of trial n."""

    def __init__(self, space: Space, seed: int) -> None:
        self.space, self.seed = space, seed
        self.axes = {parameter(axis): axis for axis in space.every()}
        self._last: tuple[int, Drawn] = (-1, {})

    @abc.abstractmethod
    def drawn(self, number: int) -> Drawn:
        """What trial `number` tries."""

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: Mapping[str, BaseDistribution]
    ) -> dict[str, Any]:
        return {}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        number, axis = original(trial), self.axes[param_name]
        if self._last[0] != number:
            self._last = (number, self.drawn(number))
        value = self._last[1][axis.name]
        if isinstance(param_distribution, CategoricalDistribution):
            return param_distribution.choices[int(value)]  # type: ignore[arg-type]
        return 1 - value if axis.kind == "one_minus_log_uniform" else value  # type: ignore[operator]


class Random(Numbered):
    """Every axis by itself, uniformly over what it says (Bergstra & Bengio 2012)."""

    def drawn(self, number: int) -> Drawn:
        def pick(axis: Axis) -> Value:
            words = np.frombuffer(axis.name.encode(), np.uint8).tolist()
            return axis.at(float(np.random.default_rng([self.seed, number, *words]).random()))

        return self.space.draw(pick)


class QuasiRandom(Numbered):
    """A scrambled Sobol sequence (Owen 1998): as random, but with neither gaps nor clusters."""

    def drawn(self, number: int) -> Drawn:
        from scipy.stats import qmc

        places = {axis.name: place for place, axis in enumerate(self.space.every())}
        sequence = qmc.Sobol(len(places), rng=self.seed)
        if number:
            sequence.fast_forward(number)
        point = sequence.random(1)[0]
        return self.space.draw(lambda axis: axis.at(min(float(point[places[axis.name]]), 1 - 1e-12)))


class Grid(Numbered):
    """Every point of the grid once, in an order that the seed shuffles: of a part of it, no corner is left out."""

    def __init__(self, space: Space, seed: int) -> None:
        super().__init__(space, seed)
        self.order = np.random.default_rng(seed).permutation(space.grid_size())

    def drawn(self, number: int) -> Drawn:
        place = int(self.order[number % len(self.order)])
        return next(itertools.islice(self.space.grid(), place, None))


def _labels(axis: Axis) -> tuple[Any, ...]:
    labels = tuple(axis.label(place) for place in range(len(axis.options)))
    apart = len({repr(label) for label in labels}) == len(labels) and len(set(map(str, labels))) == len(labels)
    return labels if apart else tuple(f"{place + 1}: {label}" for place, label in enumerate(labels))
