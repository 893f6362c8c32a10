"""What a person should know of texts: before something is learned from them, and before they are predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlspec.inputs.tokenizing import encoded, plain_text
from dlspec.types import Examples, Finding, State

if TYPE_CHECKING:
    from dlspec.inputs.text import Text

MUCH = 0.1
"""of unknown pieces, from which on a person should know"""


def findings(entry: Text, train: Examples, state: State) -> list[Finding]:
    """Texts of train that are empty, and a vocabulary that misses much of it."""
    texts = train.column("x")
    found = []
    empty = [name for name, text in zip(train.ids, texts, strict=True) if not plain_text(text).strip()]
    if empty:
        some = ", ".join(empty[:5]) + (", …" if len(empty) > 5 else "")
        found.append(
            Finding(
                "warning",
                "empty_text",
                "train",
                f"{len(empty):,} of {len(texts):,} texts are empty ({some}): nothing can be told from them, and what "
                "is said of them is a guess. Take them out, or look where their words have gone",
            )
        )
    if state["unknown"] > MUCH:
        found.append(
            Finding(
                "warning",
                "unknown_words",
                "input.vocabulary",
                f"{state['unknown']:.0%} of train's pieces are unknown to the network: they are too rare "
                f"(minimum_count: {entry.minimum_count}), or too many for a vocabulary of "
                f"{len(state['vocabulary']):,}. tokenizer: byte_pair or unigram leaves nothing out",
            )
        )
    return found


def remarks(entry: Text, examples: Examples, state: State) -> list[str]:
    """Of new texts: words that train had not, beyond what was so in train; cut ones, empty ones."""
    import numpy as np

    texts = examples.column("x")
    rows = encoded(texts, state)
    said = []
    blank = sum(not len(row) for row in rows)
    if blank:
        are, them = ("is", "it") if blank == 1 else ("are", "them")
        said.append(f"{blank:,} of {len(rows):,} texts {are} empty: what is said of {them} is a guess")
    total = sum(map(len, rows))
    strange = [np.isin(row, state["strange"]) for row in rows]
    unknown = sum(int(one.sum()) for one in strange)
    if total and unknown / total > max(MUCH, 2 * state["unknown"]):
        what = {"word": "words", "character": "characters"}.get(entry.tokenizer, "pieces")
        said.append(
            f"{unknown / total:.0%} of the {what} are none that train had (there {state['unknown']:.0%} are unknown): "
            f"is this the language, and the script, that the network has learned?"
        )
    nothing = sum(bool(len(one)) and bool(one.all()) for one in strange)
    if nothing:
        hold, them = ("holds", "it") if nothing == 1 else ("hold", "them")
        said.append(
            f"{nothing:,} of {len(rows):,} texts {hold} nothing that train had: what is said of {them} is a guess"
        )
    most = entry.maximum_length
    longer = sum(len(row) > most for row in rows) if most else 0
    if longer:
        said.append(f"{longer:,} of {len(rows):,} are longer than {most:,} pieces, of which the {entry.keep} is seen")
    return said
