"""The filters of a first layer and maps of some layers, of networks whose weights are known; both as tiles."""

import numpy as np
import pytest

from dlspec.report import tiles
from dlspec.runs.backend import load_keras
from dlspec.runs.insides import features, filters


@pytest.fixture(scope="module")
def keras():
    load_keras(seed=0)
    import keras

    return keras


def test_filters_of_a_convolution_in_red_green_blue(keras):
    kernel = np.arange(2 * 2 * 3 * 4, dtype=np.float32).reshape(2, 2, 3, 4)
    for flips in (False, True):
        entry = keras.Input((6, 6, 3), name="picture")
        x = keras.layers.Rescaling(2.0, -1.0)(entry)
        x = keras.ops.flip(x, axis=-1) if flips else x
        x = keras.layers.Conv2D(4, 2, use_bias=False, name="first")(x)
        made = keras.Model({"picture": entry}, keras.layers.Dense(2)(keras.layers.Flatten()(x)))
        made.get_layer("first").set_weights([kernel])
        found = filters(made)
        assert (found.layer, found.whole) == ("first", False)
        np.testing.assert_array_equal(found.kernel, kernel[:, :, ::-1] if flips else kernel)


def test_filters_within_a_layer_of_layers_are_found(keras):
    inner = keras.Sequential([keras.Input((6, 6, 3)), keras.layers.Conv2D(5, 3, name="inner_first")])
    entry = keras.Input((6, 6, 3), name="picture")
    made = keras.Model({"picture": entry}, keras.layers.Dense(2)(keras.layers.Flatten()(inner(entry))))
    found = filters(made)
    assert found.layer == "inner_first" and found.kernel.shape == (3, 3, 3, 5)


def test_weights_of_all_pixels_are_templates(keras):
    entry = keras.Input((3, 4, 1), name="picture")
    made = keras.Model({"picture": entry}, keras.layers.Dense(2, name="all")(keras.layers.Flatten()(entry)))
    weights = np.arange(24, dtype=np.float32).reshape(12, 2)
    made.get_layer("all").set_weights([weights, np.zeros(2)])
    found = filters(made)
    assert found.whole
    np.testing.assert_array_equal(found.kernel[:, :, 0, 1], weights[:, 1].reshape(3, 4))


def test_a_table_has_no_filters(keras):
    entry = keras.Input((5,), name="features")
    assert filters(keras.Model({"features": entry}, keras.layers.Dense(2)(entry))) is None


def test_maps_of_the_first_the_middle_and_the_last_layer(keras):
    entry = keras.Input((4, 4, 1), name="picture")
    x = entry
    for name, count in (("a", 20), ("b", 3), ("c", 2)):
        x = keras.layers.Conv2D(count, 1, use_bias=False, name=name)(x)
    last = keras.layers.ReLU(name="last")(x)
    made = keras.Model({"picture": entry}, keras.layers.Dense(2)(keras.layers.Flatten()(last)))
    weights = np.zeros((1, 1, 1, 20), np.float32)
    weights[..., 4:] = np.arange(1, 17)  # the first four are 0 everywhere
    made.get_layer("a").set_weights([weights])
    picture = np.random.default_rng(0).normal(size=(2, 4, 4, 1)).astype(np.float32)
    found = features(made, {"picture": picture}, made.get_layer("last"))
    assert [(one.layer, one.maps.shape, one.of) for one in found] == [
        ("a", (2, 4, 4, 16), 20), ("b", (2, 4, 4, 3), 3), ("last", (2, 4, 4, 2), 2),
    ]  # fmt: skip
    np.testing.assert_allclose(found[0].maps, picture * np.arange(1, 17), rtol=1e-5)
    assert features(made, {"picture": picture}, None)[-1].layer == "b"


def test_grey_filters_are_rows_of_channels_and_0_is_in_the_middle():
    kernel = np.zeros((2, 2, 2, 3))
    kernel[0, 0, 0, 0], kernel[1, 1, 1, 0] = 1, -0.5
    drawn, shown, colour = tiles.of_filters(kernel, 4, 4)
    assert (drawn.shape, shown, colour) == ((2 * 4 + 2, 2 * 4 + 2), 2, False)  # two filters, a tile a channel
    assert (drawn[:2, :2] == 255).all() and (drawn[2:4, 8:10] == 64).all() and (drawn[:2, 2:4] == 128).all()
    assert (drawn[:, 4:6] == 255).all() and (drawn[6:, :4] == 128).all()


def test_filters_of_three_channels_are_in_colour():
    kernel = np.zeros((1, 1, 3, 2))
    kernel[..., 0, 0] = 2
    drawn, shown, colour = tiles.of_filters(kernel, 64, 4)
    assert colour and shown == 2 and drawn.shape == (4, 10, 3)
    assert drawn[0, 0].tolist() == [255, 128, 128] and drawn[0, -1].tolist() == [128] * 3


def test_maps_share_the_range_that_is_given():
    maps = np.stack([np.full((2, 2), 5.0), np.arange(4.0).reshape(2, 2)], axis=-1)
    drawn = tiles.of_maps(maps, np.array([0.0, 0.0]), np.array([10.0, 3.0]), 2)
    assert drawn.shape == (2, 8 * 2 + 7 * 2) and (drawn[:, :2] == 128).all()
    assert drawn[:, 4:6].tolist() == [[0, 85], [170, 255]]
