"""30 random trials of digits `mlp`: `dlspec tune --workers 2` against KerasTuner's RandomSearch, whole processes.

The same space, network, epochs, batches and split; both judge a trial by its best epoch on dev and keep its weights.
dlspec does all that it does by default: every trial is a run that can be evaluated and resumed.  KerasTuner stands with
what it keeps by default, four ways, of which a first round finds the fastest: one process, or two workers with a chief
(its parallel mode; over when its workers are: the chief looks every 20 s), each with 1 or 32 steps an execution.
Then in turn, one search a seed.

Figures: the sum of dlspec's wall times at most 0.8 of KerasTuner's; its mean best dev accuracy within KerasTuner's
interval or above.

    python tests/benchmarks/tune_against_kerastuner.py --kerastuner PYTHON [--trials 30] [--epochs 20] [SEED …]
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from figures import Figures, interval, runs, spoken

from dlspec.recipe.load import load
from dlspec.report.watch import Watch

RECIPE = """
task: classification
data: {name: digits, split: {dev: 0.3}}
model: {name: mlp, hidden: [64]}
train: {epochs: 20, batch_size: 32}
tune:
  space:
    train.optimizer.learning_rate: {log_uniform: [1e-4, 1e-1]}
    model.hidden: {choice: [[32], [64], [128], [64, 64]]}
    model.dropout: {uniform: [0, 0.5]}
"""
WAYS = {"one process": (False, 1), "one process, 32 steps": (False, 32), "two workers": (True, 1),
        "two workers, 32 steps": (True, 32)}  # fmt: skip
CHILD = Path(__file__).with_name("kerastuner_child.py")
VERSION = "import importlib.metadata as m; print(m.version('keras-tuner'), 'with keras', m.version('keras'))"


def arrays(recipe: Path, file: Path) -> None:
    """Train and dev as dlspec's network takes them."""
    from dlspec.runs.material import pipeline_of
    from dlspec.runs.prepare import prepare

    loaded = load(recipe).recipe
    prepared = prepare(loaded, Watch())
    held = {}
    for split, name in (("train", ""), ("dev", "_dev")):
        pipeline = pipeline_of(loaded, prepared.state, prepared.splits[split], Watch())
        x, y = pipeline.resident()[:2]  # type: ignore[index]
        [x] = x.values()
        held |= {f"x{name}": np.asarray(x), f"y{name}": np.asarray(y)}
    np.savez(file, **held)


def ended(process: subprocess.Popen[str]) -> str:
    """What a process printed.  Leaves the program where it failed."""
    out, err = process.communicate()
    if process.returncode:
        sys.exit(f"{process.args} ended with {process.returncode}:\n{err[-2000:]}")
    return out


def ours(recipe: Path, home: Path, seed: int, trials: int, epochs: int) -> tuple[float, float]:
    """Seconds, and the best dev accuracy."""
    sets = [f"--set=tune.seed={seed}", f"--set=train.seed={seed}", f"--set=train.epochs={epochs}"]
    command = [sys.executable, "-c", "from dlspec.cli import main; main()", "tune", str(recipe), "--workers", "2"]
    command += ["--trials", str(trials), "--out", str(home / "ours"), "--json", *sets]
    began = time.perf_counter()
    out = ended(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    seconds = time.perf_counter() - began
    found = json.loads(out)
    assert [one["state"] for one in found["trials"]] == ["complete"] * trials, found["trials"]
    return seconds, found["best"]["value"]


def theirs(python: str, way: str, home: Path, seed: int, trials: int, epochs: int) -> tuple[float, float]:
    """Seconds, and the best dev accuracy."""
    parallel, steps = WAYS[way]
    folder = home / f"theirs {way} {seed}"
    command = [python, str(CHILD), str(home / "digits.npz"), str(folder), *map(str, (seed, trials, epochs, steps))]
    environments = [dict(os.environ)]
    if parallel:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        shared = {**os.environ, "KERASTUNER_ORACLE_IP": "127.0.0.1", "KERASTUNER_ORACLE_PORT": port}
        environments = [{**shared, "KERASTUNER_TUNER_ID": name} for name in ("chief", "worker_1", "worker_2")]
        for one in environments:
            one["TF_NUM_INTRAOP_THREADS"] = "1"  # as dlspec shares two processors out
    began = time.perf_counter()
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    processes = [subprocess.Popen(command, env=one, text=True, **pipes) for one in environments]
    for one in processes[1:] or processes:
        ended(one)
    seconds = time.perf_counter() - began
    if parallel:
        processes[0].kill()
        processes[0].communicate()
    found = [json.loads(file.read_text()) for file in folder.glob("digits/trial_*/trial.json")]
    failed = [one for one in found if one["status"] != "COMPLETED"]
    if failed:
        said = (failed[0]["message"] or failed[0]["status"]).strip().splitlines()[-1]
        print(f"{len(failed)} trials of KerasTuner did not complete ({way}): {said}", flush=True)
    assert len(found) == trials
    return seconds, max(one["score"] for one in found if one["score"] is not None)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kerastuner", required=True, help="a Python in which keras_tuner can be imported")
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--way", choices=list(WAYS), help="of KerasTuner, instead of a first round")
    parser.add_argument("seeds", nargs="*", type=int, default=[1, 2, 3])
    told = parser.parse_args()
    figures = Figures()
    version = subprocess.run([told.kerastuner, "-c", VERSION], check=True, capture_output=True, text=True).stdout
    print(f"keras-tuner {version.strip()}; {told.trials} trials of {told.epochs} epochs", flush=True)
    asked = (told.trials, told.epochs)
    with runs() as home:
        recipe = home / "digits.yaml"
        recipe.write_text(RECIPE, encoding="utf-8")
        arrays(recipe, home / "digits.npz")
        way = told.way
        if way is None:
            first = {one: theirs(told.kerastuner, one, home, 0, *asked)[0] for one in WAYS}
            print("first round: " + ", ".join(f"{one} {seconds:.1f} s" for one, seconds in first.items()), flush=True)
            way = min(first, key=first.__getitem__)
        found: dict[str, list[tuple[float, float]]] = {"dlspec": [], "KerasTuner": []}
        for seed in told.seeds:
            found["dlspec"].append(ours(recipe, home, seed, *asked))
            found["KerasTuner"].append(theirs(told.kerastuner, way, home, seed, *asked))
            said = ", ".join(f"{who} {some[-1][0]:.1f} s, best {some[-1][1]:.4f}" for who, some in found.items())
            print(f"seed {seed}: {said}", flush=True)
        mine, other = (sum(seconds for seconds, _ in found[who]) for who in found)
        figures.check(f"wall time {mine / other:.3f} of KerasTuner's ({way}; at most 0.8)", mine / other <= 0.8)
        best = {who: [accuracy for _, accuracy in some] for who, some in found.items()}
        figures.check(
            f"best dev accuracy {spoken(best['dlspec'])}, KerasTuner {spoken(best['KerasTuner'])}",
            float(np.mean(best["dlspec"])) >= interval(best["KerasTuner"])[1],
        )
    figures.leave()


if __name__ == "__main__":
    main()
