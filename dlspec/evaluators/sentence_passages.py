"""Source, reference and translation of a sentence side by side, with the words that reference and translation lack."""

from __future__ import annotations

import difflib
import re

from dlspec.types import Passage

WORDS = re.compile(r"\s+|[\u3040-\u9fff]|[.,;:!?…\"'()«»„“”。、，]|[^\s\u3040-\u9fff.,;:!?…\"'()«»„“”。、，]+")
"""blanks, letters of scripts that part no words, signs, words: together the whole text"""
LONGEST = 3_000
"""characters of a text that are shown"""


def passages(asked: str | None, truth: str | None, guess: str | None) -> list[Passage]:
    """Those that there are, named source, reference and ours.

    What stands in the reference alone is `missed`, what stands in ours alone `wrong`; where one of them is not known,
    nothing is marked.
    """
    found = [] if asked is None else [Passage("source", [(_cut(asked), "", "")])]
    if truth is None or guess is None:
        one = [("reference", truth), ("ours", guess)]
        return [*found, *(Passage(name, [(_cut(text), "", "")]) for name, text in one if text is not None)]
    meant, said = WORDS.findall(_cut(truth)), WORDS.findall(_cut(guess))
    sides: tuple[list[tuple[str, str, str]], ...] = ([], [])
    for same, *places in difflib.SequenceMatcher(None, meant, said, autojunk=False).get_opcodes():
        for parts, words, (start, end), mark in zip(
            sides, (meant, said), (places[:2], places[2:]), ("missed", "wrong"), strict=True
        ):
            if end > start:
                parts.append(("".join(words[start:end]), "" if same == "equal" else mark, ""))
    return [*found, Passage("reference", sides[0]), Passage("ours", sides[1])]


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
