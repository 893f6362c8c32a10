"""JPEG files read and resized to 224×224 by `read_into`, against read, decode and resize in tf.data with AUTOTUNE.

TensorFlow's resize samples without antialiasing unless told otherwise; ours always antialiases.  Both in turn, medians.
Figure: at least 0.9 of TensorFlow's pictures a second.

    python tests/benchmarks/picture_files.py [rounds [folder of JPEG]]

Without a folder, 500 JPEG of 500×375 are made.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from figures import Figures
from PIL import Image

from dlspec.numeric.picture_paths import read_into

COUNT, SIZE = 500, 224


def make(folder: Path) -> None:
    """Gradients, waves and noise: about 55 kB each, as photos of that size."""
    draw = np.random.default_rng(0)
    across, down = np.meshgrid(np.linspace(0, 1, 500), np.linspace(0, 1, 375))
    for i in range(COUNT):
        a, b, c = draw.uniform(2, 60, 3)
        waves = np.stack([np.sin(a * across + b * down), np.cos(b * across), np.sin(c * down * across)], axis=-1)
        grain = draw.normal(0, 9, (375, 500, 1))
        picture = np.clip(128 + 90 * waves + grain, 0, 255).astype(np.uint8)
        Image.fromarray(picture).save(folder / f"{i:03d}.jpg", quality=90)


def contenders(files: list[str]):
    import tensorflow as tf

    out = np.empty((len(files), SIZE, SIZE, 3), np.uint8)

    def ours() -> None:
        assert not read_into(files, out)

    def tensorflow(antialias: bool) -> None:
        def one(path):
            picture = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)
            return tf.image.resize(picture, (SIZE, SIZE), antialias=antialias)

        data = tf.data.Dataset.from_tensor_slices(files).map(one, num_parallel_calls=tf.data.AUTOTUNE)
        for _ in data.batch(32).prefetch(tf.data.AUTOTUNE):
            pass

    return {
        "dlspec": ours,
        "tf.data": lambda: tensorflow(False),
        "tf.data, antialiased": lambda: tensorflow(True),
    }


def main(rounds: int, folder: Path) -> None:
    if not any(folder.iterdir()):
        make(folder)
    files = sorted(map(str, folder.glob("*.jpg")))
    print(f"{len(files)} files, {sum(map(os.path.getsize, files)) / len(files) / 1e3:.0f} kB each")
    runs = contenders(files)
    wall: dict[str, list[float]] = {}
    busy: dict[str, list[float]] = {}
    for turn in range(rounds + 1):
        for name, run in runs.items():
            began, worked = time.perf_counter(), time.process_time()
            run()
            if turn:  # the first is for warming up
                wall.setdefault(name, []).append(len(files) / (time.perf_counter() - began))
                busy.setdefault(name, []).append((time.process_time() - worked) / len(files) * 1e6)
    for name in wall:
        print(
            f"{name:22} {statistics.median(wall[name]):6.0f} a second, {statistics.median(busy[name]):5.0f} µs of CPU"
        )
    figures = Figures()
    for against, least in (("tf.data", 0.9), ("tf.data, antialiased", 0.9)):
        ratio = statistics.median(a / b for a, b in zip(wall["dlspec"], wall[against], strict=True))
        cpu = statistics.median(busy[against]) / statistics.median(busy["dlspec"])
        said = f"dlspec / {against}: {ratio:.2f} by the clock (at least {least}); {cpu:.2f} by CPU time"
        figures.check(said, ratio >= least)
    figures.leave()


if __name__ == "__main__":
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    if len(sys.argv) > 2:
        main(rounds, Path(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as made:
            main(rounds, Path(made))
