"""Transfer on pictures: a small network of keras.applications with weights of a file, and shared ImageNet weights."""

import os
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image
from real_data import lacking
from small_training import Heard

from dlspec.recipe.load import load
from dlspec.runs import folder as folders
from dlspec.runs.opened import open_run
from dlspec.runs.train import train
from dlspec.runs.warm import Warm

RECIPE = """
task: classification
data: {name: image_folder, path: photos, split: {dev: 0.25, test: 0.2}}
input: {size: [32, 32]}
model: {name: keras_application, architecture: MobileNet, options: {alpha: 0.25}, weights: small.weights.h5}
train:
  {seed: 1, freeze: base, epochs: 3, batch_size: 8, tensorboard: false, health: false, optimizer: {learning_rate: 0.01}}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """40 photographs of two classes, weights of a network that never saw any, and a recipe."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for i in range(40):
        file = folder / "photos" / ("dark", "light")[i % 2] / f"{i}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((random.integers(0, 128, (40, 36, 3)) + 127 * (i % 2)).astype(np.uint8)).save(file)
    keras.utils.set_random_seed(3)
    network = keras.applications.MobileNet(include_top=False, weights=None, alpha=0.25, input_shape=(32, 32, 3))
    network.save_weights(folder / "small.weights.h5")
    (folder / "r.yaml").write_text(RECIPE)
    return folder


def logits(run):
    opened = open_run(run)
    return np.asarray(opened.network.predict_on_batch(opened.encode(opened.splits()["dev"])))


def test_features_give_what_training_without_them_gives(home):
    with_ = train(load(home / "r.yaml"), out=home / "with")
    without = train(load(home / "r.yaml", ["train.features=off"]), out=home / "without")
    np.testing.assert_allclose(logits(with_.run), logits(without.run), rtol=1e-4, atol=1e-5)
    # The file is the whole network; keras alone opens it, and what is frozen is as it was.
    network = keras.saving.load_model(with_.run / "model.keras")
    given = keras.applications.MobileNet(
        include_top=False, weights=str(home / "small.weights.h5"), alpha=0.25, input_shape=(32, 32, 3)
    )
    for one in (layer for layer in given.layers if layer.weights):
        for mine, theirs in zip(network.get_layer(one.name).get_weights(), one.get_weights(), strict=True):
            np.testing.assert_array_equal(mine, theirs)
    assert all(one.trainable for one in network.layers)


def test_the_range_of_the_input_does_not_matter(home):
    """Whatever input.scale says, the weights see what they expect."""
    runs = [train(load(home / "r.yaml", [f"input.scale={one}"]), out=home / one).run for one in ("unit", "standard")]
    np.testing.assert_allclose(*map(logits, runs), rtol=1e-3, atol=1e-4)
    assert "range" in folders.read_json(runs[1] / "state.json")["shapes"]["picture"]


def test_normalisations_keep_what_they_have_learned_when_set_free(home):
    sets = ("train.freeze=null", "train.epochs=1", "train.keep=last")
    network = keras.saving.load_model(train(load(home / "r.yaml", sets), out=home / "free").run / "model.keras")
    mean, variance = network.get_layer("conv1_bn").get_weights()[2:]
    assert not mean.any() and (variance == 1).all()
    learned = train(load(home / "r.yaml", [*sets, "train.batch_norm=learn"]), out=home / "learned").run
    assert keras.saving.load_model(learned / "model.keras").get_layer("conv1_bn").get_weights()[2].any()


def test_trainings_of_one_process_work_features_out_once(home, monkeypatch):
    from dlspec.runs import features

    made = []
    run = features._Worker._run
    monkeypatch.setattr(features._Worker, "_run", lambda *given: made.append(1) or run(*given))
    warm = Warm()
    train(load(home / "r.yaml"), out=home / "warm", warm=warm)
    once = len(made)
    assert once
    train(load(home / "r.yaml", ["train.optimizer.learning_rate=0.1"]), out=home / "warm", warm=warm)
    assert len(made) == once
    train(load(home / "r.yaml", ["input.scale=signed"]), out=home / "warm", warm=warm)
    assert len(made) > once


def test_shared_weights_tell_photographs_apart(tmp_path):
    """Those of ImageNet, on a few photographs of each class of sign_digits: a new last layer is enough."""
    weights = "weights/mobilenetv2_imagenet/mobilenetv2_imagenet_no_top.weights.h5"
    root = Path(os.environ.get("DLSPEC_DATA") or tmp_path)
    if not (root / weights).is_file() or not (root / "sign_digits").is_dir():
        pytest.skip(lacking("weights/mobilenetv2_imagenet with sign_digits"))
    sets = ["data.split.train=120", "input.size=[96, 96]", "train.epochs=30", "train.tensorboard=false"]
    heard = Heard()
    trained = train(load("classification/sign_digits_mobilenetv2", sets), out=tmp_path, watch=heard)
    assert trained.scores["dev"]["accuracy"]["value"] > 0.7
    assert any("104 of 105 layers with weights are frozen" in one for one in heard.said)


@pytest.mark.parametrize(
    "name",
    [
        "multi_task/digits_lenet5",
        "multi_label/digits_lenet5",
        "localization/digit_scenes_convnet",
        "landmarks/digit_scenes_convnet",
    ],
)
def test_every_task_goes_on_from_frozen_weights(tmp_path, name):
    """Its truths and what else it reads predictions by come along with the features."""
    sets = ["train.epochs=1", "train.batch_size=16", "data.split={train: 48, dev: 24}", "input.augment=null"]
    sets += ["train.tensorboard=false", "train.health=false"]
    first = train(load(name, sets), out=tmp_path / "first").run
    sets += [f"train.start_from={first}", "train.freeze=base", "train.seed=5", "train.epochs=2"]
    heard = Heard()
    runs = [
        train(load(name, [*sets, f"train.features={one}"]), out=tmp_path / one, watch=heard) for one in ("auto", "off")
    ]
    assert any("worked out once" in one for one in heard.said)
    for split, found in runs[0].scores.items():
        for metric, one in found.items():
            assert one["value"] == pytest.approx(
                runs[1].scores[split][metric]["value"], rel=1e-3, abs=1e-3, nan_ok=True
            )
