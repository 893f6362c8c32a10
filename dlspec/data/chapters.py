"""From a long text to examples: chapters, which stay whole, and windows of so many characters in each."""

from __future__ import annotations

import re
from collections.abc import Iterator

SHORTEST = 2_000
"""characters; a shorter chapter (a line of a table of contents) is one with the next"""


def chapters(text: str, heading: re.Pattern[str]) -> list[tuple[int, int]]:
    """(start, end) of each chapter, all of the text: each begins with a line that the pattern matches at its begin.

    What is shorter than 2,000 characters is joined to the next, at the end of the text to the one before.
    """
    begins = [found.start() for found in heading.finditer(text)]
    found: list[tuple[int, int]] = []
    start = 0
    for begin in [*begins, len(text)]:
        if begin - start >= SHORTEST:
            found.append((start, begin))
            start = begin
    if start < len(text):
        found[-1:] = [(found[-1][0] if found else 0, len(text))]
    return found


def windows(text: str, start: int, end: int, length: int) -> Iterator[tuple[int, int]]:
    """(start, end) of windows side by side, of about equal size, `length` characters at most.

    Where there is a blank in their last quarter they end before it, so that words stay whole, and a word that begins a
    window has its blank before it as in the text: pieces of words are then the same as those of the whole text.
    """
    while start < end:
        left = end - start
        many = -(-left // length)
        close = start + -(-left // many)
        if close < end:
            close = _before_a_blank(text, max(start + 1, close - length // 4), close)
        yield start, close
        start = close


def _before_a_blank(text: str, first: int, last: int) -> int:
    """The last place down to `first` (exclusive) where a word has ended and a blank follows, or, where there is none,
    the end of a line; else `last`."""
    line = last
    for place in range(last, first, -1):
        if text[place].isspace() and not text[place - 1].isspace():
            if text[place] == " ":
                return place
            line = place if line == last else line
    return line
