"""Kinds of the tokens of a text, and bands of their places: what a language model finds hard is told by them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

FIRST = 8
"""tokens at the begin of a text, before which too little stands to tell them by"""
KINDS = (
    f"begin of the text (first {FIRST})",
    "unknown",
    "blank or line end",
    "digits",
    "sign",
    "first letter of a word",
    "letter inside a word",
    "rare letter",
    "word or piece",
    "rare word or piece",
)
BEGIN, UNKNOWN, BLANK, DIGITS, SIGN, FIRST_LETTER, LETTER, RARE_LETTER, PIECE, RARE_PIECE = range(len(KINDS))
BANDS = (1, 2, 3, 5, 9, 17, 33, 65, 129, 257)
"""places (from 1) at which bands begin; the last has no end"""


def kinds_of(pieces: Sequence[str], common: frozenset[str]) -> np.ndarray:
    """The place in KINDS of each piece of a text, int64 (L,).  common: what is not rare; none: nothing is rare."""
    import numpy as np

    codes = np.fromiter(map(_kind, pieces), np.int64, len(pieces))
    if common:
        rare = np.fromiter((one not in common for one in pieces), bool, len(pieces))
        codes = np.where(rare & (codes == PIECE), RARE_PIECE, codes)
    letters = codes == LETTER
    starts = letters & ~np.concatenate([[False], letters[:-1]])
    codes = np.where(starts, FIRST_LETTER, codes)
    if common:
        codes = np.where(rare & letters, RARE_LETTER, codes)
    codes[:FIRST] = BEGIN
    return codes


@functools.lru_cache(maxsize=100_000)
def _kind(piece: str) -> int:
    """Of a piece alone."""
    plain = piece.strip()
    if not plain:
        return BLANK
    if plain == "⁇":
        return UNKNOWN
    if plain.isdigit():
        return DIGITS
    if not any(one.isalnum() for one in plain):
        return SIGN
    return LETTER if len(piece) == 1 else PIECE


def bands_of(count: int) -> np.ndarray:
    """The band of each place of a text of so many tokens, int64 (L,)."""
    import numpy as np

    return np.searchsorted(np.array(BANDS), np.arange(1, count + 1), side="right") - 1
