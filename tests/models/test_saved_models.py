"""Model files open in a fresh process after `import dlspec.layers` alone, or with nothing of dlspec where they can."""

import subprocess
import sys

import keras
import numpy as np

from dlspec.models.tabular.linear import Linear
from dlspec.models.tabular.mlp import MLP
from dlspec.models.vision.lenet5 import LeNet5
from dlspec.models.vision.resnet import ResNet

MIXED = {
    "numeric": {"shape": [3], "dtype": "float32"},
    "categories": {"shape": [2], "dtype": "int32", "sizes": [4, 30]},
}
PICTURE = {"picture": {"shape": [32, 32, 1], "dtype": "float32"}}
PLAIN = {
    "linear": (Linear(initializer="glorot_normal"), MIXED),
    "mlp": (MLP(dropout=0.2, normalization="batch", initializer={"name": "he_normal", "scale": 2.0}), MIXED),
    "mlp_group": (MLP(normalization="group", initializer={"name": "orthogonal", "scale": 0.5}), MIXED),
    "lenet5": (LeNet5(), PICTURE),
    "lenet5_layer": (LeNet5(normalization="layer", dropout=0.2, spatial_dropout=0.1), PICTURE),
    "resnet_projection": (ResNet(depth=8, shortcut="projection", spatial_dropout=0.1), PICTURE),
}
CUSTOM = {
    "lenet5_paper": (LeNet5(form="paper", dropout=0.2, normalization="batch"), PICTURE),
    "resnet": (ResNet(depth=8), PICTURE),
    "resnet_bottleneck": (ResNet(depth=11, bottleneck=True, version=2, normalization="group"), PICTURE),
}
SCRIPT = """
import sys
import keras, numpy as np
if sys.argv[2] == "layers":
    import dlspec.layers
for name in sys.argv[3:]:
    model = keras.saving.load_model(f"{sys.argv[1]}/{name}.keras")
    arrays = dict(np.load(f"{sys.argv[1]}/{name}.npz"))
    expected = arrays.pop("expected")
    assert np.array_equal(keras.ops.convert_to_numpy(model(arrays)), expected), name
ours = {m for m in sys.modules if m.startswith("dlspec.") and not m.startswith("dlspec.layers")}
assert not ours, ours
assert sys.argv[2] == "layers" or "dlspec" not in sys.modules
print("opened", len(sys.argv) - 3)
"""


def arrays_for(inputs, rng):
    return {
        name: rng.integers(0, spec["sizes"], (4, *spec["shape"])).astype("int32")
        if "sizes" in spec
        else rng.random((4, *spec["shape"])).astype("float32")
        for name, spec in inputs.items()
    }


def opened(folder, models, how):
    rng = np.random.default_rng(0)
    for name, (component, inputs) in models.items():
        model = component.build(inputs, 3)
        model.save(folder / f"{name}.keras")
        arrays = arrays_for(inputs, rng)
        np.savez(folder / f"{name}.npz", **arrays, expected=keras.ops.convert_to_numpy(model(arrays)))
    command = [sys.executable, "-c", SCRIPT, str(folder), how, *models]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert done.stdout.strip() == f"opened {len(models)}", done.stderr[-2000:]


def test_models_without_custom_layers_open_without_dlspec(tmp_path):
    opened(tmp_path, PLAIN, "nothing")


def test_models_with_custom_layers_open_after_importing_them(tmp_path):
    opened(tmp_path, CUSTOM, "layers")
