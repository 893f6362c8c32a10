"""A search killed with -9 at 10 random moments, parent and workers together, resumed each time, against one left alone.

Digits with a small `mlp`, 30 random trials, two workers.  Moments are drawn from the whole life of the process: while
it starts, draws, trains, writes.  Figures: the same parameter sets, the same dev metric of every trial and the same
best, to the bit, its weights too.

    python tests/benchmarks/tune_kills.py [--kills 10] [--trials 30] [--seed 0]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from figures import Figures, runs

from dlspec.runs.backend import load_keras

RECIPE = """
task: classification
data: {name: digits, split: {dev: 0.2}}
model: {name: mlp, hidden: [64]}
train: {seed: 5, epochs: 40, batch_size: 32}
tune:
  seed: 3
  space:
    train.optimizer.learning_rate: {log_uniform: [1e-4, 1e-1]}
    train.batch_size: {choice: [16, 32, 64]}
    model: {choice: [{name: mlp, hidden: {choice: [[32], [64, 64]]}, dropout: {uniform: [0, 0.5]}}, {name: linear}]}
"""
COMMAND = [sys.executable, "-c", "from dlspec.cli import main; main()", "tune", "--workers", "2", "--json"]


def weights(result: dict[str, Any]) -> list[bytes]:
    network = load_keras().saving.load_model(Path(result["best"]["run"]) / "model.keras", compile=False)
    return [one.tobytes() for one in network.get_weights()]


def column(result: dict[str, Any], name: str) -> list[Any]:
    return [one[name] for one in result["trials"]]


def answer(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What a search prints.  Leaves the program where it failed."""
    out, err = process.communicate()
    if process.returncode:
        sys.exit(f"a search ended with {process.returncode}: {err[-1500:]}{out[-1500:]}")
    found: dict[str, Any] = json.loads(out)
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    told = parser.parse_args()
    figures = Figures()
    draws = random.Random(told.seed)
    with runs() as home:
        recipe = home / "killed.yaml"
        recipe.write_text(RECIPE, encoding="utf-8")

        def begun(out: Path, *more: str) -> subprocess.Popen[str]:
            command = [*COMMAND, str(recipe), "--trials", str(told.trials), "--out", str(out), *more]
            return subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
            )

        began = time.perf_counter()
        alone = begun(home / "alone")
        while not list(home.glob("alone/*/*/runs/*/*/scores.json")) and alone.poll() is None:
            time.sleep(0.02)
        start = time.perf_counter() - began
        undisturbed = answer(alone)
        whole = time.perf_counter() - began
        print(f"left alone {whole:.1f} s, the first trial after {start:.1f} s", flush=True)
        moments = []
        for _ in range(told.kills):
            process = begun(home / "runs", *(["--resume"] if list(home.glob("runs/*/*/study.json")) else []))
            time.sleep(draws.uniform(0, start + 2 * (whole - start) / told.kills))
            if process.poll() is not None:
                answer(process)
                break
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            moments.append(len(list(home.glob("runs/*/*/runs/*/*/scores.json"))))
        print(f"killed {len(moments)} times, with trials done {', '.join(map(str, moments))}", flush=True)
        last = answer(begun(home / "runs", "--resume"))
        more = sum(column(last, "attempts")) - told.trials
        print(f"{more} trials were begun again")
        figures.check(f"killed {len(moments)} times of {told.kills} while trials were left", len(moments) == told.kills)
        same = {name: column(last, name) == column(undisturbed, name) for name in ("params", "state", "values")}
        figures.check(f"the same {told.trials} parameter sets", same["params"] and len(last["trials"]) == told.trials)
        figures.check("the same state of every trial, the same metric to the bit", same["state"] and same["values"])
        best, other = last["best"], undisturbed["best"]
        figures.check(
            f"the same best: trial {best['number']} with {best['value']!r}, undisturbed trial {other['number']} with "
            f"{other['value']!r}",
            (best["number"], best["value"], best["params"]) == (other["number"], other["value"], other["params"]),
        )
        figures.check("its weights the same to the bit", weights(last) == weights(undisturbed))
    figures.leave()


if __name__ == "__main__":
    main()
