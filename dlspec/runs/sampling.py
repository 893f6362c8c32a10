"""Which examples an epoch sees where they are not to be seen equally often: a function of epoch and seed alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dlspec.types import Place, RecipeError

Sampler = Callable[[int, int], np.ndarray]
"""(epoch, seed) → as many places as there are examples, some more than once"""
_STREAM = 0x73616D70
"""keeps its draws apart from the shuffle's, which have the same seed and epoch"""


def balanced(strata_N: np.ndarray) -> Sampler:
    """Each class (number in `strata`) has the same share of every epoch, to within one example."""
    _, of, counts = np.unique(strata_N, return_inverse=True, return_counts=True)
    return _systematic(1.0 / counts[of], of)


def weighted(weights_N: np.ndarray | None) -> Sampler:
    """Each example is seen in proportion to its weight.  Raises RecipeError where there are none."""
    key = Place(key="train.sampling")
    if weights_N is None:
        raise RecipeError("weighted: the examples have no weights; name their column as data.weight", where=key)
    weights = weights_N.astype(np.float64)
    if not weights.sum() > 0:
        raise RecipeError("weighted: the weights of train are all 0", where=key)
    return _systematic(weights, np.zeros(len(weights), int))


def _systematic(shares_N: np.ndarray, strata_N: np.ndarray) -> Sampler:
    """Systematic sampling (Madow and Madow 1944) of a fresh order, stratum after stratum.

    Beside draws with replacement it has no needless variance: an example whose share is e of an epoch's N comes e
    times, rounded down or up, and so does a whole stratum.
    """
    count = len(shares_N)
    expected = shares_N * (count / shares_N.sum())

    def sample(epoch: int, seed: int) -> np.ndarray:
        draws = np.random.default_rng((seed, epoch, _STREAM))
        order = draws.permutation(count)
        order = order[np.argsort(strata_N[order], kind="stable")]
        # The sum is N but for rounding; it is made to be, so that exactly N are drawn.
        edges = np.minimum(np.cumsum(expected[order]), count)
        edges[-1] = count
        times = np.diff(np.floor(edges + draws.random()).astype(int), prepend=0)
        found: np.ndarray = np.repeat(order, times)
        return found

    return sample


def numbered(chosen: np.ndarray, times: np.ndarray) -> np.ndarray:
    """How often each place has come before, in `times` (which is brought up to date) or earlier in `chosen`."""
    order = np.argsort(chosen, kind="stable")
    first = np.r_[True, np.diff(chosen[order]) != 0]
    place = np.arange(len(chosen))
    found = np.empty(len(chosen), np.int64)
    found[order] = place - np.maximum.accumulate(np.where(first, place, 0))
    found += times[chosen]
    np.add.at(times, chosen, 1)
    return found
