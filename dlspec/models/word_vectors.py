"""Vectors of words that somebody learned before: GloVe's and word2vec's text files, or an array beside a word list."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from dlspec.types import DataError, Place
from dlspec.wording import plural

if TYPE_CHECKING:
    import numpy as np

WORDS = "words.txt"
"""in a folder with one array (.npy): the word of each of its rows, one a line"""


def width_of(path: str) -> int:
    """Numbers a word has.  Raises DataError where this is no such file or folder."""
    if os.path.isdir(path):
        return int(_values(path).shape[1])
    line = next(_lines(path), "")
    first = line.split()
    if len(first) == 2 and all(one.isdigit() for one in first):
        return int(first[1])
    if len(first) < 3 or not _is_number(first[-1]):
        message = f"expected a word and its numbers on each line, with blanks between, got {_shown(line)}"
        raise DataError(message, where=Place(path, 1))
    return len(first) - 1


def vectors_of(path: str, wanted: Mapping[str, int], size: int) -> tuple[np.ndarray, np.ndarray]:
    """Of the words that are wanted (word → row): float32 (size, D), and bool (size,): which of them were found.

    A word that is not there as it is written is looked for in small letters.  Of the same word on several lines the
    first holds.  Raises DataError that names file and line.
    """
    import numpy as np

    found = np.zeros((size, width_of(path)), np.float32)
    exact, near = np.zeros(size, bool), np.zeros(size, bool)
    low: dict[str, list[int]] = {}
    for word, row in wanted.items():
        if word.lower() != word:
            low.setdefault(word.lower(), []).append(row)
    for word, vector in _rows(path, found.shape[1], wanted.keys() | low.keys()):
        row = wanted.get(word)
        if row is not None and not exact[row]:
            found[row], exact[row] = vector, True
        for other in low.get(word, ()):
            if not exact[other] and not near[other]:
                found[other], near[other] = vector, True
    return found, exact | near


def _rows(path: str, width: int, wanted: object) -> Iterator[tuple[str, np.ndarray]]:
    import numpy as np

    assert hasattr(wanted, "__contains__")
    if os.path.isdir(path):
        values = _values(path)
        with open(os.path.join(path, WORDS), encoding="utf-8") as lines:
            words = lines.read().split("\n")
        words = words[:-1] if words and not words[-1] else words
        if len(words) != len(values):
            raise DataError(
                f"{plural(len(words), 'word')}, but {os.path.basename(_array(path))} has {plural(len(values), 'row')}",
                where=Place(os.path.join(path, WORDS)),
            )
        for place, word in enumerate(words):
            if word in wanted:
                yield word, np.asarray(values[place], np.float32)
        return
    for number, line in enumerate(_lines(path), 1):
        word, *numbers = line.rstrip().rsplit(" ", width)
        if number == 1 and len(line.split()) == 2:
            continue
        wrong = len(numbers) != width
        if not wrong and word in wanted:
            try:
                yield word, np.array(numbers, np.float32)
            except ValueError:
                wrong = True
        if wrong:
            message = f"expected a word and {plural(width, 'number')}, got {_shown(line)}; mend the line or take it out"
            raise DataError(message, where=Place(path, number))


def _values(folder: str) -> np.ndarray:
    """The array of a folder, a row a word."""
    import numpy as np

    file = _array(folder)
    try:
        values: np.ndarray = np.load(file, mmap_mode="r")
    except (EOFError, OSError, ValueError) as error:
        raise DataError(f"cannot be read ({error}); was it copied whole?", where=Place(file)) from None
    if values.ndim != 2:
        shape = "one number" if not values.ndim else f"an array of shape {list(values.shape)}"
        raise DataError(f"expected an array with a row a word, got {shape}", where=Place(file))
    return values


def _array(folder: str) -> str:
    arrays = sorted(one for one in os.listdir(folder) if one.endswith(".npy"))
    if len(arrays) != 1 or not os.path.isfile(os.path.join(folder, WORDS)):
        raise DataError(
            f"expected one array (.npy) and {WORDS}, a word a line; it has {', '.join(arrays) or 'none'}",
            where=Place(folder),
        )
    return os.path.join(folder, arrays[0])


def _lines(path: str) -> Iterator[str]:
    """Raises DataError where the file cannot be read, or is packed and cut short."""
    try:
        if path.endswith(".gz"):
            with gzip.open(path, "rt", encoding="utf-8", errors="replace", newline="\n") as lines:
                yield from lines
        else:
            with open(path, encoding="utf-8", errors="replace", newline="\n") as lines:
                yield from lines
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(f"cannot be read ({error}); was it copied whole?", where=Place(path)) from None


def _shown(line: str) -> str:
    """What a line holds, in few words: its begin, and how many cells."""
    cells = line.split()
    if not cells:
        return "an empty line"
    return f"'{line.strip()[:40]}{'…' * (len(line.strip()) > 40)}' ({len(cells) - 1} behind the word)"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
