"""One training for training_speed.py, in a process of its own: prints the seconds of every epoch but the first.

    python tests/benchmarks/training_child.py HOW CASE HOME [KEY=VALUE …]

HOW: `dlspec` (the whole path of `dlspec train`: its loop, health, TensorBoard, checkpoints, scores on a small dev set),
or what one writes by hand in Keras for the same network, data and batch: `arrays`, `arrays_32` (32 steps an
execution), `dataset_32` (cached tf.data, shuffled, prefetched), `compiled_32` (the same with XLA).
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dlspec.recipe.load import load
from dlspec.report.watch import EpochReport, Watch

ROWS, PICTURES = 100_000, 2_560
CASES = {
    "lenet5": """
task: classification
data: {name: idx, path: mnist, split: {dev: 64, test: 0}}
input: {size: [32, 32]}
model: lenet5
train: {epochs: 6, batch_size: 32}
""",
    "mlp": """
task: classification
data: {name: arrays, path: rows.npz, holds: table, split: {dev: 64, test: 0}}
model: {name: mlp, hidden: [64, 64]}
train: {epochs: 6, batch_size: 128}
""",
    "resnet": """
task: classification
data: {name: arrays, path: pictures.npz, split: {dev: 64, test: 0}}
model: {name: resnet, depth: 20}
train: {epochs: 3, batch_size: 128}
""",
    "vgg": """
task: classification
data: {name: arrays, path: pictures.npz, split: {dev: 64, test: 0}}
model: {name: vgg, depth: 11, stages: 3, filters: 16, units: 64}
train: {epochs: 12, batch_size: 64}
""",
    "inception": """
task: classification
data: {name: arrays, path: pictures.npz, split: {dev: 64, test: 0}}
model: {name: inception, stem: small, width: 0.25, normalization: batch}
train: {epochs: 6, batch_size: 64}
""",
    "mobilenet": """
task: classification
data: {name: arrays, path: pictures.npz, split: {dev: 64, test: 0}}
model: {name: mobilenet, stem: small, width: 0.35}
train: {epochs: 6, batch_size: 64}
""",
}


def recipe_of(case: str, home: Path) -> Path:
    """The recipe of a case, with its data, in a folder."""
    home.mkdir(parents=True, exist_ok=True)
    draws = np.random.default_rng(0)
    if case == "mlp" and not (home / "rows.npz").exists():
        x = draws.normal(size=(ROWS, 20)).astype(np.float32)
        np.savez(home / "rows.npz", x=x, y=(x[:, :3].prod(axis=1) > 0).astype(np.int32))
    if "pictures.npz" in CASES[case] and not (home / "pictures.npz").exists():
        y = draws.integers(0, 10, PICTURES)
        x = (draws.integers(0, 200, (PICTURES, 32, 32, 3)) + y[:, None, None, None] * 5).astype(np.uint8)
        np.savez(home / "pictures.npz", x=x, y=y)
    file = home / f"{case}.yaml"
    file.write_text(CASES[case], encoding="utf-8")
    return file


class Clock(Watch):
    """When every epoch had ended, with all that belongs to it."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def epoch(self, report: EpochReport) -> None:
        self.ends.append(time.perf_counter())


def dlspec(case: str, home: Path, sets: Sequence[str] = ()) -> tuple[list[float], int]:
    from dlspec.runs.train import train

    clock = Clock()
    trained = train(load(recipe_of(case, home), sets), out=home / "runs", watch=clock)
    examples = json.loads((trained.run / "data.json").read_text())["splits"]["train"]["examples"]
    return clock.ends, examples


def by_hand(how: str, case: str, home: Path) -> tuple[list[float], int]:
    """As one would write it; determinism, which dlspec promises, is not asked for."""
    recipe = load(recipe_of(case, home)).recipe
    import keras
    import tensorflow as tf

    from dlspec.runs.material import material_of
    from dlspec.runs.prepare import prepare

    prepared = prepare(recipe, Watch())
    pipeline = material_of(recipe, prepared.state, prepared.splits, Watch()).pipeline
    keras.utils.set_random_seed(0)
    x, y = pipeline.resident()[:2]  # type: ignore[index]
    [x] = x.values()
    network = recipe.task.build(recipe.model, prepared.state)
    examples, settled = len(y), dict(recipe.task.compiled(prepared.state))
    if heads := recipe.model.training_heads(network, recipe.task.outputs(prepared.state)):
        network = keras.Model(network.input, [network.output, *[head for head, _ in heads]])
        y, none = (y,) * len(network.outputs), [[] for _ in heads]
        shares = [1.0, *[share for _, share in heads]]
        settled |= {"loss": [settled["loss"]] * len(y), "loss_weights": shares, "metrics": [settled["metrics"], *none]}
    network.compile(
        optimizer=keras.optimizers.Adam(),
        steps_per_execution=32 if how.endswith("_32") else 1,
        jit_compile=how == "compiled_32",
        **settled,
    )
    ends: list[float] = []

    class Ends(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            ends.append(time.perf_counter())

    settings: dict[str, Any] = {"epochs": recipe.train.epochs, "verbose": 0, "callbacks": [Ends()]}
    size = recipe.train.batch_size
    if how.startswith("arrays"):
        network.fit(x, y, batch_size=size, **settings)
    else:
        batches = tf.data.Dataset.from_tensor_slices((x, y)).cache().shuffle(examples).batch(size).prefetch(4)
        options = tf.data.Options()
        options.autotune.enabled = False  # with it on, `fit` waits after its last step
        network.fit(batches.with_options(options), **settings)
    return ends, examples


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    how, case, home = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    ends, examples = dlspec(case, home, sys.argv[4:]) if how == "dlspec" else by_hand(how, case, home)
    print(json.dumps({"seconds": list(np.diff(ends)), "examples": examples}))
