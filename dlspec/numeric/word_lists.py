"""The words of a file of vectors: of GloVe's and word2vec's text files, or of the list beside an array."""

from __future__ import annotations

import gzip
import os
import zlib
from typing import IO

from dlspec.types import DataError, Place

WORDS = "words.txt"
"""in a folder with one array (.npy): the word of each of its rows, one a line"""


def words_of_vectors(path: str) -> list[str]:
    """Every word once, in the order of the file.  Raises DataError where there is no such file or list."""
    folder = os.path.isdir(path)
    file = os.path.join(path, WORDS) if folder else path
    try:
        with _opened(file) as lines:
            found = [line.rstrip("\n") if folder else line.split(" ", 1)[0] for line in lines]
            first = None if folder or not found else found[0]
    except (EOFError, OSError, zlib.error) as error:
        what = getattr(error, "strerror", None) or f"{error}; was it copied whole?"
        message = f"expected vectors as text, or a folder with one array (.npy) and {WORDS}: {what}"
        raise DataError(message, where=Place(file)) from None
    if first is not None and first.isdigit() and len(found) == int(first) + 1:
        found = found[1:]  # word2vec's first line: how many words, and how many numbers each has
    return list(dict.fromkeys(one for one in found if one))


def _opened(path: str) -> IO[str]:
    if path.endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8", errors="replace", newline="\n")
    return open(path, encoding="utf-8", errors="replace", newline="\n")
