"""Arrays with room for encoded examples, and the examples encoded into them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dlspec.report.watch import Watch
from dlspec.runs.ahead import ahead
from dlspec.runs.encoding import Encoder
from dlspec.types import Arrays, Examples

BLOCK_BYTES = 1_000_000
"""encoded bytes that one thread makes at a time"""


def room(count: int, probe: Arrays) -> Arrays:
    """Arrays of 0 for so many examples like the one that was encoded."""
    return {name: np.zeros((count, *values.shape[1:]), values.dtype) for name, values in probe.items()}


def without(examples: Examples, broken: Sequence[int]) -> Examples:
    """The examples but for those at these places."""
    gone = set(broken)
    return examples.take([i for i in range(len(examples)) if i not in gone]) if gone else examples


def fill(encoder: Encoder, arrays: Arrays, watch: Watch, what: str) -> list[int]:
    """Encode block by block, in threads, into arrays that are there already.

    Returns the places that cannot be read; they are left out, the others move up.
    """
    total = len(encoder.examples)
    each = sum(values.nbytes for values in arrays.values()) // total
    block = max(8, BLOCK_BYTES // max(1, each))

    def work(start: int) -> None:
        good, encoded = encoder(np.arange(start, min(start + block, total)))
        # Where all are good this is a slice: fancy indexing would copy once more.
        of: Any = slice(start, start + len(good)) if len(good) == min(block, total - start) else good
        for name, values in encoded.items():
            arrays[name][of] = values

    for _ in ahead(work, range(0, total, block)):
        pass
    encoder.tell(watch, what)
    broken = sorted(encoder.broken)
    if broken:
        good = np.setdiff1d(np.arange(total), broken)
        for values in arrays.values():
            for start in range(0, len(good), block):
                values[start : start + len(good[start : start + block])] = values[good[start : start + block]]
    return broken
