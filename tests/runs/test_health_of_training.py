"""Health while training: what is looked at, that looking changes nothing, and where a training went wrong."""

import json

import numpy as np
import pytest
from small_training import Heard, weights, write_rows

from dlspec.recipe.load import load
from dlspec.runs import checkpoint as checkpoints
from dlspec.runs.resume import resume
from dlspec.runs.train import train
from dlspec.types import RecipeError

RECIPE = """
task: classification
data: {name: csv, path: rows.csv, target: y, split: {dev: 0.25}}
model: {name: mlp, hidden: [8, 6], dropout: 0.2}
train:
  epochs: 6
  batch_size: 8
  seed: 4
  optimizer: {name: adam, learning_rate: 0.01}
"""

NORMALIZED = """
from typing import ClassVar
from dlspec.models.base import Backbone, flat

class Own(Backbone):
    accepts: ClassVar[tuple[str, ...]] = ("table",)

    def build(self, inputs, outputs):
        import keras

        doors, x = flat(inputs)
        inner_in = keras.Input(x.shape[1:])
        hidden = keras.layers.Dense(5, activation="tanh", name="inner")(inner_in)
        inside = keras.Model(inner_in, keras.layers.BatchNormalization(name="norm")(hidden), name="inside")
        x = keras.layers.Dropout(0.3)(inside(x))
        return keras.Model(doors, keras.layers.Dense(outputs, name="logits")(x), name="own")
"""

BREAKS = """
from typing import ClassVar
import keras
from dlspec.models.base import Backbone, flat

@keras.saving.register_keras_serializable("test")
class Breaks(keras.layers.Layer):
    # finite in the first steps; then the root of a negative number (its step counts what it is called for in training)
    def build(self, shape):
        self.step = self.add_weight(shape=(), initializer="zeros", trainable=False)
        self.weight = self.add_weight(shape=(), initializer="ones")

    def call(self, x, training=False):
        if training:
            self.step.assign_add(1.0)
        return x * self.weight * keras.ops.sqrt(12.5 - self.step) / 3

class Own(Backbone):
    accepts: ClassVar[tuple[str, ...]] = ("table",)

    def build(self, inputs, outputs):
        doors, x = flat(inputs)
        x = keras.layers.Dense(4, activation="relu", name="before")(x)
        return keras.Model(doors, keras.layers.Dense(outputs, name="logits")(Breaks(name="breaks")(x)))
"""


SPOILS = BREAKS.replace("keras.ops.sqrt(12.5 - self.step) / 3", "(1 + self.root())").replace(
    "    def call(",
    """    def root(self):
        # the slope of the root is infinite at 0, what it gives is finite
        return keras.ops.sqrt(keras.ops.maximum(24.0 - self.step, 0.0) * self.weight**2) / 5

    def call(""",
)


@pytest.fixture
def home(tmp_path):
    write_rows(tmp_path)
    (tmp_path / "r.yaml").write_text(RECIPE)
    (tmp_path / "own.py").write_text(NORMALIZED)
    (tmp_path / "breaks.py").write_text(BREAKS)
    (tmp_path / "spoils.py").write_text(SPOILS)
    return tmp_path


def trained(home, *sets, watch=None):
    return train(load(home / "r.yaml", sets), out=home / "runs", watch=watch)


def opened(run):
    import keras

    return keras.saving.load_model(run / "model.keras", compile=False).get_weights()


def health(run):
    return json.loads((run / "health.json").read_text())


@pytest.mark.parametrize("model", ["model={name: mlp, hidden: [8], dropout: 0.2}", "model=./own.py"])
def test_looking_changes_no_bit(home, model):
    with_looks = trained(home, model)
    without = trained(home, model, "train.health=false")
    assert weights(with_looks.run) == weights(without.run)
    assert with_looks.scores == without.scores
    assert not (without.run / "health.json").exists() and without.health is None


def test_layers_within_models_are_seen_in_the_order_of_work(home):
    found = health(trained(home, "model=./own.py").run)
    names = [one["name"].rpartition("/")[2] for one in found["layers"]]
    assert names == ["inner", "norm", "logits"]
    first = found["samples"][0]
    assert first["step"] == 0 and first["ratio"] == [None] * 3
    assert first["saturated"][0] is not None and first["dead"][0] is None
    assert [one["step"] for one in found["samples"][:3]] == [0, 1, 10]


