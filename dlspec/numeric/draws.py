"""Random numbers that depend on a seed and on what they are for, and on nothing else; for many seeds at once."""

from __future__ import annotations

import numpy as np

GAMMA = np.uint64(0x9E3779B97F4A7C15)
FIRST, SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def bits(seeds_N: np.ndarray, stream: int) -> np.ndarray:
    """uint64 (N,): the number at place `stream` of the sequence that each seed begins.

    SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators"): its places can be asked
    for in any order, so that a draw that is added changes none of the others.
    """
    z = np.asarray(seeds_N, np.uint64) + np.array([stream + 1], np.uint64) * GAMMA
    z = (z ^ (z >> np.uint64(30))) * FIRST
    z = (z ^ (z >> np.uint64(27))) * SECOND
    return z ^ (z >> np.uint64(31))


def uniform(seeds_N: np.ndarray, stream: int, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    """float64 (N,), evenly spread from low up to high."""
    return low + (high - low) * ((bits(seeds_N, stream) >> np.uint64(11)) * 2.0**-53)


def normal(seeds_N: np.ndarray, stream: int) -> np.ndarray:
    """float64 (N,), from the standard normal distribution: by the inverse of its distribution."""
    from scipy.special import ndtri

    return ndtri(np.maximum(uniform(seeds_N, stream), 2.0**-54))  # of 0 it is infinite


def ratio(seeds_N: np.ndarray, stream: int, share: float) -> np.ndarray:
    """float64 (N,), from 1 - share to 1 / (1 - share): as often larger than 1 as smaller, by the same ratio."""
    return (1.0 - share) ** uniform(seeds_N, stream, -1.0, 1.0)


def beta(seeds_N: np.ndarray, stream: int, alpha: float) -> np.ndarray:
    """float64 (N,), from Beta(alpha, alpha): by the inverse of its distribution."""
    from scipy.special import betaincinv

    return betaincinv(alpha, alpha, uniform(seeds_N, stream))
