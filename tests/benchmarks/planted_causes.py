"""Twelve trainings, each with one cause of error planted, on three seeds: is it named, and does the first patch help?

Figures: the planted cause is named first by the median seed in at least 11 of 12; the first patch, trained as it is,
narrows what was named in at least 9.  Rules were tuned while looking at those under TUNED; the others stand apart.

    DLSPEC_DATA=… python tests/benchmarks/planted_causes.py [NAME …] [--seeds 21 22 23]

A gap is narrowed where its value is smaller.  Where no gap was named, an illness is gone, or dev scores better.
Of the healthy one nothing is to be named.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from figures import Figures, runs
from PIL import Image, ImageFilter
from scipy.stats import norm

from dlspec.recipe.load import load
from dlspec.report.watch import Watch
from dlspec.runs.evaluate import evaluate
from dlspec.runs.folder import read_json
from dlspec.runs.ledger import named
from dlspec.runs.train import train

DATA = Path(os.environ["DLSPEC_DATA"])
TRIES = 200
"""by which dev is overfitted"""


class Plant(NamedTuple):
    """A recipe, and the cause that is planted in it; None: none."""

    recipe: str
    cause: str | None


def digits_of(name: str) -> tuple[np.ndarray, np.ndarray]:
    def read(kind: str, skip: int) -> np.ndarray:
        with gzip.open(DATA / "mnist" / f"{name}-{kind}-ubyte.gz") as file:
            return np.frombuffer(file.read(), np.uint8, offset=skip)

    return read("images-idx3", 16).reshape(-1, 28, 28), read("labels-idx1", 8)


def drawn(seed: int, train: int, dev: int = 1000) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """MNIST's digits, drawn anew with every seed."""
    random = np.random.default_rng(seed)
    (x, y), (others, truths) = digits_of("train10k"), digits_of("t10k")
    rows, rest = random.permutation(len(y))[:train], random.permutation(len(truths))
    return {
        "train": (x[rows], y[rows]),
        "dev": (others[rest[:dev]], truths[rest[:dev]]),
        "test": (others[rest[dev : 2 * dev]], truths[rest[dev : 2 * dev]]),
    }


def kept(home: Path, parts: dict[str, tuple[np.ndarray, np.ndarray]], train_dev: float = 0) -> str:
    """The data section of a recipe over these."""
    for name, (x, y) in parts.items():
        np.savez(home / f"{name}.npz", x=x, y=y)
    files = ", ".join(f"{name}: {name}.npz" for name in parts)
    return f"{{name: arrays, path: {{{files}}}, train_dev: {train_dev}}}"


def written(data: str, model: str, train: str, rest: str = "", task: str = "classification") -> str:
    return f"task: {task}\ndata: {data}\nmodel: {model}\ntrain: {{tensorboard: false, {train}}}\n{rest}"


HUMAN = "goal: {human: {accuracy: 0.99}}\n"
LENET = "{name: lenet5, activation: relu}"


def too_small(home: Path, seed: int) -> Plant:
    data = f"{{name: digits, split: {{dev: 0.25, test: 0.15, seed: {seed}}}}}"
    return Plant(written(data, "{name: mlp, hidden: [2]}", f"seed: {seed}, epochs: 60", HUMAN), "avoidable bias")


def too_few_epochs(home: Path, seed: int) -> Plant:
    data = kept(home, drawn(seed, 3000))
    return Plant(written(data, LENET, f"seed: {seed}, epochs: 1", HUMAN), "avoidable bias")


def rate_too_low(home: Path, seed: int) -> Plant:
    data = f"{{name: digits, split: {{dev: 0.25, test: 0.15, seed: {seed}}}}}"
    rate = f"seed: {seed}, epochs: 10, optimizer: {{learning_rate: 1e-6}}"
    return Plant(written(data, "{name: mlp, hidden: [64, 64]}", rate, HUMAN), "learning_rate_too_low")


def no_regularisation(home: Path, seed: int) -> Plant:
    data = kept(home, drawn(seed, 300))
    whole = f"seed: {seed}, epochs: 60, keep: last"
    return Plant(written(data, "{name: mlp, hidden: [512, 512]}", whole, HUMAN), "variance")


def too_deep(home: Path, seed: int) -> Plant:
    data = kept(home, drawn(seed, 2000))
    deep = f"{{name: mlp, activation: sigmoid, hidden: {[64] * 24}}}"
    return Plant(written(data, deep, f"seed: {seed}, epochs: 6", HUMAN), "vanishing")


