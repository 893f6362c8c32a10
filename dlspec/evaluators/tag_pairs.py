"""Entities that were said of a sentence, each beside the true one that it is about; and errors of a kind mended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dlspec.numeric.chunks import Chunk, broken, chunks, written

TYPE, BOUNDARY, BOTH, MISSED, SPURIOUS, BROKEN = (
    "wrong type",
    "wrong boundary",
    "wrong type and boundary",
    "missed",
    "spurious",
    "broken tags",
)


class Pair(NamedTuple):
    """A true entity and what was said of it; one of them may be missing.  kind: of error, nothing where it is right."""

    truth: Chunk | None
    guess: Chunk | None
    kind: str = ""


def paired(truth: Sequence[Chunk], guess: Sequence[Chunk]) -> list[Pair]:
    """Every entity once, in the order of the sentence.

    Those with the same words and type are right.  Of the others, those that have words in common belong together: first
    of the same words (of another type), then of the same type, then the rest; of equals those with most words in
    common, and of equals the first.  What is left is missed or spurious.
    """
    right = set(truth) & set(guess)
    pairs = [Pair(one, one) for one in right]
    left, said = (sorted(set(own) - right) for own in (truth, guess))
    near = [(t, g) for t in left for g in said if min(t.end, g.end) > max(t.start, g.start)]
    near.sort(key=lambda two: (two[0][:2] != two[1][:2], two[0].type != two[1].type, -_common(*two), *two))
    taken: set[tuple[bool, Chunk]] = set()
    for t, g in near:
        if (True, t) in taken or (False, g) in taken:
            continue
        taken |= {(True, t), (False, g)}
        kind = TYPE if t[:2] == g[:2] else BOUNDARY if t.type == g.type else BOTH
        pairs.append(Pair(t, g, kind))
    pairs += [Pair(one, None, MISSED) for one in left if (True, one) not in taken]
    pairs += [Pair(None, one, SPURIOUS) for one in said if (False, one) not in taken]
    return sorted(pairs, key=lambda one: (one.truth or one.guess, one.guess or one.truth))


def _common(t: Chunk, g: Chunk) -> int:
    return min(t.end, g.end) - max(t.start, g.start)


def broken_of(truth: Sequence[str], guess: Sequence[str], scheme: str) -> list[Chunk]:
    """The entities of a guess that are not written as they should be, but for those that the truth writes so, too."""
    same = set(chunks(truth, scheme))
    return [
        one
        for one in broken(guess, scheme)
        if one not in same or tuple(guess[one.start : one.end]) != tuple(truth[one.start : one.end])
    ]


def mended(truth: Sequence[str], guess: Sequence[str], kind: str, scheme: str) -> tuple[str, ...]:
    """The tags of a guess with its errors of a kind mended.

    A wrong entity becomes the true one, a missed one is added, a spurious one goes; what then lies in the way of a true
    one goes, too, until there is no error of that kind.
    """
    if kind == BROKEN:
        return tuple(written(chunks(guess, scheme), len(guess), scheme))
    true, tags = chunks(truth, scheme), tuple(guess)
    while True:
        pairs = paired(true, chunks(tags, scheme))
        new = [one.truth for one in pairs if one.kind == kind and one.truth is not None]
        kept = [one.guess for one in pairs if one.kind != kind and one.guess is not None]
        if not any(one.kind == kind for one in pairs):
            return tags
        kept = [one for one in kept if not any(_common(one, other) > 0 for other in new)]
        tags = tuple(written([*kept, *new], len(tags), scheme))
