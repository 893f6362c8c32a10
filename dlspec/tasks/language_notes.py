"""Whether every token of every text is predicted, once, and what a person should know of how texts are cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dlspec.evaluators.truths import some
from dlspec.types import DataError, Examples, Place, State

if TYPE_CHECKING:
    import numpy as np

LOOKED_AT = 64
"""texts that are put together again"""
MANY = 0.25
"""share of these that may come back otherwise, before it is told"""
SHORT, AIM = 100, 256
"""tokens of a text in the middle that are told to be few, and how many are aimed at"""


def lengths(texts: Sequence[str], state: State, most: int | None) -> np.ndarray:
    """Tokens of texts, int (N,): of all where some may be longer than `most`, else of the longest 64.

    A text has no more tokens than bytes, and one for a blank before it.
    """
    import numpy as np

    from dlspec.inputs.tokenizing import encoded

    ordered = sorted(texts, key=len)[-LOOKED_AT:]
    if most is not None and 4 * len(ordered[-1]) + 1 > most and max(len(one.encode()) for one in texts) + 1 > most:
        ordered = list(texts)
    return np.array([len(row) for row in encoded(ordered, state)], np.int64)


def notes(texts: Sequence[str], tokens: np.ndarray, state: State) -> list[str]:
    """What bits per character leave out, and texts of few tokens; tokens (M,): of the longest of these texts, or all.

    Where pieces are characters, each is predicted, and an example is as long as the reader says.
    """
    import numpy as np

    from dlspec.inputs.pieces import shown_pieces
    from dlspec.inputs.tokenizing import encoded, tokenizer_of

    found = list[str]()
    chosen = [texts[place] for place in np.linspace(0, len(texts) - 1, min(len(texts), LOOKED_AT)).astype(int)]
    rows, (pieces, glue) = encoded(chosen, state), shown_pieces(state)
    other = sum(
        glue.join(pieces[one] for one in row).strip() != text.strip() for row, text in zip(rows, chosen, strict=True)
    )
    if other > MANY * len(chosen):
        why = "blanks between words are no pieces, and" if glue else "forms of letters are changed (input), or"
        found.append(
            f"of {len(chosen):,} texts {other:,} are not predicted to the letter: {why} what is unknown costs as "
            "much as one sign. Bits per character are then fewer than the text itself takes; compare them with runs of "
            "the same input alone (tokenizer: byte_pair with normalize: none leaves nothing out)"
        )
    each = (
        tokenizer_of(state["tokenizer"]).decoder is not None
        and type(tokenizer_of(state["tokenizer"]).decoder).__name__ == "Fuse"
    )
    middle = int(np.median([len(row) for row in rows]))
    if not each and 0 < middle < SHORT:
        length = int(round(AIM * sum(map(len, chosen)) / max(1, sum(map(len, rows))), -2))
        found.append(
            f"a text has {middle:,} tokens in the middle, and the network sees no farther back: data.length counts "
            f"characters, of which {AIM} tokens have about {length:,}"
        )
    return found


def refuse_cut(examples: Examples, rows: Sequence[np.ndarray], state: State) -> None:
    """Raises DataError where a text has more tokens than are seen."""
    from dlspec.inputs.tokenizing import encoded

    most = state["task"].get("most")
    full = [place for place, row in enumerate(rows) if len(row) == most]
    if not full:
        return
    whole = encoded([examples[place].x for place in full], state["input"])
    longer = {examples[place].id: len(row) for place, row in zip(full, whole, strict=True) if len(row) > most}
    if longer:
        raise DataError(
            f"{len(longer):,} text{'s have' if len(longer) > 1 else ' has'} up to {max(longer.values()):,} tokens, of "
            f"which {most:,} are seen, so that the others would count nowhere ({some(list(longer))}); make data.length "
            "smaller, or this larger",
            where=Place(key="input.maximum_length"),
        )
