"""resnet: the papers' parameter counts, and whole networks of both versions against NumPy."""

import keras
import numpy as np
import pytest
from pydantic import ValidationError

from dlspec.models.vision.resnet import ResNet
from dlspec.runs.check_layers import table
from dlspec.runs.check_start import first_outputs
from dlspec.runs.check_trial import Batch
from dlspec.types import RecipeError


def picture(height, width=None, channels=3):
    return {"picture": {"shape": [height, width or height, channels], "dtype": "float32"}}


def trained(model):
    return sum(int(np.prod(w.shape)) for w in model.trainable_weights)


@pytest.mark.parametrize(
    ("depth", "paper", "version"),
    [(20, 0.27, 1), (32, 0.46, 1), (44, 0.66, 1), (56, 0.85, 1), (110, 1.7, 1), (20, 0.27, 2), (56, 0.85, 2)],
)
def test_parameters_are_the_papers(depth, paper, version):
    """Table 6 of the paper, in millions.  No weights in the shortcuts; a scale and a shift for each map normalised."""
    n = (depth - 2) // 6
    convolutions = 9 * 3 * 16 + 2 * n * 9 * 16**2
    convolutions += 9 * 16 * 32 + (2 * n - 1) * 9 * 32**2 + 9 * 32 * 64 + (2 * n - 1) * 9 * 64**2
    norms = 16 + 2 * n * (16 + 32 + 64)
    if version == 2:
        # Before each convolution: the first of a stage sees the maps of the one before; one more at the end.
        norms = 16 + (2 * n - 1) * 16 + 16 + (2 * n - 1) * 32 + 32 + (2 * n - 1) * 64 + 64
    model = ResNet(depth=depth, version=version).build(picture(32), 10)
    assert trained(model) == convolutions + 2 * norms + 64 * 10 + 10
    assert model.count_params() == trained(model) + 2 * norms
    assert round(trained(model) / 1e6, 2 if depth < 110 else 1) == paper
    layers = [one for one in model.layers if type(one).__name__ in ("Conv2D", "Dense")]
    assert len(layers) == depth


def test_resnet20_to_the_last_one():
    assert trained(ResNet().build(picture(32), 10)) == 269_722


@pytest.mark.parametrize(("depth", "paper"), [(20, 0.2), (164, 1.7), (1001, 10.2)])
def test_bottlenecks_have_the_second_papers_parameters(depth, paper):
    """He et al. (2016), "Identity mappings", table 4: the weights of the convolutions, in millions.

    By hand; a network of 20 layers holds the formula to what is built.
    """
    n = (depth - 2) // 9
    weights, norms, comes = 9 * 3 * 16, 16, 16
    for wide in (16, 32, 64):
        for unit in range(n):
            # The network's first unit is given what is activated already.
            norms += 2 * wide + (comes if unit or wide > 16 else 0)
            weights += comes * wide + 9 * wide**2 + wide * 4 * wide + (comes * 4 * wide if not unit else 0)
            comes = 4 * wide
    norms += comes
    assert round(weights / 1e6, 1) == paper
    if depth == 20:
        model = ResNet(depth=20, bottleneck=True, version=2).build(picture(32), 10)
        assert trained(model) == weights + 2 * norms + comes * 10 + 10
        # The three projections lie beside the layers that are counted.
        assert len([one for one in model.layers if type(one).__name__ in ("Conv2D", "Dense")]) == 20 + 3


def test_projections_add_their_weights():
    plain, projected = (ResNet(shortcut=one).build(picture(32), 10) for one in ("identity", "projection"))
    assert trained(projected) - trained(plain) == 16 * 32 + 32 * 64 + 2 * (32 + 64)
    second = ResNet(shortcut="projection", version=2).build(picture(32), 10)
    assert trained(second) - trained(ResNet(version=2).build(picture(32), 10)) == 16 * 32 + 32 * 64


