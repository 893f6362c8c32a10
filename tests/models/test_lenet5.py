"""LeNet-5: the parameter counts of today's form and of the paper's, and the paper's form against NumPy."""

import keras
import numpy as np
import pytest

from dlspec.models.vision.lenet5 import C3, LeNet5
from dlspec.types import RecipeError

# Table I of the paper: a row for each map of S2, a column for each map of C3.
TABLE_I = """
X . . . X X X . . X X X X . X X
X X . . . X X X . . X X X X . X
X X X . . . X X X . . X . X X X
. X X X . . X X X X . . X . X X
. . X X X . . X X X X . X X . X
. . . X X X . . X X X X . X X X
"""


def picture(side, channels=1, width=None):
    return {"picture": {"shape": [side, width or side, channels], "dtype": "float32"}}


def test_todays_form_has_61706_parameters():
    model = LeNet5().build(picture(32), 10)
    assert model.count_params() == 61_706
    counts = {layer.name: layer.count_params() for layer in model.layers if layer.count_params()}
    assert counts == {"C1": 156, "C3": 2416, "C5": 48_120, "F6": 10_164, "logits": 850}


def test_the_papers_form_has_60000_parameters_before_the_output():
    model = LeNet5(form="paper").build(picture(32), 10)
    counts = {layer.name: layer.count_params() for layer in model.layers if layer.count_params()}
    assert counts == {"C1": 156, "S2": 12, "C3": 1516, "S4": 32, "C5": 48_120, "F6": 10_164, "logits": 850}
    assert sum(counts.values()) - counts["logits"] == 60_000
    assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == 60_850


def test_the_connection_table_is_the_papers():
    table = [line.split() for line in TABLE_I.strip().splitlines()]
    assert [[row for row in range(6) if table[row][m] == "X"] for m in range(16)] == [list(c) for c in C3]


def convolved(x, kernel):
    """Valid convolution (cross-correlation) of (N, H, W) with (k, k), one window at a time."""
    k = len(kernel)
    height, width = x.shape[1] - k + 1, x.shape[2] - k + 1
    return np.array([[(x[:, i : i + k, j : j + k] * kernel).sum((1, 2)) for j in range(width)] for i in range(height)])


def squashed(a):
    return 1.7159 * np.tanh(2 * a / 3)


def subsampled(x, coefficient, bias):
    squares = x[:, 0::2, 0::2] + x[:, 1::2, 0::2] + x[:, 0::2, 1::2] + x[:, 1::2, 1::2]
    return squashed(squares * coefficient + bias)


def test_the_papers_form_agrees_with_numpy():
    keras.utils.set_random_seed(4)
    model = LeNet5(form="paper").build(picture(32), 10)
    rng = np.random.default_rng(0)
    model.set_weights([w + rng.normal(0, 0.1, w.shape).astype("float32") for w in model.get_weights()])
    w = {v.path: keras.ops.convert_to_numpy(v).astype(np.float64) for v in model.weights}
    x = rng.uniform(-0.1, 1.175, (2, 32, 32, 1)).astype("float32")

    s2 = []
    for m in range(6):
        c1 = convolved(x[..., 0].astype(np.float64), w["C1/kernel"][:, :, 0, m]).transpose(2, 0, 1)
        s2.append(subsampled(squashed(c1 + w["C1/bias"][m]), w["S2/coefficient"][m], w["S2/bias"][m]))
    assert s2[0].shape == (2, 14, 14)
    s4, used = [], {3: 0, 4: 0, 6: 0}
    for m, inputs in enumerate(C3):
        kernel = w[f"C3/kernel_{len(inputs)}"][..., used[len(inputs)]]
        used[len(inputs)] += 1
        total = sum(convolved(s2[i], kernel[:, :, place]) for place, i in enumerate(inputs)).transpose(2, 0, 1)
        s4.append(subsampled(squashed(total + w["C3/bias"][m]), w["S4/coefficient"][m], w["S4/bias"][m]))
    flat = np.stack(s4, axis=-1).reshape(2, 400)
    for layer in ("C5", "F6"):
        flat = squashed(flat @ w[f"{layer}/kernel"] + w[f"{layer}/bias"])
    logits = flat @ w["logits/kernel"] + w["logits/bias"]
    assert keras.ops.convert_to_numpy(model({"picture": x})) == pytest.approx(logits, abs=1e-4)


