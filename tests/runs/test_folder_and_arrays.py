"""The same pictures through a folder of files and through arrays: the same weights after one epoch, to the bit."""

import io

import numpy as np
import pytest
from PIL import Image

from dlspec.recipe.load import load
from dlspec.runs.train import train

RECIPE = """
task: classification
data: {{name: {reader}, path: {path}}}
input: {{size: [32, 32], scale: {scale}, channels: {channels}, fit: {fit}, augment: {augment}}}
model: {{name: lenet5}}
train: {{epochs: 1, batch_size: 8, seed: 5}}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """JPEG of 45×61, train and dev, and the same pictures, decoded by Pillow, as x_train, y_train, x_dev, y_dev."""
    home, draws, arrays = tmp_path_factory.mktemp("both"), np.random.default_rng(7), {}
    for split, count in (("train", 21), ("dev", 6)):
        x, y = [], []
        for name in ("cat", "dog"):
            folder = home / "files" / split / name
            folder.mkdir(parents=True)
            for i in range(count):
                smooth = Image.fromarray(draws.integers(0, 256, (9, 12, 3), dtype=np.uint8)).resize((61, 45))
                file = io.BytesIO()
                smooth.save(file, "JPEG")
                (folder / f"{i:03}.jpg").write_bytes(file.getvalue())
                x.append(np.asarray(Image.open(file).convert("RGB")))
                y.append(name)
        arrays |= {f"x_{split}": np.stack(x), f"y_{split}": np.array(y)}
    np.savez(home / "both.npz", **arrays)
    return home


def weights(home, **settings):
    import keras

    (home / "recipe.yaml").write_text(RECIPE.format(**settings))
    run = train(load(home / "recipe.yaml"), out=home / "runs").run
    return keras.saving.load_model(run / "model.keras", compile=False).get_weights()


@pytest.mark.parametrize(
    ("scale", "channels", "fit", "augment"),
    [
        ("unit", 3, "stretch", "{}"),
        ("standard", 3, "letterbox", "{shift: 0.1, rotate: 10, brightness: 0.2, cutmix: 1.0}"),
        ("signed", 1, "pad", "{flip: horizontal, noise: 0.05}"),
    ],
)
def test_the_same_weights_to_the_bit(home, scale, channels, fit, augment):
    settings = {"scale": scale, "channels": channels, "fit": fit, "augment": augment}
    files = weights(home, reader="image_folder", path="files", **settings)
    arrays = weights(home, reader="arrays", path="both.npz", **settings)
    for one, other in zip(files, arrays, strict=True):
        np.testing.assert_array_equal(one, other)
    assert any(np.ptp(one) > 0 for one in files)
