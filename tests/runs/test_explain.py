"""Grad-CAM and occlusion on networks whose answer is known to come from one place."""

import numpy as np
import pytest

from dlspec.runs.backend import load_keras
from dlspec.runs.explain import explained_layer, grad_cam, occlusion


@pytest.fixture(scope="module")
def keras():
    load_keras(seed=0)
    import keras

    return keras


def network(keras, kernel, dense):
    """A 1×1 convolution to as many maps as the kernel has, then the mean of each, weighed."""
    entry = keras.Input((4, 6, 1), name="picture")
    maps = keras.layers.Conv2D(kernel.shape[-1], 1, use_bias=False, name="maps")(entry)
    mean = keras.layers.GlobalAveragePooling2D()(maps)
    made = keras.Model({"picture": entry}, keras.layers.Dense(dense.shape[1], use_bias=False)(mean))
    made.set_weights([kernel, dense])
    return made


def test_grad_cam_of_a_known_map(keras):
    # Maps are x and -2x; the logits 3·mean(first) and 1·mean(second): slopes by the maps are 3/24 and 1/24.
    made = network(keras, np.array([[[[1.0, -2.0]]]], np.float32), np.array([[3.0, 0.0], [0.0, 1.0]], np.float32))
    assert explained_layer(made).name == "maps"
    picture = np.zeros((2, 4, 6, 1), np.float32)
    picture[0, 1, 2], picture[0, 3, 5], picture[0, 0, 0] = 2, 1, -1
    picture[1, 2, 2], picture[1, 0, 1] = -4, 1
    heat = grad_cam(made, {"picture": picture}, np.eye(2))
    expected = np.zeros((2, 4, 6))
    expected[0, 1, 2], expected[0, 3, 5] = 1, 0.5  # the first logit: x where it is above 0
    expected[1, 2, 2] = 1  # the second one: -2x
    np.testing.assert_allclose(heat, expected, atol=1e-6)


def test_of_a_single_logit_the_sign_is_explained(keras):
    made = network(keras, np.array([[[[1.0]]]], np.float32), np.array([[1.0]], np.float32))
    picture = np.zeros((2, 4, 6, 1), np.float32)
    picture[0, 1, 1], picture[0, 2, 2] = 3, -1
    picture[1] = -picture[0]
    heat = grad_cam(made, {"picture": picture}, np.array([[1.0], [-1.0]]))
    np.testing.assert_allclose(heat[0], heat[1], atol=1e-6)
    assert heat[0, 1, 1] == 1 and heat[0].sum() == 1


def test_what_leads_around_the_layer_counts_as_it_is(keras):
    # The logit is mean(f) + 100·mean(picture), where f is the last map: its slope by f is that of the first term.
    entry = keras.Input((4, 6, 1), name="picture")
    maps = keras.layers.Conv2D(1, 1, use_bias=False, name="maps")(entry)
    mean = keras.layers.GlobalAveragePooling2D()
    both = keras.layers.Concatenate()([mean(maps), mean(entry)])
    made = keras.Model({"picture": entry}, keras.layers.Dense(1, use_bias=False)(both))
    made.set_weights([np.full((1, 1, 1, 1), 2.0), np.array([[1.0], [100.0]])])
    picture = np.zeros((1, 4, 6, 1), np.float32)
    picture[0, 1, 2], picture[0, 2, 3] = 4, 2
    heat = grad_cam(made, {"picture": picture}, np.ones((1, 1)))
    assert heat[0, 1, 2] == 1 and heat[0, 2, 3] == pytest.approx(0.5) and heat.sum() == pytest.approx(1.5)


def test_of_a_network_that_gives_maps_the_coarsest_is_looked_at(keras):
    entry = keras.Input((8, 8, 1), name="picture")
    fine = keras.layers.Conv2D(2, 3, padding="same", name="fine")(entry)
    coarse = keras.layers.Conv2D(3, 3, padding="same", name="coarse")(keras.layers.MaxPooling2D()(fine))
    up = keras.layers.UpSampling2D()(coarse)
    logits = keras.layers.Conv2D(2, 1, name="logits")(keras.layers.Concatenate()([up, fine]))
    made = keras.Model({"picture": entry}, logits)
    assert explained_layer(made).name == "coarse"
    picture = np.random.default_rng(0).normal(size=(2, 8, 8, 1)).astype(np.float32)
    weights = np.zeros((2, 8, 8, 2))
    weights[:, :4, :4, 1] = 1 / 16
    heat = grad_cam(made, {"picture": picture}, weights)
    # By hand: the slope of the logits of class 1 by the three coarse maps is its weight, 4 logits to each place.
    maps = np.asarray(keras.Model(made.inputs, coarse)([picture]))
    slope = made.get_layer("logits").get_weights()[0][0, 0, :3, 1] * 4 / 16 * 4 / 16
    expected = np.maximum((maps * slope).sum(axis=-1), 0)
    np.testing.assert_allclose(heat, expected / expected.max(axis=(1, 2), keepdims=True), atol=1e-5)


