"""`dlspec detect --out` on 500 photos, the whole command less its start-up, against the network alone on ready arrays.

Photos: pictures of blood cells (bccd_voc, 640×480 JPEG) under other names.  The run is one of the recipe
detection/bccd_yolo, given or trained for an epoch.  Start-up is the same command over one photo.  The network alone:
`predict_on_batch` over the same pictures, decoded and of the network's size before, as many at a time as detect takes.
In turn, medians.  Figure: at least 0.8 of the bare network's rate, reading, decoding, suppression and drawing included.

    python tests/benchmarks/detect_photos.py [--run RUN] [--photos 500] [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from figures import Figures, require_data, runs

from dlspec.recipe.load import load
from dlspec.runs.opened import OpenedRun, open_run
from dlspec.runs.predict import chunk_size
from dlspec.runs.train import train

RECIPE = "detection/bccd_yolo"


def copies(pictures: Path, home: Path, count: int) -> list[Path]:
    """So many photos, each a file of its own."""
    originals = sorted(pictures.glob("*.jpg"))
    home.mkdir()
    return [Path(shutil.copy(originals[i % len(originals)], home / f"photo-{i:04d}.jpg")) for i in range(count)]


def command(run: Path, out: Path, inputs: Path, expected: int) -> tuple[float, int]:
    """Seconds of the whole command, and how many objects it found."""
    code = "from dlspec.cli import main; main()"
    arguments = [sys.executable, "-c", code, "detect", str(run), str(inputs), "--out", str(out), "--jsonl"]
    began = time.perf_counter()
    done = subprocess.run(arguments, check=True, capture_output=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"})
    seconds = time.perf_counter() - began
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(said) == len(list(out.iterdir())) == expected, "every photo was drawn"
    shutil.rmtree(out)
    return seconds, sum(len(one["objects"]) for one in said)


def bare(opened: OpenedRun, files: list[Path]) -> float:
    """Seconds of the network alone on arrays that are ready."""
    size = chunk_size(opened)
    examples = opened.recipe.input.outside([str(one) for one in files], opened.state["input"])
    names = list(opened.network.input)
    batches = []
    for start in range(0, len(files), size):
        arrays = opened.encode(examples[start : start + size])
        batches.append({name: np.asarray(arrays[name]) for name in names})
    for batch in (batches[0], batches[-1], batches[0]):  # for each size it is traced once
        opened.network.predict_on_batch(batch)
    began = time.perf_counter()
    for batch in batches:
        opened.network.predict_on_batch(batch)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", help="a finished run of " + RECIPE)
    parser.add_argument("--photos", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    told = parser.parse_args()
    require_data()
    figures = Figures()
    with runs() as home:
        run = Path(told.run) if told.run else train(load(RECIPE, ["train.epochs=1"]), out=home / "runs").run
        files = copies(Path(os.environ["DLSPEC_DATA"]) / "bccd_voc/BCCD/JPEGImages", home / "photos", told.photos)
        opened = open_run(run)
        seconds: dict[str, list[float]] = {"whole": [], "start": [], "network": []}
        objects = 0
        for _ in range(told.rounds):
            seconds["start"].append(command(run, home / "out", files[0], 1)[0])
            whole, objects = command(run, home / "out", home / "photos", told.photos)
            seconds["whole"].append(whole)
            seconds["network"].append(bare(opened, files))
        median = {name: statistics.median(values) for name, values in seconds.items()}
        for name, value in median.items():
            print(f"{name:8} {value:6.2f} s")
        rates = told.photos / (median["whole"] - median["start"]), told.photos / median["network"]
        print(f"{objects / told.photos:.1f} objects a photo")
        said = f"detect {rates[0]:.1f} photos a second, the network alone {rates[1]:.1f}"
        figures.check(f"{said}: {rates[0] / rates[1]:.2f} (at least 0.8)", rates[0] >= 0.8 * rates[1])
        figures.leave()


if __name__ == "__main__":
    main()
