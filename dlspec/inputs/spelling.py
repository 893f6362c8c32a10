"""How words are spelled: the characters of each, for networks that meet words that train had not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dlspec.inputs.tokenizing import Words, words_of

if TYPE_CHECKING:
    import numpy as np

PADDING, UNKNOWN, FIRST = 0, 1, 2
"""numbers of no character, of one that train had not, and of the first that it had"""


def alphabet(texts: Sequence[Words]) -> list[str]:
    """The characters of train's words that come more than once, the most frequent first."""
    counts = Counter(character for text in texts for word in words_of(text) for character in word)
    return [one for one, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if count > 1]


def spelled(texts: Sequence[Words], known: Sequence[str], width: int) -> list[np.ndarray]:
    """Of each text int32 (W, width): the characters of each word, as they are written, and 0 behind them.

    Of a longer word the beginning and the end are seen.
    """
    import numpy as np

    place = {one: i for i, one in enumerate(known, FIRST)}
    end = width // 2
    rows = []
    for text in texts:
        words = words_of(text)
        row = np.zeros((len(words), width), np.int32)
        for number, word in enumerate(words):
            seen = word if len(word) <= width else word[: width - end] + word[len(word) - end :]
            row[number, : len(seen)] = [place.get(one, UNKNOWN) for one in seen]
        rows.append(row)
    return rows