def test_a_network_without_maps_has_none(keras):
    entry = keras.Input((4, 6, 1), name="picture")
    made = keras.Model({"picture": entry}, keras.layers.Dense(2)(keras.layers.Flatten()(entry)))
    assert (
        explained_layer(made) is None and grad_cam(made, {"picture": np.zeros((1, 4, 6, 1))}, np.ones((1, 2))) is None
    )


def test_occlusion_finds_the_planted_patch():
    random = np.random.default_rng(0)
    pictures = random.normal(0, 0.05, (3, 32, 32, 1))
    corners = [(4, 20), (12, 8), (24, 24)]
    for picture, (top, left) in zip(pictures, corners, strict=True):
        picture[top : top + 4, left : left + 4] += 1

    def forward(batch):
        """The second logit is the brightest 4×4 square on the grid of fours."""
        squares = batch["picture"][..., 0].reshape(-1, 8, 4, 8, 4).mean(axis=(2, 4)).reshape(-1, 64)
        return np.stack([np.zeros(len(squares)), squares.max(axis=1)], axis=1)

    weights = np.tile([0.0, 1.0], (3, 1))
    heat = occlusion(forward, {"picture": pictures}, weights, size=8, step=4)
    # A network that gives places: what is hidden moves them, whichever way.
    moved = occlusion(lambda batch: -forward(batch), {"picture": pictures}, weights, moves=True, size=8, step=4)
    np.testing.assert_allclose(moved, heat, atol=1e-6)
    assert heat.shape == (3, 32, 32) and heat.max() == 1 and heat.min() == 0
    for one, (top, left) in zip(heat, corners, strict=True):
        assert one[top : top + 4, left : left + 4].min() > 0.99
        assert one.sum() < 0.25 * one.size


def test_the_picture_stands_beside_its_maps():
    from dlspec.report.heat import COLD, GAP, HOT, SIDE, beside

    heat = np.zeros((2, 2))
    heat[:, 1] = 1
    drawn = beside(np.full((10, 20, 3), 0.5), [heat, 1 - heat])
    height = SIDE // 2
    assert drawn.shape == (height, 3 * SIDE + 2 * GAP, 3) and drawn.dtype == np.uint8
    first, second = drawn[:, SIDE + GAP : 2 * SIDE + GAP], drawn[:, 2 * (SIDE + GAP) :]
    dark = 0.35  # of a picture without contrast
    np.testing.assert_allclose(first[0, 0], np.array(COLD) * dark, atol=1)
    np.testing.assert_allclose(first[0, -1], np.array(HOT) * dark, atol=1)
    np.testing.assert_array_equal(first[:, ::-1], second)
    assert (drawn[:, SIDE : SIDE + GAP] == 255).all()


def test_error_analysis_explains_the_worst(tmp_path):
    from dlspec.recipe.load import load
    from dlspec.runs.analyze import analyze
    from dlspec.runs.folder import read_json
    from dlspec.runs.train import train

    sets = ["train.epochs=1", "input.size=[16, 16]", "data.split.train=200"]
    for name, says in (("lenet5", "by Grad-CAM (layer C3_relu)"), ("linear", "there is no Grad-CAM")):
        loaded = load("classification/digits_lenet5", [*sets, f"model={{name: {name}}}"])
        run = train(loaded, out=tmp_path / name).run
        analyze(run)
        worst = read_json(run / "worst" / "dev.json")
        assert says in worst[0]["legend"] and worst[0]["guess"].startswith(worst[0]["explains"])
        assert worst[0]["shows"]["width"] > worst[0]["shows"]["height"]
        assert worst[-1]["shows"]["width"] == worst[-1]["shows"]["height"] == 8
        assert says in (run / "report.html").read_text()
