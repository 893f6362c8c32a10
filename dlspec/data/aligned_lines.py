"""Two text files whose lines belong together: an output and its reference, or a text and its translation."""

from __future__ import annotations

from collections.abc import Sequence

from dlspec.data import sources
from dlspec.data.prediction_table import PredictionTable
from dlspec.types import DataError, Place

FEWEST_LINES = 20
"""lines from which on their lengths are looked at"""
CLEARER = 0.85
"""of how far lengths are apart over the whole: what is left where lines are passed over, for that to be believed"""
MOST_SHOWN = 40
"""characters of a line that are shown"""


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

    Raises DataError where there are several files, they have not as many lines, or nothing is in the references.
    """
    if len(files) != 1:
        raise DataError(f"one file of lines goes with one of references, but {len(files)} are given; join them")
    guesses, truths = lines(files[0]), lines(reference)
    if not any(one.strip() for one in truths):
        how = "every line is empty" if truths else "it is empty"
        raise DataError(f"holds no reference at all: {how}", where=Place(reference))
    if len(guesses) != len(truths):
        raise DataError(parted(files[0], guesses, reference, truths), where=Place(files[0]))
    ids = [str(number) for number in range(1, len(truths) + 1)]
    made_by = [{"evaluator": "sentences", "state": {"tokenize": "13a"}}]
    return PredictionTable(ids, {"split": [split] * len(ids), "truth": truths, "guess": guesses}, made_by=made_by)


def parted(first: str, ours: Sequence[str], second: str, theirs: Sequence[str]) -> str:
    """Of two files that have not as many lines, what is wrong with the first, and where they seem to part.

    An empty line that faces words is where one has lost or gained a line, as a rule; without one, the place from which
    on lengths go together again when the lines that are too many are passed over (as Gale & Church 1993 align); where
    that tells nothing, the shorter's end.
    """
    lines = f"{len(ours):,} line{'s' * (len(ours) != 1)}"
    counts = f"has {lines}, and {second} has {len(theirs):,}; line n of one belongs to line n of the other"
    for number, (one, other) in enumerate(zip(ours, theirs, strict=False), 1):
        if bool(one.strip()) != bool(other.strip()):
            empty = first if not one.strip() else second
            full = one if one.strip() else other
            return f"{counts}; they seem to part at line {number:,}, which is empty in {empty} alone ({_short(full)})"
    shorter = min(len(ours), len(theirs))
    place = _where_lengths_part(ours, theirs)
    if place is not None:
        both = f"{_short(ours[place])} beside {_short(theirs[place])}"
        return f"{counts}; by the lengths of lines they seem to part at about line {place + 1:,} ({both})"
    longer, its = (first, ours) if len(ours) > len(theirs) else (second, theirs)
    return f"{counts}; the shorter ends before line {shorter + 1:,}, which is {_short(its[shorter])} in {longer}"


def _where_lengths_part(ours: Sequence[str], theirs: Sequence[str]) -> int | None:
    """The place (from 0) before which lines go together as they stand, and from which on with so many passed over;
    None where that is no clearer than that the end is missing."""
    import numpy as np

    longer, shorter = (
        np.log1p(np.array([len(one) for one in some], np.float64)) for some in sorted((ours, theirs), key=len)[::-1]
    )
    count = len(shorter)
    if count < FEWEST_LINES:
        return None
    ratio = float(np.median(longer[:count]) - np.median(shorter))
    before, after = (np.abs(longer[start : start + count] - shorter - ratio) for start in (0, len(longer) - count))
    cost = np.concatenate([[0.0], np.cumsum(before)]) + np.concatenate([np.cumsum(after[::-1])[::-1], [0.0]])
    best = int(cost.argmin())
    if best == count or cost[best] > CLEARER * cost[count]:
        return None
    return best


def _short(line: str) -> str:
    return f"'{line[:MOST_SHOWN]}{'…' * (len(line) > MOST_SHOWN)}'"
