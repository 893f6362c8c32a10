"""Entities of tagged sentences, as the CoNLL shared tasks' conlleval reads them: whatever the tags say, a chunk begins
where something other than what was before begins.  And back: the tags that entities are written with.

Tags are `O`, or B, I, E (L), S (U) and a type: `B-person`.  Tags of another form (NOUN) are no chunks of several words:
each word is one of its own (`plain`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

OUTSIDE = "O"
PLAIN = "plain"
SCHEMES = ("bio", "iob1", "bioes", "bilou", PLAIN)
_TAG = re.compile(r"[BIESLU](-.*)?")
_ENDS = frozenset("ESLU")
_BEGINS = frozenset("BSU")
_WRITTEN = {"bio": "BIIB", "bioes": "BIES", "bilou": "BILU"}
"""the letter of the first word, of those within, of the last, and of a single one"""


Tags = tuple[str, ...]
"""a tag a word"""


class Chunk(NamedTuple):
    """Some neighbouring words that are one entity."""

    start: int
    end: int
    """the word behind the last"""
    type: str


def tags_of(value: Any) -> Tags:
    """A tag a word: of a list as it is, of a text those between blanks.  Raises ValueError where it is neither."""
    if isinstance(value, str):
        return tuple(value.split())
    if isinstance(value, tuple | list) and all(isinstance(one, str) for one in value):
        return tuple(value)
    raise ValueError(f"expected a tag for each word, got {value!r:.60}")


def is_chunked(tag: str) -> bool:
    """Whether a tag is of a form that entities are written with."""
    return tag == OUTSIDE or _TAG.fullmatch(tag) is not None


def type_of(tag: str) -> str:
    """`person` of `B-person`; nothing of `O` and `B`."""
    return tag[2:] if tag != OUTSIDE else ""


def chunks(tags: Sequence[str], scheme: str) -> list[Chunk]:
    """The entities of a sentence, in their order.

    As conlleval (Tjong Kim Sang and Buchholz 2000): an entity begins at B (S, U), behind O, behind E (S, L, U), and
    where the type is another one; so `O I-person I-place` holds two.
    """
    if scheme == PLAIN:
        return [Chunk(i, i + 1, tag) for i, tag in enumerate(tags)]
    found: list[Chunk] = []
    start, before = -1, OUTSIDE
    for i, tag in enumerate([*tags, OUTSIDE]):
        goes_on = (
            before != OUTSIDE
            and tag != OUTSIDE
            and tag[0] not in _BEGINS
            and before[0] not in _ENDS
            and type_of(tag) == type_of(before)
        )
        if not goes_on:
            if before != OUTSIDE:
                found.append(Chunk(start, i, type_of(before)))
            start = i
        before = tag
    return found


def written(entities: Iterable[Chunk], length: int, scheme: str) -> list[str]:
    """The tags of a sentence of so many words with these entities, none of which overlap."""
    tags = [OUTSIDE] * length
    for start, end, kind in sorted(entities):
        if scheme == PLAIN:
            tags[start] = kind
            continue
        tail = f"-{kind}" if kind else ""
        if scheme == "iob1":
            close = start > 0 and tags[start - 1] in (f"I{tail}", f"B{tail}")
            letters = ("B" if close else "I") + "I" * (end - start - 1)
        else:
            first, within, last, single = _WRITTEN[scheme]
            many = end - start
            letters = single if many == 1 else first + within * (many - 2) + last
        tags[start:end] = [letter + tail for letter in letters]
    return tags


def broken(tags: Sequence[str], scheme: str) -> list[Chunk]:
    """The entities whose tags are not those that the scheme would write: `O I-person` for `O B-person`."""
    found = chunks(tags, scheme)
    right = written(found, len(tags), scheme)
    return [one for one in found if right[one.start : one.end] != list(tags[one.start : one.end])]


def scheme_of(rows: Iterable[Sequence[str]]) -> str:
    """How these sentences' entities are written: bio (also called IOB2), iob1, bioes, bilou; or plain."""
    letters: set[str] = set()
    begun = {"B": 0, "I": 0}
    for tags in rows:
        if not all(map(is_chunked, tags)):
            return PLAIN
        letters.update(tag[0] for tag in tags)
        for one in chunks(tags, "bio"):
            letter = tags[one.start][0]
            begun[letter] = begun.get(letter, 0) + 1
    if letters & {"L", "U"}:
        return "bilou"
    if letters & {"E", "S"}:
        return "bioes"
    return "iob1" if begun["I"] > begun["B"] else "bio"
