"""Scores of detections against pycocotools and faster-coco-eval: how far apart they are, and how long each takes.

    python tests/benchmarks/detection_scores.py [--pictures N] [--classes K] [--boxes N] [--objects N] [--draws N]

Prints, of generated scenes (crowds, empty pictures, ties, objects of all sizes): the largest difference of COCO's
twelve numbers, seconds of matching and accumulating, seconds of a bootstrap, of intervals of every metric, and of error
analysis with the ceiling of every kind.
"""

import argparse
import pathlib
import sys
import time

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from evaluators.coco_scenes import ORDER, as_coco, evaluated, examples, scenes

from dlspec.evaluators.boxes import Boxes
from dlspec.strategy.ceilings import find_errors, kinds
from dlspec.strategy.intervals import intervals


def timed(work):
    begun = time.perf_counter()
    result = work()
    return result, time.perf_counter() - begun


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=int, default=500)
    parser.add_argument("--classes", type=int, default=3)
    parser.add_argument("--objects", type=int, default=20)
    parser.add_argument("--boxes", type=int, default=200)
    parser.add_argument("--draws", type=int, default=1000)
    asked = parser.parse_args()
    truths, predictions = scenes(asked.pictures, asked.classes, 1, asked.objects, asked.boxes)
    state = {"names": [f"c{k}" for k in range(asked.classes)], "threshold": 0.5, "overlap": 0.5}
    print(
        f"{asked.pictures:,} pictures, {asked.classes} classes, {sum(map(len, truths)):,} objects, "
        f"{sum(map(len, predictions)):,} boxes"
    )
    data, evaluator = examples(truths), Boxes()
    statistics, matching = timed(lambda: evaluator.statistics(data, predictions, state))
    found, first = timed(lambda: evaluator.combine(statistics))
    print(f"dlspec            {matching + first:7.2f} s (matching, kinds of error {matching:.2f}, scores {first:.2f})")
    truth, results = as_coco(truths, predictions, asked.classes)
    for faster, name in ((False, "pycocotools"), (True, "faster-coco-eval")):
        theirs, seconds = timed(lambda faster=faster: evaluated(truth, results, faster))
        mine = np.nan_to_num([found[one] for one in ORDER], nan=-1)
        apart = np.abs(mine - theirs.stats[: len(ORDER)]).max()
        print(f"{name:17} {seconds:7.2f} s, reading included; largest difference {apart:.1e}")
    random = np.random.default_rng(0)
    draws = random.multinomial(asked.pictures, np.full(asked.pictures, 1 / asked.pictures), asked.draws).astype(float)
    for only in (None, {"map_50_95"}):
        _, seconds = timed(lambda only=only: [evaluator.combine(statistics, weights, only=only) for weights in draws])
        print(f"{asked.draws:,} draws of {'every metric' if only is None else 'map_50_95'}: {seconds:.2f} s")
    shares = evaluator.shares(statistics)
    _, seconds = timed(lambda: intervals(evaluator.combine, statistics, asked.pictures, shares=shares))
    print(f"intervals of every metric: {seconds:.2f} s")
    errors = find_errors(evaluator, data, predictions, state, statistics)
    told, seconds = timed(lambda: kinds(evaluator, data, predictions, state, found=errors, statistics=statistics))
    print(f"ceilings of {len(told)} kinds: {seconds:.2f} s")
    for one in told:
        print(f"  {one.kind:20} {one.count:5} pictures, map_50_95 {one.ceiling - one.gain:.3f} → {one.ceiling:.3f}")


if __name__ == "__main__":
    main()
