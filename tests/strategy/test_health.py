"""Verdicts on the health of a training, from looks that are made by hand."""

import math

import numpy as np
import pytest

from dlspec.strategy.health import verdict
from dlspec.strategy.looks import Sample, as_json, from_json
from dlspec.strategy.mends import as_patch, mends

NAMES = ["one", "norm", "two", "three", "logits"]
KERNELS = [True, False, True, True, True]
LOG_10 = math.log(10)


def sample(step, loss=LOG_10, gradient=1.0, ratio=3e-3, output=1.0, dead=0.1, saturated=np.nan, rate=1e-3):
    def wide(value):
        return np.broadcast_to(np.array(value, float), 5).copy()

    size = np.array([100, 4, 100, 100, 100])
    return Sample(
        step, step / 10, loss, rate, wide(gradient), wide(10.0), size, wide(output), wide(dead), wide(saturated),
        wide(np.nan if step == 0 else ratio),
    )  # fmt: skip


def training(losses=(2.3, 2.1, 1.0, 0.4, 0.2), steps=(0, 1, 10, 100, 500), **changes):
    return [sample(step, loss, **changes) for step, loss in zip(steps, losses, strict=True)]


def judged(samples, losses=(1.5, 0.4, 0.2), rate=1e-3, **known):
    return verdict(samples, NAMES, KERNELS, rate=rate, expected=LOG_10, losses=losses, **known)


def test_a_healthy_training_is_called_so_and_nothing_is_mended():
    found = judged(training())
    assert found.name == "healthy" and not found.also and "0.3 % of their size" in found.says
    assert mends(found, {"model": {"activation": "sigmoid", "initializer": "zeros"}}) == []


def test_what_vanishes_is_named_and_a_layer_that_only_scales_is_not_judged():
    found = judged(training(gradient=[1e-7, 0, 1e-3, 1e-1, 1.0]), losses=(2.3, 2.3, 2.3))
    assert found.name == "vanishing" and found.layers == (0,) and "'one' 1.0e-07" in found.says
    assert "1 of 4 layers" in found.says


def test_a_gradient_that_a_zero_start_stops_for_one_step_alone_does_not_vanish():
    samples = training()
    samples[0] = sample(0, gradient=[0, 0, 0, 0, 1.0])
    assert judged(samples).name == "healthy"


def test_a_start_that_explodes():
    found = judged(training(losses=(4e8, 3e8, 2e8, 1e8, 5e7), output=[2, 2, 900, 1e6, 1e9]), losses=(3e8, 2e8, 1e8))
    assert found.name == "exploding" and "'two' is the first" in found.says and found.layers == (2,)
    assert judged([sample(0, loss=float("nan"), output=np.inf)], diverged=True, losses=()).name == "exploding"


def test_large_numbers_at_the_output_are_no_illness_where_the_loss_is_as_it_should_be():
    assert judged(training(output=50.0)).name == "healthy"


def test_a_rate_too_high_and_the_rate_that_suits():
    ill = training(losses=(2.3, 90.0, 5.0, 2.31, 2.31), ratio=0.6, rate=0.1)
    found = judged(ill, losses=(9.0, 2.31, 2.31), rate=0.1)
    assert found.name == "learning_rate_too_high" and "from 2.3 to 90" in found.says
    assert found.rate == pytest.approx(0.1 * 3e-3 / 0.6)
    diverged = judged(training(ratio=0.6)[:2], losses=(float("nan"),), diverged=True)
    assert diverged.name == "learning_rate_too_high" and diverged.rate < 1e-3


def test_a_loss_that_is_no_number_after_steps_of_the_usual_size_has_another_cause():
    found = judged(training(), losses=(2.1, float("nan")), diverged=True)
    assert found.name == "diverged" and found.rate is None
    assert mends(found, {"train": {"optimizer": {"learning_rate": 0.03}}})[0].changes == {
        "train.optimizer.learning_rate": 0.003
    }


def test_large_steps_that_train_well_are_no_illness():
    assert judged(training(ratio=0.6)).name == "healthy"


def test_a_rate_too_low():
    found = judged(training(losses=(2.31, 2.31, 2.31, 2.3, 2.29), ratio=1e-8), losses=(2.305, 2.301, 2.295))
    assert found.name == "learning_rate_too_low" and found.rate == pytest.approx(10.0)
    assert judged(training(losses=(2.31, 2.31, 2.31, 2.3, 2.29), ratio=1e-8), losses=(2.3, 0.2, 0.1)).name == "healthy"


def test_a_short_training_with_usual_steps_has_no_rate_too_low():
    few = [sample(step, loss) for step, loss in zip((0, 1, 4), (2.31, 2.3, 2.29), strict=True)]
    assert judged(few, losses=(2.31, 2.3)).name == "healthy"
    slow = [sample(step, loss, ratio=5e-4) for step, loss in zip((0, 1, 160), (2.31, 2.3, 2.29), strict=True)]
    assert judged(slow, losses=(2.31, 2.3)).name == "healthy"
    gathered = judged(slow, losses=(2.31, 2.3), accumulate=8)
    assert gathered.name == "learning_rate_too_low" and " 20 updates" in gathered.says


