"""Labels that were wrong, in files of their own: the user's data is never edited."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from dlspec.data.filled_table import as_id, filled
from dlspec.numeric.chunks import tags_of
from dlspec.numeric.class_names import class_name, plain
from dlspec.numeric.places import Box, boxes_of, points_of, text_of
from dlspec.recipe.component import DataPath, nearest
from dlspec.types import SPLITS, DataError, Examples, Place, Splits

FEW_CLASSES = 100
"""whole numbers of no more different values are classes: a new value among them is more likely a slip"""

Corrections = Annotated[
    tuple[DataPath, ...],
    BeforeValidator(lambda given: (given,) if isinstance(given, str) else given),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


def read(file: str) -> dict[str, str]:
    """Id → new label, of the rows where one is given.  Raises DataError that names the row."""
    names, rows = filled(file)
    for wanted in ("id", "new"):
        if wanted not in names:
            near = nearest(wanted, names)
            hint = f"; did you mean '{near}'?" if near else f"; it has {', '.join(names) or 'none'}"
            raise DataError(f"a table of corrected labels has a column '{wanted}'{hint}", where=Place(file, 1))
    own, new = names.index("id"), names.index("new")
    found: dict[str, str] = {}
    for line, row in rows:
        name, label = as_id(row[own]), row[new].strip()
        if label and found.get(name, label) != label:
            raise DataError(f"'{name}' is both {found[name]} and {label}; keep one", where=Place(file, line))
        if label:
            found[name] = label
    return found


def corrected(splits: Splits, files: Sequence[str], *, partial: bool = False) -> Splits:
    """Splits with the labels of these files, of which the later hold; the fingerprint is that of the corrected data.

    partial: whether these may be some of the examples alone, so that ids of others are passed over.
    Raises DataError where an id or a class is unknown.
    """
    for file in files:
        splits = applied(splits, file, read(file), partial=partial)[0]
    return splits


def applied(
    splits: Splits, file: str, new: Mapping[str, str], *, partial: bool = False
) -> tuple[Splits, dict[str, int]]:
    """Splits with new labels (id → text), and how many of each split are other ones now.

    file: where the labels come from, for a person.  Raises DataError where an id or a class is unknown.
    """
    changed, parts = dict.fromkeys(splits.parts, 0), dict(splits.parts)
    unknown, everywhere = dict(new), Labels([part for part in parts.values() if part.labelled])
    for name, part in parts.items():
        values: dict[int, Any] = {}
        for row in part.rows:
            label = unknown.pop(part.columns["ids"][row], None)
            if label is not None:
                try:
                    values[row] = everywhere.value(label)
                    _fits(values[row], part.columns["y"][row])
                except ValueError as error:
                    raise DataError(f"'{part.columns['ids'][row]}': {error}", where=Place(file)) from None
        truly = {row: value for row, value in values.items() if _other(value, part, row)}
        changed[name] = len(truly)
        if truly:
            parts[name] = relabelled(part, truly)
    if unknown and not partial:
        raise DataError(_unknown(list(unknown), splits), where=Place(file))
    text = json.dumps([splits.fingerprint, sorted((name, str(label)) for name, label in new.items())])
    mark = hashlib.blake2b(text.encode(), digest_size=8).hexdigest() if sum(changed.values()) else splits.fingerprint
    said = (_said(os.path.basename(file), changed), one_sided(changed))
    return Splits(parts, mark, (*splits.notes, *filter(None, said))), changed


def relabelled(part: Examples, values: Mapping[int, Any]) -> Examples:
    """The same examples with other labels; values: row of the base → label."""
    labels = list(part.columns["y"].tolist() if hasattr(part.columns["y"], "tolist") else part.columns["y"])
    for row, value in values.items():
        labels[row] = value
    return part.replace(y=labels)


class Labels:
    """The labels that there are, and what a text stands for among them."""

    def __init__(self, parts: Sequence[Examples]) -> None:
        values = [plain(one) for part in parts for one in part.column("y") if one is not None]
        self.tags = {tag for one in values if _is_tags(one) for tag in one}
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


def _is_tags(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and all(isinstance(one, str) for one in value)


def _spelt(value: Any) -> str:
    return " ".join(value) if _is_tags(value) else text_of(value) or str(class_name(value))


def _fits(value: Any, old: Any) -> None:
    """Raises ValueError where a sentence would have more or fewer tags than words."""
    if _is_tags(value) and len(value) != len(old):
        raise ValueError(f"{len(value)} tags, but the sentence has {len(old)} words")


def _other(value: Any, part: Examples, row: int) -> bool:
    return class_name(value) != class_name(part.columns["y"][row])


def _unknown(ids: Sequence[str], splits: Splits) -> str:
    known = [name for part in splits.parts.values() for name in part.ids]
    near = nearest(ids[0], known[:20_000])
    some = ", ".join(ids[:3]) + (", …" if len(ids) > 3 else "")
    many = "this id is" if len(ids) == 1 else f"{len(ids):,} of its ids are"
    return f"{many} unknown to the data: {some}" + (f"; did you mean '{near}'?" if near else "")


def _said(file: str, changed: Mapping[str, int]) -> str:
    """How many labels a file changes, and a word where it changes train alone, or all but train."""
    counts = ", ".join(f"{name} {changed[name]:,}" for name in (*SPLITS, *changed) if changed.get(name))
    return f"{file} corrects {sum(changed.values()):,} labels" + (f": {counts}" if counts else "")


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
