"""400,000 JPEG of 64×64 (4.9 GB decoded), streamed with nothing kept, into ResNet-20 for 300 steps.

Figures: peak resident memory under 2 GB; at least 0.5 of the rate with 20,000 of them decoded in memory.
20,000 different pictures are written, the rest are hard links to them: every file is opened and decoded all the same.

    python tests/benchmarks/stream_training.py [pictures] [steps]
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from figures import Figures, runs

DIFFERENT, CLASSES, SIDE, BATCH = 20_000, 10, 64, 32
RECIPE = """
task: classification
data: DATA
input: {size: [64, 64]}
model: {name: resnet, depth: 20}
train: {epochs: 1, batch_size: 32, cache: CACHE, seed: 1}
"""


def make(home: Path, pictures: int) -> None:
    """home/pictures/<class>/<number>.jpg, and home/pictures.npz with the different ones decoded."""
    import cv2

    draws = np.random.default_rng(0)
    decoded, labels = np.empty((DIFFERENT, SIDE, SIDE, 3), np.uint8), np.arange(DIFFERENT) % CLASSES
    for of in range(CLASSES):
        (home / "pictures" / str(of)).mkdir(parents=True)
    for number in range(DIFFERENT):
        small = draws.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        picture = cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        first = home / "pictures" / str(labels[number]) / f"{number}.jpg"
        cv2.imwrite(str(first), picture)
        decoded[number] = cv2.cvtColor(cv2.imread(str(first)), cv2.COLOR_BGR2RGB)
        for copy in range(number + DIFFERENT, pictures, DIFFERENT):
            os.link(first, first.with_name(f"{copy}.jpg"))
    np.savez(home / "pictures.npz", x=decoded, y=labels)


def child(how: str, home: Path, steps: int) -> None:
    """Train for so many steps; prints pictures a second after the first tenth, and the peak of resident memory."""
    from dlspec.recipe.load import load
    from dlspec.report.watch import Watch
    from dlspec.runs.train import train

    class Enough(Exception):  # noqa: N818
        pass

    class Clock(Watch):
        def __init__(self) -> None:
            self.at = [(0, time.perf_counter())]

        def step(self, epoch: int, step: int, loss: float) -> None:
            self.at.append((step, time.perf_counter()))
            if step >= steps:
                raise Enough

    split = "split: {dev: 64, test: 0}"
    streamed = how == "streamed"
    data = f"{{name: {'image_folder' if streamed else 'arrays'}, path: pictures{'' if streamed else '.npz'}, {split}}}"
    file = home / f"{how}.yaml"
    file.write_text(RECIPE.replace("DATA", data).replace("CACHE", "none" if streamed else "memory"), encoding="utf-8")
    clock = Clock()
    began = time.perf_counter()
    with contextlib.suppress(Enough):
        train(load(file), out=home / "runs", watch=clock)
    warm = next(i for i, (step, _) in enumerate(clock.at) if step >= steps // 10)
    (first, then), (last, now) = clock.at[warm], clock.at[-1]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform != "darwin" else 1e9)
    print(json.dumps({"rate": (last - first) * BATCH / (now - then), "peak_gb": peak, "start": clock.at[1][1] - began}))


def main(pictures: int, steps: int) -> None:
    figures = Figures()
    with runs() as home:
        make(home, pictures)
        found = {}
        for how in ("streamed", "memory"):
            done = subprocess.run([sys.executable, __file__, "--child", how, str(home), str(steps)],
                                  capture_output=True, text=True, check=False)  # fmt: skip
            if done.returncode:
                sys.exit(done.stderr[-2000:])
            found[how] = json.loads(done.stdout.strip().splitlines()[-1])
            print(how, found[how], flush=True)
    ratio = found["streamed"]["rate"] / found["memory"]["rate"]
    figures.check(f"{pictures:,} pictures in {found['streamed']['peak_gb']:.2f} GB (under 2)",
                  found["streamed"]["peak_gb"] < 2)  # fmt: skip
    figures.check(f"{ratio:.2f} of the rate in memory (at least 0.5)", ratio >= 0.5)
    figures.leave()


if sys.argv[1:2] == ["--child"]:
    child(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
else:
    main(*(int(one) for one in (*sys.argv[1:], *("400000", "300")[len(sys.argv) - 1 :])))
