"""Auxiliary heads: trained beside the output, for any architecture that has such; not scored, not saved."""

import json

import keras
import numpy as np
import pytest
from models.keras_networks import picture, unallocated
from small_training import Heard, dying_at, weights, write_rows

from dlspec.models.vision.inception import Inception
from dlspec.recipe.load import load
from dlspec.runs import checkpoint as checkpoints
from dlspec.runs.auxiliary import assisted, losses_together, unassisted
from dlspec.runs.learning_rate import find_learning_rate
from dlspec.runs.opened import open_run
from dlspec.runs.resume import resume
from dlspec.runs.train import train

OWN = '''
"""Two layers; a head behind the first is trained with it."""
from typing import Any, ClassVar

from dlspec.models.base import Backbone, flat
from dlspec.models.pieces import logits


class Helped(Backbone):
    accepts: ClassVar[tuple[str, ...]] = ("table",)
    name: str = "helped"
    share: float = 0.3
    """of the head"""

    def build(self, inputs: Any, outputs: int) -> Any:
        import keras

        doors, x = flat(inputs)
        for number in (1, 2):
            x = keras.layers.Dense(8, "relu", name=f"hidden_{number}")(x)
            x = keras.layers.BatchNormalization(name=f"norm_{number}")(x)
        return keras.Model(doors, logits(x, outputs, "glorot_uniform"), name="helped")

    def training_heads(self, network: Any, outputs: int) -> Any:
        import keras

        if not self.share:
            return []
        x = keras.layers.Dropout(0.2, name="head_dropout")(network.get_layer("norm_1").output)
        return [(logits(x, outputs, "glorot_uniform", "head_logits"), self.share)]
'''
RECIPE = """
task: classification
data: {name: csv, path: rows.csv, target: y, split: {dev: 0.25}}
model: {name: ./helped.py}
train:
  epochs: 5
  batch_size: 8
  seed: 4
  l2: 0.01
  optimizer: {name: adam, learning_rate: 0.01}
  checkpoint: {steps: 7}
"""


@pytest.fixture
def home(tmp_path):
    write_rows(tmp_path)
    (tmp_path / "helped.py").write_text(OWN)
    (tmp_path / "r.yaml").write_text(RECIPE)
    return tmp_path


def small():
    """A network, and the same with two heads."""
    keras.utils.set_random_seed(0)
    entry = keras.Input((4,), name="numeric")
    x = keras.layers.Dense(5, "tanh")(entry)
    network = keras.Model({"numeric": entry}, keras.layers.Dense(3)(x))
    return network, assisted(network, [(keras.layers.Dense(3)(x), 0.3), (keras.layers.Dense(3)(x), 0.5)])


def test_the_loss_is_that_of_all_outputs_and_metrics_are_of_one():
    network, helped = small()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for one in helped.trainable_variables:
        one.regularizer = keras.regularizers.L2(0.1)
    helped.compile(keras.optimizers.SGD(0.0), loss, metrics=["sparse_categorical_accuracy"])
    rng = np.random.default_rng(0)
    x, y = {"numeric": rng.normal(size=(16, 4)).astype("float32")}, rng.integers(0, 3, 16)
    made = helped(x, training=True)
    penalty = sum(0.1 * float(np.square(one).sum()) for one in helped.trainable_variables)
    expected = sum(share * float(loss(y, one)) for share, one in zip((1, 0.3, 0.5), made, strict=True)) + penalty
    logs = helped.train_on_batch(x, y, return_dict=True)
    assert logs["loss"] == pytest.approx(expected, rel=1e-5)
    right = (np.asarray(made[0]).argmax(1) == y).mean()
    assert logs["sparse_categorical_accuracy"] == pytest.approx(right)
    assert losses_together(helped) == pytest.approx(1.8) and losses_together(network) == 1
    np.testing.assert_array_equal(helped.predict_on_batch(x), network.predict_on_batch(x))
    assert helped.test_on_batch(x, y, return_dict=True)["sparse_categorical_accuracy"] == pytest.approx(right)


