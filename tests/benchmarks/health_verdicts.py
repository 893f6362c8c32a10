"""What the health of four kinds of training is called, on three seeds each; and whether the suggested change mends it.

A network of 30 sigmoid layers with small normal weights (vanishing), one of 30 rectified layers with He's weights
times 2 (exploding), one whose learning rate is 100 times too high, and a healthy one; on digits, 5 epochs.
Figures: each is called by its name, or dead where the rate is too high; the first three are healthy with the change.

    python tests/benchmarks/health_verdicts.py

The thresholds were set while looking at seeds 1 to 3; these are others.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from figures import Figures, runs

from dlspec.recipe.load import load
from dlspec.runs.train import train
from dlspec.types import UserError

SEEDS = (11, 12, 13)
DEEP = "[" + ", ".join(["64"] * 30) + "]"
RECIPE = """
task: classification
data: {{name: digits, split: {{dev: 0.15, test: 0.15}}}}
model: {model}
train: {{epochs: 5, batch_size: 64, seed: {seed}, optimizer: {{name: adam, learning_rate: {rate}}}}}
"""
CASES = {
    "vanishing": (f"{{name: mlp, hidden: {DEEP}, activation: sigmoid, initializer: random_normal}}", 0.001),
    "exploding": (f"{{name: mlp, hidden: {DEEP}, initializer: {{name: he_normal, scale: 2}}}}", 0.001),
    "learning_rate_too_high": ("{name: mlp, hidden: [64, 64, 64]}", 0.1),
    "healthy": ("{name: mlp, hidden: [64, 64, 64]}", 0.001),
}


def health(recipe: Path, out: Path) -> tuple[dict[str, Any], Path]:
    """health.json of a training, and its run; a training that diverges has them as well."""
    try:
        run = train(load(recipe), out=out).run
    except UserError:
        run = max(out.glob("*/*"), key=lambda one: one.stat().st_mtime)
    return json.loads((run / "health.json").read_text()), run


figures = Figures()
with runs() as home:
    for name, (model, rate) in CASES.items():
        for seed in SEEDS:
            recipe = home / f"{name}_{seed}.yaml"
            recipe.write_text(RECIPE.format(model=model, seed=seed, rate=rate), encoding="utf-8")
            found, run = health(recipe, home / "runs")
            right = found["verdict"] == name or (name == "learning_rate_too_high" and found["verdict"] == "dead")
            said = f"{name}, seed {seed}: {found['verdict']}"
            if name != "healthy":
                again, _ = health(run / "suggestions" / "health.yaml", home / f"mended_{name}_{seed}")
                said += f"; with {found['change']}: {again['verdict']}"
                right = right and again["verdict"] == "healthy"
            figures.check(said, right)
figures.leave()
