"""Pictures a second of training a detector: `dlspec train` with mosaic and all, against a loop with batches in memory.

The loop is Keras' own train_step in a graph, the same network and loss, over the batches of one epoch that were made
before: augmented, their boxes assigned.  Processes in turn; of dlspec the time between the first and the last step of
each epoch but the first, of the loop every epoch but the first; medians.
Figure: at least 0.95 of the loop.

    python tests/benchmarks/detection_speed.py [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from figures import Figures, runs

from dlspec.recipe.load import load
from dlspec.report.watch import EpochReport, Watch

RECIPE = """
task: detection
data: {name: digit_scenes, count: 640, size: [96, 96], digits: [1, 5], side: [16, 40], split: {dev: 32, test: 0}}
input: {augment: {mosaic: 0.5, flip: horizontal, zoom: 0.2, shift: 0.1, brightness: 0.1, contrast: 0.1}}
model: {name: yolo, strides: [4, 8, 16], width: 48, backbone: {name: darknet, filters: 8}}
train: {seed: 1, epochs: 4, batch_size: 16}
"""


class Clock(Watch):
    """When the steps of every epoch were done, and how many they were."""

    def __init__(self) -> None:
        self.steps: list[tuple[int, int, float]] = []

    def step(self, epoch: int, step: int, loss: float) -> None:
        self.steps.append((epoch, step, time.perf_counter()))

    def epoch(self, report: EpochReport) -> None:
        self.rates = []
        for epoch in {one for one, _, _ in self.steps} - {min(one for one, _, _ in self.steps)}:
            own = [(step, at) for one, step, at in self.steps if one == epoch]
            self.rates.append((own[-1][0] - own[0][0]) / (own[-1][1] - own[0][1]))


def ours(file: Path) -> float:
    """Steps a second."""
    from dlspec.runs.train import train

    clock = Clock()
    train(load(file), out=file.parent / "runs", watch=clock)
    return statistics.median(clock.rates)


def by_hand(file: Path) -> float:
    from dlspec.runs.material import material_of
    from dlspec.runs.prepare import prepare

    recipe = load(file).recipe
    import keras
    import tensorflow as tf

    prepared = prepare(recipe, Watch())
    pipeline = material_of(recipe, prepared.state, prepared.splits, Watch()).pipeline
    batches = [batch for batch in pipeline.batches(0) if len(batch[1]) == pipeline.batch_size]
    network = recipe.task.build(recipe.model, prepared.state)
    network.compile(optimizer=keras.optimizers.Adam(), jit_compile=False, **recipe.task.compiled(prepared.state))
    step = tf.function(network.train_step)
    held = [tf.nest.map_structure(tf.convert_to_tensor, batch) for batch in batches]
    rates = []
    for epoch in range(recipe.train.epochs):
        began = time.perf_counter()
        for batch in held:
            step(batch)
        if epoch:
            rates.append(len(held) / (time.perf_counter() - began))
    return statistics.median(rates)


def child(how: str, file: Path) -> float:
    done = subprocess.run(
        [sys.executable, __file__, "--how", how, str(file)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{how} failed:\n{done.stderr[-2000:]}")
    return float(json.loads(done.stdout.strip().splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--how", nargs=2, help="for the processes of its own")
    told = parser.parse_args()
    if told.how:
        print(json.dumps({"ours": ours, "by_hand": by_hand}[told.how[0]](Path(told.how[1]))))
        return
    figures = Figures()
    with runs() as home:
        file = home / "recipe.yaml"
        file.write_text(RECIPE, encoding="utf-8")
        rates: dict[str, list[float]] = {"ours": [], "by_hand": []}
        for _ in range(told.rounds):
            for how, found in rates.items():
                found.append(child(how, file))
    mine, theirs = (statistics.median(found) * 16 for found in rates.values())
    said = f"dlspec {mine:.0f} pictures a second, by hand {theirs:.0f}: {mine / theirs:.3f} (at least 0.95)"
    figures.check(said, mine >= 0.95 * theirs)
    figures.leave()


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
main()