def test_the_first_step_of_gradient_descent_by_hand(home):
    """Of a linear network and one batch: ratio = learning rate × gradient norm / weight norm, in float64."""
    run = trained(
        home, "model={name: linear, initializer: glorot_uniform}", "train.batch_size=64", "train.epochs=1",
        "train.optimizer={name: sgd, learning_rate: 0.5}", "data.split={dev: 48, test: 48}",
    ).run  # fmt: skip
    start, after = health(run)["samples"][:2]
    assert after["step"] == 1 and after["ratio"][0] == pytest.approx(0.5 * start["gradient"][0] / start["weight"][0])
    import dlspec

    opened = dlspec.open(run)
    kernel, bias = (np.array(one, np.float64) for one in opened.network.get_weights())
    assert after["weight"][0] == pytest.approx(np.sqrt((kernel**2).sum() + (bias**2).sum()), rel=1e-5)


def test_a_deep_sigmoid_net_vanishes_and_the_patch_trains(home):
    """Thirty layers, small normal weights: gradients shrink to a tenth a layer."""
    deep = "model={name: mlp, activation: sigmoid, initializer: random_normal, hidden: [" + ",".join(["16"] * 12) + "]}"
    heard = Heard()
    run = trained(home, deep, watch=heard)
    assert run.json()["health"]["verdict"] == "vanishing"
    assert any("vanishing gradients" in one and "--set model.activation" in one for one in heard.said)
    patch = load(run.run / "suggestions" / "health.yaml").recipe
    assert patch.model.activation == "relu" and patch.model.hidden == (16,) * 12 and patch.train.seed == 4
    again = train(load(run.run / "suggestions" / "health.yaml"), out=home / "runs")
    assert again.health["verdict"] != "vanishing"


def test_where_a_layer_gives_no_numbers_any_more(home):
    """`breaks` takes the root of a negative number from step 13 on; an epoch has 10 steps."""
    heard = Heard()
    trained_run = trained(home, "model=./breaks.py", watch=heard)
    found = health(trained_run.run)["diverged"]
    assert found == {"step": 13, "epoch": 2, "layer": "breaks", "what": "outputs"}
    assert any(
        "step 13 (epoch 2), in what layer 'breaks' gives" in one and "epoch 1 are kept" in one for one in heard.said
    )
    assert trained_run.best_epoch == 1 and np.isfinite(trained_run.scores["dev"]["log_loss"]["value"])


def test_at_once_it_is_the_rate_and_the_last_good_weights_are_kept(home):
    heard = Heard()
    with pytest.raises(
        RecipeError, match=r"diverged in epoch 1.*It began at step 2 .*train it anew with --set"
    ) as caught:
        trained(home, "train.optimizer={name: sgd, learning_rate: 1e18}", watch=heard)
    assert caught.value.complaints[0].where.key == "train.optimizer.learning_rate"
    [run] = (home / "runs" / "r").iterdir()
    found = health(run)
    assert found["verdict"] == "learning_rate_too_high" and found["diverged"]["step"] == 2
    assert any("looking for where it began" in one for one in heard.said)
    kept, _ = checkpoints.newest(run / "checkpoint")
    assert kept.step == 1 and all(np.isfinite(one).all() for one in kept.arrays.values())


def test_without_dev_one_goes_on_from_the_last_good_step(home):
    sets = ("model=./breaks.py", "data.split={dev: 0, test: 40}")
    with pytest.raises(RecipeError, match=r"step 13 .*--resume .* goes on from the step before"):
        trained(home, *sets, "train.batch_size=12")
    [run] = (home / "runs" / "r").iterdir()
    assert checkpoints.newest(run / "checkpoint")[0].step == 12
    with pytest.raises(RecipeError, match=r"step 13 "):
        resume(run)


@pytest.mark.parametrize("how", ["early_stopping={patience: 1}", "schedule={name: reduce_on_plateau, patience: 1}"])
def test_an_epoch_that_diverged_is_not_one_without_improvement(home, how):
    heard = Heard()
    found = trained(home, "model=./breaks.py", f"train.{how}", watch=heard)
    assert not any("stopped after" in one or "plateau:" in one for one in heard.said)
    facts = checkpoints.newest(found.run / "checkpoint")[0].facts
    assert facts["stopped_at"] is None and facts["plateau"]["waited"] == 0 and facts["plateau"]["share"] == 1
    rows = (found.run / "history.csv").read_text().splitlines()[1:]
    assert len(rows) == json.loads((found.run / "scores.json").read_text())["epochs"] == 1


def test_replaying_starts_from_a_checkpoint_where_there_is_one(home):
    heard = Heard()
    trained(home, "model=./breaks.py", "train.checkpoint={steps: 4}", "train.steps_per_execution=2", watch=heard)
    assert any("replaying from step 12" in one for one in heard.said)
    [run] = (home / "runs" / "r").iterdir()
    assert health(run)["diverged"]["step"] == 13


