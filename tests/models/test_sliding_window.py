"""A classifier over all windows of a picture: what it says at a place is what it says of that window cut out."""

import json
from pathlib import Path

import numpy as np
import pytest

from dlspec.models.base import Sought
from dlspec.models.detection.sliding_window import SlidingWindow
from dlspec.recipe.component import find
from dlspec.recipe.load import check_text, load
from dlspec.runs.backend import load_keras
from dlspec.types import RecipeError

SHAPES = {"picture": {"shape": [48, 40, 3], "dtype": "float32"}}
SMALL = {"filters": 6, "kernel": 3, "padding": "valid", "pooling": "max"}
CASES = {
    "lenet5": ({"name": "lenet5"}, 32, 4),
    "dropout and batch": ({"name": "lenet5", "normalization": "batch", "dropout": 0.5, "spatial_dropout": 0.1}, 28, 4),
    "convnet": ({"name": "convnet", "layers": [SMALL, SMALL], "head": "flat", "units": [7, 5]}, 20, 4),
    "means": ({"name": "convnet", "layers": [SMALL, {**SMALL, "pooling": "none", "padding": 0}], "units": [7]}, 18, 2),
    "batch": ({"name": "convnet", "layers": [{**SMALL, "stride": 2}], "head": "flat", "normalization": "batch"}, 16, 4),
    "overlapping": ({"name": "convnet", "layers": [{**SMALL, "pool": 3, "pool_stride": 2}], "head": "flat"}, 15, 2),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("box", ["regressed", "window"])
def test_what_it_says_at_a_place_is_what_the_classifier_says_of_that_crop(case, box):
    classifier, window, stride = CASES[case]
    window += (window - stride) % 2
    load_keras(seed=0)
    draws = np.random.default_rng(0)
    model = SlidingWindow(classifier=_parsed(classifier), window=window, box=box)
    assert model.grids(SHAPES) == (stride,) and model.sides(SHAPES) == (((window, window),),)
    network = model.build(SHAPES, Sought((1,), 2, -4.5))
    network.set_weights([one + np.abs(0.1 * draws.normal(size=one.shape)) for one in network.get_weights()])
    said = 7 if box == "regressed" else 3
    alone = _parsed(classifier).build({"picture": {"shape": [window, window, 3], "dtype": "float32"}}, said)
    for layer in alone.layers:
        weights = network.get_layer(layer.name).get_weights() if layer.weights else []
        layer.set_weights([one.reshape(own.shape) for one, own in zip(weights, layer.weights, strict=True)])
    pictures = draws.uniform(0, 1, (2, 48, 40, 3)).astype("f4")
    found = np.asarray(network({"picture": pictures}))
    assert found.shape == (2, (48 // stride) * (40 // stride), 7)
    around = (window - stride) // 2
    black = np.pad(pictures, ((0, 0), (around, around), (around, around), (0, 0)))
    crops = [
        black[:, row : row + window, column : column + window]
        for row in range(0, 48, stride)
        for column in range(0, 40, stride)
    ]
    expected = np.stack([np.asarray(alone({"picture": crop})) for crop in crops], axis=1)
    if box == "window":
        expected = np.pad(expected, ((0, 0), (0, 0), (4, 0)))
    expected[..., 4] -= 4.5  # where objectness starts
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert found[..., 5:].std() > 0.01


def test_a_window_that_says_it_is_right_is_the_box():
    """Of a network that is sure at one place alone, the box lies around the middle of that cell."""
    from dlspec.decode.nms import detections
    from dlspec.numeric.priors import Grids

    model = SlidingWindow(window=32, box="window")
    said = np.zeros((1, 12 * 10, 7), np.float32)
    said[..., 4] = -30
    said[0, 3 * 10 + 5, 4:] = 30, 9, 0
    [[found]] = detections(said, Grids((48, 40), model.grids(SHAPES), model.sides(SHAPES)).priors)
    np.testing.assert_allclose(found[:4], [22 - 16, 14 - 16, 22 + 16, 14 + 16])


def test_refusals():
    with pytest.raises(RecipeError, match=r"pictures are 46×40, and cells of 4 pixels do not divide them"):
        SlidingWindow().build({"picture": {"shape": [46, 40, 1], "dtype": "float32"}}, Sought((1,), 2))
    padded = {"name": "convnet", "layers": [{"filters": 4, "pooling": "max"}]}
    for classifier, window, match in (
        (padded, 16, "layer 'conv1' of the classifier has padding, and of a window"),
        (
            {"name": "lenet5", "normalization": "group"},
            32,
            "'C1_norm' of the classifier is of the kind Group",
        ),
        ({"name": "lenet5", "form": "paper"}, 32, "'C1_squash' of the classifier is of the kind Squash"),
        ({"name": "lenet5"}, 31, "has no cell of 4 in its middle; set model.window: 32"),
        ({"name": "lenet5"}, 12, "windows of 12 pixels: lenet5 with padding valid takes pictures of at least 16"),
    ):
        with pytest.raises(RecipeError, match=match):
            SlidingWindow(classifier=_parsed(classifier), window=window).build(SHAPES, Sought((1,), 2))


def test_larger_and_smaller():
    model = SlidingWindow(classifier=_parsed(CASES["convnet"][0]))
    assert [one["filters"] for one in model.larger()["classifier"]["layers"]] == [12, 12]
    assert SlidingWindow().larger() == {"name": "yolo"} and SlidingWindow().smaller() is None


def test_it_goes_on_from_a_classifier_of_crops(tmp_path):
    """Trained for a moment each: what begins is the classifier's, its dense layer a convolution now; boxes come out."""
    from dlspec.runs.train import train

    classifier = (
        "{name: convnet, layers: [{filters: 4, kernel: 3, padding: valid, pooling: max}], head: flat, units: [6]}"
    )
    (tmp_path / "of_crops.yaml").write_text(
        f"task: classification\ndata: digits\ninput: {{size: [16, 16]}}\nmodel: {classifier}\ntrain: {{epochs: 1}}\n"
    )
    run = train(load(tmp_path / "of_crops.yaml"), out=tmp_path / "runs").run
    (tmp_path / "over_all.yaml").write_text(
        "task: detection\ndata: {name: digit_scenes, count: 60, size: [32, 32], side: [10, 14]}\n"
        f"model: {{name: sliding_window, window: 16, classifier: {classifier}}}\n"
        f"train: {{epochs: 1, start_from: {json.dumps(str(run))}, freeze: base}}\n"
    )
    done = train(load(tmp_path / "over_all.yaml"), out=tmp_path / "runs").run
    import keras

    first, second = (keras.saving.load_model(one / "model.keras", compile=False) for one in (run, done))
    for name in ("conv1", "fc1"):
        for one, other in zip(first.get_layer(name).weights, second.get_layer(name).weights, strict=True):
            np.testing.assert_array_equal(np.reshape(one, other.shape), np.asarray(other))
    assert second.get_layer("fc1").kernel.shape == (7, 7, 4, 6)
    state = json.loads((done / "state.json").read_text())["task"]
    assert state["anchors"] == [[[16.0, 16.0]]]


def test_its_recipe_says_what_a_window_is():
    found = check_text("task: detection\ndata: digit_scenes\nmodel: {name: sliding_window, window: 24}", Path("r.yaml"))
    assert found.recipe.model.window == 24
    with pytest.raises(RecipeError, match="'resnet'"):
        check_text(
            "task: detection\ndata: digit_scenes\nmodel: {name: sliding_window, classifier: resnet}", Path("r.yaml")
        )


def _parsed(classifier):
    settings = {key: tuple(value) if isinstance(value, list) else value for key, value in classifier.items()}
    return find("models", classifier["name"])(**settings)
