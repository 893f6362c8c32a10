"""Optimizers with every coefficient, decay, clipping, averages and accumulation, against their formulas in float64."""

import numpy as np
import pytest

from dlspec.recipe.optimizers import OPTIMIZERS, SGD
from dlspec.recipe.training import Train
from dlspec.runs.backend import load_keras
from dlspec.runs.optimizing import check_steps, optimizer_of, rate_of_last_step, regularise, set_peak, too_short
from dlspec.types import RecipeError

SHAPES = ((4, 3), (3,))
DECAYS = (True, False)
"""the kernel decays, the bias does not"""
STEPS = 6


@pytest.fixture
def float64():
    keras = load_keras()
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield keras
    keras.config.set_floatx(before)
    keras.config.set_dtype_policy(before)


def sgd(s, g, state, t, rate):
    if not s["momentum"]:
        return -rate * g
    v = state["v"] = s["momentum"] * state.get("v", 0) - rate * g
    return s["momentum"] * v - rate * g if s["nesterov"] else v


def rmsprop(s, g, state, t, rate):
    square = state["s"] = s["rho"] * state.get("s", 0) + (1 - s["rho"]) * g**2
    mean = state["m"] = s["rho"] * state.get("m", 0) + (1 - s["rho"]) * g
    below = np.sqrt((square - mean**2 if s["centered"] else square) + s["epsilon"])
    moving = state["v"] = s["momentum"] * state.get("v", 0) + rate * g / below
    return -moving


def adam(s, g, state, t, rate):
    m = state["m"] = s["beta_1"] * state.get("m", 0) + (1 - s["beta_1"]) * g
    v = state["v"] = s["beta_2"] * state.get("v", 0) + (1 - s["beta_2"]) * g**2
    if s["amsgrad"]:
        v = state["most"] = np.maximum(state.get("most", 0), v)
    return -rate * np.sqrt(1 - s["beta_2"] ** t) / (1 - s["beta_1"] ** t) * m / (np.sqrt(v) + s["epsilon"])


def adagrad(s, g, state, t, rate):
    state["s"] = state.get("s", s["initial_accumulator_value"]) + g**2
    return -rate * g / np.sqrt(state["s"] + s["epsilon"])


def lion(s, g, state, t, rate):
    m = state.get("m", 0)
    state["m"] = s["beta_2"] * m + (1 - s["beta_2"]) * g
    return -rate * np.sign(s["beta_1"] * m + (1 - s["beta_1"]) * g)


RULES = {"sgd": sgd, "rmsprop": rmsprop, "adam": adam, "adamw": adam, "adagrad": adagrad, "lion": lion}
CASES = [
    {"name": "sgd", "learning_rate": 0.3},
    {"name": "sgd", "learning_rate": 0.3, "momentum": 0.7},
    {"name": "sgd", "learning_rate": 0.3, "momentum": 0.7, "nesterov": True},
    {"name": "rmsprop", "learning_rate": 0.02, "rho": 0.8, "epsilon": 1e-3},
    {"name": "rmsprop", "learning_rate": 0.02, "rho": 0.8, "momentum": 0.6, "epsilon": 1e-3, "centered": True},
    {"name": "adam", "learning_rate": 0.02, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3},
    {"name": "adam", "learning_rate": 0.02, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3, "amsgrad": True},
    {"name": "adamw", "learning_rate": 0.02, "beta_1": 0.7, "beta_2": 0.9, "epsilon": 1e-2, "amsgrad": True},
    {"name": "adagrad", "learning_rate": 0.2, "initial_accumulator_value": 0.5, "epsilon": 1e-2},
    {"name": "lion", "learning_rate": 0.02, "beta_1": 0.6, "beta_2": 0.9},
]


def clipped(grads, clip):
    if "norm" in clip:
        return [g * min(1, clip["norm"] / np.linalg.norm(g)) for g in grads]
    if "global_norm" in clip:
        return [g * min(1, clip["global_norm"] / np.sqrt(sum(np.sum(one**2) for one in grads))) for g in grads]
    return [np.clip(g, -clip["value"], clip["value"]) for g in grads] if clip else grads


def draw():
    draws = np.random.default_rng(3)
    start = [draws.normal(size=shape) for shape in SHAPES]
    return start, [[draws.normal(size=shape) * 2 for shape in SHAPES] for _ in range(STEPS)]


