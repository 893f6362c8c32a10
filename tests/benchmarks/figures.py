"""What the benchmarks share: training as a user would, whole processes timed in turn, figures beside their bounds."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dlspec.recipe.load import load
from dlspec.runs.evaluate import evaluate
from dlspec.runs.machine import processor, versions
from dlspec.runs.opened import OpenedRun, open_run
from dlspec.runs.train import train


def machine() -> None:
    """Say what the figures are measured on."""
    print(", ".join(f"{name} {version}" for name, version in versions().items()))
    load_average = f"; load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"{processor()}, {os.cpu_count()} threads{load_average}\n", flush=True)


def require_data() -> None:
    """Leave, saying so, where the data that cannot be shipped is not to be found."""
    if not os.environ.get("DLSPEC_DATA"):
        sys.exit("set DLSPEC_DATA to the folder of the data")


@contextlib.contextmanager
def runs() -> Iterator[Path]:
    """A folder for runs, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="dlspec_benchmark_") as folder:
        yield Path(folder)


def trained(recipe: str, *sets: str, out: Path) -> tuple[OpenedRun, dict[str, float]]:
    """A run of a shipped recipe, and its metrics on test."""
    opened = open_run(train(load(recipe, sets), out=out).run)
    scores = evaluate(opened, splits=["test"])["scores"]["test"]
    return opened, {name: one["value"] for name, one in scores.items()}


def over_seeds(
    figures: Figures, recipe: str, least: float, seeds: Sequence[int] = (1, 2, 3), metric: str = "accuracy"
) -> list[float]:
    """Train a shipped recipe with each seed; the mean of a metric on test is to be at least that.  Returns each."""
    found = []
    with runs() as out:
        for seed in seeds:
            run, test = trained(recipe, f"train.seed={seed}", out=out)
            sizes = ", ".join(f"{name} {len(examples):,}" for name, examples in run.splits().parts.items())
            found.append(test[metric])
            print(f"{recipe}, seed {seed} ({sizes}): {metric} on test {test[metric]:.4f}", flush=True)
    mean = sum(found) / len(found)
    figures.check(f"{recipe}: mean {metric} over {len(seeds)} seeds {spoken(found)}; at least {least}", mean >= least)
    return found


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """The mean, with Student's 95 % interval."""
    from scipy import stats

    mean, error = float(np.mean(values)), float(stats.sem(values))
    half = float(stats.t.ppf(0.975, len(values) - 1)) * error
    return mean, mean - half, mean + half


def spoken(values: Sequence[float]) -> str:
    """`0.9866 (95 % interval 0.9821 to 0.9911)`."""
    mean, low, high = interval(values)
    return f"{mean:.4f} (95 % interval {low:.4f} to {high:.4f})"


def processes(
    commands: Mapping[str, Sequence[str]],
    *,
    repeats: int,
    expected: Mapping[str, int] | None = None,
    said: Callable[[str, str], Any] | None = None,
) -> dict[str, list[float]]:
    """Seconds of each command as a whole process, in turn, so that a busy machine is busy for all; a round to warm up.

    expected: the exit code that each must have; none: 0.  said: called with a command's name and what it printed.
    """
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(repeats + 1):
        for name, command in commands.items():
            began = time.perf_counter()
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            took = time.perf_counter() - began
            if done.returncode != (expected or {}).get(name, 0):
                sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
            if number:
                seconds[name].append(took)
            if said is not None:
                said(name, done.stdout)
    return seconds


class Figures:
    """Figures beside their bounds; leaving the program says whether all were reached."""

    def __init__(self) -> None:
        self.missed: list[str] = []
        machine()

    def check(self, what: str, reached: bool) -> None:
        """One figure, printed with its verdict."""
        print(f"{'reached' if reached else 'MISSED '}  {what}", flush=True)
        if not reached:
            self.missed.append(what)

    def leave(self) -> None:
        """Exit code 0 where every figure was reached, else 1."""
        sys.exit(1 if self.missed else 0)
