"""The same recipe and seed give the same weights to the bit; another seed gives others.

Each recipe is trained by `dlspec train` in two processes, in a third with another seed, and in this process after
another training.  LeNet-5 on the digits, and a multilayer perceptron with dropout and batch normalisation on a CSV.
Figure: identical to the bit; different.

    python tests/benchmarks/determinism.py
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

from figures import Figures, runs

from dlspec.recipe.load import load
from dlspec.runs.opened import open_run
from dlspec.runs.train import train

TABLE = """
task: classification
data: {name: csv, path: tumours.csv, target: diagnosis}
model: {name: mlp, hidden: [32, 32], dropout: 0.3, normalization: batch}
train: {seed: 1, epochs: 5}
"""


def weights(run: str | Path) -> list[bytes]:
    """The saved network's variables, byte by byte."""
    return [array.tobytes() for array in open_run(run).network.get_weights()]


def elsewhere(recipe: str, seed: int, out: Path) -> list[bytes]:
    """The weights that a process of its own trains."""
    sets = ["--set", f"train.seed={seed}", "--set", "train.epochs=5"]
    command = [sys.executable, "-c", "from dlspec.cli import main; main()", "train", recipe, *sets]
    done = subprocess.run([*command, "--out", str(out), "--json"], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return weights(json.loads(done.stdout)["run"])


figures = Figures()
with runs() as out:
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer()
    with open(out / "tumours.csv", "w", newline="", encoding="utf-8") as text:
        writer = csv.writer(text)
        writer.writerow([*data.feature_names, "diagnosis"])
        writer.writerows([*row, data.target_names[label]] for row, label in zip(data.data, data.target, strict=True))
    (out / "tumours_mlp.yaml").write_text(TABLE, encoding="utf-8")
    for recipe in ("classification/digits_lenet5", str(out / "tumours_mlp.yaml")):
        name = Path(recipe).stem
        first, second, other = (elsewhere(recipe, seed, out) for seed in (1, 1, 2))
        here = weights(train(load(recipe, ["train.seed=1", "train.epochs=5"]), out=out).run)
        size = sum(map(len, first)) // 4
        figures.check(f"{name}: the same seed in two processes, {size:,} numbers identical to the bit", first == second)
        figures.check(f"{name}: and in a process that has done other things", first == here)
        same = sum(a == b for a, b in zip(first, other, strict=True))
        figures.check(f"{name}: another seed, other weights ({same} of {len(first)} arrays equal)", first != other)
figures.leave()
