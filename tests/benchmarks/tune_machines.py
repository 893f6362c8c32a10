"""40 trials on a PostgreSQL server, shared by 4 `dlspec tune` commands of one worker each; one is killed with -9.

Digits with a small `mlp`, on loopback, where each command stands for a machine.  Two ways of dying in the middle of a
trial: the worker alone (its command starts another), and a whole command (the others find that out by its silence).
Figures, for each: 40 finished trials, the killed one run again with its own parameters, and the 40 parameter sets and
dev metrics that one worker gives alone, to the bit: how steps are carried out is given, as what is measured while
training would make last bits differ.

    python tests/benchmarks/tune_machines.py [--trials 40] [--commands 4]     (needs PostgreSQL and psycopg)
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import optuna
from figures import Figures, runs

sys.path.insert(0, str(Path(__file__).parent.parent))
import postgres

from dlspec.tuning import storage as storages

RECIPE = """
task: classification
data: {name: digits, split: {dev: 0.2}}
model: {name: mlp, hidden: [64]}
train: {seed: 5, epochs: 60, batch_size: 32, threads: 1, compile: "off", executor: parallel}
tune:
  seed: 3
  space:
    train.optimizer.learning_rate: {log_uniform: [1e-4, 1e-1]}
    train.optimizer.beta_1: {one_minus_log_uniform: [0.5, 0.99]}
    model.hidden: {choice: [[32], [64, 64]]}
"""


def begun(home: Path, trials: int, *more: str) -> subprocess.Popen[str]:
    """`dlspec tune` as a machine of its own would run it."""
    command = [sys.executable, "-c", "from dlspec.cli import main; main()", "tune", "shared.yaml", "--json", "--debug"]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(
        [*command, "--trials", str(trials), *more], cwd=home, start_new_session=True, bufsize=1, **pipes
    )


def answer(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What a search prints; nothing where it was killed.  Leaves the program where it failed."""
    out, err = process.communicate()
    if process.returncode == -signal.SIGKILL:
        return {}
    if process.returncode:
        sys.exit(f"a search ended with {process.returncode}: {err[-1500:]}{out[-1500:]}")
    found: dict[str, Any] = json.loads(out)
    return found


def attempts(url: str, name: str) -> list[optuna.trial.FrozenTrial]:
    """Every attempt in the storage that counts."""
    if name not in storages.names(url):
        return []
    opened = storages.opened(url)
    try:
        found = optuna.load_study(study_name=name, storage=opened).get_trials()
        return [one for one in found if "index" in one.user_attrs and "surplus" not in one.user_attrs]
    finally:
        storages.close(opened)


def struck(url: str, name: str, done: int, whole: bool) -> tuple[int, int]:
    """Kill a worker that is at a trial, or its whole command, once so many trials are done: the trial and process."""
    while True:
        found = attempts(url, name)
        running = [one for one in found if one.state.name == "RUNNING" and "worker" in one.user_attrs and one.params]
        if running and sum(one.state.name == "COMPLETE" for one in found) >= done:
            victim = running[-1]
            pid = victim.user_attrs["worker"]["pid"]
            if whole:
                os.killpg(os.getpgid(pid), signal.SIGKILL)
            else:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.2)
            [now] = [one for one in attempts(url, name) if one.number == victim.number]
            if now.state.name != "COMPLETE":  # else it had just ended: another one
                return victim.user_attrs["index"], pid
        time.sleep(0.1)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--commands", type=int, default=4)
    told = parser.parse_args()
    if postgres.programs() is None:
        sys.exit(postgres.MISSING)
    figures = Figures()
    with runs() as home, postgres.server("kept-to-itself") as url:
        (home / "shared.yaml").write_text(RECIPE, encoding="utf-8")
        began = time.perf_counter()
        alone = answer(begun(home, told.trials, "--out", "alone"))["trials"]
        print(f"one worker alone, in a file: {time.perf_counter() - began:.0f} s", flush=True)
        for way in ("worker", "command"):
            began = time.perf_counter()
            shared = ["--storage", url, "--study", way, "--out", "shared"]
            all_ = [begun(home, told.trials, *shared) for _ in range(told.commands)]
            killed, pid = struck(url, way, told.trials // 2, way == "command")
            told_by = [answer(one) for one in all_]
            results = [one["trials"] for one in told_by if one]
            found = attempts(url, way)
            workers = Counter(one.user_attrs["worker"]["pid"] for one in found if one.state.name == "COMPLETE")
            print(
                f"{way} killed in trial {killed}: {time.perf_counter() - began:.0f} s; trials a worker "
                f"{', '.join(map(str, workers.values()))} (the killed one {workers[pid]})",
                flush=True,
            )
            assert len(results) == told.commands - (way == "command")
            result = results[0]
            done = sum(one["state"] == "complete" for one in result)
            indices = [one.user_attrs["index"] for one in found if one.state.name == "COMPLETE"]
            figures.check(
                f"{way}: {done} of {told.trials} finished, each once, told alike by all commands",
                done == told.trials
                and sorted(indices) == list(range(told.trials))
                and all([one["params"] for one in other] == [one["params"] for one in result] for other in results),
            )
            mine = [one for one in found if one.user_attrs["index"] == killed]
            figures.check(
                f"{way}: the killed one was run {len(mine)} times ({', '.join(one.state.name for one in mine)}), with "
                "the same parameters",
                len(mine) == 2 and mine[0].params == mine[1].params and len(mine[0].params) == 3,
            )
            figures.check(
                f"{way}: the {told.trials} parameter sets that one worker gives",
                [one["params"] for one in result] == [one["params"] for one in alone],
            )
            apart = [
                one["number"] for one, other in zip(result, alone, strict=True) if one["values"] != other["values"]
            ]
            figures.check(f"{way}: the same metric of each to the bit (other: {apart or 'none'})", not apart)
    figures.leave()


if __name__ == "__main__":
    main()
