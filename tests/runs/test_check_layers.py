"""The table of layers against hand-worked numbers: LeCun et al. (1998), VGG's stack, shared and nested layers."""

import keras
import pytest

from dlspec.models.vision.lenet5 import LeNet5
from dlspec.runs.check_layers import table

PICTURE = {"picture": {"shape": [32, 32, 1], "dtype": "float32"}}
L = keras.layers


def rows(network):
    return {one["name"]: one for one in table(network)["layers"]}


@pytest.mark.parametrize("form", ["modern", "paper"])
def test_lenet_sees_what_the_paper_says(form):
    """Receptive fields 5, 6, 14, 16 of 32; C3 of the paper has 1,516 weights and 150,000 products (tables I)."""
    made = rows(LeNet5(form=form).build(PICTURE, 10))
    fields = {name: made[name]["receptive_field"] for name in ("C1", "S2", "C3", "S4", "flat", "F6")}
    assert fields == {"C1": [5, 5], "S2": [6, 6], "C3": [14, 14], "S4": [16, 16], "flat": "all", "F6": "all"}
    assert made["C3"]["parameters"] == {"modern": 2416, "paper": 1516}[form]
    assert made["C3"]["multiply_adds"] == {"modern": 240_000, "paper": 150_000}[form]
    assert made["C1"]["multiply_adds"] == 28 * 28 * 25 * 6 and made["C1"]["output"] == [28, 28, 6]
    assert made["C5"]["multiply_adds"] == 400 * 120


def test_sums():
    found = table(LeNet5().build(PICTURE, 10))
    assert found["parameters"] == found["trainable"] == 61_706
    assert found["multiply_adds"] == 117_600 + 240_000 + 48_000 + 10_080 + 840


def test_strides_dilation_and_branches():
    entry = keras.Input((64, 64, 3), name="picture")
    x = L.Conv2D(8, 3, strides=2, padding="same", name="a")(entry)  # 3, step 2
    y = L.Conv2D(8, 3, dilation_rate=2, padding="same", name="b")(x)  # + (5 - 1) · 2
    x = L.Add(name="sum")([x, y])
    x = L.SeparableConv2D(4, (3, 1), padding="same", name="c")(x)  # + 2 · 2 down, none across
    x = L.Conv2DTranspose(4, 2, strides=2, name="d")(x)
    pooled = L.GlobalAveragePooling2D(name="pool")(x)
    made = rows(keras.Model({"picture": entry}, L.Dense(2, name="e")(pooled)))
    fields = {name: one["receptive_field"] for name, one in made.items()}
    assert fields == {
        "a": [3, 3], "b": [11, 11], "sum": [11, 11], "c": [15, 11], "d": [15, 11], "pool": "all", "e": "all",
    }  # fmt: skip
    assert made["c"]["multiply_adds"] == 32 * 32 * (3 * 8 + 8 * 4)
    assert made["d"]["multiply_adds"] == 32 * 32 * (2 * 2 * 4 * 4)
    assert made["sum"]["multiply_adds"] == 0


def test_models_within_the_model_are_unfolded_and_shared_layers_counted_once():
    inner = keras.Sequential([keras.Input((16, 16, 2)), L.DepthwiseConv2D(3, name="depth"), L.Conv2D(2, 1)], name="in")
    entry = keras.Input((20, 20, 2), name="picture")
    same = L.Conv2D(2, 3, padding="same", use_bias=False, name="same")
    x = same(same(entry))
    x = L.CenterCrop(16, 16, name="crop")(x)
    network = keras.Model({"picture": entry}, inner(x))
    found = table(network)
    shown = [(one["name"], one["receptive_field"], one["parameters"]) for one in found["layers"]]
    assert shown[:2] == [("same", [3, 3], 36), ("same", [5, 5], 0)]
    assert shown[3][0] == "in/depth" and found["layers"][3]["output"] == [14, 14, 2] and shown[3][2] == 20
    assert sum(one[2] for one in shown) == found["parameters"]


def test_layers_of_ones_own_are_tried_out():
    @keras.saving.register_keras_serializable("tests")
    class Shifted(L.Layer):
        """Sees the entry and the one two further down, every third."""

        def call(self, x):
            return (x[:, :-2] + x[:, 2:])[:, ::3]

    @keras.saving.register_keras_serializable("tests")
    class Centred(L.Layer):
        def call(self, x):
            return x - keras.ops.mean(x, axis=1, keepdims=True)

    entry = keras.Input((31, 2), name="series")
    once = Shifted(name="once")(entry)
    twice = Shifted(name="twice")(once)
    made = rows(keras.Model({"series": entry}, Centred(name="centred")(twice)))
    assert [made[name]["receptive_field"] for name in ("once", "twice", "centred")] == [[3], [9], "all"]


def test_rows_of_a_table_have_no_field_and_a_table_of_words_no_products():
    words = keras.Input((7,), dtype="int32", name="words")
    x = L.Embedding(50, 4, name="words_in")(words)
    x = L.LSTM(3, name="lstm")(x)
    made = rows(keras.Model({"words": words}, L.Dense(2, name="out")(x)))
    assert made["words_in"]["multiply_adds"] == 0 and made["words_in"]["parameters"] == 200
    assert made["lstm"]["multiply_adds"] == 7 * 4 * 3 * (4 + 3)
    assert made["out"]["receptive_field"] is None and made["out"]["multiply_adds"] == 6
