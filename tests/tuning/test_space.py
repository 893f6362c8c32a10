"""Spaces: what is drawn lies where it should, a choice brings its own axes, a grid holds every point once."""

import math

import numpy as np
import pytest
from scipy.stats import kstest

from dlspec.tuning.space import Space

NESTED = {
    "train.optimizer.learning_rate": {"log_uniform": [1e-4, 1e-1]},
    "model": {
        "choice": [
            {"name": "lenet5", "activation": {"choice": ["relu", "tanh"]}},
            {"name": "mlp", "hidden": [64], "dropout": {"uniform": [0, 0.5]}},
            {"name": "linear"},
        ]
    },
}


def uniform(given, seed=0, count=4000):
    random = np.random.default_rng(seed)
    space = Space({"x": given})
    return np.array([space.draw(lambda axis: axis.at(random.random()))["x"] for _ in range(count)], float)


@pytest.mark.parametrize(
    ("given", "made_uniform"),
    [
        ({"uniform": [-2, 3]}, lambda x: (x + 2) / 5),
        ({"log_uniform": [1e-4, 1e-1]}, lambda x: np.log(x / 1e-4) / np.log(1e3)),
        ({"one_minus_log_uniform": [0.9, 0.999]}, lambda x: 1 - np.log((1 - x) / 1e-3) / np.log(100)),
    ],
)
def test_ranges_are_drawn_as_they_say(given, made_uniform):
    assert kstest(made_uniform(uniform(given)), "uniform").pvalue > 0.001
    [low, high] = next(iter(given.values()))
    axis = Space({"x": given}).axes[0]
    assert axis.at(0.0) == pytest.approx(low) and axis.at(1 - 1e-12) == pytest.approx(high)


def test_whole_numbers_are_all_as_likely():
    counts = np.bincount(uniform({"integer": [3, 6]}).astype(int), minlength=7)
    assert counts[:3].sum() == 0 and counts[3:].min() > 900


def test_a_choice_brings_its_own_axes():
    space = Space(NESTED)
    assert [axis.name for axis in space.every()] == [
        "train.optimizer.learning_rate", "model", "model[0].activation", "model[1].dropout",
    ]  # fmt: skip
    random = np.random.default_rng(3)
    seen = set()
    for _ in range(200):
        drawn = space.draw(lambda axis: axis.at(random.random()))
        changes = space.changes(drawn)
        model = changes["model"]
        seen.add(model["name"])
        assert ("model[0].activation" in drawn) == (model["name"] == "lenet5")
        assert ("model[1].dropout" in drawn) == (model["name"] == "mlp")
        if model["name"] == "lenet5":
            assert model["activation"] in ("relu", "tanh")
        if model["name"] == "mlp":
            assert model["hidden"] == [64] and 0 <= model["dropout"] <= 0.5
        assert space.shown(drawn)["model"] == model["name"]
    assert seen == {"lenet5", "mlp", "linear"}


def test_a_grid_holds_every_point_once():
    space = Space({"a": {"integer": [1, 3]}, "b": {"log_uniform": [1e-3, 1e-1], "points": 3}})
    points = [tuple(one.values()) for one in space.grid()]
    assert len(points) == len(set(points)) == space.grid_size() == 9
    assert points[:3] == [(1, 1e-3), (1, pytest.approx(1e-2)), (1, 1e-1)]
    nested = Space({"model": NESTED["model"]})
    assert nested.grid_size() == len(list(nested.grid())) == 2 + 5 + 1
    assert [one["model"] for one in nested.grid()] == [0, 0, 1, 1, 1, 1, 1, 2]


def test_few_whole_numbers_make_a_short_grid():
    assert Space({"a": {"integer": [1, 2]}}).grid_size() == 2
    assert [one["a"] for one in Space({"a": {"integer": [1, 100], "points": 4}}).grid()] == [1, 34, 67, 100]
    assert math.isclose(next(Space({"a": {"uniform": [1, 3], "points": 1}}).grid())["a"], 2)
