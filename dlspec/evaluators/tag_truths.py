"""The tags that are true of each word of a sentence, whatever the reader gave; and what is known of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dlspec.evaluators.tables import tags
from dlspec.evaluators.truths import some, texts
from dlspec.numeric.chunks import OUTSIDE, PLAIN, Chunk, Tags, broken, chunks, is_chunked, scheme_of, tags_of, type_of
from dlspec.types import ClassLabels, DataError, Example, Examples, State

if TYPE_CHECKING:
    import numpy as np

MOST_TYPES = 30
"""that are facts of their own"""
NO_ENTITY = "no entity"


class Tagged(tuple[str, ...]):
    """Tags of a sentence, as a tuple is, and how probable each of `names` was of each word: float32 (W, C), NaN where
    nothing was said of a word; or None."""

    probabilities: np.ndarray | None

    def __new__(cls, tags: Iterable[str], probabilities: np.ndarray | None = None) -> Tagged:
        new = super().__new__(cls, tuple(tags))
        new.probabilities = probabilities
        return new


def tag_rows(examples: Examples) -> list[Tags]:
    """The tags of every example.  Raises DataError that names the examples without, or with something else."""
    values = examples.column("y")
    if any(one is None for one in values):
        texts(examples)  # raises, and names them
    try:
        return [tags_of(one) for one in values]
    except ValueError as error:
        raise DataError(f"the target should be tags: {error}") from None


def learned(rows: Sequence[Tags]) -> State:
    """What an evaluator needs to know of the tags of train: `names`, `types`, `scheme`, `outside` (the tag of a word
    of which nothing is known)."""
    counts = Counter(tag for tags in rows for tag in tags)
    scheme = scheme_of(rows)
    names = sorted(counts)
    types = names if scheme == PLAIN else sorted({type_of(one) for one in names if one != OUTSIDE})
    outside = OUTSIDE if OUTSIDE in counts else max(names, key=lambda one: counts[one], default=OUTSIDE)
    return {"names": names, "types": types, "scheme": scheme, "outside": outside}


def both(examples: Examples, predictions: Sequence[Any], state: State) -> list[tuple[Tags, Tags]]:
    """Truth and guess of every example.

    Raises DataError that names examples whose guess has not as many tags, or where a tag is of another form.
    """
    rows = [(truth, tuple(guess)) for truth, guess in zip(tag_rows(examples), predictions, strict=True)]
    other = [name for name, (truth, guess) in zip(examples.ids, rows, strict=True) if len(truth) != len(guess)]
    if other:
        place = examples.ids.index(other[0])
        truth, guess = rows[place]
        raise DataError(
            f"{len(other):,} of {len(rows):,} guesses have not as many tags as their sentence ({some(other)}): of "
            f"'{other[0]}' {len(guess)}, expected {len(truth)}"
        )
    if state["scheme"] != PLAIN:
        for name, pair in zip(examples.ids, rows, strict=True):
            strange = [tag for tags in pair for tag in tags if not is_chunked(tag)]
            if strange:
                raise DataError(
                    f"'{strange[0]}' of '{name}' is no tag of an entity, as the others are; expected O, or B-, I- (E-, "
                    "S-, L-, U-) and a type"
                )
    return rows


def truth_of(example: Example) -> Tags:
    return tag_rows(Examples([example.id], [None], [example.y]))[0]


def labels(examples: Examples, predictions: Sequence[Any], state: State) -> ClassLabels:
    """See Tags.labels."""
    import numpy as np

    names = state["names"]
    place = {name: i for i, name in enumerate(names)}
    given, sure, parts = list[int](), [np.zeros((0, len(names)))], list[tuple[int, int]]()
    for row, (truth, guess) in enumerate(zip(tag_rows(examples), predictions, strict=True)):
        own = getattr(guess, "probabilities", None)
        given += [place.get(tag, -1) for tag in truth]
        sure.append(np.full((len(truth), len(names)), np.nan) if own is None else own)
        parts += [(row, word) for word in range(len(truth))]
    together = np.concatenate(sure).astype(np.float64)
    return ClassLabels(np.array(given, np.int64), together, names, np.array(parts, np.int64).reshape(-1, 2))


def spoken(entity: Chunk | None, x: Any) -> str:
    """An entity as a person reads it: its type, its words where they are known, and where they are."""
    if entity is None:
        return "nothing"
    start, end, kind = entity
    words = f" {' '.join(x[start:end])}" if isinstance(x, tuple | list) else ""
    where = f"word {start + 1}" if end == start + 1 else f"words {start + 1} to {end}"
    return f"{kind or 'entity'}:{words} ({where})" if words else f"{kind or 'entity'} ({where})"


def facts(rows: Sequence[Tags | None], state: State) -> dict[str, Any]:
    """See Tags.facts; of what is unknown nothing."""
    import numpy as np

    scheme = state["scheme"]
    found = [None if tags is None else chunks(tags, scheme) for tags in rows]
    # Not how many there are, or how long they are: where there are none, none can be missed.
    told: dict[str, np.ndarray] = {}
    for name in state["types"][:MOST_TYPES]:
        there = [None if own is None else ("no", "yes")[any(one.type == name for one in own)] for own in found]
        told[f"has {name or 'an entity'}"] = np.array(there, object)
    return told


def remarks(examples: Examples, state: State) -> list[str]:
    """See Tags.remarks."""
    rows, scheme = tag_rows(examples), state["scheme"]
    entities = [one for tags in rows for one in chunks(tags, scheme)]
    unknown = Counter(one.type for one in entities if one.type not in state["types"])
    said = []
    if unknown:
        what = "words with tags" if scheme == PLAIN else "entities of types"
        shown = ", ".join(f"{name} {count:,}" for name, count in unknown.most_common(3))
        said.append(f"{unknown.total():,} {what} that train has not ({shown}) count as missed, as one type more")
    if scheme == PLAIN:
        return said
    wrong = sum(len(broken(tags, scheme)) for tags in rows)
    if wrong:
        said.append(
            f"{wrong:,} of {len(entities):,} entities are not written as {scheme} has it (as O I-person for O "
            "B-person); they are read as conlleval reads them"
        )
    if rows and not entities:
        said.append(f"none of {len(rows):,} sentences has an entity, so that there is no F1")
    return said


def recognized(columns: Mapping[str, Sequence[Any]], *, asked: bool) -> State | None:
    """What a table of predictions says of tags; None where truths and guesses are no tags of as many words.

    asked: tags of any form are taken; else those of entities alone, which nothing else looks like.
    """
    truths = columns.get("truth", ())
    if not tags(columns) and not (asked and "guess" in columns and all(isinstance(one, str) for one in truths)):
        return None
    return learned([tags_of(one) for one in truths])
