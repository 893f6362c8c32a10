"""How often the ledger is right: simulated worlds whose human, train, train-dev, dev and test level are known.

python tests/benchmarks/ledger_worlds.py [--worlds 2000] [--processes 2] [--seed 0]

Each world has a metric, sizes, levels and gaps of its own; half of them have rows in groups that are alike.  A third
have two gaps that are exactly equal and larger than the others ("tied"), a third one that stands out, and a third
whatever comes.  Levels may be missing; the human level is a number.  Examples are drawn, the real evaluators score
them, and what the ledger says is set against what is true.
"""

import argparse
import math
import time
from collections import defaultdict
from multiprocessing import Pool

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, ndtr, ndtri

from dlspec.evaluators.classes import Classes
from dlspec.evaluators.numbers import Numbers
from dlspec.strategy.ledger import LEVELS, Level, lay_out
from dlspec.strategy.paired import Side
from dlspec.types import Metric

SIZES = (30, 100, 300, 1000, 3000, 10_000)
PRESENT = {"human": 0.8, "train_dev": 0.7, "test": 0.5}
ALIKE = 0.2
"""of the variance within a world, what rows of a group have in common"""
BADNESS = {
    "accuracy": (0.0, 0.8), "f1": (0.0, 0.8), "macro_f1": (0.0, 0.65), "roc_auc": (0.0, 0.45), "log_loss": (0.02, 3.0),
    "rmse": (0.2, 9.0), "mae": (0.2, 9.0), "r2": (0.02, 2.0),
}  # fmt: skip
"""the least and the most of each metric's distance from perfect"""
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(80)


def softplus_mean(middle):
    """E log(1 + exp(−m)) of a margin m that is normal (middle, 2)."""
    return float(np.logaddexp(0, -(middle + 2 * NODES)) @ WEIGHTS / WEIGHTS.sum())


def normal(random, n, group):
    """Standard normal numbers, those of a group alike."""
    if group is None:
        return random.normal(size=n)
    return math.sqrt(ALIKE) * random.normal(size=group.max() + 1)[group] + math.sqrt(1 - ALIKE) * random.normal(size=n)


def happens(random, n, group, chance):
    return ndtr(normal(random, n, group)) < chance


def two_classes(positive, scores, threshold=0.5):
    truth, guess = np.where(positive, 1, 0), np.where(scores >= threshold, 1, 0)
    of_truth = np.where(positive, scores, 1 - scores)
    return {
        "truth": truth, "guess": guess, "log_loss": -np.log(np.maximum(of_truth, 1e-15)), "scores": scores[:, None],
        "column": np.where(positive, 0, -1), "positive": np.ones(len(truth), int),
    }  # fmt: skip