def expected(train, gradients, start):
    """Weights and their average after every step, by the formulas."""
    settings, rule = train.optimizer.model_dump(), RULES[train.optimizer.name]
    weights, states, average, gathered, found = [w.copy() for w in start], [{}, {}], None, [0, 0], []
    for step, grads in enumerate(gradients):
        gathered = [a + g / train.accumulate for a, g in zip(gathered, grads, strict=True)]
        if (step + 1) % train.accumulate == 0:
            rate = train.optimizer.learning_rate * float(
                train.schedule.share(np.float64(step), 2, 2 * train.epochs, np)
            )
            gathered = clipped(gathered, train.clip.model_dump(exclude_none=True) if train.clip else {})
            for i, decays in enumerate(DECAYS):
                weights[i] = weights[i] * (1 - rate * settings["weight_decay"] * decays)
                weights[i] = weights[i] + rule(settings, gathered[i], states[i], (step + 1) // train.accumulate, rate)
            gathered = [0, 0]
            if train.average:
                m = train.average.momentum if average else 0.0
                average = [m * a + (1 - m) * w for a, w in zip(average or weights, weights, strict=True)]
        found.append(([w.copy() for w in weights], average))
    return found


def network_of(keras, start):
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    network.set_weights(start)
    return network


def check(keras, settings):
    train = Train.model_validate({"epochs": 3, **settings})
    start, gradients = draw()
    network = network_of(keras, start)
    optimizer = optimizer_of(train, network, 2)
    wanted = expected(train, gradients, start)
    for grads, (weights, _) in zip(gradients, wanted, strict=True):
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in grads], network.trainable_variables)
        for got, want in zip(network.get_weights(), weights, strict=True):
            assert got.dtype == np.float64
            close(got, want)
    if train.average and len(gradients) % train.accumulate == 0:
        optimizer.finalize_variable_values(network.trainable_variables)
        return network.get_weights(), wanted[-1][1]
    return None


def close(got, want):
    """To 1e-6 of the variable's size: Keras rounds some coefficients to float32 on their way (0.7 is 0.69999999)."""
    assert np.linalg.norm(got - want) <= 1e-6 * np.linalg.norm(want)


def name_of(case):
    return ",".join(f"{k}={v}" for k, v in case.items() if k != "learning_rate")


def test_every_rule_is_here_with_every_coefficient():
    for cls in OPTIMIZERS:
        fields = {name: field.default for name, field in cls.model_fields.items()}
        cases = [one for one in CASES if one["name"] == fields["name"]]
        assert cases, cls
        for name, default in fields.items():
            if name not in ("name", "weight_decay"):
                assert any(one.get(name, default) != default for one in cases), (cls, name)


@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_six_steps(float64, case, decay):
    check(float64, {"optimizer": {**case, "weight_decay": decay}})


@pytest.mark.parametrize("case", [CASES[2], CASES[7]], ids=name_of)
@pytest.mark.parametrize("clip", [{"norm": 1.5}, {"global_norm": 1.5}, {"value": 0.7}, {"norm": 100.0}], ids=str)
@pytest.mark.parametrize("accumulate", [1, 3])
def test_clipped_and_gathered(float64, case, clip, accumulate):
    check(float64, {"optimizer": {**case, "weight_decay": 0.1}, "clip": clip, "accumulate": accumulate})


@pytest.mark.parametrize("case", [CASES[1], CASES[5]], ids=name_of)
def test_averaged_from_the_first_update_on(float64, case):
    for got, want in zip(*check(float64, {"optimizer": case, "average": {"momentum": 0.6}}), strict=True):
        close(got, want)


def test_an_average_counts_updates_and_not_the_steps_between(float64):
    """Keras averages in every step: with the root of the momentum that is the same, but for the last update's part."""
    train = Train.model_validate({"accumulate": 3, "average": {"momentum": 0.6}, "optimizer": CASES[0], "epochs": 3})
    start, gradients = draw()
    network = network_of(float64, start)
    optimizer = optimizer_of(train, network, 2)
    zeros = [np.zeros(shape) for shape in SHAPES]
    for grads in (*gradients, zeros, zeros):
        optimizer.apply([float64.ops.convert_to_tensor(g) for g in grads], network.trainable_variables)
    optimizer.finalize_variable_values(network.trainable_variables)
    for got, want in zip(network.get_weights(), expected(train, gradients, start)[-1][1], strict=True):
        close(got, want)


