"""The adding problem (Hochreiter & Schmidhuber 1997): simple cells beside GRU and LSTM, and how far gradients reach.

Of 60 steps two are marked, and their numbers are to be added; whoever says the mean has a mean squared error of 1/6.
Printed: the error on dev, and of the gradient at its largest, what is left of it at the first step, as health.json has
it: of the fresh network, and as last seen.

Figures: GRU and LSTM at most 0.02, simple cells above 0.05.

    python tests/benchmarks/long_memory.py [--steps 60] [--epochs 15]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from figures import Figures, runs

from dlspec.recipe.load import load
from dlspec.runs.train import train

RECIPE = """
task: regression
data: {{name: arrays, path: adding.npz, holds: series, split: {{dev: 0.1, test: 0}}}}
model: {{name: rnn, cell: {cell}, units: 48}}
train:
  seed: 1
  epochs: {epochs}
  batch_size: 50
  optimizer: {{name: adam, learning_rate: 5e-3}}
  clip: {{global_norm: 1}}
"""


def adding(folder: Path, steps: int, count: int = 6000) -> None:
    """Numbers of 0 to 1, two of them marked, one in each half; and their sum."""
    random = np.random.default_rng(0)
    x = np.zeros((count, steps, 2))
    x[:, :, 0] = random.uniform(size=(count, steps))
    first, second = random.integers(0, steps // 2, count), random.integers(steps // 2, steps, count)
    rows = np.arange(count)
    x[rows, first, 1] = x[rows, second, 1] = 1
    np.savez(folder / "adding.npz", x=x, y=x[rows, first, 0] + x[rows, second, 0])


arguments = argparse.ArgumentParser()
arguments.add_argument("--steps", type=int, default=60)
arguments.add_argument("--epochs", type=int, default=15)
given = arguments.parse_args()
figures = Figures()
with runs() as out:
    adding(out, given.steps)
    for cell in ("simple", "gru", "lstm"):
        (out / f"{cell}.yaml").write_text(RECIPE.format(cell=cell, epochs=given.epochs))
        done = train(load(out / f"{cell}.yaml"), out=out / "runs")
        error = done.scores["dev"]["rmse"]["value"] ** 2
        for look in json.loads((done.run / "health.json").read_text())["over_time"]:
            gradient = look["layers"][0]["gradient"]
            reach = sum(one >= max(gradient) / 100 for one in gradient)
            left = gradient[-1] / max(gradient)
            print(f"{cell}, step {look['step']:,}: {left:.1e} left at the first step; {reach} steps get 1 % or more")
        reached = error > 0.05 if cell == "simple" else error <= 0.02
        figures.check(f"{cell}: mean squared error on dev {error:.4f} ({1 / 6:.4f} says the mean)", reached)
figures.leave()
