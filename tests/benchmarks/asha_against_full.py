"""Successive halving (ASHA) against training every recipe to its end: LeNet-5 on MNIST, 40 recipes, three seeds.

Both searches draw the same recipes (`tune.seed`) and train them from the same weights, so that a trial that is not
given up comes to the same bits in both.  Each is scored by dev accuracy of the weights it keeps (its best epoch); steps
are counted from the runs' own histories.  A subset keeps it short: of train's first 10,000 images, 5,000 are trained on
and 2,500 are dev, for 15 epochs (half of what the recipe `mnist_lenet5` has).  `compile: "off"`, since what is measured
while training would make bits differ.

The share of steps hangs on how many rungs (after 1, 3, 9, … epochs) a training has, and is larger than the share of
epochs: small batches are ahead after an epoch, and take more steps.

Figures, for each seed: ASHA's best within 0.3 points of the full search's, at no more than 0.4 of its steps.

    DLSPEC_DATA=… python tests/benchmarks/asha_against_full.py [--trials 40] [--workers 2] [--reduction 3]
        [--home DIR] [SEED …]
"""

from __future__ import annotations

import argparse
import contextlib
import math
import time
from pathlib import Path
from typing import Any

from figures import Figures, require_data, runs

from dlspec.recipe.load import load
from dlspec.runs.folder import read_history
from dlspec.tuning.search import tune

TRAIN, DEV, EPOCHS = 5000, 2500, 15
RECIPE = f"""
task: classification
data: {{name: idx, path: mnist, split: {{dev: {DEV}, train: {TRAIN}}}}}
input: {{size: [32, 32]}}
model: {{name: lenet5, activation: relu}}
train: {{epochs: {EPOCHS}, batch_size: 64, compile: "off", tensorboard: false, health: false}}
tune:
  space:
    train.optimizer.learning_rate: {{log_uniform: [1e-4, 1e-1]}}
    train.optimizer.beta_1: {{one_minus_log_uniform: [0.5, 0.99]}}
    train.batch_size: {{choice: [32, 64, 128, 256]}}
    train.l2: {{log_uniform: [1e-6, 1e-2]}}
    model.dropout: {{uniform: [0, 0.5]}}
"""
POINTS, SHARE = 0.3, 0.4


def searched(
    home: Path, name: str, seed: int, trials: int, workers: int, reduction: int
) -> tuple[dict[str, Any], int, float]:
    """What a search found, the steps of all its trials, seconds; of one that is there already, as it is."""
    file = home / f"{name}.yaml"
    pruner = f"  pruner: asha\n  reduction: {reduction}\n" if name == "asha" else ""
    file.write_text(RECIPE + pruner, encoding="utf-8")
    began = time.perf_counter()
    there = next((home / f"seed{seed}" / f"{name}-tune").glob("*"), None)
    result = tune(
        None if there else load(file, [f"tune.seed={seed}", f"train.seed={seed}"]),
        trials=trials,
        workers=workers,
        out=home / f"seed{seed}",
        resume=there,
    )
    seconds = time.perf_counter() - began
    epochs = {one["number"]: len(read_history(Path(one["run"]) / "history.csv")) for one in result["trials"]}
    print(f"seed {seed}, {name}: {sum(epochs.values())} epochs of {EPOCHS * trials}", flush=True)
    batches = {one["number"]: one["params"]["train.batch_size"] for one in result["trials"]}
    return result, sum(epochs[number] * math.ceil(TRAIN / batches[number]) for number in epochs), seconds


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--reduction", type=int, default=3, help="one trial in so many goes on")
    parser.add_argument("--home", type=Path, help="keep the searches there; those that are there are not made again")
    parser.add_argument("seeds", nargs="*", type=int, default=[1, 2, 3])
    told = parser.parse_args()
    require_data()
    figures = Figures()
    data = f"train {TRAIN:,}, dev {DEV:,} of MNIST's first 10,000; 1 in {told.reduction} goes on"
    print(f"{told.trials} trials, {told.workers} workers; {data}; {EPOCHS} epochs", flush=True)
    with contextlib.nullcontext(told.home) if told.home else runs() as home:
        home.mkdir(parents=True, exist_ok=True)
        for seed in told.seeds:
            asked = (seed, told.trials, told.workers, told.reduction)
            found = {name: searched(home, name, *asked) for name in ("asha", "full")}
            for name, (result, steps, seconds) in found.items():
                states = [one["state"] for one in result["trials"]]
                counts = ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states)))
                best = result["best"]
                print(
                    f"seed {seed}, {name}: best dev accuracy {best['value']:.4f} (trial {best['number']}), "
                    f"{steps:,} steps, {seconds:.0f} s; {counts}",
                    flush=True,
                )
            (asha, mine, _), (full, whole, _) = found["asha"], found["full"]
            apart = 100 * (full["best"]["value"] - asha["best"]["value"])
            place = 1 + sum(one["values"][0] > asha["best"]["value"] for one in full["trials"] if one["values"])
            figures.check(
                f"seed {seed}: ASHA's best is {apart:.2f} points below the full search's (at most {POINTS}), place "
                f"{place} of its {told.trials}, at {mine / whole:.3f} of its steps (at most {SHARE})",
                apart <= POINTS and mine / whole <= SHARE,
            )
    figures.leave()


if __name__ == "__main__":
    main()
