"""Rows of a table held by column: what `x` is for tables."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dlspec.types import DataError

DIGEST = 16
"""bytes of a row's hash"""


class Rows(Sequence[dict[str, Any]]):
    """Columns by name, each a float64 array (missing: NaN) or an object array of str (missing: None).

    `rows[i]` is one row as a dict of plain Python values, None where missing.
    """

    def __init__(self, columns: Mapping[str, np.ndarray]) -> None:
        self.columns = dict(columns)
        self.count = len(next(iter(self.columns.values()))) if self.columns else 0
        self.hashes: np.ndarray | None = None  # once they have been asked for; a selection takes them along

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice | np.ndarray | list):
            chosen = Rows({name: values[index] for name, values in self.columns.items()})
            chosen.hashes = None if self.hashes is None else self.hashes[index]
            return chosen
        return {name: _plain(values[index]) for name, values in self.columns.items()}

    @classmethod
    def joined(cls, tables: Sequence[Rows]) -> Rows:
        """The rows of several tables, one after another.

        Raises DataError where they have not the same columns, or one holds numbers where another holds words.
        """
        columns: dict[str, np.ndarray] = {}
        for name in dict.fromkeys(name for table in tables for name in table.columns):
            if any(name not in table.columns for table in tables):
                raise DataError(f"the column '{name}' is in one table and not in another; both must have the same")
            values = [table.columns[name] for table in tables]
            kinds = {one.dtype for one in values if one.dtype != object or any(cell is not None for cell in one)}
            if len(kinds) > 1:
                raise DataError(f"the column '{name}' holds numbers in one table and words in another")
            kind = kinds.pop() if kinds else values[0].dtype
            columns[name] = np.concatenate([one.astype(kind) for one in values])
        return cls(columns)

    def digests(self) -> list[bytes]:
        """A hash of each row's content; equal rows have equal hashes, on every machine."""
        return self.digests_of(slice(None))

    def digests_of(self, chosen: Any) -> list[bytes]:
        """Those of the rows at some places; where all have been asked for before, no column is gone through."""
        if self.hashes is None and not isinstance(chosen, slice):
            return self[chosen].digests()
        if self.hashes is None:
            self.hashes = np.frombuffer(b"".join(self._digests()), f"V{DIGEST}")
        raw = self.hashes[chosen].tobytes()
        return [raw[at : at + DIGEST] for at in range(0, len(raw), DIGEST)]

    def _digests(self) -> list[bytes]:
        names = sorted(self.columns)
        numbers = [name for name in names if self.columns[name].dtype != object]
        texts = [name for name in names if self.columns[name].dtype == object]
        # Names and kinds go into the key: `a: 1` is another row than `b: 1`, and than `a: "1"`.
        key = hashlib.blake2b(repr((numbers, texts)).encode()).digest()
        table = np.empty((self.count, len(numbers)), dtype="<f8")
        for i, name in enumerate(numbers):
            values = self.columns[name]
            table[:, i] = np.where(np.isnan(values), np.nan, values) + 0.0  # one NaN, and one zero
        raw, width = table.tobytes(), 8 * len(numbers)
        rows = [raw[width * i : width * (i + 1)] for i in range(self.count)]
        for name in texts:
            cells = _cells(self.columns[name])
            rows = [row + cell for row, cell in zip(rows, cells, strict=True)]
        return [hashlib.blake2b(row, digest_size=DIGEST, key=key).digest() for row in rows]


def _cells(values: np.ndarray) -> list[bytes]:
    """Texts as bytes that say their length, so that "a", "bc" is not "ab", "c"."""
    known: dict[str | None, bytes] = {None: b"-"}
    for text in set(values) - {None}:
        encoded = str(text).encode()
        known[text] = b"%d:" % len(encoded) + encoded
    return [known[text] for text in values]


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    number = float(value)
    return None if np.isnan(number) else number
