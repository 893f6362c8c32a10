"""`dlspec predict` over 1,000 JPEG, the whole command less its start-up, against the slower of its two halves alone.

Start-up is the same command over one picture.  The halves: decoding and resizing the files in as many threads as there
are processors, and `model.predict` over the decoded arrays.  In turn, medians.  Figure: at least 0.8 of the slower one.

    python tests/benchmarks/predict_pictures.py [rounds]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from figures import Figures
from picture_files import make

from dlspec.numeric.picture_paths import read_into
from dlspec.recipe.load import load
from dlspec.runs.opened import open_run
from dlspec.runs.train import train

SIDE, COUNT = 96, 1000
RECIPE = f"""
task: classification
data: {{name: image_folder, path: few}}
input: {{size: [{SIDE}, {SIDE}]}}
model: lenet5
train: {{epochs: 1}}
"""


def main(rounds: int, home: Path) -> None:
    from PIL import Image

    draws = np.random.default_rng(0)
    for name in ("one", "two"):
        (home / "few" / name).mkdir(parents=True)
        for i in range(20):
            Image.fromarray(draws.integers(0, 256, (60, 60, 3), dtype=np.uint8)).save(home / "few" / name / f"{i}.png")
    (home / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    run = train(load(home / "recipe.yaml"), out=home / "runs").run
    for part in ("a", "b"):
        (home / "new" / part).mkdir(parents=True)
        make(home / "new" / part)
    files = sorted(str(one) for one in (home / "new").rglob("*.jpg"))
    assert len(files) == COUNT

    def command(*inputs: str) -> float:
        began = time.perf_counter()
        arguments = [
            sys.executable,
            "-c",
            "from dlspec.cli import main; main()",
            "predict",
            str(run),
            *inputs,
            "--jsonl",
        ]
        done = subprocess.run(
            arguments, check=True, capture_output=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        )
        assert len(done.stdout.splitlines()) == (1 if inputs[0].endswith(".jpg") else COUNT)
        return time.perf_counter() - began

    network = open_run(run).network
    pictures = np.empty((COUNT, SIDE, SIDE, 3), np.uint8)
    ready = pictures.astype(np.float32)
    network.predict({"picture": ready[:64]}, verbose=0)
    seconds: dict[str, list[float]] = {"whole": [], "start": [], "decoding": [], "network": []}
    for _ in range(rounds):
        seconds["start"].append(command(files[0]))
        seconds["whole"].append(command(str(home / "new")))
        began = time.perf_counter()
        assert not read_into(files, pictures)
        seconds["decoding"].append(time.perf_counter() - began)
        began = time.perf_counter()
        network.predict({"picture": ready}, batch_size=128, verbose=0)
        seconds["network"].append(time.perf_counter() - began)
    median = {name: statistics.median(values) for name, values in seconds.items()}
    for name, value in median.items():
        print(f"{name:9} {value:6.2f} s")
    work, slower = median["whole"] - median["start"], max(median["decoding"], median["network"])
    figures = Figures()
    said = (
        f"predict {COUNT / work:.0f} a second, the slower half {COUNT / slower:.0f}: {slower / work:.2f} (at least 0.8)"
    )
    figures.check(said, slower / work >= 0.8)
    figures.leave()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 5, Path(made))
