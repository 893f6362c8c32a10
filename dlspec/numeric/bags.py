"""Texts as bags of words: rows of numbers that are near where the words are nearly the same."""

from __future__ import annotations

import functools
import re
import zlib
from collections.abc import Sequence

import numpy as np

WIDTH = 64
"""numbers that stand for a text"""
WORD = re.compile(r"\w+")
TOLERANT = 0.04
"""of the words of a long text, so many may differ before it is another: half of them replaced, half of them new"""


def bags(texts: Sequence[str]) -> np.ndarray:
    """float32 (N, WIDTH): the sum of a direction for each word, whatever its case, its place and the signs around it.

    Directions are drawn by the word, of a length a little above 1: two short texts that differ in a word are further
    apart than 1.  The sum of a longer text of n words is divided by the root of TOLERANT n.  A text without words is
    the sum of its characters.
    """
    found = np.zeros((len(texts), WIDTH), np.float32)
    for place, text in enumerate(texts):
        words = WORD.findall(text.lower()) or list(text.strip())
        for word in words:
            found[place] += _direction(word)
        found[place] /= max(1.0, (TOLERANT * len(words)) ** 0.5)
    return found


@functools.lru_cache(maxsize=1 << 17)
def _direction(word: str) -> np.ndarray:
    drawn = np.random.default_rng(zlib.crc32(word.encode("utf-8", "surrogatepass"))).normal(size=WIDTH)
    return (1.05 * drawn / np.linalg.norm(drawn)).astype(np.float32)
