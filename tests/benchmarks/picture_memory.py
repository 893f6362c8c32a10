"""Peak memory of training on a folder of pictures with the cache off, at 1, 4 and 16 times the number of pictures.

Each training is a process of its own (one epoch and its scoring, LeNet-5 at 96×96); its greatest resident set is what
the system counts.  Figure: within 10 % of each other.

    python tests/benchmarks/picture_memory.py [pictures]

Without a number, 400, 1,600 and 6,400 JPEG of 320×240, every one different.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from figures import Figures
from PIL import Image

RECIPE = """
task: classification
data: {name: image_folder, path: pictures, split: {dev: 0.2}}
input: {size: [96, 96], augment: {shift: 0.1, flip: horizontal}}
model: {name: lenet5}
train: {epochs: 1, batch_size: 32, seed: 1, cache: none, tensorboard: false}
"""


def make(home: Path, count: int) -> None:
    """Noise at a twelfth of the size, enlarged: smooth, and every one different."""
    draw = np.random.default_rng(0)
    for i in range(count):
        folder = home / "pictures" / ("one", "two")[i % 2]
        folder.mkdir(parents=True, exist_ok=True)
        small = draw.integers(0, 256, (20, 27, 3), dtype=np.uint8)
        Image.fromarray(small).resize((320, 240), Image.Resampling.BICUBIC).save(folder / f"{i:06}.jpg", quality=85)


def peak(home: Path) -> float:
    """Megabytes that a training held at most."""
    (home / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    work = (
        "import resource, sys; from dlspec.recipe.load import load; from dlspec.runs.train import train; "
        "train(load(sys.argv[1]), out=sys.argv[2]); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)"
    )
    command = [sys.executable, "-c", work, str(home / "recipe.yaml"), str(home / "runs")]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    )
    return float(done.stdout.split()[-1])


def main(base: int) -> None:
    seen = {}
    for times in (1, 4, 16):
        with tempfile.TemporaryDirectory() as made:
            make(Path(made), base * times)
            seen[times] = peak(Path(made))
        print(f"{base * times:7,} pictures: {seen[times]:.0f} MB")
    figures = Figures()
    spread = max(seen.values()) / min(seen.values())
    figures.check(f"most / least memory: {spread:.3f} (at most 1.1)", spread <= 1.1)
    figures.leave()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