class ByHand:
    """The forward pass in NumPy, float64, straight from the papers' figures, over a network's own weights."""

    def __init__(self, network):
        self.held = {w.path: keras.ops.convert_to_numpy(w).astype(np.float64) for w in network.weights}

    def conv(self, x, name, stride=1):
        kernel = self.held[f"{name}_conv/kernel"]
        side = len(kernel)
        margin = side // 2
        x = np.pad(x, [(0, 0), (margin, margin), (margin, margin), (0, 0)])
        high, wide = ((size - side) // stride + 1 for size in x.shape[1:3])
        made = np.zeros((len(x), high, wide, kernel.shape[-1]))
        for i in range(high):
            for j in range(wide):
                window = x[:, i * stride : i * stride + side, j * stride : j * stride + side]
                made[:, i, j] = np.einsum("nhwc,hwcm->nm", window, kernel)
        return made

    def norm(self, x, name):
        of = {key: self.held[f"{name}_norm/{key}"] for key in ("gamma", "beta", "moving_mean", "moving_variance")}
        return of["gamma"] * (x - of["moving_mean"]) / np.sqrt(of["moving_variance"] + 1e-5) + of["beta"]

    def bent(self, x, name):
        return np.maximum(self.norm(x, name), 0)

    def shortcut(self, x, name, stride, version):
        if f"{name}_shortcut_conv/kernel" in self.held:
            x = self.conv(x, f"{name}_shortcut", stride)
            return x if version == 2 else self.norm(x, f"{name}_shortcut")
        kernels = [f"{name}_{i}_conv/kernel" for i in (1, 2, 3)]
        made = max(self.held[one].shape[-1] for one in kernels if one in self.held)
        x = x[:, ::stride, ::stride]
        return np.concatenate([x, np.zeros((*x.shape[:3], made - x.shape[3]))], axis=3)

    def unit(self, x, name, stride, version, layers):
        first = name == "conv2_block1"
        if version == 1:
            y = x
            for i in range(1, layers + 1):
                y = self.norm(self.conv(y, f"{name}_{i}", stride if i == 1 else 1), f"{name}_{i}")
                y = np.maximum(y, 0) if i < layers else y
            return np.maximum(y + self.shortcut(x, name, stride, 1), 0)
        y = x if first else self.bent(x, f"{name}_0")
        x = y if f"{name}_shortcut_conv/kernel" in self.held else x
        y = self.conv(y, f"{name}_1", stride)
        for i in range(2, layers + 1):
            y = self.conv(self.bent(y, f"{name}_{i - 1}"), f"{name}_{i}")
        return y + self.shortcut(x, name, stride, 2)

    def logits(self, x, version, units, layers):
        x = self.bent(self.conv(x, "conv1"), "conv1")
        for stage in (2, 3, 4):
            for unit in range(1, units + 1):
                x = self.unit(x, f"conv{stage}_block{unit}", 2 if stage > 2 and unit == 1 else 1, version, layers)
        x = self.bent(x, "post") if version == 2 else x
        return x.mean((1, 2)) @ self.held["logits/kernel"] + self.held["logits/bias"]


@pytest.mark.parametrize("shortcut", ["identity", "projection"])
@pytest.mark.parametrize(("version", "bottleneck"), [(1, False), (2, False), (2, True), (1, True)])
def test_it_agrees_with_numpy(version, bottleneck, shortcut):
    depth, layers = (20, 3) if bottleneck else (14, 2)
    keras.utils.set_random_seed(1)
    settings = {"version": version, "bottleneck": bottleneck, "depth": depth, "filters": 4, "shortcut": shortcut}
    network = ResNet(**settings).build(picture(9, 12), 3)
    rng = np.random.default_rng(0)
    network.set_weights([w + rng.uniform(0, 0.3, w.shape).astype("float32") for w in network.get_weights()])
    x = rng.normal(size=(2, 9, 12, 3)).astype("float32")
    expected = ByHand(network).logits(x.astype(np.float64), version, 2, layers)
    assert keras.ops.convert_to_numpy(network({"picture": x})) == pytest.approx(expected, rel=1e-4)


def test_depths_that_are_none():
    for wrong, told in (
        (
            {"depth": 21},
            "6n \\+ 2 layers: 8, 14, 20, 26, …; the papers' are 20, 32, 44, 56, 110; got 21, nearest 20 or 26",
        ),
        ({"depth": 2}, "got 2, nearest 8"),
        ({"bottleneck": True, "depth": 32}, "9n \\+ 2 layers: 11, 20, 29, 38, …; .* got 32, nearest 29 or 38"),
    ):
        with pytest.raises(ValidationError, match=told):
            ResNet(**wrong)
    assert ResNet(bottleneck=True).depth == 20


@pytest.mark.parametrize("settings", [{}, {"version": 2}, {"bottleneck": True, "depth": 11}])
def test_pictures_of_any_size(settings):
    settings = {"depth": 8, **settings}
    for size in ((8, 8), (8, 31), (28, 28)):
        assert ResNet(**settings).build(picture(*size, channels=1), 5).output_shape == (None, 5)
    with pytest.raises(RecipeError, match=r"at least 8×8, these are 40×7; set input: \{size: \[32, 32\]\}"):
        ResNet(**settings).build(picture(40, 7), 5)


def test_maps_halve_and_double():
    network = ResNet(filters=8).build(picture(32), 10)
    shapes = [network.get_layer(f"conv{stage}_block3_add").output.shape[1:] for stage in (2, 3, 4)]
    assert shapes == [(32, 32, 8), (16, 16, 16), (8, 8, 32)]


@pytest.mark.parametrize("version", [1, 2])
def test_every_weight_has_a_gradient_and_learns(version):
    keras.utils.set_random_seed(0)
    network = ResNet(depth=8, filters=8, version=version, spatial_dropout=0.1).build(picture(16), 3)
    before = network.get_weights()
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 48)
    x = rng.random((48, 16, 16, 3)).astype("float32")
    x[np.arange(48), 4 * y, 2:14] = 3
    network.compile(keras.optimizers.Adam(3e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = network.fit({"picture": x}, y, epochs=8, batch_size=16, verbose=0).history["loss"]
    assert history[-1] < 0.5 * history[0]
    assert all((a != b).any() for a, b in zip(before, network.get_weights(), strict=True))


@pytest.mark.parametrize("version", [1, 2])
def test_what_check_says_of_its_layers(version):
    """Multiply-adds of ResNet-20 (the paper's table has 41 M) and the receptive fields of ResNet-8, both by hand."""
    whole = table(ResNet(version=version).build(picture(32), 10))
    stages = [6 * 32**2 * 2304, 16**2 * (4608 + 5 * 9216), 8**2 * (18432 + 5 * 36864)]
    assert whole["multiply_adds"] == 32**2 * 432 + sum(stages) + 640 == 40_551_040
    rows = {row["name"]: row for row in table(ResNet(depth=8, version=version).build(picture(40), 10))["layers"]}
    # Two 3×3 convolutions see 4 more each stage, in steps of 1, then 1 and 2, then 2 and 4 pixels.
    seen = [rows[f"conv{stage}_block1_add"]["receptive_field"] for stage in (2, 3, 4)]
    assert seen == [[7, 7], [13, 13], [25, 25]]
    assert rows["conv3_block1_shortcut"]["receptive_field"] == [7, 7]
    assert rows["conv3_block1_shortcut"]["multiply_adds"] == rows["conv3_block1_shortcut"]["parameters"] == 0
    assert rows["pool"]["receptive_field"] == "all"


def test_the_loss_at_the_start_is_what_the_first_step_sees():
    """In inference a fresh deep network has no running means, and its logits are huge: that is not its start."""
    keras.utils.set_random_seed(0)
    network = ResNet(depth=44, filters=4).build(picture(8), 3)
    rng = np.random.default_rng(0)
    some = Batch({"picture": rng.random((64, 8, 8, 3), np.float32)}, rng.integers(0, 3, 64), None)
    in_inference = network.predict_on_batch(some.x)
    first = first_outputs(network, some)
    assert first.shape == in_inference.shape == (64, 3)
    # Where nothing is normalised the variance grows by a factor with each of 21 units; normalised, each adds to it.
    assert np.abs(in_inference).max() > 5 * np.abs(first).max()
