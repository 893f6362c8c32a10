"""XLA or an executor chosen by measurement: what it leaves as it was, what is remembered, what XLA cannot compile."""

import json
import shutil
import textwrap

import numpy as np
import pytest
from small_training import Heard, dying_at, weights, write_rows

from dlspec.recipe.load import load
from dlspec.runs import checkpoint as checkpoints
from dlspec.runs import compilation, ways
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
  executor: parallel
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


def of(steps):
    return f"{steps} steps: parallel or xla"


def trained(home, margin, monkeypatch, *sets, out="runs"):
    """The run, and what was said; margin: 0 where compiled steps are to be found faster, 1e9 where not."""
    monkeypatch.setattr(ways, "MARGIN", margin)
    heard = Heard()
    return train(load(home / "r.yaml", sets), out=home / out, watch=heard).run, heard.said


@pytest.mark.parametrize("sets", [(), ("input.augment.noise=0.3", "train.cache=none", "train.accumulate=3")])
def test_trying_both_ways_leaves_a_training_as_it_was(home, monkeypatch, sets):
    off, _ = trained(home, 0, monkeypatch, "train.compile=off", *sets)
    auto, said = trained(home, 1e9, monkeypatch, *sets)
    [note] = [one for one in said if "against" in one]
    assert note.startswith("not compiled with XLA: with it ") and note.endswith("examples a second (train.compile)")
    assert kept(home)["decided"] == {of(66): "parallel"} and kept(home)["timed"]["xla"] > 0
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
    assert kept(home)["decided"] == {of(66): "xla", of(55): "parallel"}
    assert other != first


def test_what_another_version_has_kept_is_passed_over(home, monkeypatch):
    first, _ = trained(home, 1e9, monkeypatch)
    [file] = (home / "cache" / "compilation").glob("*.json")
    file.write_text('{"timed": {"plain": 0.1}, "decided": {"66": true}}')
    again, said = trained(home, 1e9, monkeypatch)
    assert [one for one in said if "against" in one] and weights(again) == weights(first)
    assert kept(home)["timed"]["parallel"] > 0


def test_a_short_training_is_not_timed(home, monkeypatch):
    monkeypatch.setattr(compilation, "SECONDS_A_LAYER", 1e9)
    _, said = trained(home, 0, monkeypatch)
    assert not [one for one in said if "against" in one] and not (home / "cache").exists()


SINGLE = ("train.compile=off", "train.executor=auto")


@pytest.mark.parametrize("sets", [(), ("train.accumulate=3",)])
def test_a_single_thread_is_taken_where_it_is_faster(home, monkeypatch, sets):
    monkeypatch.setattr(compilation, "SECONDS_TO_COME", 0.0)
    monkeypatch.setattr(compilation, "SHORT_STEP", 1e9)
    parallel, said = trained(home, 0, monkeypatch, "train.compile=off", *sets)
    assert not [one for one in said if "against" in one]
    not_taken, said = trained(home, 1e9, monkeypatch, *SINGLE, *sets)
    [note] = [one for one in said if "against" in one]
    assert note.startswith("operations run in several threads: in a single one ") and "(train.executor)" in note
    assert weights(not_taken) == weights(parallel)
    shutil.rmtree(home / "cache")
    taken, said = trained(home, 0, monkeypatch, *SINGLE, *sets)
    [note] = [one for one in said if "against" in one]
    assert note.startswith("operations run in a single thread from step 24 on: ")
    assert kept(home)["decided"] == {"66 steps: parallel or single_threaded": "single_threaded"}
    again, _ = trained(home, 1e9, monkeypatch, *SINGLE, *sets)
    assert weights(again) == weights(taken), "decided once, decided again"
    for mine, theirs in zip(weights(taken), weights(parallel), strict=True):
        np.testing.assert_allclose(np.frombuffer(mine, "f4"), np.frombuffer(theirs, "f4"), rtol=1e-2, atol=1e-2)


