"""A tagged sentence as a person reads it: its words, with the entities in them marked as right or wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlspec.evaluators.tag_pairs import paired
from dlspec.evaluators.tag_truths import both, truth_of
from dlspec.numeric.chunks import PLAIN, Chunk, chunks
from dlspec.types import Example, Examples, Passage, State

MOST = 400
"""words of a sentence that are shown"""


def passages(example: Example, prediction: Any, state: State) -> list[Passage] | None:
    """Truth and guess (prediction None: no guess), each entity with its type; None where the words are not known.

    Of plain tags those alone are marked that are wrong.
    """
    words, scheme = example.x, state["scheme"]
    if not isinstance(words, list | tuple) or example.y is None:
        return None
    if prediction is None:
        true = () if scheme == PLAIN else chunks(truth_of(example), scheme)
        return [Passage("truth", _marked(words, [(one, "") for one in true]), True)]
    [(truth, guess)] = both(Examples([example.id], [None], [example.y]), [prediction], state)
    pairs = paired(chunks(truth, scheme), chunks(guess, scheme))
    if scheme == PLAIN:
        pairs = [one for one in pairs if one.kind]
    true_ones = [(one.truth, "missed" if one.kind else "right") for one in pairs if one.truth is not None]
    said_ones = [(one.guess, "wrong" if one.kind else "right") for one in pairs if one.guess is not None]
    return [Passage("truth", _marked(words, true_ones), True), Passage("guess", _marked(words, said_ones), True)]


def _marked(words: Sequence[str], entities: Sequence[tuple[Chunk, str]]) -> list[tuple[str, str, str]]:
    """The words with blanks between, each entity one part with its mark (`named`, where it has none) and type."""
    parts: list[tuple[str, str, str]] = []
    at = 0
    for one, mark in sorted(entities):
        if one.start >= MOST:
            break
        parts.append((" ".join([*words[at : one.start], ""]), "", ""))
        parts.append((" ".join(words[one.start : one.end]), mark or "named", one.type or "entity"))
        parts.append((" ", "", ""))
        at = one.end
    rest = words[at:] if len(words) <= MOST else [*words[at:MOST], "…"]
    return [one for one in (*parts, (" ".join(rest), "", "")) if one[0]]
