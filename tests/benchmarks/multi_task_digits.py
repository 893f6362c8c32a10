"""One network with three heads against three networks: digits of which half of the labels are missing, several seeds.

python tests/benchmarks/multi_task_digits.py [--seeds 5] [--epochs 30]: accuracy on test of each head and of its own
single-task model (classification of the examples whose label is known), their difference with a 95 % interval over the
seeds (Student's t), and what the trainings cost.
"""

import argparse
import math
import tempfile
import time
from pathlib import Path

import numpy as np

from dlspec.recipe.load import load
from dlspec.runs.evaluate import evaluate
from dlspec.runs.opened import open_run
from dlspec.runs.train import train

HEADS = ("digit", "parity", "size")
REST = """
input: {{size: [32, 32], augment: {{shift: 0.1}}}}
model: {{name: lenet5, activation: relu}}
train: {{seed: {seed}, epochs: {epochs}, batch_size: 32, optimizer: {{name: adam, learning_rate: 1e-3}}}}
"""
MANY = """
task:
  name: multi_task
  weighting: {weighting}
  heads: {{digit: classification, parity: classification, size: classification}}
data: {{name: digits, attributes: [digit, parity, size], missing: 0.5, split: {{dev: 0.15, test: 0.15, seed: {seed}}}}}
"""
ONE = """
task: classification
data: {{name: digits, split: {{dev: 0.15, test: 0.15, seed: {seed}}}}}
"""
T_975 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 8: 2.365, 10: 2.262}


def trained(text, folder, splits=None):
    file = folder / "recipe.yaml"
    file.write_text(text)
    start = time.perf_counter()
    done = train(load(file), out=folder / "runs", splits=splits)
    return done, time.perf_counter() - start


def single(splits, head):
    """The splits with the truth of one head alone, without train's examples that lack it."""
    parts = {}
    for name, part in splits.parts.items():
        y = [one and one[head] for one in part.columns["y"]]
        known = [place for place, row in enumerate(part.rows) if y[row] is not None]
        parts[name] = part.replace(y=y).take(known)
    return splits.with_parts(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--weighting", default="fixed", choices=["fixed", "uncertainty"])
    asked = parser.parse_args()
    scores = {kind: {head: [] for head in HEADS} for kind in ("one network", "its own")}
    seconds = {"one network": [], "its own": []}
    examples = {"one network": [], "its own": []}
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        for seed in range(1, asked.seeds + 1):
            own = {"seed": seed, "epochs": asked.epochs, "weighting": asked.weighting}
            done, took = trained((MANY + REST).format(**own), folder)
            found = evaluate(done.run, splits=["test"])["scores"]["test"]
            splits = load(folder / "recipe.yaml").recipe.data.read()
            seconds["one network"].append(took)
            examples["one network"].append(done.epochs * len(splits["train"]))
            spent, seen = 0.0, 0
            for head in HEADS:
                scores["one network"][head].append(found[f"{head}.accuracy"]["value"])
                part = single(splits, head)
                alone, took = trained((ONE + REST).format(**own), folder, part)
                opened = open_run(alone.run)
                truth = [str(one) for one in part["test"].column("y")]
                classes = opened.state["task"]["classes"]
                guess = [classes[row] for row in opened.predictions(part["test"]).argmax(axis=1)]
                scores["its own"][head].append(float(np.mean([a == b for a, b in zip(truth, guess, strict=True)])))
                spent, seen = spent + took, seen + alone.epochs * len(part["train"])
            seconds["its own"].append(spent)
            examples["its own"].append(seen)
            pairs = {head: [scores[kind][head][-1] for kind in scores] for head in HEADS}
            said = "; ".join(f"{head} {many:.4f} against {one:.4f}" for head, (many, one) in pairs.items())
            print(f"seed {seed}: {said}", flush=True)
    print(f"\naccuracy on test, mean over {asked.seeds} seeds ({asked.weighting} weights)")
    for head in HEADS:
        many, one = (np.array(scores[kind][head]) for kind in ("one network", "its own"))
        apart = many - one
        half = T_975.get(asked.seeds, 2) * apart.std(ddof=1) / math.sqrt(asked.seeds) if asked.seeds > 1 else math.nan
        worse = "significantly worse" if apart.mean() + half < 0 else "not significantly worse"
        print(
            f"{head:8} one network {many.mean():.4f}, its own {one.mean():.4f}, "
            f"difference {apart.mean():+.4f} ({apart.mean() - half:+.4f} to {apart.mean() + half:+.4f}): {worse}"
        )
    for kind in seconds:
        print(
            f"{kind:12} {np.mean(seconds[kind]):.1f} s a seed (median {np.median(seconds[kind]):.1f}), "
            f"{np.mean(examples[kind]):,.0f} examples shown"
        )


if __name__ == "__main__":
    main()