def test_where_one_thread_is_faster_but_xla_the_fastest(home, monkeypatch):
    timed = ways.Timed(0.003, single_threaded=0.002, xla=0.001, compiling=1.0)
    monkeypatch.setattr(ways, "MARGIN", 1.05)
    three = ("parallel", "single_threaded", "xla")
    assert timed.fastest(three) == "xla" and timed.fastest(three[:2]) == "single_threaded"
    assert timed.fastest(three[:1]) == "parallel" and timed.fastest(three, left=1_999) == "single_threaded"
    assert timed.fastest(three, left=2_001) == "xla", "2 s are won, twice what compiling takes"
    assert timed._replace(single_threaded=0.00295).fastest(three[:2]) == "parallel", "not beyond the margin"
    assert timed._replace(xla=None).fastest(three) == "single_threaded"
    assert timed.said("xla", 24, 32) == [
        "operations run in several threads: in a single one 16,000 against 10,667 examples a second (train.executor)",
        "compiled with XLA from step 24 on: with it 32,000 against 10,667 examples a second (train.compile)",
    ]


def test_batches_that_are_made_while_training_need_threads(home, monkeypatch):
    """One that waits for a batch would wait for itself."""
    monkeypatch.setattr(compilation, "SECONDS_TO_COME", 0.0)
    monkeypatch.setattr(compilation, "SHORT_STEP", 1e9)
    streamed = ("train.cache=none", "input.augment.noise=0.3")
    parallel, _ = trained(home, 0, monkeypatch, "train.compile=off", *streamed)
    auto, said = trained(home, 0, monkeypatch, *SINGLE, *streamed)
    assert not [one for one in said if "single" in one] and weights(auto) == weights(parallel)
    asked, said = trained(home, 0, monkeypatch, "train.executor=single_threaded", *streamed)
    assert [one for one in said if "train.executor is not in force" in one] and weights(asked) == weights(parallel)


def test_asked_for_it_is_so_from_the_first_step_on(home, monkeypatch):
    sets = ("train.executor=single_threaded",)
    first, _ = trained(home, 1e9, monkeypatch, *sets)
    assert not (home / "cache" / "compilation").exists()
    again, _ = trained(home, 0, monkeypatch, *sets)
    assert weights(first) == weights(again)
    with pytest.raises(RecipeError, match="what XLA compiles is one operation"):
        trained(home, 0, monkeypatch, *sets, "train.compile=xla")


@pytest.mark.parametrize("way, sets", [("xla", ()), ("single_threaded", SINGLE)])
@pytest.mark.parametrize("step", [8, 24, 40, 66])
def test_a_training_whose_way_was_measured_goes_on_to_the_same_bits(home, monkeypatch, step, way, sets):
    monkeypatch.setattr(compilation, "SECONDS_TO_COME", 0.0)
    monkeypatch.setattr(compilation, "SHORT_STEP", 1e9)
    whole, _ = trained(home, 0, monkeypatch, *sets, out="whole")
    with dying_at(step, monkeypatch):
        trained(home, 0, monkeypatch, *sets)
    [run] = (home / "runs" / "r").iterdir()
    facts = checkpoints.newest(run / "checkpoint")[0].facts["compilation"]
    if step > 24:  # the checkpoint alone tells it
        assert facts == {"way": way, "since": 24}
        shutil.rmtree(home / "cache" / "compilation")
        monkeypatch.setattr(ways, "MARGIN", 1e9)
    else:
        assert facts is None
    resume(run)
    assert weights(run) == weights(whole)


def test_where_it_diverged_is_found_by_the_same_steps(home, monkeypatch):
    sets = ("train.optimizer={name: sgd, learning_rate: 1e5}", "model.normalization=null", "train.clip.norm=1e36")
    monkeypatch.setattr(ways, "MARGIN", 0)
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
    assert kept(home)["decided"] == {of(220): "parallel"}
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
