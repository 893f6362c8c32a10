"""What augmentation costs, beside decoding the same pictures, and which library moves pictures fastest.

Pictures are bytes in memory, taken out in shuffled batches of 64 and augmented.  Decoding is JPEG (500×375, smooth
fields with grain, quality 90) from memory to 224×224 RGB bytes: by tf.data (`decode_jpeg`, `resize`) and by Pillow in
threads.  All in turn, medians of the rounds.
Figures: flip, shift, rotate, zoom, brightness and contrast at 224 px at least 2.5 times as fast as the faster decoder;
shift and flip of 64 × 32×32×1 in less than a millisecond.

    python tests/benchmarks/augmentation.py
"""

from __future__ import annotations

import io
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata

import numpy as np
from figures import Figures
from PIL import Image
from scipy import ndimage

from dlspec.inputs.augmentation import Augment
from dlspec.numeric.affine import backwards, warp

COUNT, BATCH, ROUNDS = 256, 64, 9
MOVES = {"flip": "horizontal", "shift": 0.1, "rotate": 15, "zoom": 0.2}
COLOURS = {"brightness": 0.2, "contrast": 0.2}
SETS = {
    "shift, flip": {"flip": "horizontal", "shift": 0.1},
    "flip, shift, rotate, zoom": MOVES,
    "brightness, contrast": COLOURS,
    "the two sets before (common set)": {**MOVES, **COLOURS},
    "saturation, hue": {"saturation": 0.3, "hue": 0.05},
    "noise": {"noise": 0.05},
    "blur": {"blur": 1.0},
    "cutout": {"cutout": 0.3},
    "mixup": {"mixup": 0.2},
    "cutmix": {"cutmix": 1.0},
}
COMMON = "the two sets before (common set)"


