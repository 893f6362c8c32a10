"""Drawing one token after another: temperature, the k most probable (Fan, Lewis and Dauphin 2018, "Hierarchical neural
story generation"), the nucleus (Holtzman et al. 2020, "The curious case of neural text degeneration").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Sampling:
    """How a token is drawn; first the temperature, then the most probable, of these the nucleus."""

    temperature: float = 1.0
    """logits are divided by it; 0: the most probable token, and nothing is left to chance"""
    top_k: int | None = None
    """so many of the most probable tokens may be drawn; None: all"""
    top_p: float | None = None
    """the fewest of the most probable tokens whose probabilities reach this sum may be drawn; None: all"""


def shares(logits_V: np.ndarray, how: Sampling, never: Sequence[int] = ()) -> np.ndarray:
    """The probability that each token is drawn with, float64 (V,).  never: tokens that have none.

    Of equally probable tokens the first ones count as more probable.
    """
    logits = np.asarray(logits_V, np.float64).copy()
    logits[list(never)] = -np.inf
    order = np.argsort(-logits, kind="stable")
    if how.temperature == 0:
        found = np.zeros(len(logits))
        found[order[0]] = 1.0
        return found
    powers = np.exp((logits - logits[order[0]]) / how.temperature)
    if how.top_k is not None:
        powers[order[how.top_k :]] = 0
    found = np.asarray(powers / powers.sum(), np.float64)
    if how.top_p is not None:
        before = np.cumsum(found[order]) - found[order]
        # Up to the last digits of a sum of floats: of 0.5 and 0.3, 0.8 is reached.
        found[order[before >= how.top_p - 1e-12]] = 0
        found /= found.sum()
    return found


def draw(shares_V: np.ndarray, random: np.random.Generator) -> int:
    """A token, by its share."""
    ends = np.cumsum(shares_V)
    token = int(np.searchsorted(ends, random.random() * ends[-1], side="right"))
    return min(token, int(np.flatnonzero(shares_V)[-1]))


def drawn(
    course: Callable[[], Any],
    before: Sequence[int],
    longest: int,
    length: int,
    how: Sampling,
    never: Sequence[int],
    seed: Any,
) -> Iterator[int]:
    """`length` tokens that go on with those before, of which there is one at least, each as soon as it is drawn.

    course: makes the way that a network goes, of `longest` tokens, with one hypothesis (see models.base.Course); where
    it ends, it begins anew behind the first of the tokens before and the last half of all.
    """
    random, first = np.random.default_rng(seed), list(before[:1])
    said = list(before[1:])
    if len(said) >= longest:
        said = said[-(longest // 2) :]
    way, step = _way(course, longest)
    cache, time, waiting = way.cache, 0, [*first, *said]
    for _ in range(length):
        if time + len(waiting) > longest:
            said = said[-(longest // 2) :]
            cache, time, waiting = way.cache, 0, [*first, *said]
        for token in waiting:
            logits, cache = step(token, time, cache)
            time += 1
        waiting = [draw(shares(logits, how, never), random)]
        said += waiting
        yield waiting[0]


def _way(course: Callable[[], Any], longest: int) -> tuple[Any, Callable[[int, int, Any], tuple[np.ndarray, Any]]]:
    """The course, and its step for one token: (token, time, cache) → logits (V,), cache; compiled on TensorFlow."""
    import keras

    way = course()
    ancestors = np.zeros((1, 1, longest), np.int32)

    def plain(token: Any, time: Any, cache: Any) -> tuple[Any, Any]:
        logits, cache, _ = way.step(token, time, cache, ancestors)
        return logits, cache

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        plain = tf.function(plain)

    def step(token: int, time: int, cache: Any) -> tuple[np.ndarray, Any]:
        ops = keras.ops
        said = ops.convert_to_tensor([[token]], "int32")
        logits, cache = plain(said, ops.convert_to_tensor(time, "int32"), cache)
        return np.asarray(ops.convert_to_numpy(logits))[0, 0], cache

    return way, step
