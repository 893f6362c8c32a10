"""What the neighbours of an example say of its target, without a network: Cover and Hart's rule (1967).

Targets that were shuffled, or that belong to the row above, agree with those of the neighbours no more than by chance.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

ORDERS = 200
"""shuffles that say what chance is"""


class Agreement(NamedTuple):
    """How far targets follow those of the neighbours: a correlation, and by how many deviations of chance."""

    correlation: float
    deviations: float


def neighbours(vectors_NF: np.ndarray, k: int, *, seed: int = 0) -> np.ndarray:
    """The k nearest other rows of each row, (N, k); rows equally far away are drawn from by chance."""
    vectors = vectors_NF.astype(np.float64)
    vectors = vectors - vectors.mean(axis=0)
    squares = (vectors**2).sum(axis=1)
    distances = np.maximum(squares[:, None] + squares - 2 * vectors @ vectors.T, 0)
    # Equal rows would otherwise be taken in the order of the file, which may be that of the classes.
    distances += np.random.default_rng(seed).random(distances.shape) * (1e-9 * max(float(squares.mean()), 1e-300))
    np.fill_diagonal(distances, np.inf)
    return np.argpartition(distances, k - 1, axis=1)[:, :k]


def agreement(targets_NM: np.ndarray, near_NK: np.ndarray, *, seed: int = 0) -> Agreement:
    """The correlation of every target with the mean of its neighbours' targets, against shuffled targets.

    targets: numbers, or a 1 in the column of the class.  Deviations are 0 where all targets are the same.
    """
    centred = targets_NM - targets_NM.mean(axis=0)
    found = _correlation(centred, near_NK)
    random = np.random.default_rng(seed)
    shuffled = np.array([_correlation(centred[random.permutation(len(centred))], near_NK) for _ in range(ORDERS)])
    spread = float(shuffled.std())
    return Agreement(found, (found - float(shuffled.mean())) / spread if spread > 0 else 0.0)


def recalled(classes_N: np.ndarray, near_NK: np.ndarray) -> float:
    """The mean over the classes of the share that the majority of the neighbours gets right."""
    names, codes = np.unique(classes_N, return_inverse=True)
    votes = np.zeros((len(codes), len(names)))
    for column in near_NK.T:
        votes[np.arange(len(codes)), codes[column]] += 1
    right = votes.argmax(axis=1) == codes
    return float(np.mean([right[codes == one].mean() for one in range(len(names))]))


def explained(numbers_N: np.ndarray, near_NK: np.ndarray) -> float:
    """R²: the share of the variance that the mean of the neighbours explains."""
    left = ((numbers_N - numbers_N[near_NK].mean(axis=1)) ** 2).sum()
    return float(1 - left / ((numbers_N - numbers_N.mean()) ** 2).sum())


def _correlation(centred: np.ndarray, near: np.ndarray) -> float:
    around = centred[near].mean(axis=1)
    scale = np.sqrt((centred**2).sum() * (around**2).sum())
    return float((centred * around).sum() / scale) if scale > 0 else 0.0
