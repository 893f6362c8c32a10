"""Starting from what was learned before: weights by layer, what is frozen and set free, features worked out once."""

import csv

import keras
import numpy as np
import pytest
from small_training import Heard, dying_at, left, weights, write_rows

from dlspec.recipe.load import load
from dlspec.runs import folder as folders
from dlspec.runs.evaluate import evaluate
from dlspec.runs.learning_rate import find_learning_rate
from dlspec.runs.resume import resume
from dlspec.runs.train import train
from dlspec.types import RecipeError

RECIPE = """
task: classification
data: {name: csv, path: rows.csv, target: y, split: {dev: 0.25}}
model: {name: mlp, hidden: [8, 7, 6], normalization: batch}
train:
  epochs: 4
  batch_size: 8
  seed: 4
  optimizer: {name: adam, learning_rate: 0.01}
  checkpoint: {steps: 7}
  steps_per_execution: 3
"""
NEXT = """
extends: r.yaml
model: {dropout: 0.2}
train: {seed: 5, start_from: first/r, freeze: base, epochs: 6}
"""
GRADUAL = ("train.unfreeze={after: 2, parts: 2, every: 2}",)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with two recipes, and in `first` a run of the one."""
    folder = tmp_path_factory.mktemp("transfer")
    write_rows(folder)
    (folder / "r.yaml").write_text(RECIPE)
    run = train(load(folder / "r.yaml"), out=folder / "runs").run
    (folder / "first").mkdir()
    run.rename(folder / "first" / "r")
    (folder / "next.yaml").write_text(NEXT)
    return folder


def next_run(home, out, *sets, watch=None):
    return train(load(home / "next.yaml", sets), out=home / out, watch=watch).run


def layers(run):
    network = keras.saving.load_model(run / "model.keras", compile=False)
    return {one.name: one.get_weights() for one in network.layers if one.weights}


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def moved(home, run):
    """The layers that have other weights than in the first run."""
    before = layers(home / "first" / "r")
    return [name for name, values in layers(run).items() if not same(values, before[name])]


def history(run):
    rows = list(csv.DictReader((run / "history.csv").read_text().splitlines()))
    return [{key: float(value) for key, value in row.items() if key not in ("seconds", "epoch")} for row in rows]


def test_frozen_to_the_head_and_worked_out_once(home):
    heard = Heard()
    run = next_run(home, "frozen", watch=heard)
    assert moved(home, run) == ["logits"]
    said = "\n".join(heard.said)
    assert f"weights: 7 layers from {home / 'first' / 'r'}" in said and "begins anew" not in said
    assert "epochs 1 to 6: 6 of 7 layers with weights are frozen" in said
    assert (
        "what the frozen layers make of 96 examples of train and 40 of dev is worked out once (6 numbers each" in said
    )
    # The same run, whatever it is called, in the recipe that it keeps.
    assert load(run / "recipe.yaml").recipe.train.start_from == str(home / "first" / "r")
    scores = evaluate(run, splits=["dev"])["scores"]["dev"]
    kept = folders.read_json(run / "scores.json")["scores"]["dev"]
    assert all(scores[name]["value"] == pytest.approx(one["value"], abs=1e-6) for name, one in kept.items())


@pytest.mark.parametrize("sets", [(), GRADUAL, ("train.freeze={until: hidden_2}",), ("train.average={momentum: 0.9}",)])
def test_with_features_as_without(home, sets):
    with_, without = next_run(home, "with", *sets), next_run(home, "without", "train.features=off", *sets)
    for a, b in zip(history(with_), history(without), strict=True):
        assert a == pytest.approx(b, rel=1e-4, abs=1e-5)
    for name, values in layers(with_).items():
        for a, b in zip(values, layers(without)[name], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_an_average_of_the_weights_ends_each_stage(home):
    run = next_run(home, "averaged", "train.average={momentum: 0.9}", *GRADUAL)
    assert "logits" in moved(home, run) and folders.read_json(run / "scores.json")["epochs"] == 6


def test_set_free_part_by_part(home):
    heard = Heard()
    run = next_run(home, "gradual", "train.keep=last", *GRADUAL, watch=heard)
    said = [one for one in heard.said if one.startswith("epochs ")]
    assert [one.partition(":")[0] for one in said] == ["epochs 1 to 2", "epochs 3 to 4", "epochs 5 to 6"]
    assert "6 of 7 layers with weights are frozen" in said[0] and "3 of 7 layers" in said[1] and "no layer" in said[2]
    # Normalisations keep what they have learned.
    assert moved(home, run) == ["hidden_1", "hidden_2", "hidden_3", "logits"]
    held = next_run(home, "held", "train.keep=last", "train.unfreeze={after: 2, from_layer: hidden_2}")
    assert moved(home, held) == ["hidden_2", "hidden_3", "logits"]
    learned = next_run(home, "learned", "train.keep=last", "train.freeze=null", "train.batch_norm=learn")
    assert len(moved(home, learned)) == 7


@pytest.mark.parametrize(("step", "features"), [(3, "auto"), (23, "auto"), (24, "off"), (25, "auto"), (60, "off")])
def test_resumed_to_the_same_bits_in_every_stage(home, monkeypatch, step, features):
    """12 steps an epoch, so that stages begin after steps 24 and 48."""
    sets = (f"train.features={features}", "train.average={momentum: 0.9}", *GRADUAL)
    whole = next(iter((home / f"whole-{features}").glob("next/*")), None) or next_run(home, f"whole-{features}", *sets)
    with dying_at(step, monkeypatch):
        next_run(home, f"died-{features}-{step}", *sets)
    [run] = (home / f"died-{features}-{step}" / "next").iterdir()
    assert resume(run).run == run
    assert weights(run) == weights(whole) and history(run) == history(whole)


def test_early_stopping_ends_all_stages(home):
    run = next_run(home, "stopped", "train.early_stopping={patience: 1}", "train.optimizer={name: sgd}", *GRADUAL)
    assert folders.read_json(run / "scores.json")["epochs"] < 6


def test_first_layers_learn_slowly(home):
    """With plain descent, a weight moves in proportion to its layer's rate: of 4 layers 0.001, 0.01, 0.1 and 1."""
    sets = (
        "train.freeze=null",
        "train.epochs=1",
        "train.batch_size=all",
        "train.optimizer={name: sgd}",
        "train.seed=4",
    )
    sets += ("model.normalization=none", "model.dropout=0")
    (home / "plain.yaml").write_text((home / "r.yaml").read_text().replace(", normalization: batch", ""))
    first = train(load(home / "plain.yaml"), out=home / "plain").run
    sets += (f"train.start_from={first}",)
    runs = [next_run(home, f"graded-{rate}", *sets, f"train.first_layer_rate={rate}") for rate in (1.0, 0.001)]
    before, (alike, graded) = layers(first), map(layers, runs)
    for place, name in enumerate(before):
        for old, one, other in zip(before[name], alike[name], graded[name], strict=True):
            np.testing.assert_allclose(other - old, (one - old) * 10.0 ** (place - 3), rtol=2e-2, atol=1e-7)


