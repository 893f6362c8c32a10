"""convnet: sizes by the book, and what a recipe can say."""

import pytest
from models.keras_networks import picture
from pydantic import ValidationError

from dlspec.models.vision.convnet import ConvNet, Layer
from dlspec.types import RecipeError


def built(size, *layers, **settings):
    return ConvNet(layers=layers, **settings).build(picture(size, channels=1), 10)


@pytest.mark.parametrize(
    ("layer", "after"),
    [
        ({"kernel": 5, "padding": "valid"}, 24),
        ({"kernel": 5}, 28),
        ({"kernel": 5, "stride": 2, "padding": "valid"}, 12),
        ({"kernel": 3, "stride": 2}, 14),
        ({"kernel": 5, "padding": 1}, 26),
        ({"kernel": 7, "stride": 3, "padding": 2}, 9),
        ({"kernel": 3, "padding": "valid", "pooling": "max"}, 13),
        ({"kernel": 3, "padding": "valid", "pooling": "average", "pool": 3, "pool_stride": 2}, 12),
    ],
)
def test_sizes(layer, after):
    network = built(28, {"filters": 4, **layer})
    assert network.get_layer("mean").input.shape[1:] == (after, after, 4)


def test_the_smallest_size_is_the_smallest():
    for layers in (
        [Layer(filters=2, kernel=5, padding="valid", pooling="max"), Layer(filters=2, kernel=3, padding="valid")],
        [Layer(filters=2, kernel=4, stride=3, padding=1, pooling="average", pool=3, pool_stride=1)] * 2,
        [Layer(filters=2, stride=2, pooling="max")] * 3,
        [Layer(filters=2, kernel=3, padding=4)],
    ):
        with pytest.raises(RecipeError) as caught:
            built(0, *layers)
        smallest = int(str(caught.value).partition("at least ")[2].partition("×")[0])
        assert built(smallest, *layers).output_shape == (None, 10)
        if smallest > 1:
            with pytest.raises(RecipeError, match=f"at least {smallest}×{smallest}, these are {smallest - 1}×"):
                built(smallest - 1, *layers)


def test_heads_and_parameters():
    layers = ({"filters": 4, "kernel": 3, "padding": "valid", "pooling": "max"},)
    assert built(8, *layers).count_params() == (9 + 1) * 4 + (4 + 1) * 10
    flat = built(8, *layers, head="flat", units=(6, 5))
    assert flat.count_params() == 40 + (9 * 4 + 1) * 6 + 7 * 5 + 6 * 10
    normed = built(8, *layers, normalization="batch", units=(6,), dropout=0.2, spatial_dropout=0.1)
    assert normed.count_params() == 9 * 4 + 4 * 4 + 4 * 6 + 4 * 6 + 7 * 10
    dropouts = [one.name for one in normed.layers if "dropout" in one.name]
    assert dropouts == ["conv1_dropout", "dropout", "fc1_dropout"]


def test_what_cannot_be():
    for wrong in ({"filters": 0}, {"filters": 3, "padding": "full"}, {"filters": 3, "padding": -1}, {"kernel": 3}):
        with pytest.raises(ValidationError):
            ConvNet(layers=(wrong,))


def test_larger_and_smaller():
    small = ConvNet(layers=({"filters": 8, "kernel": 5}, {"filters": 300}))
    assert small.larger() == {"layers": [{"filters": 16, "kernel": 5}, {"filters": 512}]}
    assert small.smaller() == {"layers": [{"filters": 4, "kernel": 5}, {"filters": 150}]}
    assert ConvNet(layers=({"filters": 3},)).smaller() is None
    assert ConvNet(layers=({"filters": 512},)).larger() is None
