"""YOLO over every backbone: grids, order of the priors, what it says at the start, weights learned before."""

from pathlib import Path

import numpy as np
import pytest

from dlspec.models.base import Sought
from dlspec.models.detection.backbones import Darknet
from dlspec.models.detection.yolo import Yolo
from dlspec.models.vision.keras_application import KerasApplication
from dlspec.recipe.load import check_text
from dlspec.runs.backend import load_keras
from dlspec.types import RecipeError

SHAPES = {"picture": {"shape": [64, 96, 3], "dtype": "float32"}}
BACKBONES = {
    "darknet": {"name": "darknet", "filters": 4},
    "resnet": {"name": "resnet", "depth": 18, "filters": 4, "stem": "large"},
    "mobilenet": {"name": "mobilenet", "width": 0.25, "stem": "large"},
    "efficientnet": {"name": "efficientnet", "width": 0.25, "stem": "large"},
    "keras_application": {"name": "keras_application", "options": {"alpha": 0.35}},
}


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("strides", [(8, 16, 32), (4, 16), (32,)])
def test_every_backbone_gives_maps_of_every_stride(backbone, strides):
    load_keras(seed=0)
    model = Yolo(backbone=BACKBONES[backbone], strides=strides, width=8)
    network = model.build(SHAPES, Sought((2,) * len(strides), 3, -4.5))
    found = np.asarray(
        network({"picture": np.random.default_rng(0).uniform(0, 1, (2, 64, 96, 3)).astype("f4")}, training=True)
    )
    cells = [(64 // stride) * (96 // stride) for stride in strides]
    assert found.shape == (2, 2 * sum(cells), 8)
    # Nothing is known: no box is more than its anchor, nothing is there, no class is likelier than another.
    np.testing.assert_allclose(found.mean(axis=(0, 1)), [0, 0, 0, 0, -4.5, 0, 0, 0], atol=0.6)
    taps = model.base(network)
    assert [tuple(tap.shape[1:3]) for tap in taps] == [(64 // stride, 96 // stride) for stride in strides]


def test_priors_come_by_scale_row_column_and_anchor():
    """A network whose weights are nothing but the bias of one anchor says it at every cell of that anchor."""
    load_keras(seed=0)
    network = Yolo(strides=(8, 16), width=8, backbone=BACKBONES["darknet"]).build(SHAPES, Sought((2, 1), 1))
    for stride in (8, 16):
        layer = network.get_layer(f"output{stride}")
        kernel, bias = layer.get_weights()
        layer.set_weights([np.zeros_like(kernel), np.arange(len(bias)) + 100 * stride])
    [said] = np.asarray(network({"picture": np.zeros((1, 64, 96, 3), "f4")}))
    fine = 8 * 12 * 2
    assert said[:3, 0].tolist() == [800, 806, 800] and said[fine - 1, 0] == 806 and set(said[fine:, 0]) == {1600}


def test_what_was_learned_before_is_taken_into_the_backbone_alone(tmp_path):
    import keras

    load_keras(seed=0)
    options = {"alpha": 0.35}
    theirs = keras.applications.MobileNetV2(input_shape=(64, 96, 3), include_top=False, weights=None, **options)
    theirs.set_weights([w + 0.01 * (i + 1) for i, w in enumerate(theirs.get_weights())])
    file = tmp_path / "mobile.weights.h5"
    theirs.save_weights(file)
    backbone = KerasApplication(options=options, weights=str(file))
    model = Yolo(backbone=backbone, strides=(8, 16), width=8)
    assert model.learned == str(file)
    network = model.build(SHAPES, Sought((1, 1), 2))
    before = network.get_layer("neck8_in_conv").get_weights()[0]
    model.begin(network, lambda said: None)
    for name in ("Conv1", "block_1_expand", "block_6_expand_BN", "block_13_expand"):
        for a, b in zip(network.get_layer(name).get_weights(), theirs.get_layer(name).get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(network.get_layer("neck8_in_conv").get_weights()[0], before)
    names = [layer.name for layer in network.layers]
    assert "block_13_expand" in names and "block_14_expand" not in names  # what no grid looks at is left out


def test_darknet_53_has_the_papers_layers():
    """52 convolutions before the last layer (YOLOv3, table 1), and as many maps."""
    load_keras(seed=0)
    backbone = {"name": "darknet", "filters": 32, "units": [1, 2, 8, 8, 4], "most": 1024}
    model = Yolo(backbone=backbone | {"units": (1, 2, 8, 8, 4)})
    assert model.backbone == Darknet(filters=32, units=(1, 2, 8, 8, 4), most=1024)
    doors, maps = model.backbone.maps({"picture": {"shape": [64, 64, 3], "dtype": "float32"}}, (8, 16, 32))
    import keras

    network = keras.Model(doors, maps)
    assert sum(isinstance(layer, keras.layers.Conv2D) for layer in network.layers) == 52
    assert [one.shape[1:] for one in maps] == [(8, 8, 256), (4, 4, 512), (2, 2, 1024)]


def test_refusals():
    with pytest.raises(RecipeError, match=r"64×96, and cells of 32 pixels|do not divide"):
        Yolo().build({"picture": {"shape": [60, 96, 3], "dtype": "float32"}}, Sought((1, 1, 1), 2))
    small = Yolo(backbone={"name": "resnet", "depth": 20}, strides=(4, 8))
    with pytest.raises(RecipeError, match="'resnet' has maps of strides 2, 4 on pictures of 64×96, and none of 8"):
        small.build(SHAPES, Sought((1, 1), 2))
    for bad in ([8, 4], [], [5], [8, 8]):
        with pytest.raises(RecipeError, match="the smallest first"):
            check_text(f"task: detection\ndata: digit_scenes\nmodel: {{name: yolo, strides: {bad}}}", Path("r.yaml"))


def test_larger_and_smaller():
    assert Yolo().larger() == {"backbone": {"filters": 32}} and Yolo().smaller() == {"backbone": {"filters": 8}}
    other = Yolo(backbone={"name": "keras_application"})
    assert other.larger() == {"width": 128} and other.smaller() == {"width": 32}