def _changed(home: Path, seed: int, change: Callable[[Image.Image], Image.Image]) -> Plant:
    parts = drawn(seed, 3000)
    for split in ("dev", "test"):
        x, y = parts[split]
        parts[split] = np.stack([np.asarray(change(Image.fromarray(one))) for one in x]), y
    settings = f"seed: {seed}, epochs: 12"
    return Plant(written(kept(home, parts, 0.15), LENET, settings, HUMAN), "data mismatch")


def rotated(home: Path, seed: int) -> Plant:
    return _changed(home, seed, lambda one: one.rotate(40, Image.Resampling.BILINEAR))


def blurred(home: Path, seed: int) -> Plant:
    return _changed(home, seed, lambda one: one.filter(ImageFilter.GaussianBlur(2.5)))


def other_wine(home: Path, seed: int) -> Plant:
    folder = DATA / "tabular"
    red = np.loadtxt(folder / "winequality-red.csv", delimiter=",")
    red = red[np.random.default_rng(seed).permutation(len(red))]
    white = np.loadtxt(folder / "winequality-white.csv", delimiter=",")
    for name, rows in (("white", white), ("red", red[:800]), ("rest", red[800:])):
        np.savez(home / f"{name}.npz", x=rows[:, :-1], y=rows[:, -1])
    data = "{name: arrays, holds: table, path: {train: white.npz, dev: red.npz, test: rest.npz}, train_dev: 0.15}"
    settings = f"seed: {seed}, epochs: 30"
    # By r2, for one colour varies less than the other: rmse would call it the easier, whatever was learned.
    text = written(
        data, "{name: mlp, hidden: [32], dropout: 0.2}", settings, "goal: {optimize: r2}\n", task="regression"
    )
    return Plant(text, "data mismatch")


def overfitted_dev(home: Path, seed: int) -> Plant:
    """The best on 100 examples of 200 networks, none of which can know anything: the classes are tossed."""
    random = np.random.default_rng(seed)
    with open(home / "tossed.csv", "w", newline="", encoding="utf-8") as text:
        writer = csv.writer(text)
        writer.writerow([*"abcdefgh", "y"])
        for _ in range(3100):
            writer.writerow([*(f"{value:.4f}" for value in random.normal(size=8)), random.choice(["heads", "tails"])])
    data = "{name: csv, path: tossed.csv, target: y, split: {dev: 100, test: 2000}}"
    best, chosen = -1.0, ""
    for number in range(TRIES):
        columns = ", ".join(random.choice(list("abcdefgh"), 4, replace=False))
        text = written(
            data,
            "{name: mlp, hidden: [16]}",
            f"seed: {number}, epochs: 1, keep: last",
            f"input: {{drop: [{columns}]}}\n",
        )
        (home / "try.yaml").write_text(text, encoding="utf-8")
        value = train(load(home / "try.yaml"), out=home / "tries", watch=Watch()).scores["dev"]["accuracy"]["value"]
        if value > best:
            best, chosen = value, text
    return Plant(chosen, "overfitting to dev")


def wrong_labels(home: Path, seed: int) -> Plant:
    parts = drawn(seed, 3000)
    random = np.random.default_rng(seed)
    x, y = parts["train"]
    wrong = random.random(len(y)) < 0.15
    parts["train"] = x, np.where(wrong, (y + random.integers(1, 10, len(y))) % 10, y).astype(np.uint8)
    settings = f"seed: {seed}, epochs: 20, early_stopping: {{patience: 4}}"
    return Plant(written(kept(home, parts), LENET, settings, HUMAN), "wrong labels")


