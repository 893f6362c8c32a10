"""Samplers: trial n is the same whoever asks and in whatever order; each covers its space."""

import numpy as np
import optuna
import pytest
from optuna.storages import RetryHeartbeatStaleTrialCallback

from dlspec.recipe.tune import Tune
from dlspec.tuning.samplers import experiments, original, sampler, suggested
from dlspec.tuning.space import Space

optuna.logging.set_verbosity(optuna.logging.WARNING)
GIVEN = {
    "train.optimizer.learning_rate": {"log_uniform": [1e-4, 1e-1]},
    "train.average.momentum": {"one_minus_log_uniform": [0.9, 0.9999]},
    "model.layers": {"integer": [1, 4]},
    "model": {"choice": [{"name": "a", "width": {"integer": [8, 64]}}, {"name": "b"}, {"name": "b", "depth": 3}]},
}


def study_of(which, seed=0, given=GIVEN, trials=8):
    tune = Tune(sampler=which, seed=seed, space=given)
    space = Space(tune.space)
    return optuna.create_study(sampler=sampler(tune, space)), space


def asked(which, seed=0, count=8, given=GIVEN):
    study, space = study_of(which, seed, given)
    return [suggested(space, study.ask()) for _ in range(count)]


def retried(study, trial):
    with experiments():
        RetryHeartbeatStaleTrialCallback()(study, trial)


@pytest.mark.parametrize("which", ["random", "grid", "qmc"])
def test_trial_n_is_a_function_of_seed_and_n(which):
    first = asked(which)
    assert first == asked(which) and first != asked(which, seed=1)
    study, _ = study_of(which)  # another worker asks in another order, by numbers alone
    again = [study.sampler.drawn(number) for number in (5, 0, 7, 3)]
    assert again == [first[number] for number in (5, 0, 7, 3)]
    assert len({repr(one) for one in first}) == 8
    for one in first:
        assert 1e-4 <= one["train.optimizer.learning_rate"] <= 0.1
        assert 0.9 - 1e-12 <= one["train.average.momentum"] <= 0.9999 + 1e-12
        assert ("model[0].width" in one) == (one["model"] == 0)


@pytest.mark.parametrize("which", ["random", "grid", "qmc", "tpe", "cmaes"])
def test_optuna_keeps_what_was_drawn(which):
    study, space = study_of(which, given={name: GIVEN[name] for name in list(GIVEN)[:3]} if which == "cmaes" else GIVEN)
    for number in range(12):
        trial = study.ask()
        drawn = suggested(space, trial)
        kept = study.trials[number].params
        assert kept["train.optimizer.learning_rate"] == drawn["train.optimizer.learning_rate"]
        assert kept["1 - train.average.momentum"] == pytest.approx(1 - drawn["train.average.momentum"])
        study.tell(trial, drawn["train.optimizer.learning_rate"])


def test_values_of_one_name_are_told_apart():
    study, space = study_of("random")
    trial = study.ask()
    suggested(space, trial)
    assert study.trials[0].distributions["model"].choices == ("1: a", "2: b", "3: b")


def test_a_trial_that_is_run_again_tries_the_same():
    study, space = study_of("random")
    for _ in range(3):
        last = study.ask()
    drawn = suggested(space, last)
    study.tell(last, state=optuna.trial.TrialState.FAIL)
    retried(study, study.trials[2])
    again = study.ask()
    assert again.number == 3 and original(study.trials[3]) == 2
    assert suggested(space, again) == drawn


def test_a_worker_that_died_while_it_drew_tries_the_same_again():
    """What was drawn before the end is kept, the rest is drawn by the number of the first attempt."""
    study, space = study_of("random")
    trial = study.ask()
    trial.suggest_float("train.optimizer.learning_rate", 1e-4, 1e-1, log=True)
    study.tell(trial, state=optuna.trial.TrialState.FAIL)
    retried(study, study.trials[0])
    assert suggested(space, study.ask()) == study.sampler.drawn(0)


def test_a_grid_tries_every_point_once():
    given = {"a": {"integer": [1, 3]}, "b": {"choice": ["x", "y"]}}
    tried = asked("grid", count=6, given=given)
    assert len({(one["a"], one["b"]) for one in tried}) == 6


def test_quasi_random_leaves_no_gap():
    given = {"a": {"uniform": [0, 1]}, "b": {"uniform": [0, 1]}}
    for name in "ab":
        values = np.sort([one[name] for one in asked("qmc", count=64, given=given)])
        assert np.diff([0, *values, 1]).max() < 2.1 / 64
