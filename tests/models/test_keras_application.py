"""Networks of keras.applications: their preprocessing whatever the input's scale, their weights, what does not fit."""

import importlib
import urllib.error

import keras
import numpy as np
import pytest

from dlspec.models.vision.keras_application import KerasApplication, architectures, preprocessing
from dlspec.recipe.load import load
from dlspec.types import RecipeError

SMALL = {"architecture": "MobileNet", "options": {"alpha": 0.25}}
ENDS = [[-1.0, 0.0, -2.5], [1.0, 255.0, 1.5]]


def shapes(side=32, channels=3, ends=None):
    spec = {"shape": [side, side, channels], "dtype": "float32"}
    return {"picture": spec if ends is None else {**spec, "range": ends}}


def small(**changed):
    return KerasApplication(**{**SMALL, **changed})


def weights_file(folder, name="small.weights.h5", **changed):
    """Random weights, statistics of batch normalisation too, of the network without its last layer."""
    given = {"alpha": 0.25, "input_shape": (32, 32, 3), **changed}
    network = keras.applications.MobileNet(include_top=False, weights=None, **given)
    random = np.random.default_rng(0)
    network.set_weights([random.uniform(0.05, 0.3, one.shape) for one in network.get_weights()])
    network.save_weights(folder / name)
    return str(folder / name), network


def test_it_knows_all_that_keras_has():
    functions = {name for name in dir(keras.applications) if name[0].isupper()}
    assert set(architectures()) == functions and len(functions) > 30


