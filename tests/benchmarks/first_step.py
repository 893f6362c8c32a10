"""From the command to the first step of training: `dlspec train` against a bare script for the same work.

The script reads the same data, builds the same network and takes one step.  Whole processes, in turn, medians.
Figure: within 1 s of the script.

    python tests/benchmarks/first_step.py [repeats]

LeNet-5 on MNIST's original files (needs $DLSPEC_DATA) and a multilayer perceptron on 100,000 rows.
"""

from __future__ import annotations

import os
import statistics
import sys

from figures import Figures, processes, require_data, runs
from training_child import recipe_of

OURS = """
import os, sys
from dlspec.runs import observer

def first(self, *given):
    os._exit(0)

observer.Observer.stepped = first
from dlspec.cli import main
main()
"""
READ = {
    "lenet5": """
import glob, gzip
folder = os.environ["DLSPEC_DATA"] + "/mnist/"
x = np.frombuffer(gzip.open(glob.glob(folder + "train*images*")[0]).read(), np.uint8, offset=16).reshape(-1, 28, 28, 1)
y = np.frombuffer(gzip.open(glob.glob(folder + "train*labels*")[0]).read(), np.uint8, offset=8).astype(np.int32)
x = np.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0))).astype(np.float32) / 255
""",
    "mlp": """
with np.load(sys.argv[1] + "/rows.npz") as held:
    x, y = held["x"], held["y"].astype(np.float32)[:, None]
x = (x - x.mean(0)) / x.std(0)
""",
}
NETWORK = {
    "lenet5": """
network = keras.Sequential([
    keras.Input(x.shape[1:]), layers.Conv2D(6, 5, activation="relu"), layers.MaxPooling2D(),
    layers.Conv2D(16, 5, activation="relu"), layers.MaxPooling2D(), layers.Flatten(),
    layers.Dense(120, activation="relu"), layers.Dense(84, activation="relu"), layers.Dense(10)])
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
""",
    "mlp": """
network = keras.Sequential([
    keras.Input(x.shape[1:]), layers.Dense(64, activation="relu"), layers.Dense(64, activation="relu"),
    layers.Dense(1)])
loss = keras.losses.BinaryCrossentropy(from_logits=True)
""",
}
SCRIPT = """
import os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import keras
from keras import layers
{read}
{network}
network.compile("adam", loss)
network.train_on_batch(x[:{size}], y[:{size}])
os._exit(0)
"""


def main(repeats: int) -> None:
    require_data()
    figures = Figures()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    with runs() as home:
        for case, size in (("lenet5", 32), ("mlp", 128)):
            script = SCRIPT.format(read=READ[case], network=NETWORK[case], size=size)
            commands = {
                "dlspec": [sys.executable, "-c", OURS, "train", str(recipe_of(case, home)), "--out", str(home / "out")],
                "script": [sys.executable, "-c", script, str(home)],
            }
            seconds = processes(commands, repeats=repeats)
            mine, bare = (statistics.median(seconds[name]) for name in ("dlspec", "script"))
            figures.check(
                f"{case}: first step after {mine:.2f} s, of the script after {bare:.2f} s: {mine - bare:+.2f} s "
                f"(at most +1); {', '.join(f'{a:.2f}/{b:.2f}' for a, b in zip(*seconds.values(), strict=True))}",
                mine - bare <= 1,
            )
    figures.leave()


main(int(sys.argv[1]) if sys.argv[1:] else 5)
