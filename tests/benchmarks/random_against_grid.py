"""Random search against a grid: the same number of trials where one of three parameters matters.

A grid of 25 points over three axes tries few values of each; at random, every trial tries another value of the one that
matters (Bergstra & Bengio 2012, figure 1).  Nothing is trained: a curve with one narrow top stands for dev accuracy, at
another place in each repeat.  Both searches go through the samplers of `dlspec tune`.

    python tests/benchmarks/random_against_grid.py
"""

import argparse

import numpy as np

from dlspec.recipe.tune import Tune
from dlspec.tuning.samplers import Grid, Random
from dlspec.tuning.space import Space

TRIALS = 25


def space(points):
    low, high = 1e-5, 1e-1
    return {
        "train.optimizer.learning_rate": {"log_uniform": [low, high], "points": points[0]},
        "train.optimizer.momentum": {"uniform": [0.0, 0.99], "points": points[1]},
        "model.dropout": {"uniform": [0.0, 0.8], "points": points[2]},
    }


def accuracy(drawn, top, width):
    """Of a recipe, where only the learning rate matters: decades from the best rate, under a bell."""
    distance = np.log10(drawn["train.optimizer.learning_rate"]) - top
    return float(np.exp(-0.5 * (distance / width) ** 2))


def main():
    given = argparse.ArgumentParser()
    given.add_argument("--repeats", type=int, default=100)
    given.add_argument("--width", type=float, default=0.1, help="of the top, in decades; the axis has four")
    asked = given.parse_args()
    shape = (3, 3, 3)  # 27 points, of which 25 are tried
    axes = Space(Tune(space=space(shape)).space)
    better, random_best, grid_best = 0, [], []
    for repeat in range(asked.repeats):
        top = np.random.default_rng([7, repeat]).uniform(-4.8, -1.2)
        best = [
            max(accuracy(of.drawn(number), top, asked.width) for number in range(TRIALS))
            for of in (Random(axes, repeat), Grid(axes, repeat))
        ]
        random_best.append(best[0])
        grid_best.append(best[1])
        better += best[0] > best[1]
    drawn = [[of.drawn(number) for number in range(TRIALS)] for of in (Random(axes, 0), Grid(axes, 0))]
    distinct = [len({one["train.optimizer.learning_rate"] for one in some}) for some in drawn]
    print(f"{TRIALS} trials, {asked.repeats} repeats, a top {asked.width:g} decades wide on an axis of four")
    print(f"values of the axis that matters: {distinct[0]} at random, {distinct[1]} on the grid")
    print(f"best, on average: {np.mean(random_best):.3f} at random, {np.mean(grid_best):.3f} on the grid")
    print(f"random is better in {better} of {asked.repeats}")


if __name__ == "__main__":
    main()
