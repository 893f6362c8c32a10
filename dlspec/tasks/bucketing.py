"""Batches of examples of about one length, so that little is padded: a function of lengths and random numbers alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

POOL = 50
"""batches whose examples are sorted by length together: enough for little padding, few enough to stay mixed"""


def by_examples(lengths: np.ndarray, size: int, random: np.random.Generator) -> list[np.ndarray]:
    """Batches of `size` examples (the last one of the last pool may be smaller), in random order.

    Of a shuffle, so many batches at a time are sorted by length and cut.
    """
    import numpy as np

    order = random.permutation(len(lengths))
    batches = []
    for start in range(0, len(order), POOL * size):
        pool = order[start : start + POOL * size]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches += [pool[at : at + size] for at in range(0, len(pool), size)]
    return [batches[i] for i in random.permutation(len(batches))]


def by_tokens(lengths: np.ndarray, tokens: int, random: np.random.Generator) -> list[np.ndarray]:
    """Batches that hold at most so many tokens each once they are padded, in random order.

    All are sorted by length (equal ones in random order) and cut, so that there are as many batches in every epoch.
    An example that is longer than that is a batch of its own.
    """
    import numpy as np

    order = random.permutation(len(lengths))
    order = order[np.argsort(lengths[order], kind="stable")]
    batches, start = [], 0
    for end, length in enumerate(np.maximum(1, lengths[order]).tolist()):
        if end > start and (end - start + 1) * length > tokens:
            batches.append(order[start:end])
            start = end
    if start < len(order):
        batches.append(order[start:])
    return [batches[i] for i in random.permutation(len(batches))]
