"""Milliseconds a picture of non-maximum suppression, beside `tf.image.combined_non_max_suppression` on the same boxes.

8,400 boxes and 80 classes.  Detection: a few hundred candidates above 0.25.  Scoring: 300,000 candidates, as where the
threshold is near 0.  In turn, medians of the rounds; the outputs must be the same.
Figures: detection never slower; scoring at least 1.5 times as fast.

    python tests/benchmarks/nms_speed.py [--rounds 41]
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from figures import Figures

from dlspec.decode.nms import nms

BOXES, CLASSES, MOST = 8_400, 80, 100
OTHERS = ({"kind": "diou"}, {"kind": "giou"}, {"soft": "linear"}, {"soft": "gaussian"}, {"across_classes": True})


def boxes_of(random: np.random.Generator) -> np.ndarray:
    """Half of them around 40 objects, the others anywhere."""
    middle, sides = random.uniform(0, 640, (BOXES, 2)), random.uniform(10, 150, (BOXES, 2))
    near = random.integers(40, size=BOXES // 2)
    middle[: len(near)] = random.uniform(50, 590, (40, 2))[near] + random.normal(0, 4, (len(near), 2))
    sides[: len(near)] = random.uniform(20, 150, (40, 2))[near] * random.uniform(0.9, 1.1, (len(near), 2))
    return np.concatenate([middle - sides / 2, middle + sides / 2], axis=1).astype(np.float32)


def worlds(random: np.random.Generator) -> dict[str, tuple[np.ndarray, float]]:
    """Scores, and the threshold."""
    low = random.uniform(0, 1, (BOXES, CLASSES)) ** 40 * 0.2
    sure = low.copy()
    rows = random.choice(BOXES // 2, 800, replace=False)
    sure[rows, random.integers(CLASSES, size=len(rows))] = random.beta(1, 1.5, len(rows)) * 0.9
    many = random.uniform(0, 1, (BOXES, CLASSES)) ** 3
    least = float(np.sort(many, axis=None)[-300_000])
    return {"detection": (sure.astype(np.float32), 0.25), "scoring": (many.astype(np.float32), least)}


def main() -> None:
    import tensorflow as tf

    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=41)
    told = parser.parse_args()
    figures = Figures()
    random = np.random.default_rng(0)
    boxes = boxes_of(random)
    for name, (scores, least) in worlds(random).items():
        given = tf.constant(boxes[None, :, None]), tf.constant(scores[None])

        def theirs(given: tuple[object, object] = given, least: float = least) -> np.ndarray:
            made = tf.image.combined_non_max_suppression(*given, MOST, MOST, 0.5, least, clip_boxes=False)
            count = int(made.valid_detections[0])
            return np.column_stack([one[0, :count].numpy() for one in made[:3]])

        def ours(scores: np.ndarray = scores, least: float = least, **settings: object) -> np.ndarray:
            return nms(boxes, scores, least=least, most=MOST, **settings)  # type: ignore[arg-type]

        works = {"tensorflow": theirs, "dlspec": ours}
        works |= {" ".join(map(str, one.items())): (lambda one=one: ours(**one)) for one in OTHERS}
        seconds: dict[str, list[float]] = {how: [] for how in works}
        for number in range(told.rounds + 2):
            for how, work in works.items():
                began = time.perf_counter()
                work()
                if number > 1:
                    seconds[how].append(time.perf_counter() - began)
        ms = {how: statistics.median(found) * 1e3 for how, found in seconds.items()}
        print(
            f"{name}: {int((scores > least).sum()):,} candidates; "
            + ", ".join(f"{k} {v:.2f} ms" for k, v in ms.items())
        )
        figures.check(f"{name}: the same output", np.array_equal(ours(), theirs()))
        times, least_times = ms["tensorflow"] / ms["dlspec"], 1.0 if name == "detection" else 1.5
        figures.check(f"{name}: {times:.2f} × as fast (at least {least_times})", times >= least_times)
    figures.leave()


main()
