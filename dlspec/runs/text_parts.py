"""Long texts in parts: at the ends of sentences, else between words, else between characters."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence

ENDS = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])\s*")
"""where a sentence ends, and the blanks behind it"""
Count = Callable[[Sequence[str]], Sequence[int]]
"""how many pieces each text has"""


def parts(text: str, most: int, count: Count) -> list[str]:
    """The text in parts of `most` pieces at most, as long as can be; blanks between them are left out."""
    if count([text])[0] <= most:
        return [text]
    return _fitting([one for one in ENDS.split(text) if one.strip()], most, count, _words)


def _words(sentence: str, most: int, count: Count) -> list[str]:
    """Runs of words; a word that is too long by itself is cut."""
    return _fitting(sentence.split(), most, count, _cut)


def _fitting(texts: list[str], most: int, count: Count, smaller: Callable[[str, int, Count], list[str]]) -> list[str]:
    """Neighbours that fit are put together; one that does not by itself is made smaller."""
    found: list[str] = []
    fits = [size <= most for size in count(texts)]
    for whole, run in itertools.groupby(zip(fits, texts, strict=True), key=lambda one: one[0]):
        some = [one for _, one in run]
        found += _packed(some, most, count) if whole else [part for one in some for part in smaller(one, most, count)]
    return found


def _cut(word: str, most: int, count: Count) -> list[str]:
    """The word in halves, and those in halves, until they fit."""
    if len(word) == 1 or count([word])[0] <= most:
        return [word]
    middle = len(word) // 2
    return [*_cut(word[:middle], most, count), *_cut(word[middle:], most, count)]


def _packed(some: Sequence[str], most: int, count: Count) -> list[str]:
    """Neighbours with a blank between, as many as fit."""
    found: list[str] = []
    held, blank = 0, count([" "])[0]
    for one, size in zip(some, count(some), strict=True):
        if found and held + size + blank <= most:
            found[-1] += f" {one}"
            held += size + blank
        else:
            found.append(one)
            held = size
    return found
