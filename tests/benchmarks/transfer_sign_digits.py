"""Transfer learning on 1,237 photographs of hands, beside a small resnet from nothing; five folds each.

MobileNetV2 with weights learned on ImageNet: its base frozen; frozen at first, then set free part by part; set free
whole, with more augmentation and the weights averaged. Each fold is test once. What is compared is who is right on the
same photographs: the difference of the accuracies with a bootstrap interval over photographs, and the exact test of
McNemar (1947).

Figures: mean accuracy with the base frozen at least 0.95, all five folds in less than 3 minutes; epochs after the first
at least 20 times faster than without features worked out once (trainings in turn); transfer, frozen and set free, ahead
of the resnet beyond chance. Needs $DLSPEC_DATA/sign_digits and $DLSPEC_DATA/weights.

With --photos each fold is trained on so many photographs instead of all others; the resnet takes as many steps then as
with all, as it learns from nothing.

    DLSPEC_DATA=… python tests/benchmarks/transfer_sign_digits.py [--depth 8] [--photos N] [--only folds|speed]
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path

import numpy as np
from figures import Figures, require_data, runs, spoken
from scipy import stats

from dlspec.recipe.load import load
from dlspec.runs.opened import open_run
from dlspec.runs.train import train

FROZEN = "classification/sign_digits_mobilenetv2"
FOLDS = 5
EPOCHS = 4
"""of a training whose epochs are timed"""
PHOTOS = 803
"""that a fold is trained on, where dev and test are a fold each"""
EPOCHS_FROM_NOTHING, PATIENCE_FROM_NOTHING = 25, 8
"""as in the recipe of the resnet"""
FREE = (
    "train.unfreeze={after: 15, parts: 3, every: 5, from_layer: block_14_expand}",
    "train.first_layer_rate=0.01",
    "train.optimizer.learning_rate=0.0005",
    "train.epochs=50",
)
WHOLE = (
    "train.unfreeze={after: 6, parts: 1}",
    "train.first_layer_rate=0.1",
    "train.optimizer.learning_rate=0.0005",
    "train.schedule={name: cosine}",
    "train.average={momentum: 0.98}",
    "input.augment={shift: 0.08, zoom: 0.1, rotate: 10, brightness: 0.1}",
    "train.epochs=18",
)


def held_out(recipe: str, *sets: str, out: Path) -> tuple[dict[str, bool], list[float], float]:
    """Whether each photograph was guessed right when its fold was held out; accuracies by fold; seconds of training."""
    right: dict[str, bool] = {}
    accuracies, seconds = list[float](), 0.0
    for fold in range(FOLDS):
        fold_of = (f"data.split.folds={FOLDS}", f"data.split.fold={fold}", "data.split.fold_is=test")
        began = time.perf_counter()
        run = open_run(train(load(recipe, (*fold_of, *sets)), out=out).run)
        seconds += time.perf_counter() - began
        test = run.splits()["test"]
        classes = run.state["task"]["classes"]
        guesses = [classes[i] for i in run.predictions(test).argmax(axis=1)]
        hits = [guess == str(truth) for guess, truth in zip(guesses, test.column("y"), strict=True)]
        right |= dict(zip(test.ids, hits, strict=True))
        accuracies.append(sum(hits) / len(hits))
        print(f"  fold {fold}: accuracy {accuracies[-1]:.4f}, {time.perf_counter() - began:.1f} s", flush=True)
    return right, accuracies, seconds


def ahead(one: dict[str, bool], other: dict[str, bool]) -> tuple[float, float, float, float]:
    """Difference of the accuracies, its 95 % interval, and McNemar's exact p."""
    a, b = (np.array([each[name] for name in sorted(one)], float) for each in (one, other))
    drawn = np.random.default_rng(0).integers(0, len(a), (10_000, len(a)))
    low, high = np.quantile((a - b)[drawn].mean(axis=1), [0.025, 0.975])
    only_a, only_b = int(((a == 1) & (b == 0)).sum()), int(((a == 0) & (b == 1)).sum())
    p = stats.binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    return float((a - b).mean()), float(low), float(high), float(p)


def seconds_an_epoch(*sets: str, out: Path) -> float:
    """The mean over the epochs after the first."""
    plain = (f"train.epochs={EPOCHS}", "train.early_stopping=null", "train.tensorboard=false")
    run = train(load(FROZEN, (*plain, *sets)), out=out).run
    rows = list(csv.DictReader((run / "history.csv").read_text(encoding="utf-8").splitlines()))
    return float(np.mean([float(row["seconds"]) for row in rows[1:]]))


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--depth", type=int, default=8, help="of the resnet from nothing")
    asked.add_argument("--photos", type=int, help="to train each fold on; all others by default")
    asked.add_argument("--rounds", type=int, default=3, help="of trainings in turn that are timed")
    asked.add_argument("--only", choices=("folds", "speed"))
    given = asked.parse_args()
    require_data()
    figures = Figures()
    with runs() as out:
        if given.only != "folds":
            speed(figures, given.rounds, out)
        if given.only != "speed":
            folds(figures, given.depth, given.photos, out)
    figures.leave()


def speed(figures: Figures, rounds: int, out: Path) -> None:
    """Epochs with features worked out once, and without."""
    times: dict[str, list[float]] = {"auto": [], "off": []}
    for number in range(rounds):
        for setting, found in times.items():
            found.append(seconds_an_epoch(f"train.features={setting}", out=out))
        print(f"round {number + 1}: {times['auto'][-1]:.3f} s an epoch with features, {times['off'][-1]:.2f} without")
    ratio = float(np.median(times["off"]) / np.median(times["auto"]))
    figures.check(f"an epoch after the first is {ratio:.0f} times faster with features; at least 20", ratio >= 20)


def folds(figures: Figures, depth: int, photos: int | None, out: Path) -> None:
    """Accuracies on the folds held out, side by side."""
    few = (f"data.split.train={photos}",) if photos else ()
    times = PHOTOS / photos if photos else 1.0
    from_nothing = (f"model.depth={depth}", f"train.epochs={EPOCHS_FROM_NOTHING * times:.0f}",
                    f"train.early_stopping.patience={PATIENCE_FROM_NOTHING * times:.0f}")  # fmt: skip
    kinds = {
        "base frozen": (FROZEN, few),
        "base set free part by part": (FROZEN, (*FREE, *few)),
        "base set free whole": (FROZEN, (*WHOLE, *few)),
        f"resnet{depth} from nothing": ("classification/sign_digits_resnet20", (*from_nothing, *few)),
    }
    right, said, seconds = {}, {}, {}
    for kind, (recipe, sets) in kinds.items():
        print(kind, flush=True)
        right[kind], accuracies, seconds[kind] = held_out(recipe, *sets, out=out)
        said[kind] = accuracies
    print()
    for kind, accuracies in said.items():
        print(f"{kind:30} mean accuracy {spoken(accuracies)}, {seconds[kind]:.0f} s of training in all")
    frozen, *free, nothing = kinds
    mean = float(np.mean(said[frozen]))
    figures.check(f"{frozen}: mean accuracy {mean:.4f}; at least 0.95", mean >= 0.95)
    figures.check(f"{frozen}: {FOLDS} folds in {seconds[frozen]:.0f} s; less than 180", seconds[frozen] < 180)
    for kind in (frozen, *free):
        by, low, high, p = ahead(right[kind], right[nothing])
        figures.check(
            f"{kind} is ahead of {nothing} by {by:.4f} (95 % interval {low:.4f} to {high:.4f}, p {p:.2g}); above 0",
            low > 0 and p < 0.05,
        )


if __name__ == "__main__":
    main()