class World:
    """One metric, and how examples of a level of some badness are drawn."""

    def __init__(self, kind, random, grouped):
        self.kind, self.random, self.grouped = kind, random, grouped
        self.prevalence = random.uniform(0.15, 0.5)
        self.laplace = bool(random.random() < 0.5) and not grouped
        self.evaluator = Numbers() if kind in ("rmse", "mae", "r2") else Classes()
        name = {"macro_f1": "f1"}.get(kind, kind)
        self.metric = Metric(name, *(("min", 0.0) if kind in ("rmse", "mae", "log_loss") else ("max", 1.0)))

    def value(self, badness):
        return badness if self.metric.best == "min" else 1 - badness

    def f1_of(self, rate):
        hits = self.prevalence * (1 - rate)
        return 2 * hits / (2 * hits + (1 - self.prevalence) * rate + self.prevalence * rate)

    def draw(self, badness, n):
        """A level's side and the groups of its rows."""
        group = self.random.integers(0, max(8, n // 5), n) if self.grouped else None
        if group is not None:
            group = np.unique(group, return_inverse=True)[1]
        return self.statistics(badness, n, group), group

    def statistics(self, badness, n, group):
        random, kind = self.random, self.kind
        if kind == "accuracy":
            wrong, truth = happens(random, n, group, badness), random.integers(0, 3, n)
            guess = np.where(wrong, (truth + random.integers(1, 3, n)) % 3, truth)
            return {"truth": truth, "guess": guess, "scores": np.eye(3)[guess], "column": truth}
        if kind == "macro_f1":
            wrong, truth = happens(random, n, group, badness), random.integers(0, 4, n)
            guess = np.where(wrong, (truth + random.integers(1, 4, n)) % 4, truth)
            return {"truth": truth, "guess": guess, "scores": np.eye(4)[guess], "column": truth}
        if kind == "f1":
            rate = brentq(lambda rate: self.f1_of(rate) - (1 - badness), 0, 1) if badness > 0 else 0.0
            positive, wrong = random.random(n) < self.prevalence, happens(random, n, group, rate)
            return two_classes(positive, np.where(positive ^ wrong, 0.9, 0.1))
        if kind == "roc_auc":
            apart = math.sqrt(2) * float(ndtri(1 - badness)) if badness > 0 else 100.0
            positive = random.random(n) < self.prevalence
            positive[:2] = True, False
            return two_classes(positive, expit(normal(random, n, group) + apart * (positive - 0.5)))
        if kind == "log_loss":
            middle = brentq(lambda middle: softplus_mean(middle) - badness, -20, 30)
            of_truth, positive = expit(middle + 2 * normal(random, n, group)), random.random(n) < 0.5
            return two_classes(positive, np.where(positive, of_truth, 1 - of_truth))
        residual = random.laplace(size=n) / math.sqrt(2) if self.laplace else normal(random, n, group)
        if kind == "mae":
            residual = residual / (1 / math.sqrt(2) if self.laplace else math.sqrt(2 / math.pi))
        truth = random.normal(size=n)
        return {"truth": truth, "guess": truth + (math.sqrt(badness) if kind == "r2" else badness) * residual}

    def score(self, statistics):
        return self.evaluator.combine(statistics, only=[self.metric.name])[self.metric.name]


def laid(world, random, size, present, kind_of_world):
    """True badness of the levels that are there, best first; gaps in units of what chance does to a level."""
    least, most = BADNESS[world.kind]
    unit = (0.35 if most < 1 else 1.0 if world.kind == "log_loss" else 2.0) / math.sqrt(size)
    gaps = len(present) - 1
    sizes = random.uniform(-0.3, 2.0, gaps) * unit
    if kind_of_world == "tied" and gaps > 1:
        first, second = random.permutation(gaps)[:2]
        sizes[first] = sizes[second] = max(sizes.max(), 0) + random.uniform(0, 5) * unit
    elif kind_of_world == "apart":
        at = random.integers(gaps)
        sizes[at] = max(sizes.max(), 0) + random.uniform(4, 14) * unit
    start = least if random.random() < 0.3 else least + random.uniform(0, 0.1) * (most - least)
    levels = start + np.concatenate([[0], np.cumsum(sizes)])
    levels += max(0, least - levels.min())
    return levels if levels.max() <= most else None


def judge(arguments):
    """Draw one world and say what is true and what the ledger found."""
    number, seed = arguments
    random = np.random.default_rng([seed, number])
    kind = list(BADNESS)[number % len(BADNESS)]
    kind_of_world = ("tied", "apart", "any")[number // len(BADNESS) % 3]
    size = SIZES[number // (3 * len(BADNESS)) % len(SIZES)]
    world = World(kind, random, bool(random.random() < 0.5))
    while True:
        present = [
            name for name in LEVELS if random.random() < {"human": 0.8, "train_dev": 0.7, "test": 0.5}.get(name, 1)
        ]
        badness = laid(world, random, size, present, kind_of_world)
        if badness is not None:
            break
    counts = [int(np.clip(size * random.choice([0.5, 1, 2]), 30, 10_000)) for _ in present]
    levels, errors = [], []
    for name, bad, n in zip(present, badness, counts, strict=True):
        if name == "human":
            levels.append(Level("human", 0, value=world.value(bad)))
            errors.append(0.0)
            continue
        statistics, group = world.draw(bad, n)
        side = Side(world.evaluator.combine, statistics, world.evaluator.shares(statistics))
        levels.append(Level(name, n, side, None if group is None else [str(one) for one in group]))
        errors.append(float(np.std([world.score(world.draw(bad, n)[0]) for _ in range(25)])))
    began = time.perf_counter()
    ledger = lay_out(levels, world.metric, apart=True, seed=number)
    seconds = time.perf_counter() - began
    true = np.diff(badness)
    covered = [
        (one.low <= world.value(bad) + 1e-12 and world.value(bad) - 1e-12 <= one.high, math.isnan(one.low))
        for one, bad in zip(ledger.levels, badness, strict=True)
        if one.name != "human"
    ]
    gaps = [
        (one.low - 1e-12 <= gap <= one.high + 1e-12, math.isnan(one.low))
        for one, gap in zip(ledger.gaps, true, strict=True)
    ]
    top = int(np.argmax(true))
    apart = [true[top] / max(math.hypot(errors[top], errors[top + 1]), 1e-12)]
    for i in range(len(true)):
        if i != top:
            weights = np.zeros(len(badness))
            weights[top + 1] += 1
            weights[top] -= 1
            weights[i + 1] -= 1
            weights[i] += 1
            apart.append((true[top] - true[i]) / max(float(np.linalg.norm(weights * errors)), 1e-12))
    tied = kind_of_world == "tied" and len(true) > 1
    named = None if ledger.largest is None else [one.name for one in ledger.gaps].index(ledger.largest)
    return {
        "metric": kind, "size": size, "grouped": world.grouped, "levels": covered, "gaps": gaps, "tied": tied,
        "apart": not tied and min(apart) >= 3, "named": named is not None, "right": named == top and not tied,
        "seconds": seconds,
    }  # fmt: skip


def share(flags):
    return f"{100 * np.mean(flags):5.1f}" if len(flags) else "    –"


def table(worlds, title, key):
    print(f"{title:12}  levels    (n)   gaps    (n)  unknown  named right (n)    apart named (n)   tied named (n)")
    parts = defaultdict(list)
    for world in worlds:
        parts[key(world)].append(world)
    for name, part in parts.items():
        levels, gaps = ([one for world in part for one in world[what]] for what in ("levels", "gaps"))
        named, apart, tied = ([w for w in part if w[what]] for what in ("named", "apart", "tied"))
        one, other = (f"{share([flag for flag, _ in what])}  {len(what):5}" for what in (levels, gaps))
        unknown, right = share([one for _, one in levels]), share([world["right"] for world in named])
        beyond, alarms = (share([world["named"] for world in which]) for which in (apart, tied))
        print(
            f"{name!s:12}  {one}  {other}  {unknown}    {right} {len(named):5}       {beyond} {len(apart):5}     "
            f"{alarms} {len(tied):5}",
            flush=True,
        )
    print()


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--worlds", type=int, default=2000)
    asked.add_argument("--processes", type=int, default=2)
    asked.add_argument("--seed", type=int, default=0)
    options = asked.parse_args()
    begun = time.perf_counter()
    with Pool(options.processes) as pool:
        worlds = list(pool.imap(judge, [(number, options.seed) for number in range(options.worlds)], chunksize=8))
    table(worlds, "metric", lambda world: world["metric"])
    table(worlds, "size", lambda world: world["size"])
    table(worlds, "grouped", lambda world: world["grouped"])
    table(worlds, "all", lambda world: "all")
    slowest = max(world["seconds"] for world in worlds)
    print(f"{len(worlds):,} worlds, {time.perf_counter() - begun:.0f} s; the slowest ledger took {slowest:.1f} s")


if __name__ == "__main__":
    main()
