"""Two text files whose lines belong together: an output and its reference, or a text and its translation."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from dlspec.data import sources
from dlspec.data.prediction_table import PredictionTable
from dlspec.types import DataError, Place


def is_lines(file: str) -> bool:
    """Whether a file is one of lines by its name: not a table, nor JSON."""
    name = file.removesuffix(".gz").lower()
    return not name.endswith((".csv", ".tsv", ".parquet", ".json", ".jsonl"))


def lines(file: str) -> list[str]:
    """The lines of a text file, UTF-8, .gz too; they end with \\n or \\r\\n, as other marks stand in sentences.

    Raises DataError where it cannot be read, or is no UTF-8: with the first line that is none.
    """
    return lines_of(file, sources.contents(file))


def lines_of(file: str, data: bytes) -> list[str]:
    """The same of bytes that have been read."""
    found = []
    for number, line in enumerate(data.removesuffix(b"\n").split(b"\n") if data else [], 1):
        try:
            found.append(line.removesuffix(b"\r").decode("utf-8-sig" if number == 1 else "utf-8"))
        except UnicodeDecodeError as error:
            message = f"is no UTF-8 (byte {error.object[error.start]:#04x} in line {number:,}); write it as UTF-8"
            raise DataError(message, where=Place(file, number)) from None
    return found


def read_outputs(files: Sequence[str], reference: str, split: str) -> PredictionTable:
    """Outputs of a system, a line a sentence, beside the reference: ids are the numbers of lines, from 1.

    Raises DataError where there are several files, or they have not as many lines.
    """
    if len(files) != 1:
        raise DataError(f"one file of lines goes with one of references, but {len(files)} are given; join them")
    guesses, truths = lines(files[0]), lines(reference)
    if len(guesses) != len(truths):
        raise DataError(parted(files[0], guesses, reference, truths), where=Place(files[0]))
    ids = [str(number) for number in range(1, len(truths) + 1)]
    made_by = [{"evaluator": "sentences", "state": {"tokenize": "13a"}}]
    return PredictionTable(ids, {"split": [split] * len(ids), "truth": truths, "guess": guesses}, made_by=made_by)


def parted(first: str, ours: Sequence[str], second: str, theirs: Sequence[str]) -> str:
    """Of two files that have not as many lines, what is wrong with the first, and where they seem to part.

    An empty line that faces words is where one has lost or gained a line, as a rule; without one, the shorter's end.
    """
    counts = f"has {len(ours):,} lines, and {second} has {len(theirs):,}; line n of one belongs to line n of the other"
    for number, (one, other) in enumerate(itertools.zip_longest(ours, theirs), 1):
        if one is None or other is None:
            return f"{counts}; the shorter ends before line {number:,}"
        if bool(one.strip()) != bool(other.strip()):
            empty = first if not one.strip() else second
            return f"{counts}; they seem to part at line {number:,}, which is empty in {empty} alone"
    raise AssertionError("they have as many lines")