def test_the_papers_weights_start_within_its_limits():
    keras.utils.set_random_seed(0)
    model = LeNet5(form="paper").build(picture(32), 10)
    fans = {"C1/kernel": 25, "C3/kernel_3": 75, "C3/kernel_4": 100, "C3/kernel_6": 150, "C5/kernel": 400}
    for name, fan in fans.items():
        [kernel] = [keras.ops.convert_to_numpy(v) for v in model.weights if v.path == name]
        assert 0.9 * 2.4 / fan < np.abs(kernel).max() <= 2.4 / fan


@pytest.mark.parametrize("form", ["modern", "paper"])
@pytest.mark.parametrize(("padding", "smallest"), [("valid", 16), ("same", 4)])
def test_the_smallest_picture(form, padding, smallest):
    model = LeNet5(form=form, padding=padding).build(picture(smallest, 3, smallest + 9), 5)
    assert model.output_shape == (None, 5)
    with pytest.raises(RecipeError, match=f"at least {smallest}×{smallest}, these are {smallest + 9}×{smallest - 1}"):
        LeNet5(form=form, padding=padding).build(picture(smallest + 9, 1, smallest - 1), 5)


def test_small_digits():
    assert LeNet5().build(picture(28), 10).get_layer("C5").kernel.shape == (4 * 4 * 16, 120)
    assert LeNet5(padding="same").build(picture(8), 10).get_layer("C5").kernel.shape == (2 * 2 * 16, 120)
    with pytest.raises(RecipeError, match=r"set input: \{size: \[32, 32\]\}, or model: \{padding: same\}"):
        LeNet5().build(picture(8), 10)


def test_the_papers_parts_may_be_replaced():
    model = LeNet5(form="paper", pooling="average", activation="tanh").build(picture(32), 10)
    names = {type(layer).__name__ for layer in model.layers}
    assert {"AveragePooling2D", "ConnectionTableConvolution"} <= names and not {"Squash", "Subsampling"} & names
    assert model.count_params() == 60_850 - 12 - 32


def test_pooling_and_activation_of_todays_form():
    x = {"picture": np.random.default_rng(0).random((2, 32, 32, 1)).astype("float32")}
    model = LeNet5(pooling="average", activation="tanh").build(picture(32), 10)
    before, after = keras.Model(model.input, [model.get_layer("C1_tanh").output, model.get_layer("S2").output])(x)
    squares = keras.ops.convert_to_numpy(before).reshape(2, 14, 2, 14, 2, 6)
    assert keras.ops.convert_to_numpy(after) == pytest.approx(squares.mean(axis=(2, 4)), abs=1e-6)
    before, after = (lambda m: keras.Model(m.input, [m.get_layer("C1_relu").output, m.get_layer("S2").output])(x))(
        LeNet5().build(picture(32), 10)
    )
    squares = keras.ops.convert_to_numpy(before).reshape(2, 14, 2, 14, 2, 6)
    assert keras.ops.convert_to_numpy(after) == pytest.approx(squares.max(axis=(2, 4)), abs=1e-6)


@pytest.mark.parametrize("form", ["modern", "paper"])
def test_every_weight_has_a_gradient_and_learns(form):
    keras.utils.set_random_seed(0)
    model = LeNet5(form=form, dropout=0.1).build(picture(32), 3)
    before = model.get_weights()
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 48)
    x = rng.random((48, 32, 32, 1)).astype("float32") * 0.2
    x[np.arange(48), 4 + 8 * y, 5:25] = 1
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(2e-3), loss)
    history = model.fit({"picture": x}, y, epochs=8, batch_size=16, verbose=0).history["loss"]
    assert history[-1] < 0.5 * history[0]
    assert all((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))