def imbalanced(home: Path, seed: int) -> Plant:
    parts = drawn(seed, 10_000, 3000)
    for split, (x, y) in parts.items():
        eights = np.flatnonzero(y == 8)
        others = np.flatnonzero(y != 8)[:2000]
        rows = np.concatenate([others, eights[: len(others) // 50] if split == "train" else eights])
        parts[split] = x[rows], np.where(y[rows] == 8, "eight", "other")
    settings = f"seed: {seed}, epochs: 8"
    goal = "goal: {optimize: f1}\n"
    text = written(kept(home, parts), "{name: mlp, hidden: [32]}", settings, goal)
    return Plant(
        text.replace("task: classification", "task: {name: classification, positive: eight}"), "class imbalance"
    )


def healthy(home: Path, seed: int) -> Plant:
    """Two clouds that a line parts as well as anything can; the human level is that best."""
    random = np.random.default_rng(seed)
    y = random.integers(0, 2, 5000)
    x = random.normal(size=(5000, 6))
    x[:, :2] += 1.25 * (2 * y[:, None] - 1)
    np.savez(home / "clouds.npz", x=x, y=y)
    best = float(norm.cdf(1.25 * np.sqrt(2)))
    data = "{name: arrays, holds: table, path: clouds.npz, split: {dev: 0.2, test: 0.2}}"
    goal = f"goal: {{human: {{accuracy: {best:.4f}}}}}\n"
    return Plant(written(data, "linear", f"seed: {seed}, epochs: 30", goal), None)


PLANTS: dict[str, Callable[[Path, int], Plant]] = {
    "net too small": too_small,
    "too few epochs": too_few_epochs,
    "learning rate too low": rate_too_low,
    "no regularisation on 300 examples": no_regularisation,
    "too deep without normalisation": too_deep,
    "dev rotated": rotated,
    "dev blurred": blurred,
    "dev from the other wine colour": other_wine,
    "dev overfitted by 200 tries on 100 examples": overfitted_dev,
    "15 % wrong train labels": wrong_labels,
    "class imbalance 1:50": imbalanced,
    "healthy": healthy,
}
TUNED = tuple(PLANTS)[::2]


def judged(recipe: Path, out: Path) -> Path:
    """A run with its ledger, test included."""
    run = train(load(recipe), out=out, watch=Watch()).run
    evaluate(run, splits=["train", "dev", *(["train_dev"] if "train_dev" in _splits(run) else []), "test"])
    return run


def _splits(run: Path) -> Any:
    return read_json(run / "data.json")["splits"]


def narrowed(cause: str, before: Path, after: Path) -> tuple[bool, str]:
    """Whether what was named is less, and the figures."""
    one, other = read_json(before / "ledger.json"), read_json(after / "ledger.json")
    gaps = [
        {name: gap["value"] for gap in ledger["gaps"] for name in gap["name"].split(" + ")} for ledger in (one, other)
    ]
    if cause in gaps[0] and cause in gaps[1]:
        return gaps[1][cause] < gaps[0][cause], f"gap {gaps[0][cause]:.4g} → {gaps[1][cause]:.4g}"
    healths = [read_json(run / "health.json", {}).get("verdict") for run in (before, after)]
    if cause == healths[0]:
        return healths[1] != cause, f"{healths[0]} → {healths[1]}"
    sign = 1 if one["best"] == "max" else -1
    values = [next(level["value"] for level in ledger["levels"] if level["name"] == "dev") for ledger in (one, other)]
    return sign * (values[1] - values[0]) > 0, f"dev {one['metric']} {values[0]:.4g} → {values[1]:.4g}"


def bound(value: float | None) -> str:
    return "not known" if value is None else f"{value:.4g}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which; all where none is given")
    parser.add_argument("--seeds", type=int, nargs="+", default=[21, 22, 23])
    asked = parser.parse_args()
    figures, right, helped = Figures(), {}, {}
    with runs() as home:
        for name in asked.names or PLANTS:
            hits, mended = [], []
            for seed in asked.seeds:
                place = home / f"{name.replace(' ', '_')}_{seed}"
                place.mkdir()
                plant = PLANTS[name](place, seed)
                (place / "planted.yaml").write_text(plant.recipe, encoding="utf-8")
                run = judged(place / "planted.yaml", place / "runs")
                causes = named(run)
                first = causes[0].cause if causes else None
                hits.append(first == plant.cause)
                said = f"{name}, seed {seed}: named {', '.join(one.cause for one in causes) or 'nothing'}"
                ledger = read_json(run / "ledger.json")
                if first is not None and ledger["prescriptions"]:
                    patch = ledger["prescriptions"][0]
                    again = judged(Path(patch["file"]), place / "mended")
                    better, how = narrowed(patch["cause"], run, again)
                    mended.append(better and hits[-1])
                    said += f"; {patch['changes']}: {how}"
                print(said, flush=True)
                gaps = [
                    f"{gap['name']} {gap['value']:.4g} ({bound(gap['low'])} to {bound(gap['high'])})"
                    for gap in ledger["gaps"]
                ]
                print(f"    {', '.join(gaps)}", flush=True)
            right[name] = sum(hits) * 2 > len(hits)
            helped[name] = sum(mended) * 2 > len(asked.seeds)
    for group, names in (("tuned on", TUNED), ("apart", [name for name in PLANTS if name not in TUNED])):
        known = [name for name in names if name in right]
        print(f"{group}: named {sum(right[n] for n in known)} of {len(known)}, helped {sum(helped[n] for n in known)}")
        print("   " + "; ".join(f"{n}: {right[n]}/{helped[n]}" for n in known))
    if len(right) == len(PLANTS):
        figures.check(f"planted cause named: {sum(right.values())} of {len(PLANTS)}", sum(right.values()) >= 11)
        figures.check(f"the first patch helps: {sum(helped.values())} of {len(PLANTS)}", sum(helped.values()) >= 9)
        figures.leave()


main()