@pytest.mark.parametrize("sets", [(), ("train.epochs=2",), ("train.checkpoint={steps: 4}",), ("train.accumulate=5",)])
def test_weights_that_one_step_spoils_are_never_kept(home, sets):
    """The gradient of step 24 is NaN, the last of epoch 2, though its loss is finite."""
    run = trained(home, "model=./spoils.py", "train.steps_per_execution=1", *sets)
    found = health(run.run)["diverged"]
    assert (found["step"], found["layer"], found["what"]) == (24, "breaks", "gradient")
    assert run.best_epoch == 1 and np.isfinite(np.concatenate([np.ravel(one) for one in opened(run.run)])).all()
    kept, said = checkpoints.newest(run.run / "checkpoint")
    assert kept.step == 23 and not said and checkpoints.sound(kept.arrays)


def test_weights_that_the_last_step_spoils_are_not_a_model(home):
    with pytest.raises(RecipeError, match=r"a weight, is no finite number. It began at step 24 .*'breaks'"):
        trained(home, "model=./spoils.py", "data.split={dev: 0, test: 40}", "train.batch_size=10", "train.epochs=2")
    [run] = (home / "runs" / "r").iterdir()
    assert not (run / "model.keras").exists()


def test_a_replay_takes_the_learning_rate_that_training_took(home):
    """Halved at a plateau, after epoch 2 of 12 steps each; then gone on with another."""
    (home / "spoils.py").write_text(SPOILS.replace("24.0", "25.0"))
    plateau = "train.schedule={name: reduce_on_plateau, patience: 1, minimum_change: 9, factor: 0.5}"
    heard = Heard()
    run = trained(home, "model=./spoils.py", plateau, watch=heard).run
    assert any("replaying from step 24" in one for one in heard.said) and health(run)["diverged"]["step"] == 25
    assert checkpoints.newest(run / "checkpoint")[0].arrays["optimizer/1"] == pytest.approx(0.005)
    (run / "model.keras").unlink()
    resume(run, sets=["train.optimizer.learning_rate=0.04"])
    kept, _ = checkpoints.newest(run / "checkpoint")
    assert kept.step == 24 and kept.arrays["optimizer/1"] == pytest.approx(0.02)


def test_a_look_that_fails_ends_the_looks_and_not_the_training(home, monkeypatch):
    from dlspec.runs import probe

    look, taken = probe.look, []

    def fails(*given):
        taken.append(1)
        if len(taken) > 2:
            raise ValueError("no such thing")
        return look(*given)

    monkeypatch.setattr(probe, "look", fails)
    heard = Heard()
    run = trained(home, watch=heard)
    assert [one for one in heard.said if "not looked at any more: ValueError: no such thing" in one]
    assert len(taken) == 3 and len(health(run.run)["samples"]) == 2 and run.epochs == 6


def test_of_small_batches_as_many_examples_are_looked_at(home, monkeypatch):
    from dlspec.runs import health as of

    seen = []
    begin = of.Health.begin
    monkeypatch.setattr(of.Health, "begin", lambda self, *given: (seen.append(self.batch), begin(self, *given)))
    trained(home, "train.batch_size=2", "train.epochs=1")
    [(_, y)] = seen
    assert y.shape[0] == of.EXAMPLES


def test_a_training_that_was_stopped_and_then_killed_has_a_verdict(home):
    run = trained(home, "train.early_stopping={patience: 1, minimum_change: 9}").run
    before = health(run)
    (run / "model.keras").unlink()
    (run / "suggestions").mkdir(exist_ok=True)
    (run / "suggestions" / "health.yaml").write_text("of before")
    again = resume(run)
    assert again.health["verdict"] == before["verdict"] != "unknown" and health(run)["layers"] == before["layers"]
    assert (run / "suggestions" / "health.yaml").exists() == bool(again.health["mended_by"])


def test_tensorboard_has_every_look_and_the_log_the_threads(home):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    heard = Heard()
    run = trained(home, "train.epochs=12", watch=heard).run
    events = EventAccumulator(str(run / "tensorboard" / "health"))
    events.Reload()
    name = next(one for one in events.Tags()["scalars"] if one.startswith("gradient norm"))
    looks = [one["step"] for one in health(run)["samples"]]
    assert [one.step for one in events.Scalars(name)] == looks and looks[0] == 0
    assert any(" thread" in one and one.startswith("training: ") for one in heard.said)
    assert any("at a time in the end" in one for one in heard.said)
