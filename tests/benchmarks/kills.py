"""One training killed with -9 at 20 random moments, resumed each time, against the same training left alone.

Moments are drawn from the whole life of the process: while it starts, reads, trains, writes.  After each kill every
file of the run is read.  Figures: the final weights are equal to the bit, the history too but for times; no file is
ever broken.

    python tests/benchmarks/kills.py [kills]
"""

from __future__ import annotations

import csv
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from figures import Figures, runs

RECIPE = """
task: classification
data: {name: digits, split: {dev: 0.2}}
model: {name: mlp, hidden: [64, 64], dropout: 0.3}
train:
  seed: 5
  epochs: 700
  batch_size: 16
  optimizer: {name: adam, learning_rate: 1e-4}
  checkpoint: {steps: 333}
"""
COMMAND = [sys.executable, "-c", "from dlspec.cli import main; main()", "train"]


def broken(run: Path) -> list[str]:
    """Files of a run that cannot be read."""
    found = []
    for file in (one for one in run.rglob("*") if one.is_file() and not one.name.startswith(".")):
        try:
            if file.suffix == ".json":
                json.loads(file.read_text())
            elif file.suffix == ".csv":
                rows = list(csv.reader(file.read_text().splitlines()))
                assert rows and {len(row) for row in rows} == {len(rows[0])}
            elif file.suffix == ".npz":
                with np.load(file) as held:
                    assert all(held[name] is not None for name in held.files)
            elif file.suffix == ".keras":
                import keras

                keras.saving.load_model(file, compile=False)
        except FileNotFoundError:
            continue  # an old checkpoint that has just gone
        except Exception as error:
            found.append(f"{file.relative_to(run)}: {type(error).__name__}")
    return found


def history(run: Path) -> list[dict[str, str]]:
    rows = csv.DictReader((run / "history.csv").read_text().splitlines())
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def weights(run: Path) -> list[bytes]:
    import keras

    return [one.tobytes() for one in keras.saving.load_model(run / "model.keras", compile=False).get_weights()]


def main(kills: int) -> None:
    figures = Figures()
    draws = random.Random(0)
    with runs() as home:
        recipe = home / "killed.yaml"
        recipe.write_text(RECIPE, encoding="utf-8")
        began = time.perf_counter()
        alone = subprocess.Popen([*COMMAND, str(recipe), "--out", str(home / "alone")], stderr=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL)  # fmt: skip
        while not list(home.glob("alone/killed/*/checkpoint/step-*")) and alone.poll() is None:
            time.sleep(0.02)
        start = time.perf_counter() - began
        assert alone.wait() == 0
        whole = time.perf_counter() - began
        print(f"left alone {whole:.1f} s, the first checkpoint after {start:.1f} s")
        [other] = home.glob("alone/killed/*")
        found: list[str] = []
        moments: list[int] = []
        for _ in range(kills):
            run = next(iter(sorted(home.glob("runs/killed/*"))), None)
            command = [*COMMAND, *(["--resume", str(run)] if run else [str(recipe)]), "--out", str(home / "runs")]
            process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
            time.sleep(draws.uniform(0, start + 2 * (whole - start) / kills))
            if process.poll() not in (None, -signal.SIGKILL):
                if process.returncode:
                    sys.exit(f"a resumed training failed: {process.communicate()[1][-1500:]}")
                break
            process.kill()
            process.wait()
            run = next(iter(sorted(home.glob("runs/killed/*"))), None)
            steps = [int(one.stem[5:]) for one in home.glob("runs/killed/*/checkpoint/step-*.npz")]
            moments.append(max(steps, default=0))
            if run:
                found += broken(run)
        before = len(moments)
        print(f"killed {before} times, with the newest checkpoint at step {', '.join(map(str, moments))}")
        [run] = home.glob("runs/killed/*")
        last = subprocess.run([*COMMAND, "--resume", str(run)], capture_output=True, text=True, check=False)
        if last.returncode:
            sys.exit(last.stderr[-1500:])
        figures.check(f"killed {before} times of {kills} while training was not yet finished", before == kills)
        figures.check("the same weights to the bit", weights(run) == weights(other))
        figures.check(f"the same history of {len(history(run))} epochs, but for times", history(run) == history(other))
        figures.check(f"no file broken at any moment {found or ''}", not found)
    figures.leave()


main(int(sys.argv[1]) if sys.argv[1:] else 20)