def test_a_rate_is_judged_by_the_share_of_it_that_a_step_was_taken_with():
    losses, rates = (2.3, 2.3, 2.4, 2.5, 3.0, 3.1, 9.0), (1e-4, 1e-4, 1e-3, 1e-2, 0.1, 0.1, 0.1)
    warm = [
        sample(step, loss, rate=rate, ratio=6 * rate)
        for step, loss, rate in zip((0, 1, 10, 100, 1000, 2000, 3000), losses, rates, strict=True)
    ]
    found = judged(warm, losses=(3.0, 9.0), rate=0.1)
    assert found.name == "learning_rate_too_high" and "from 2.3 to 9 " in found.says and found.rate == 5e-4


def test_a_training_that_goes_on_with_a_lower_rate_is_not_judged_by_the_old_one():
    losses, rates = (2.3, 90.0, 5.0, 1.0, 0.2), (0.1, 0.1, 0.1, 5e-4, 5e-4)
    samples = [
        sample(step, loss, rate=rate, ratio=6 * rate)
        for step, loss, rate in zip((0, 1, 10, 100, 500), losses, rates, strict=True)
    ]
    assert judged(samples, losses=(9.0, 1.0, 0.2), rate=5e-4).name == "healthy"
    assert judged(samples, losses=(9.0, 5.0, 4.0), rate=0.1).name == "learning_rate_too_high"


@pytest.mark.parametrize(("share", "final", "name"), [(0.8, 2.0, "dead"), (0.8, 0.2, "healthy"), (1.0, 0.2, "dead")])
def test_dead_units_count_where_the_network_learns_badly_or_a_layer_is_gone(share, final, name):
    found = judged(training(dead=[0.1, np.nan, share, 0.1, np.nan]), losses=(2.2, final))
    assert found.name == name and (name == "healthy" or found.layers == (2,))


def test_saturation():
    found = judged(training(dead=np.nan, saturated=[0.97, np.nan, 0.2, 0.3, np.nan]))
    assert found.name == "saturated" and "'one' 97%" in found.says


def test_what_comes_besides_stands_behind():
    found = judged(training(losses=(2.3, 90, 5, 2.31, 2.31), ratio=0.6, dead=1.0), losses=(9.0, 2.31))
    assert found.name == "learning_rate_too_high" and [one.name for one in found.also] == ["dead"]


def test_nothing_seen_is_not_healthy():
    assert verdict([], [], [], rate=0.1).name == "unknown"
    assert verdict(training(), NAMES, [False] * 5, rate=0.1).name == "unknown"


def test_a_sample_survives_json():
    import json

    one = sample(3, saturated=[0.5, np.nan, 0, 1, np.nan])
    text = json.dumps(as_json(one)).replace("NaN", "null")
    again = from_json(json.loads(text))
    for mine, its in zip(one, again, strict=True):
        np.testing.assert_array_equal(mine, its)


SIGMOID = {"model": {"name": "mlp", "activation": "sigmoid", "initializer": "random_normal", "normalization": "none"}}


@pytest.mark.parametrize(
    ("model", "change"),
    [
        (
            SIGMOID["model"],
            {"model.activation": "relu", "model.initializer": "auto", "model.normalization": "batch"},
        ),
        ({"activation": "relu", "initializer": {"name": "he_normal", "scale": 2.0}}, {"model.initializer": "auto"}),
        (
            {"activation": "relu", "initializer": {"name": "auto", "scale": 2.0}},
            {"model.initializer": {"name": "auto", "scale": 1.0}},
        ),
        (
            {"activation": "relu", "initializer": {"name": "auto", "scale": 1.0}, "normalization": {"name": "none"}},
            {"model.normalization": "batch"},
        ),
        ({"hidden": [8] * 6, "initializer": "auto"}, {"model.hidden": [8] * 3}),
    ],
)
def test_vanishing_is_mended_by_what_the_architecture_has(model, change):
    ill = judged(training(gradient=[1e-7, 0, 1e-3, 1e-1, 1.0]), losses=(2.3, 2.3, 2.3))
    assert mends(ill, {"model": model})[0].changes == change


def test_where_no_setting_is_left_nothing_is_proposed():
    ill = judged(training(gradient=[1e-7, 0, 1e-3, 1e-1, 1.0]), losses=(2.3, 2.3, 2.3))
    assert mends(ill, {"model": {"name": "./own.py"}}) == []


def test_a_rate_too_high_is_mended_by_the_rate_alone():
    samples = training(losses=(2.3, 90, 5, 2.31, 2.31), ratio=0.6, dead=1.0, rate=0.1)
    ill = judged(samples, losses=(9.0, 2.31), rate=0.1)
    found = mends(ill, {"train": {"optimizer": {"learning_rate": 0.1}}, **SIGMOID})
    assert [one.changes for one in found] == [{"train.optimizer.learning_rate": 5e-4}]


def test_dotted_keys_as_a_patch():
    assert as_patch({"model.activation": "relu", "model.hidden": [3], "train.optimizer.learning_rate": 1.0}) == {
        "model": {"activation": "relu", "hidden": [3]},
        "train": {"optimizer": {"learning_rate": 1.0}},
    }


@pytest.mark.parametrize(("dead", "said"), [(0.1, True), (0.0, False), (0.004, False), (np.nan, False)])
def test_dead_units_are_named_where_there_are_some(dead, said):
    found = judged(training(dead=dead), losses=(2.2, 0.3))
    assert found.name == "healthy" and ("units are dead" in found.says) == said
