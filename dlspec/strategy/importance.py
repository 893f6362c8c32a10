"""Permutation importance: how much worse the headline metric gets when one part of the input is shuffled.

Breiman 2001 (Random Forests, section 10); over any model, Fisher, Rudin & Dominici 2019.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np


@dataclass(frozen=True)
class Importance:
    """What one part of the input is worth to this network; a part may stand in for another that tells the same."""

    part: str
    drop: float
    """mean loss of the headline metric over the shuffles; more is more important, about 0 is unused"""
    deviation: float
    """standard deviation over the shuffles; NaN of one shuffle"""
    low: float
    high: float
    """95 % interval of the mean drop (Student's t) over the luck of shuffling, not over the choice of examples"""


def permutation_importance(
    score: Callable[[str, np.ndarray], float],
    parts: Sequence[str],
    n: int,
    *,
    baseline: float,
    best: Literal["max", "min"] = "max",
    repeats: int = 5,
    seed: int = 0,
) -> list[Importance]:
    """The importance of every part, the most important first.

    `score(part, order)` is the headline metric where example i has that part from example order[i]; `baseline` is the
    metric untouched, `best` says which way is better.  All parts are shuffled by the same `repeats` orders of n
    examples, which depend on the seed alone.
    """
    orders = [np.random.default_rng((seed, repeat)).permutation(n) for repeat in range(repeats)]
    result = []
    for part in parts:
        scores = np.array([score(part, order) for order in orders], np.float64)
        drops = baseline - scores if best == "max" else scores - baseline
        mean, deviation, half = float(drops.mean()), math.nan, math.nan
        if repeats > 1:
            from scipy.special import stdtrit

            deviation = float(drops.std(ddof=1))
            half = float(stdtrit(repeats - 1, 0.975)) * deviation / math.sqrt(repeats)
        result.append(Importance(part, mean, deviation, mean - half, mean + half))
    return sorted(result, key=lambda one: math.inf if math.isnan(one.drop) else -one.drop)
