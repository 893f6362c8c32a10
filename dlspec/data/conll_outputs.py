"""What a tagger said, as conlleval takes it: a word a line, its true tag and the one that was said at the end."""

from __future__ import annotations

from collections.abc import Sequence

from dlspec.data.conll_lines import read
from dlspec.data.prediction_table import PredictionTable
from dlspec.types import DataError, Place

ENDINGS = (".conll", ".iob", ".iob2", ".bio")


def is_conll(file: str) -> bool:
    """Whether a file is one of words and tags by its name."""
    return file.removesuffix(".gz").lower().endswith(ENDINGS)


def read_tagged(files: Sequence[str], split: str) -> PredictionTable:
    """Sentences of all files; ids are their numbers, from 1, with the file's before them where there are several.

    Raises DataError where a line has not as many columns as the others, or they are fewer than two.
    """
    ids: list[str] = []
    texts: list[tuple[str, ...]] = []
    truths, guesses, notes = list[str](), list[str](), list[str]()
    for number, file in enumerate(files, 1):
        found = read(file)
        if found.width < 2:
            raise DataError(
                f"has one column, '{found.rows[0][0][0]}'; expected a word, its true tag and the one that was said, or "
                "both tags alone, as conlleval takes them",
                where=Place(file, found.lines[0][0]),
            )
        prefix = f"{number}:" if len(files) > 1 else ""
        ids += [f"{prefix}{place}" for place in range(1, len(found.rows) + 1)]
        texts += [tuple(row[0] if found.width > 2 else "?" for row in rows) for rows in found.rows]
        truths += [" ".join(row[-2] for row in rows) for rows in found.rows]
        guesses += [" ".join(row[-1] for row in rows) for rows in found.rows]
        notes += [f"{file}: {one}" for one in found.said]
    columns = {"split": [split] * len(ids), "truth": truths, "guess": guesses}
    return PredictionTable(ids, columns, made_by=[{"evaluator": "tags"}], notes=notes, texts=texts)
