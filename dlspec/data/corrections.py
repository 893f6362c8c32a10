"""Labels that were wrong, in files of their own: the user's data is never edited."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, WithJsonSchema

from dlspec.data.filled_table import as_id, filled
from dlspec.numeric.chunks import tags_of
from dlspec.numeric.class_names import class_name, plain
from dlspec.numeric.places import Box, boxes_of, points_of, text_of
from dlspec.recipe.component import DataPath, nearest
from dlspec.types import SPLITS, DataError, Examples, Place, Splits
from dlspec.wording import plural

FEW_CLASSES = 100
"""whole numbers of no more different values are classes: a new value among them is more likely a slip"""

Corrections = Annotated[
    tuple[DataPath, ...],
    BeforeValidator(lambda given: (given,) if isinstance(given, str) else given),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


class Spot(NamedTuple):
    """What a label is of: an example, or one of its words, counted from 1."""

    id: str
    word: int | None = None

    def __str__(self) -> str:
        return f"'{self.id}'" if self.word is None else f"word {self.word} of '{self.id}'"


def read(file: str) -> dict[Spot, str]:
    """What of → new label, of the rows where one is given; a column `word` says which word's.

    Raises DataError that names the row.
    """
    names, rows = filled(file)
    for wanted in ("id", "new"):
        if wanted not in names:
            near = nearest(wanted, names)
            hint = f"; did you mean '{near}'?" if near else f"; it has {', '.join(names) or 'none'}"
            raise DataError(f"a table of corrected labels has a column '{wanted}'{hint}", where=Place(file, 1))
    own, new, word = names.index("id"), names.index("new"), names.index("word") if "word" in names else None
    found: dict[Spot, str] = {}
    in_words: set[str] = set()
    for line, row in rows:
        spot, label = Spot(as_id(row[own]), None if word is None else _word(row[word], file, line)), row[new].strip()
        if not label:
            continue
        if found.get(spot, label) != label:
            raise DataError(f"{spot} is both {found[spot]} and {label}; keep one", where=Place(file, line))
        found[spot] = label
        if spot.word is not None:
            in_words.add(spot.id)
        if spot.id in in_words and Spot(spot.id) in found:
            message = f"'{spot.id}' has both new tags for the whole and one for a word of it; keep one"
            raise DataError(message, where=Place(file, line))
    return found


def _word(cell: str, file: str, line: int) -> int | None:
    text = cell.strip()
    if not text:
        return None
    try:
        number = float(text)  # a spreadsheet may write 3.0
    except ValueError:
        number = math.nan
    if number >= 1 and number.is_integer():
        return int(number)
    message = f"column 'word' says which word of the sentence has the label, counted from 1; got '{text}'"
    raise DataError(message, where=Place(file, line))


def corrected(splits: Splits, files: Sequence[str], *, partial: bool = False) -> Splits:
    """Splits with the labels of these files, of which the later hold; the fingerprint is that of the corrected data.

    partial: whether these may be some of the examples alone, so that ids of others are passed over.
    Raises DataError where an id or a class is unknown.
    """
    for file in files:
        splits = applied(splits, file, read(file), partial=partial)[0]
    return splits


def applied(
    splits: Splits, file: str, new: Mapping[Spot, str], *, partial: bool = False
) -> tuple[Splits, dict[str, int]]:
    """Splits with new labels (what of → text), and how many of each split are other ones now.

    file: where the labels come from, for a person.  Raises DataError where an id or a class is unknown.
    """
    changed, parts = dict.fromkeys(splits.parts, 0), dict(splits.parts)
    everywhere = Labels([part for part in parts.values() if part.labelled])
    unknown: dict[str, dict[int | None, str]] = {}
    for spot, text in new.items():
        unknown.setdefault(spot.id, {})[spot.word] = text
    for name, part in parts.items():
        values: dict[int, Any] = {}
        for row in part.rows:
            texts = unknown.pop(part.columns["ids"][row], None)
            if texts is not None:
                try:
                    value, count = everywhere.mended(part.columns["y"][row], texts)
                except ValueError as error:
                    raise DataError(f"'{part.columns['ids'][row]}': {error}", where=Place(file)) from None
                if count:
                    values[row] = value
                    changed[name] += count
        if values:
            parts[name] = relabelled(part, values)
    if unknown and not partial:
        raise DataError(_unknown(list(unknown), splits), where=Place(file))
    said = [[spot.id, label] if spot.word is None else [spot.id, label, spot.word] for spot, label in new.items()]
    text = json.dumps([splits.fingerprint, sorted(said)])
    mark = hashlib.blake2b(text.encode(), digest_size=8).hexdigest() if sum(changed.values()) else splits.fingerprint
    notes = (_said(os.path.basename(file), changed), one_sided(changed))
    return Splits(parts, mark, (*splits.notes, *filter(None, notes))), changed


def relabelled(part: Examples, values: Mapping[int, Any]) -> Examples:
    """The same examples with other labels; values: row of the base → label."""
    labels = list(part.columns["y"].tolist() if hasattr(part.columns["y"], "tolist") else part.columns["y"])
    for row, value in values.items():
        labels[row] = value
    return part.replace(y=labels)


def with_tags(old: Any, new: Mapping[int, str]) -> Any:
    """The tags of a sentence with some of them others; new: place, from 0 → tag.  Of a text, a text.

    Raises ValueError where they are no tags of as many words.
    """
    tags = list(tags_of(old))
    for place, tag in new.items():
        if not 0 <= place < len(tags):
            raise ValueError(f"there is no word {place + 1}: it has {len(tags)}")
        tags[place] = tag
    return " ".join(tags) if isinstance(old, str) else tuple(tags)


class Labels:
    """The labels that there are, and what a text stands for among them."""

    def __init__(self, parts: Sequence[Examples]) -> None:
        values = [plain(one) for part in parts for one in part.column("y") if one is not None]
        self.tags = {tag for one in values if is_tags(one) for tag in one}
        self.known: dict[str, Any] = {_spelt(one): one for one in values}
        kinds = {type(one[0]) for one in values if text_of(one)}
        self.parse: Callable[[str], Any] | None = boxes_of if Box in kinds else points_of if kinds else None
        numbers = bool(values) and all(isinstance(one, int | float) and not isinstance(one, bool) for one in values)
        whole = all(float(one).is_integer() for one in values) if numbers else False
        self.numbers = numbers and (not whole or len(self.known) > FEW_CLASSES)

    def value(self, text: str) -> Any:
        """The label as the reader would have given it.  Raises ValueError where there is no such class."""
        if text in self.known:
            return self.known[text]
        if self.parse is not None:
            return self.parse(text)
        if self.tags:
            return self._tagged(text)
        if self.numbers:
            try:
                number = float(text)
            except ValueError:
                number = math.nan
            if math.isfinite(number):
                return number
            raise ValueError(f"expected a number, got '{text}'")
        raise ValueError(_no_class(text, list(self.known)))

    def mended(self, old: Any, texts: Mapping[int | None, str]) -> tuple[Any, int]:
        """A label as a person wrote it anew, and how many labels are others now; texts: of a word (from 1), or None.

        Raises ValueError where there is no such label, or no such word.
        """
        if None in texts:
            new = self.value(texts[None])
            fits(new, old)
            return new, int(class_name(new) != class_name(old))
        known = self.tags or {tag for one in self.known for tag in one.split()}
        for tag in texts.values():
            if tag not in known:
                raise ValueError(_no_class(tag, list(known), "tag"))
        new = with_tags(old, {word - 1: tag for word, tag in texts.items() if word is not None})
        return new, sum(map(str.__ne__, tags_of(old), tags_of(new)))

    def _tagged(self, text: str) -> tuple[str, ...]:
        """A tag for each word.  Raises ValueError where one is none of those that there are."""
        strange = [one for one in text.split() if one not in self.tags]
        if strange:
            raise ValueError(_no_class(strange[0], list(self.tags), "tag"))
        return tags_of(text)


def _no_class(text: str, known: Sequence[str], what: str = "class") -> str:
    near = nearest(text, known)
    some = ", ".join(sorted(known)[:20]) + (", …" if len(known) > 20 else "")
    return f"there is no {what} '{text}'" + (f"; did you mean '{near}'?" if near else f"; known: {some}")


def is_tags(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and all(isinstance(one, str) for one in value)


def _spelt(value: Any) -> str:
    return " ".join(value) if is_tags(value) else text_of(value) or str(class_name(value))


def fits(value: Any, old: Any) -> None:
    """Raises ValueError where a sentence would have more or fewer tags than words."""
    if is_tags(value) and len(value) != len(old):
        raise ValueError(f"{plural(len(value), 'tag')}, but the sentence has {plural(len(old), 'word')}")


def _unknown(ids: Sequence[str], splits: Splits) -> str:
    known = [name for part in splits.parts.values() for name in part.ids]
    near = nearest(ids[0], known[:20_000])
    some = ", ".join(ids[:3]) + (", …" if len(ids) > 3 else "")
    many = "this id is" if len(ids) == 1 else f"{len(ids):,} of its ids are"
    return f"{many} unknown to the data: {some}" + (f"; did you mean '{near}'?" if near else "")


def _said(file: str, changed: Mapping[str, int]) -> str:
    """How many labels a file changes, and a word where it changes train alone, or all but train."""
    counts = ", ".join(f"{name} {changed[name]:,}" for name in (*SPLITS, *changed) if changed.get(name))
    return f"{file} corrects {plural(sum(changed.values()), 'label')}" + (f": {counts}" if counts else "")


def one_sided(changed: Mapping[str, int]) -> str | None:
    """A sentence where labels are corrected in train alone or in what judges it alone; else None."""
    judges = [name for name in SPLITS if name != "train" and name in changed]
    fixed = [name for name in judges if changed[name]]
    if changed.get("train") and judges and not fixed:
        return (
            "labels of train alone are corrected: dev and test still hold wrong ones, and are no longer like train; "
            "look through their suspects, too"
        )
    missing = [name for name in judges if not changed[name]]
    if fixed and missing:
        return (
            f"labels of {' and '.join(fixed)} are corrected, those of {' and '.join(missing)} are not: what decides "
            "and what judges in the end should be corrected alike"
        )
    return None