def test_the_network_within_shares_its_variables():
    network, helped = small()
    alone = unassisted(helped)
    assert [id(one) for one in alone.variables] == [id(one) for one in network.variables]
    assert len(helped.variables) == len(alone.variables) + 4
    assert unassisted(network) is network and assisted(network, []) is network


def test_heads_are_trained_and_not_saved(home):
    trained = train(load(home / "r.yaml"), out=home / "runs")
    opened = open_run(trained.run)
    names = [one.name for one in opened.network.layers]
    assert "norm_2" in names and not [one for one in names if "head" in one]
    kept, _ = checkpoints.newest(trained.run / "checkpoint")
    assert len([one for one in kept.arrays if one.startswith("network/")]) > len(opened.network.variables)
    data = json.loads((trained.run / "data.json").read_text())
    assert data["parameters"] == opened.network.count_params()
    # What is saved predicts what was scored.
    dev = opened.splits()["dev"]
    truths = np.array(opened.recipe.evaluator.truth(dev, opened.state["task"]))
    guesses = np.array(opened.state["task"]["classes"])[opened.predictions(dev).argmax(1)]
    assert (truths == guesses).mean() == pytest.approx(trained.scores["dev"]["accuracy"]["value"]) and len(dev) == 40


def test_a_head_changes_what_is_learned(home):
    alone, helped = (
        weights(train(load(home / "r.yaml", [f"model.share={share}"]), out=home / f"{share}").run)
        for share in (0.0, 0.3)
    )
    assert len(alone) == len(helped) and alone != helped


@pytest.mark.parametrize(
    "sets",
    [
        (),
        ("train.precision=mixed_bfloat16", "train.accumulate=2", "train.average.momentum=0.9", "train.compile=xla"),
    ],
)
def test_resumed_to_the_same_bits(home, monkeypatch, sets):
    whole = train(load(home / "r.yaml", sets), out=home / "whole")
    with dying_at(33, monkeypatch):
        train(load(home / "r.yaml", sets), out=home / "runs")
    [run] = (home / "runs" / "r").iterdir()
    again = resume(run)
    assert weights(run) == weights(whole.run) and again.scores == whole.scores


def test_health_looks_at_all_layers_and_expects_the_loss_of_all_outputs(home):
    heard = Heard()
    trained = train(load(home / "r.yaml"), out=home / "runs", watch=heard)
    health = json.loads((trained.run / "health.json").read_text())
    assert "head_logits" in [one["name"] for one in health["layers"]]
    assert not [one for one in heard.said if "health is not looked at" in one]
    first = health["samples"][0]["loss"]
    assert 1.3 * np.log(2) * 0.7 < first < 1.3 * np.log(2) * 2.5
    assert trained.health["verdict"] == "healthy"


def test_the_range_test_takes_it(home):
    assert find_learning_rate(load(home / "r.yaml"), steps=20, out=home / "lr")


def test_of_googlenet():
    """As the paper has them, and as the authors' model file counts: 13,378,280 parameters with both heads."""
    model = Inception()
    recipe_free = unallocated(lambda: _with_heads(model, 224, 1000))
    assert recipe_free.count_params() == 13_378_280
    assert [tuple(one.shape) for one in recipe_free.outputs] == [(None, 1000)] * 3
    pools = [recipe_free.get_layer(f"auxiliary_{module}_pool").output.shape[1:] for module in ("4a", "4d")]
    assert pools == [(4, 4, 512), (4, 4, 528)]
    assert losses_together(recipe_free) == pytest.approx(1.6)
    assert _with_heads(Inception(width=0.05), 28, 5).get_layer("auxiliary_4a_pool").output.shape[1:3] == (1, 1)
    assert len(_with_heads(Inception(width=0.05, auxiliary=0), 28, 5).outputs) == 1
    assert len(_with_heads(Inception(version=3, width=0.05), 32, 5).outputs) == 1


def _with_heads(model, size, outputs):
    network = model.build(picture(size), outputs)
    return assisted(network, model.training_heads(network, outputs))
