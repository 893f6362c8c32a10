"""Windows of a long series: what `x` is for forecasts.  They share the series, so that many cost little."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np


class Windows(Sequence[np.ndarray]):
    """Windows of `length` steps each, float64 (length, F), out of `values` (n, F), beginning at `starts`.

    `names`: of the channels.  `season`: steps after which things come again; 1: they do not.
    """

    def __init__(
        self, values: np.ndarray, starts: Sequence[int] | np.ndarray, length: int, names: Sequence[str], season: int = 1
    ) -> None:
        self.values, self.starts, self.length = values, np.asarray(starts, np.int64), length
        self.names, self.season = tuple(names), season

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice | np.ndarray | list):
            return Windows(self.values, self.starts[index], self.length, self.names, self.season)
        start = int(self.starts[index])
        return self.values[start : start + self.length]

    def stacked(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """Those at some places as one array, float64 (N, length, F)."""
        starts = self.starts[np.asarray(rows, np.int64)]
        return self.values[starts[:, None] + np.arange(self.length)]

    @classmethod
    def joined(cls, several: Sequence[Windows]) -> Windows:
        """Those of one series, or of several with the same channels, one after another."""
        first = several[0]
        if all(one.values is first.values for one in several):
            starts = np.concatenate([one.starts for one in several])
            return cls(first.values, starts, first.length, first.names, first.season)
        offsets = np.cumsum([0, *(len(one.values) for one in several[:-1])])
        starts = np.concatenate([one.starts + offset for one, offset in zip(several, offsets, strict=True)])
        values = np.concatenate([one.values for one in several])
        return cls(values, starts, first.length, first.names, first.season)

    def digests(self) -> list[bytes]:
        """A hash of each window; equal ones have equal hashes, on every machine."""
        return self.digests_of(range(len(self)))

    def digests_of(self, chosen: Sequence[int]) -> list[bytes]:
        key = hashlib.blake2b(repr(self.names).encode()).digest()
        whole = np.ascontiguousarray(np.where(np.isnan(self.values), np.nan, self.values) + 0.0, "<f8")
        raw, width = memoryview(whole.reshape(-1).view(np.uint8)), 8 * whole.shape[1]
        starts = self.starts[np.asarray(chosen, np.int64)].tolist()
        pieces = (raw[width * one : width * (one + self.length)] for one in starts)
        return [hashlib.blake2b(one, digest_size=16, key=key).digest() for one in pieces]


def filled(values: np.ndarray, how: str) -> np.ndarray:
    """Series (N, L, F) without what is missing, each out of itself: `last` (the value before; at the begin, the first
    that is known) or `linear` (a straight line between the neighbours).  What is missing all along stays NaN."""
    missing = np.isnan(values)
    if not missing.any():
        return values
    result = values.copy()
    for row, channel in np.argwhere(missing.any(axis=1)).tolist():
        known = np.flatnonzero(~missing[row, :, channel])
        if not len(known):
            continue
        steps = np.arange(values.shape[1])
        line = values[row, :, channel]
        if how == "linear":
            result[row, :, channel] = np.interp(steps, known, line[known])
        else:
            before = np.searchsorted(known, steps, side="right") - 1
            result[row, :, channel] = line[known[np.maximum(before, 0)]]
    return result
