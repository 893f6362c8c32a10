"""The part of dev that is looked at by eye; the rest stays a black box that judges honestly (Ng 2018, chapters 17, 18).

Who belongs is told by the name alone: a hash of it is a place from 0 to 1, and all below a bound belong.  Runs on the
same data look at the same examples, and a larger part holds every smaller one.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

ERRORS = 100
"""errors that are worth looking at: fewer tell little of what is frequent, of more few are looked at"""
FEWEST = 10
"""examples that must differ before one part is said to be better"""
SURE = 0.025


class Contrast(NamedTuple):
    """The mean over the eyeball part and over the rest; p: the chance that the former is so much lower by luck."""

    eyeball: float
    rest: float
    p: float

    @property
    def sure(self) -> bool:
        """Whether the eyeball part surely has less."""
        return self.p < SURE


def places(names: Sequence[str], seed: int = 0) -> np.ndarray:
    """(N,) the place of each name in [0, 1), the same on every machine; of equal names, the same.

    CRC-32 tells names apart, and SplitMix64 (Steele et al. 2014) scatters them: a million take half a second.
    """
    told = np.fromiter((zlib.crc32(name.encode("utf-8", "surrogatepass")) for name in names), np.uint64, len(names))
    told += np.uint64((0x9E3779B97F4A7C15 * (seed + 1)) % 2**64)
    told = (told ^ (told >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    told = (told ^ (told >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    scattered: np.ndarray = ((told ^ (told >> np.uint64(31))) >> np.uint64(11)) / 2.0**53
    return scattered


def bound(where: np.ndarray, errors: int, asked: int | None = None) -> float:
    """The place below which examples are looked at.

    asked: how many (0: all); None: the least of 1, 1/2, 1/4, … of all that holds about ERRORS of so many errors, so
    that a run with somewhat fewer of them looks at the same.
    """
    if asked is None:
        return 2.0 ** -max(0, math.floor(math.log2(max(1, errors) / ERRORS)))
    if asked == 0 or asked >= len(where):
        return 1.0
    return float(np.nextafter(np.partition(where, asked - 1)[asked - 1], 1.0))


def contrast(values: np.ndarray, eyeball: np.ndarray, units: np.ndarray) -> Contrast:
    """Whether the eyeball part surely has the lower mean; p is NaN where there is too little to tell.

    values: (N,) errors, or the errors of one predictor minus those of another.  units: (N,) which examples were drawn
    together.  Means are ratios over clusters (Cochran 1977, equation 11.11 without replacement), normally distributed.
    """
    many, rest = int(eyeball.sum()), int((~eyeball).sum())
    if not many or not rest:
        return Contrast(math.nan, math.nan, math.nan)
    means = values[eyeball].mean(), values[~eyeball].mean()
    if np.count_nonzero(values) < FEWEST:
        return Contrast(float(means[0]), float(means[1]), math.nan)
    residual = np.bincount(units, values - values.mean())
    own = np.zeros(len(residual), bool)
    own[units[eyeball]] = True
    spread = math.sqrt((residual[own] ** 2).sum() / many**2 + (residual[~own] ** 2).sum() / rest**2)
    z = (means[0] - means[1]) / spread if spread else 0.0
    return Contrast(float(means[0]), float(means[1]), 0.5 * math.erfc(-z / math.sqrt(2)))