@pytest.mark.parametrize("architecture", ["MobileNetV2", "VGG16", "DenseNet121", "EfficientNetB0"])
def test_preprocessing_is_that_of_keras(architecture):
    """tf, caffe (blue, green, red), torch, and none."""
    theirs = importlib.import_module(getattr(keras.applications, architecture).__module__).preprocess_input
    pictures = np.random.default_rng(0).uniform(0, 255, (2, 5, 4, 3)).astype(np.float32)
    matrix, offset = preprocessing(architecture)
    np.testing.assert_allclose(pictures @ matrix + offset, theirs(pictures.copy()), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("architecture", ["MobileNetV2", "VGG16", "EfficientNetB0"])
def test_the_network_brings_any_range_to_what_its_weights_expect(architecture):
    low, high = np.array(ENDS)
    pictures = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    given = (low + (high - low) * pictures / 255).astype(np.float32)
    network = KerasApplication(architecture=architecture).build(shapes(ends=ENDS), 3)
    made = keras.Model(network.inputs, network.get_layer("preprocessing").output)({"picture": given})
    theirs = importlib.import_module(getattr(keras.applications, architecture).__module__).preprocess_input
    np.testing.assert_allclose(np.asarray(made), theirs(pictures.copy()), rtol=1e-4, atol=1e-3)


def test_weights_of_a_file_give_what_keras_gives(tmp_path):
    file, theirs = weights_file(tmp_path)
    model, said = small(weights=file), []
    network = model.build(shapes(), 4)
    model.begin(network, said.append)
    pictures = np.random.default_rng(1).random((3, 32, 32, 3)).astype(np.float32)
    base = keras.Model(network.inputs, model.base(network))
    expected = np.asarray(theirs(2 * pictures - 1)).mean(axis=(1, 2))
    np.testing.assert_allclose(np.asarray(base({"picture": pictures})), expected, rtol=2e-5)
    assert said == [f"weights: MobileNet from {file}"]


def test_weights_in_the_older_format(tmp_path):
    _, theirs = weights_file(tmp_path)
    theirs.save_weights(tmp_path / "a.weights.h5")
    theirs.save(tmp_path / "old.h5")
    model = small(weights=str(tmp_path / "old.h5"))
    network = model.build(shapes(), 4)
    model.begin(network, lambda sentence: None)
    np.testing.assert_array_equal(
        network.get_layer("conv1").get_weights()[0], theirs.get_layer("conv1").get_weights()[0]
    )


def test_grey_pictures_are_given_to_all_channels(tmp_path):
    network = small().build(shapes(channels=1), 4)
    grey = np.random.default_rng(1).random((2, 32, 32, 1)).astype(np.float32)
    made = keras.Model(network.inputs, network.get_layer("preprocessing").output)({"picture": grey})
    np.testing.assert_allclose(np.asarray(made), np.repeat(2 * grey - 1, 3, axis=-1), atol=1e-6)


@pytest.mark.parametrize(("weights", "momentum"), [(None, 0.9), ("imagenet", 0.999)])
def test_from_nothing_statistics_of_batches_follow_a_short_training(weights, momentum):
    model = KerasApplication(name="keras_application", architecture="MobileNetV2", weights=weights)
    network = model.build({"picture": {"shape": [32, 32, 3], "dtype": "float32"}}, 2)
    norms = [one for one in network.layers if isinstance(one, keras.layers.BatchNormalization)]
    assert len(norms) == 52 and {one.momentum for one in norms} == {momentum}


def test_saved_it_opens_with_keras_alone(tmp_path):
    network = KerasApplication(architecture="VGG16").build(shapes(), 3)
    pictures = {"picture": np.random.default_rng(1).random((2, 32, 32, 3)).astype(np.float32)}
    network.save(tmp_path / "m.keras")
    opened = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(np.asarray(opened(pictures)), np.asarray(network(pictures)))


def test_weights_that_do_not_fit_name_the_first_layer_and_both_shapes(tmp_path):
    file, _ = weights_file(tmp_path, alpha=0.5)
    model = small(weights=file)
    with pytest.raises(
        RecipeError, match=r"first layer that differs is 'conv1': 3×3×3×16 there, 3×3×3×8 in this"
    ) as said:
        model.begin(model.build(shapes(), 4), lambda sentence: None)
    assert said.value.complaints[0].where.key == "model.weights"
    deeper = KerasApplication(architecture="MobileNetV2", options={"alpha": 0.35}, weights=weights_file(tmp_path)[0])
    with pytest.raises(RecipeError, match="'Conv1': 3×3×3×8 there, 3×3×3×16 in this network"):
        deeper.begin(deeper.build(shapes(), 4), lambda sentence: None)


def test_what_is_no_file_of_weights_is_refused(tmp_path):
    (tmp_path / "a.weights.h5").write_text("no")
    for name, said in (("a.weights.h5", "cannot be read as weights"), ("a.npz", "is no file of weights")):
        (tmp_path / name).write_text("no")
        model = small(weights=str(tmp_path / name))
        with pytest.raises(RecipeError, match=said):
            model.begin(model.build(shapes(), 4), lambda sentence: None)


def test_pictures_too_small_options_and_names_that_are_not_there(tmp_path):
    with pytest.raises(RecipeError, match=r"at least 32×32, these are 16×16; set input: {size: \[32, 32\]}"):
        small().build(shapes(16), 3)
    with pytest.raises(RecipeError, match="unknown option 'alfa'; did you mean 'alpha'") as said:
        small(options={"alfa": 1.0}).build(shapes(), 3)
    assert said.value.complaints[0].where.key == "model.options.alfa"
    recipe = tmp_path / "r.yaml"
    recipe.write_text("task: classification\ndata: digits\nmodel: {name: keras_application, architecture: VGG17}\n")
    with pytest.raises(RecipeError, match=r"unknown architecture 'VGG17'; did you mean 'VGG1[69]'"):
        load(recipe)
    with pytest.raises(RecipeError, match=r"model\.weights: there is no 'nowhere\.weights\.h5'"):
        load(recipe, ["model.architecture=VGG16", "model.weights=nowhere.weights.h5"])


def test_imagenet_says_that_it_downloads_and_fails_in_a_line_without_a_network(monkeypatch, tmp_path, capsys):
    def no_network(*args, **kwargs):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", no_network)
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    model, said = small(weights="imagenet"), []
    with pytest.raises(RecipeError, match=r"the imagenet weights of MobileNet cannot be had \(.*no network") as error:
        model.begin(model.build(shapes(128), 3), said.append)
    assert "\n" not in error.value.complaints[0].message and "downloaded" in said[0]
    assert not capsys.readouterr().out
