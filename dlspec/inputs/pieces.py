"""Pieces of a vocabulary as a person reads them, and what of a text a vocabulary has not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dlspec.inputs.tokenizing import UNKNOWN, decoded, tokenizer_of
from dlspec.types import State

LOST = "\ufffd"
HELD, KEPT = 64, 16
"""tokens that are decoded together as they come, and how many of them go on being so"""


def shown_pieces(state: State) -> tuple[list[str], str]:
    """Each piece as text, the unknown one as `⁇`, and what stands between pieces of a text."""
    decoder, vocabulary = tokenizer_of(state["tokenizer"]).decoder, list(state["vocabulary"])
    if decoder is None:
        pieces, glue = vocabulary, " "
    elif type(decoder).__name__ == "Metaspace":
        pieces, glue = [one.replace(decoder.replacement, " ") for one in vocabulary], ""
    else:
        pieces, glue = [decoder.decode([one]) for one in vocabulary], ""
    pieces[UNKNOWN] = "⁇"
    return pieces, glue


def unknown_in(text: str, state: State) -> list[str]:
    """What a text holds that train had not, each once, in the order of the text."""
    found = tokenizer_of(state["tokenizer"]).encode(text)
    strange = {UNKNOWN, *state["strange"]}
    pairs = zip(found.ids, found.offsets, strict=True)
    return list(dict.fromkeys(text[start:end] for one, (start, end) in pairs if one in strange))


def told(tokens: Iterable[int], before: Sequence[int], state: State) -> Iterator[str]:
    """The text that tokens add to those before, as they come; a character that is several tokens comes whole."""
    held = list(before[-KEPT:])
    known = decoded(held, state)
    for token in tokens:
        held.append(token)
        whole = decoded(held, state)
        if not whole.endswith(LOST):
            yield whole[len(known) :]
            known = whole
            if len(held) > HELD:
                held = held[-KEPT:]
                known = decoded(held, state)