def rates(works: dict[str, tuple[Callable[[], object], int]], rounds: int = ROUNDS) -> dict[str, float]:
    """Pictures a second of each, in turn; one round to warm up."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, (work, _) in works.items():
            began = time.perf_counter()
            work()
            if number:
                seconds[name].append(time.perf_counter() - began)
    return {name: count / statistics.median(seconds[name]) for name, (_, count) in works.items()}


def pictures(size: int, channels: int, count: int = COUNT) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, size, size, channels)).astype(np.uint8)


def augmenting(data: np.ndarray, kinds: dict[str, object]) -> Callable[[], None]:
    """One epoch over the pictures."""
    augment, rng = Augment.model_validate(kinds), np.random.default_rng(1)
    labels = np.arange(len(data)) % 10

    def epoch() -> None:
        order, seeds = rng.permutation(len(data)), rng.integers(0, 2**64, len(data), dtype=np.uint64)
        for start in range(0, len(data), BATCH):
            chosen = order[start : start + BATCH]
            augment.apply({"picture": data[chosen], "label": labels[chosen]}, seeds[chosen], classes=10)

    return epoch


def movers(size: int, pool: ThreadPoolExecutor) -> dict[str, tuple[Callable[[], object], int]]:
    """The affine step alone, bilinear, RGB bytes, by several libraries, all in threads."""
    data = pictures(size, 3)
    maps = Augment.model_validate(MOVES).drawn(np.arange(len(data), dtype=np.uint64), size, size, 3).maps
    assert maps is not None
    sources, new = backwards(maps), np.empty_like(data)
    rows, columns = np.mgrid[:size, :size]

    def opencv(i: int) -> None:
        warp(data[i], sources[i], new[i], "nearest")

    def pillow(i: int) -> None:
        # Pillow counts from the corner, and fills with black alone.
        half = sources[i, :, 2] + 0.5 - sources[i, :, :2].sum(1) * 0.5
        numbers = (*sources[i, 0, :2], half[0], *sources[i, 1, :2], half[1])
        bilinear = Image.Resampling.BILINEAR
        new[i] = Image.fromarray(data[i]).transform((size, size), Image.Transform.AFFINE, numbers, bilinear)

    def scipy(i: int) -> None:
        swapped = sources[i][::-1, [1, 0, 2]]
        for c in range(3):
            ndimage.affine_transform(
                data[i, :, :, c], swapped[:, :2], swapped[:, 2], output=new[i, :, :, c], order=1, mode="nearest"
            )

    def numpy(i: int) -> None:
        (a, b, c), (d, e, f) = sources[i].astype(np.float32)
        x, y = np.clip(a * columns + b * rows + c, 0, size - 1), np.clip(d * columns + e * rows + f, 0, size - 1)
        left, top = np.minimum(x.astype(np.intp), size - 2), np.minimum(y.astype(np.intp), size - 2)
        right, down = (x - left)[..., None], (y - top)[..., None]
        old = data[i]
        upper = old[top, left] * (1 - right) + old[top, left + 1] * right
        lower = old[top + 1, left] * (1 - right) + old[top + 1, left + 1] * right
        new[i] = np.rint(upper * (1 - down) + lower * down)

    few = {"OpenCV": len(data), "Pillow": len(data), "SciPy": 32 if size > 64 else 128, "NumPy": 32}
    works = {"OpenCV": opencv, "Pillow": pillow, "SciPy": scipy, "NumPy": numpy}

    def all_of(work: Callable[[int], None], count: int) -> Callable[[], object]:
        return lambda: list(pool.map(lambda first: [work(i) for i in range(first, count, cores)], range(cores)))

    return {name: (all_of(work, few[name]), few[name]) for name, work in works.items()}


def jpegs(count: int) -> list[bytes]:
    """Photograph-like pictures: smooth fields with some grain."""
    files = []
    for number in range(count):
        rng = np.random.default_rng(number)
        small = rng.integers(0, 256, (12, 16, 3)).astype(np.uint8)
        smooth = np.asarray(Image.fromarray(small).resize((500, 375), Image.Resampling.BICUBIC), np.float32)
        grain = rng.normal(0, 6, smooth.shape[:2])[..., None]
        made = io.BytesIO()
        Image.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8)).save(made, "JPEG", quality=90)
        files.append(made.getvalue())
    return files


def decoders(files: list[bytes], pool: ThreadPoolExecutor) -> dict[str, tuple[Callable[[], object], int]]:
    import tensorflow as tf

    def one(file: tf.Tensor) -> tf.Tensor:
        resized = tf.image.resize(tf.io.decode_jpeg(file, channels=3), (224, 224))
        return tf.cast(resized, tf.uint8)

    stream = tf.data.Dataset.from_tensor_slices(files).map(one, num_parallel_calls=tf.data.AUTOTUNE).batch(BATCH)
    stream = stream.prefetch(tf.data.AUTOTUNE)

    def by_pillow(file: bytes) -> np.ndarray:
        return np.asarray(Image.open(io.BytesIO(file)).resize((224, 224), Image.Resampling.BILINEAR))

    return {
        "decoding by tf.data": (lambda: [batch.numpy() for batch in stream], len(files)),
        "decoding by Pillow in threads": (lambda: list(pool.map(by_pillow, files)), len(files)),
    }


figures = Figures()
print(", ".join(f"{name} {metadata.version(name)}" for name in ("opencv-python-headless", "pillow", "scipy")), "\n")
cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

with ThreadPoolExecutor(cores) as pool:
    print("the affine step alone, RGB, pictures a second")
    for size in (32, 96, 224):
        found = rates(movers(size, pool), rounds=5)
        print(f"  {size:3} px  " + "  ".join(f"{name} {rate:8,.0f}" for name, rate in found.items()), flush=True)

    shapes = [(32, 1), (32, 3), (96, 3), (224, 1), (224, 3)]
    columns = [
        rates({name: (augmenting(pictures(size, channels), kinds), COUNT) for name, kinds in SETS.items()})
        for size, channels in shapes
    ]
    print(
        "\npictures a second" + " " * 16 + "".join(f"{size}×{size}×{channels}".rjust(12) for size, channels in shapes)
    )
    for name in SETS:
        print(f"{name:33}" + "".join(f"{column[name]:12,.0f}" for column in columns))

    files = jpegs(COUNT)
    found = rates({**decoders(files, pool), COMMON: (augmenting(pictures(224, 3), SETS[COMMON]), COUNT)})
    print(
        f"\nJPEG of {sum(map(len, files)) / len(files) / 1000:.0f} kB on average; {COUNT} pictures of 224 px, in turn"
    )
    for name, rate in found.items():
        print(f"  {name}: {rate:,.0f} pictures a second")
    decoding = max(rate for name, rate in found.items() if name != COMMON)
    figures.check(
        f"the common set at 224 px is {found[COMMON] / decoding:.1f} times as fast as decoding (at least 2.5)",
        found[COMMON] >= 2.5 * decoding,
    )
    small = rates({"": (augmenting(pictures(32, 1, BATCH), SETS["shift, flip"]), BATCH)}, rounds=101)[""]
    figures.check(
        f"shift and flip of {BATCH} × 32×32×1: {1000 * BATCH / small:.2f} ms (less than 1)", BATCH / small < 1e-3
    )
figures.leave()