def test_an_average_of_no_updates_leaves_the_weights_alone():
    """Gradients that overflow make none, and the average is zeros until the first."""
    keras = load_keras()
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    train = Train.model_validate({"precision": "mixed_float16", "average": {"momentum": 0.5}})
    optimizer, variables = optimizer_of(train, network, 2), network.trainable_variables
    before = network.get_weights()
    for size in (np.inf, 1.0):
        optimizer.apply([keras.ops.full(one.shape, size) for one in variables], variables)
        weights = network.get_weights()
        assert np.array_equal(weights[0], before[0]) == (size == np.inf)
        optimizer.finalize_variable_values(variables)
        for got, want in zip(network.get_weights(), weights, strict=True):
            np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(
    "schedule",
    [
        {"name": "cosine", "warmup": {"steps": 2}},
        {"name": "step", "every": 1.0, "factor": 0.5},
        {"name": "step", "at": (0.5, 2), "factor": 0.5},
        {"name": "exponential", "factor": 0.5, "warmup": {"epochs": 0.5}},
        {"name": "inverse_time"},
        {"name": "polynomial", "power": 2.0, "end": 0.1},
        {"name": "one_cycle"},
        {"name": "constant", "warmup": {"steps": 3}},
        {"name": "reduce_on_plateau", "warmup": {"steps": 3}},
    ],
    ids=lambda one: one["name"],
)
def test_the_learning_rate_and_the_decay_follow_the_schedule(float64, schedule):
    check(float64, {"optimizer": {**CASES[2], "weight_decay": 0.2}, "schedule": schedule, "accumulate": 2})
    check(float64, {"optimizer": CASES[5], "schedule": schedule})


def test_the_rate_of_the_last_step_and_a_new_one_by_hand(float64):
    train = Train.model_validate({"epochs": 2, "schedule": {"name": "polynomial"}, "optimizer": CASES[0]})
    network = network_of(float64, draw()[0])
    network.compile(optimizer=optimizer_of(train, network, 2))
    for wanted in (1, 0.75, 0.5, 0.25, 0):
        network.optimizer.apply([np.ones(shape) for shape in SHAPES], network.trainable_variables)
        assert rate_of_last_step(network, train, 2) == pytest.approx(0.3 * wanted)
    assert float(network.optimizer.learning_rate) == 0
    network.optimizer._iterations.assign(1)
    set_peak(network, 0.1)
    assert float(network.optimizer.learning_rate) == pytest.approx(0.075)


def test_greatest_norms_are_of_what_comes_into_a_unit(float64):
    keras = float64
    doors = keras.Input((6, 6, 2)), keras.Input((3,), dtype="int32")
    x = keras.layers.Conv2D(4, 3)(doors[0])
    x = keras.layers.DepthwiseConv2D(2)(x)
    x = keras.layers.Concatenate()(
        [keras.layers.Flatten()(x), keras.layers.Flatten()(keras.layers.Embedding(9, 5)(doors[1]))]
    )
    network = keras.Model(doors, keras.layers.Dense(3)(keras.layers.BatchNormalization()(x)))
    train = Train(max_norm=0.01, optimizer=SGD())
    regularise(train, network)
    zeros = [keras.ops.zeros_like(one) for one in network.trainable_variables]
    before = network.get_weights()
    optimizer_of(train, network, 1).apply(zeros, network.trainable_variables)
    axes = {"Conv2D": (0, 1, 2), "DepthwiseConv2D": (0, 1), "Embedding": (1,), "Dense": (0,)}
    seen = set()
    for layer in network.layers:
        if type(layer).__name__ in axes:
            seen.add(type(layer).__name__)
            norms = np.sqrt(np.sum(layer.get_weights()[0] ** 2, axis=axes[type(layer).__name__]))
            np.testing.assert_allclose(norms, 0.01, rtol=1e-4)
    assert seen == set(axes)
    same = [np.array_equal(a, b) for a, b in zip(before, network.get_weights(), strict=True)]
    assert same.count(False) == len(axes), "biases and normalisation are left alone"


def test_too_few_steps_are_refused():
    for settings, said in (
        (
            {"schedule": {"name": "cosine", "warmup": {"steps": 40}}},
            "train.schedule.warmup.steps: the warm-up lasts 40",
        ),
        ({"accumulate": 41}, "train.accumulate: no update would ever be made: training has 40 steps"),
    ):
        with pytest.raises(RecipeError, match=said):
            check_steps(Train.model_validate({"epochs": 4, **settings}), 10)
    check_steps(Train.model_validate({"epochs": 4, "accumulate": 40}), 10)


def test_what_so_few_steps_cannot_come_to_is_said():
    asked = {"epochs": 4, "schedule": {"name": "noam", "steps": 1000}, "average": {"momentum": 0.999}}
    grows, average = too_short(Train.model_validate(asked), 11)
    assert grows == (
        "the learning rate grows for 1,000 steps (train.schedule.steps), but training has 44 steps: it never comes to "
        "0.001; train for longer, or have it grow for 11"
    )
    assert "is still 96% weights of the first step" in average and average.endswith("take momentum 0.875")
    mended = {"epochs": 4, "schedule": {"name": "noam", "steps": 11}, "average": {"momentum": 0.875}}
    assert not too_short(Train.model_validate(mended), 11)
    assert not too_short(Train.model_validate(asked | {"epochs": 200}), 11), "0.999 ** 2199 is 0.11"
    assert not too_short(Train.model_validate({"epochs": 1}), 1), "nothing of the kind is asked for"
