"""Compilation chosen by measurement: what it leaves as it was, what is remembered, and what XLA cannot compile."""

import json
import shutil
import textwrap

import numpy as np
import pytest
from small_training import Heard, dying_at, weights, write_rows

from dlspec.recipe.load import load
from dlspec.runs import checkpoint as checkpoints
from dlspec.runs import compilation
from dlspec.runs.resume import resume
from dlspec.runs.train import train
from dlspec.types import RecipeError

RECIPE = """
task: classification
data: {name: csv, path: rows.csv, target: y, split: {dev: 0.2}}
model: {name: mlp, hidden: [8], dropout: 0.2, normalization: batch}
train:
  epochs: 6
  batch_size: 10
  seed: 4
  checkpoint: {steps: 7}
"""
OWN = """
    from typing import ClassVar

    import keras
    import tensorflow as tf

    from dlspec.models.base import Backbone, flat

    @keras.saving.register_keras_serializable("own")
    class Outside(keras.layers.Layer):
        def call(self, x):
            found = tf.py_function(lambda values: 2 * values, [x], tf.float32)
            found.set_shape(x.shape)
            return found

    class OwnNet(Backbone):
        accepts: ClassVar[tuple[str, ...]] = ("table",)

        def build(self, inputs, outputs):
            entries, x = flat(inputs)
            x = keras.layers.Dense(8, activation="relu")(Outside()(x))
            return keras.Model(entries, keras.layers.Dense(outputs)(x))
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A recipe whose training is long enough for both ways to be tried, and a cache of its own."""
    monkeypatch.setenv("DLSPEC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(compilation, "SECONDS_A_LAYER", 0.0)
    monkeypatch.setattr(compilation, "TRIAL_SECONDS", 0.01)
    write_rows(tmp_path)
    (tmp_path / "r.yaml").write_text(RECIPE)
    return tmp_path


def kept(home):
    [file] = (home / "cache" / "compilation").glob("*.json")
    return json.loads(file.read_text())


def trained(home, margin, monkeypatch, *sets, out="runs"):
    """The run, and what was said; margin: 0 where compiled steps are to be found faster, 1e9 where not."""
    monkeypatch.setattr(compilation, "MARGIN", margin)
    heard = Heard()
    return train(load(home / "r.yaml", sets), out=home / out, watch=heard).run, heard.said


@pytest.mark.parametrize("sets", [(), ("input.augment.noise=0.3", "train.cache=none", "train.accumulate=3")])
def test_trying_both_ways_leaves_a_training_as_it_was(home, monkeypatch, sets):
    off, _ = trained(home, 0, monkeypatch, "train.compile=off", *sets)
    auto, said = trained(home, 1e9, monkeypatch, *sets)
    [note] = [one for one in said if "against" in one]
    assert note.startswith("not compiled with XLA: with it ") and note.endswith("examples a second (train.compile)")
    assert kept(home)["decided"] == {"66": False} and kept(home)["timed"]["compiled"] > 0
    assert weights(auto) == weights(off)


@pytest.mark.parametrize("sets", [(), ("input.augment.noise=0.3", "train.cache=none")])
def test_what_was_decided_once_is_decided_again(home, monkeypatch, sets):
    plain, _ = trained(home, 1e9, monkeypatch, "train.compile=off", *sets)
    first, said = trained(home, 0, monkeypatch, *sets)
    assert any(one.startswith("compiled with XLA from step 24 on: ") for one in said)
    assert weights(first) != weights(plain), "other last bits"
    again, said = trained(home, 1e9, monkeypatch, *sets)
    assert any(one.startswith("compiled with XLA from step 24 on: ") for one in said)
    assert weights(again) == weights(first)
    other, _ = trained(home, 1e9, monkeypatch, *sets, "train.epochs=5")  # compiling takes longer than what it saves
    assert kept(home)["decided"] == {"66": True, "55": False}
    assert other != first


def test_a_short_training_is_not_timed(home, monkeypatch):
    monkeypatch.setattr(compilation, "SECONDS_A_LAYER", 1e9)
    _, said = trained(home, 0, monkeypatch)
    assert not [one for one in said if "against" in one] and not (home / "cache").exists()


@pytest.mark.parametrize("step", [8, 24, 40, 66])
def test_a_training_compiled_by_measurement_goes_on_to_the_same_bits(home, monkeypatch, step):
    whole, _ = trained(home, 0, monkeypatch, out="whole")
    with dying_at(step, monkeypatch):
        trained(home, 0, monkeypatch)
    [run] = (home / "runs" / "r").iterdir()
    facts = checkpoints.newest(run / "checkpoint")[0].facts["compilation"]
    if step > 24:  # the checkpoint alone tells it
        assert facts == {"compiled": True, "since": 24}
        shutil.rmtree(home / "cache" / "compilation")
        monkeypatch.setattr(compilation, "MARGIN", 1e9)
    else:
        assert facts is None
    resume(run)
    assert weights(run) == weights(whole)


def test_where_it_diverged_is_found_by_the_same_steps(home, monkeypatch):
    sets = ("train.optimizer={name: sgd, learning_rate: 1e5}", "model.normalization=null", "train.clip.norm=1e36")
    monkeypatch.setattr(compilation, "MARGIN", 0)
    text = (home / "rows.csv").read_text().splitlines()
    rows = [line if i < 100 else line.replace(",", "e30,", 1) for i, line in enumerate(text)]
    (home / "rows.csv").write_text("\n".join(rows))
    heard = Heard()
    with pytest.raises(RecipeError, match="It began at step"):
        train(load(home / "r.yaml", sets), out=home / "runs", watch=heard)


def test_a_network_that_xla_cannot_compile_is_trained_without(home, monkeypatch):
    (home / "own_net.py").write_text(textwrap.dedent(OWN))
    own = ("model=./own_net.py", "train.epochs=20", "train.optimizer.learning_rate=0.03")
    run, said = trained(home, 0, monkeypatch, *own)
    [note] = [one for one in said if "XLA" in one and "cannot" in one]
    assert "EagerPyFunc" in note and note.endswith("it is trained without")
    assert kept(home)["decided"] == {"220": False}
    scores = json.loads((run / "scores.json").read_text())["scores"]
    assert scores["dev"]["accuracy"]["value"] > 0.8
    with pytest.raises(RecipeError, match=r"XLA cannot compile this network .* leave train.compile at auto") as caught:
        trained(home, 0, monkeypatch, *own, "train.compile=xla")
    assert caught.value.complaints[0].where.key == "train.compile"


def test_compiled_steps_are_the_same_steps(home, monkeypatch):
    sets = ("model.dropout=0", "model.normalization=null", "train.optimizer=sgd", "train.epochs=4")
    plain, _ = trained(home, 0, monkeypatch, "train.compile=off", *sets)
    for one in ("xla", "auto"):
        run, _ = trained(home, 0, monkeypatch, f"train.compile={one}", *sets)
        for mine, theirs in zip(weights(run), weights(plain), strict=True):
            np.testing.assert_allclose(np.frombuffer(mine, "f4"), np.frombuffer(theirs, "f4"), rtol=1e-3, atol=1e-4)


def test_max_pooling_is_compiled_though_xla_has_no_gradient_of_it_that_is_called_deterministic(home, monkeypatch):
    text = "task: classification\ndata: digits\ninput: {size: [32, 32]}\nmodel: lenet5\ntrain: {epochs: 1, seed: 2}\n"
    (home / "r.yaml").write_text(text)
    runs = [trained(home, 0, monkeypatch, "train.compile=xla", "train.batch_size=128")[0] for _ in range(2)]
    assert weights(runs[0]) == weights(runs[1])