def test_decay_is_as_slow_as_its_layer(home):
    sets = ("train.freeze=null", "train.optimizer={name: adamw, weight_decay: 0.5}", "train.first_layer_rate=0.000001")
    run = next_run(home, "decayed", *sets)
    old, new = (layers(one)["hidden_1"][0] for one in (home / "first" / "r", run))
    np.testing.assert_allclose(new, old, rtol=1e-3, atol=1e-5)


def test_another_head_begins_anew(home):
    rows = (home / "rows.csv").read_text().splitlines()
    (home / "three.csv").write_text("\n".join([rows[0], *(f"{r[:-1]}{i % 3}" for i, r in enumerate(rows[1:]))]) + "\n")
    heard = Heard()
    run = next_run(home, "three", "data.path=three.csv", watch=heard)
    assert moved(home, run) == ["logits"]
    assert any("head begins anew: 3 classes here, 2 other ones there" in one for one in heard.said)
    heard = Heard()
    next_run(home, "numbers", "task=regression", watch=heard)
    assert any("head begins anew: the task was classification" in one for one in heard.said)


def test_weights_that_do_not_fit_name_the_first_layer_and_both_shapes(home, capsys):
    assert left(["train", str(home / "next.yaml"), "--out", str(home), "--set", "model.hidden=[8, 9, 6]"]) == 2
    said = capsys.readouterr().err
    assert "train.start_from" in said and "Traceback" not in said
    assert "the first layer that differs is 'hidden_2': 8×7 there, 8×9 in" in " ".join(said.split())
    with pytest.raises(RecipeError, match="there are none for layer 'hidden_4', whose shapes are 6×5"):
        next_run(home, "deep", "model.hidden=[8, 7, 6, 5]")


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        (("train.start_from=nowhere",), "there is no run 'nowhere'"),
        (("train.start_from=null",), "this network starts from nothing"),
        (("train.freeze={until: hiden_2}",), "unknown layer 'hiden_2'; did you mean 'hidden_2'"),
        (("train.freeze={until: logits}",), "every layer with weights is frozen"),
        (("train.unfreeze={after: 3, from_layer: logits}",), "nothing that is frozen comes after this layer"),
        (("train.unfreeze={after: 6}",), "training has only 6"),
        (("train.freeze=null", "train.unfreeze={after: 3}"), "nothing is frozen that could be set free"),
    ],
)
def test_what_cannot_be(home, sets, said):
    with pytest.raises(RecipeError, match=said):
        next_run(home, "cannot", *sets)
    assert not (home / "cannot").exists()


