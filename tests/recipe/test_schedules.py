"""Schedules at several steps, worked by hand: 10 steps an epoch, 100 steps."""

import math

import numpy as np
import pytest

from dlspec.recipe.schedules import SCHEDULES
from dlspec.recipe.training import Train

HALF = math.sqrt(0.5)
CASES = [
    ({"name": "constant"}, {0: 1, 99: 1}),
    ({"name": "constant", "warmup": {"steps": 4}}, {0: 0.25, 1: 0.5, 2: 0.75, 3: 1, 4: 1, 99: 1}),
    ({"name": "constant", "warmup": {"epochs": 0.5}}, {0: 0.2, 4: 1, 5: 1}),
    ({"name": "reduce_on_plateau", "warmup": {"epochs": 1}}, {0: 0.1, 9: 1, 50: 1}),
    ({"name": "step", "every": 3, "factor": 0.5}, {0: 1, 29: 1, 30: 0.5, 59: 0.5, 60: 0.25, 99: 0.125}),
    ({"name": "step", "every": 0.5}, {4: 1, 5: 0.1, 9: 0.1, 10: 0.01}),
    ({"name": "step", "at": (2, 5.5), "factor": 0.5}, {0: 1, 19: 1, 20: 0.5, 54: 0.5, 55: 0.25, 99: 0.25}),
    ({"name": "step", "at": (2,), "warmup": {"steps": 10}}, {0: 0.1, 9: 1, 29: 1, 30: 0.1}),
    ({"name": "exponential", "factor": 0.25}, {0: 1, 5: 0.5, 10: 0.25, 20: 0.0625}),
    ({"name": "inverse_time"}, {0: 1, 5: 2 / 3, 10: 0.5, 90: 0.1}),
    ({"name": "inverse_time", "decay": 0.5}, {20: 0.5, 60: 0.25}),
    ({"name": "noam", "steps": 4}, {0: 0.25, 1: 0.5, 3: 1, 15: 0.5, 35: 1 / 3, 99: 0.2}),
    ({"name": "polynomial"}, {0: 1, 25: 0.75, 99: 0.01, 100: 0, 150: 0}),
    ({"name": "polynomial", "power": 2, "end": 0.2}, {0: 1, 50: 0.4, 100: 0.2}),
    ({"name": "polynomial", "epochs": 5}, {25: 0.5, 50: 0, 99: 0}),
    ({"name": "polynomial", "warmup": {"steps": 20}}, {0: 0.05, 19: 1, 20: 1, 60: 0.5, 100: 0}),
    ({"name": "cosine"}, {0: 1, 25: (1 + HALF) / 2, 50: 0.5, 75: (1 - HALF) / 2, 100: 0, 120: 0}),
    ({"name": "cosine", "end": 0.1}, {0: 1, 50: 0.55, 100: 0.1}),
    ({"name": "cosine", "epochs": 2.5}, {0: 1, 25: 0, 26: 0}),
    ({"name": "one_cycle", "start": 0.2, "rise": 0.4, "end": 0.1}, {0: 0.2, 20: 0.6, 40: 1, 70: 0.55, 100: 0.1}),
    ({"name": "one_cycle", "start": 0.2, "warmup": {"steps": 2}}, {0: 0.1, 1: 0.2, 2: 0.2}),
]


@pytest.mark.parametrize(("settings", "wanted"), CASES, ids=lambda one: str(one) if "name" in one else "")
def test_by_hand(settings, wanted):
    schedule = Train.model_validate({"schedule": settings}).schedule
    steps = np.array(list(wanted), np.float64)
    np.testing.assert_allclose(schedule.share(steps, 10, 100, np), list(wanted.values()), atol=1e-12)
    for step, share in wanted.items():
        assert float(schedule.share(np.float64(step), 10, 100, np)) == pytest.approx(share, abs=1e-12)
    assert schedule.changes == any(one != 1 for one in wanted.values())


def test_every_schedule_is_here():
    assert {cls.model_fields["name"].default for cls in SCHEDULES} == {one["name"] for one, _ in CASES}


@pytest.mark.parametrize("settings", [one for one, _ in CASES], ids=str)
def test_the_same_in_float32_within_the_graph(settings):
    """Whole steps must fall on the same side of every edge, however long training lasts."""
    from dlspec.runs.backend import load_keras

    keras = load_keras()
    schedule = Train.model_validate({"schedule": settings}).schedule
    steps = np.arange(0, 120_000, 7)
    exact = schedule.share(steps.astype(np.float64), 1000, 100_000, np)
    got = schedule.share(keras.ops.cast(steps, "float32"), 1000, 100_000, keras.ops)
    assert "float32" in str(got.dtype)
    np.testing.assert_allclose(np.asarray(got), exact, rtol=2e-5, atol=1e-6)


def test_noam_is_the_papers_equation():
    """Vaswani et al. (2017), equation 3, where the optimizer's learning rate is that of the step in which it peaks."""
    width, warmup = 512, 4000
    [noam] = [one for one in SCHEDULES if one.__name__ == "Noam"]
    steps = np.array([1, 100, 3999, 4000, 4001, 100_000], float)
    paper = width**-0.5 * np.minimum(steps**-0.5, steps * warmup**-1.5)
    peak = (width * warmup) ** -0.5
    assert peak == pytest.approx(7e-4, rel=0.01)
    np.testing.assert_allclose(peak * noam().share(steps - 1, 1000, 100_000, np), paper, rtol=1e-12)
    with pytest.raises(ValueError, match="warms up by itself"):
        noam(warmup={"steps": 5})
