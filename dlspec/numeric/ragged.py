"""Rows of different length (sentences, series): how long they are, and one array of them, filled up with 0."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def lengths_of(rows: Sequence[np.ndarray]) -> np.ndarray:
    """The length of each row, int64 (N,)."""
    return np.fromiter(map(len, rows), np.int64, len(rows))


def padded(rows: Sequence[np.ndarray], dtype: str = "int32") -> np.ndarray:
    """(N, L, …): the rows, each followed by 0 up to the longest; L is at least 1, so that empty rows have a place.

    What is one array already is given back as it is.
    """
    if isinstance(rows, np.ndarray):
        return rows
    lengths = lengths_of(rows)
    width = max(1, int(lengths.max(initial=0)))
    of_one = rows[0].shape[1:] if len(rows) else ()
    whole = np.zeros((len(rows), width, *of_one), dtype)
    if lengths.any():
        whole[np.arange(width) < lengths[:, None]] = np.concatenate(rows)
    return whole