def test_last_is_found_when_training_begins(home):
    out = home / "lasting"
    run = train(load(home / "r.yaml", ["train.epochs=1"]), out=out).run
    (home / "again.yaml").write_text("extends: r.yaml\ntrain: {epochs: 1, start_from: last}\n")
    again = train(load(home / "again.yaml"), out=out).run
    assert load(again / "recipe.yaml").recipe.train.start_from == str(run)


def test_a_rate_is_found_for_what_is_trained(home):
    """Of another task, so that there is something to learn; the layers that are not frozen alone are swept."""
    sets = [f"train.start_from={home / 'first' / 'r'}", "train.freeze={until: hidden_1}", "task=regression"]
    found = find_learning_rate(load(home / "next.yaml", [*sets, "train.batch_size=48"]), steps=60, out=None)
    assert found.suggestion > 0


def test_augmented_versions_take_turns(home):
    heard, noise = Heard(), "input.augment={noise: 0.1}"
    off = next_run(home, "noise", noise, watch=heard)
    assert any("features cannot be kept" in one for one in heard.said)
    turns = [next_run(home, f"turns-{n}", noise, f"train.features={n}", "train.epochs=3") for n in (3, 1)]
    # As many versions as epochs: what augmenting anew gives.
    for a, b in zip(history(turns[0]), history(off)[:3], strict=True):
        assert a == pytest.approx(b, rel=1e-4, abs=1e-5)
    assert history(turns[1])[2] != pytest.approx(history(off)[2], rel=1e-4, abs=1e-5)


def test_health_speaks_of_what_is_trained(home):
    run = next_run(home, "health", *GRADUAL)
    health = folders.read_json(run / "health.json")
    assert [one["name"] for one in health["layers"]] == ["hidden_1", "hidden_2", "hidden_3", "logits"]
    assert all(len(one["gradient"]) == 4 for one in health["samples"])


def test_a_run_outlives_the_file_that_it_began_with(tmp_path, monkeypatch):
    """Weights are read where a training begins: not to go on with it, nor to look at it again."""
    given = keras.applications.MobileNet(include_top=False, weights=None, alpha=0.25, input_shape=(32, 32, 3))
    given.save_weights(tmp_path / "small.weights.h5")
    (tmp_path / "r.yaml").write_text("""
task: classification
data: {name: digits, split: {dev: 0.9, test: 0}}
input: {size: [32, 32]}
model: {name: keras_application, architecture: MobileNet, options: {alpha: 0.25}, weights: small.weights.h5}
train: {epochs: 2, freeze: base, checkpoint: {steps: 3}}
""")
    with dying_at(8, monkeypatch):
        train(load(tmp_path / "r.yaml"), out=tmp_path / "runs")
    [run] = (tmp_path / "runs" / "r").iterdir()
    (tmp_path / "small.weights.h5").unlink()
    assert resume(run).epochs == 2
    assert evaluate(run, splits=["dev"])["scores"]["dev"]["accuracy"]["n"] > 1000
    with pytest.raises(RecipeError, match=r"small\.weights\.h5"):  # a new one needs it
        load(run / "recipe.yaml")
