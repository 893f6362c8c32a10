"""Hashes of what the examples hold: a fingerprint of the whole, and duplicates that stand in several splits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dlspec.numeric.places import Box
from dlspec.types import SPLITS, DataError, Examples, Place, Splits


def fingerprint(loaded: Splits) -> str:
    """16 hex digits over ids, x and y of every part: the same for the same content, on every machine."""
    whole = hashlib.blake2b(digest_size=8)
    for part in sorted(loaded.parts):
        examples = loaded.parts[part]
        labels = [_plain(y) for y in examples.column("y")]
        for piece in (part, json.dumps(examples.ids), json.dumps(labels)):
            whole.update(f"{len(piece)}:{piece}".encode())
        for digest in digests(examples):
            whole.update(digest)
    return whole.hexdigest()


def digests(examples: Examples) -> list[bytes]:
    """A hash of each example's x; equal contents have equal hashes.

    x may be Rows (anything that takes a list of places and knows its `digests`), an array, a sequence of paths
    (`pathlib.Path`: the file's bytes are hashed) or of texts.  Raises DataError where a file cannot be read.
    """
    x = examples.columns["x"]
    if hasattr(x, "digests"):
        if examples.rows == range(len(x)):
            return x.digests()
        chosen = list(examples.rows)
        return x.digests_of(chosen) if hasattr(x, "digests_of") else x[chosen].digests()
    if hasattr(x, "dtype"):
        return _of_array(x, examples.rows)
    return [_of_one(x[row]) for row in examples.rows]


class Duplicate(NamedTuple):
    """Examples with the same x in several splits: their ids by split, and whether their labels differ."""

    ids: Mapping[str, tuple[str, ...]]
    labels_differ: bool


def duplicates(splits: Splits) -> list[Duplicate]:
    """Every x that stands in more than one split, in the order of the first split that holds it."""
    hashes = {name: digests(splits.parts[name]) for name in (*SPLITS, *splits.parts) if name in splits.parts}
    seen: set[bytes] = set()
    shared: dict[bytes, dict[str, list[int]]] = {}
    for one in map(set, hashes.values()):
        shared.update({digest: {} for digest in seen & one})
        seen |= one
    if not shared:
        return []
    first_seen: dict[bytes, None] = {}
    for name, own in hashes.items():
        for i, digest in enumerate(own):
            if digest in shared:
                first_seen.setdefault(digest)
                shared[digest].setdefault(name, []).append(i)
    return [_duplicate(splits, shared[digest]) for digest in first_seen]


def duplicates_note(found: Sequence[Duplicate]) -> str | None:
    """One sentence: `12 examples of dev also stand in train (17 = 305; …), 2 of them with another label`; or None."""
    pairs: dict[tuple[str, str], list[Duplicate]] = {}
    for one in found:
        names = list(one.ids)
        for later, name in enumerate(names[1:], start=1):
            for earlier in names[:later]:
                pairs.setdefault((name, earlier), []).append(one)
    sentences = []
    for (name, earlier), group in pairs.items():
        many = sum(len(one.ids[name]) for one in group)
        examples = "; ".join(f"{one.ids[name][0]} = {one.ids[earlier][0]}" for one in group[:3])
        more = "; …" if len(group) > 3 else ""
        stand = "example of {} also stands" if many == 1 else "examples of {} also stand"
        text = f"{many:,} {stand.format(name)} in {earlier} ({examples}{more})"
        differ = sum(len(one.ids[name]) for one in group if one.labels_differ)
        sentences.append(text + (f", {differ:,} of them where labels differ" if differ else ""))
    return "; ".join(sentences) or None


def _duplicate(splits: Splits, places: Mapping[str, Sequence[int]]) -> Duplicate:
    ids = {
        name: tuple(splits.parts[name].columns["ids"][_row(splits, name, i)] for i in at) for name, at in places.items()
    }
    labels = set()
    for name, at in places.items():
        values = splits.parts[name].columns["y"]
        if values is not None:
            labels |= {json.dumps(_plain(values[_row(splits, name, i)])) for i in at}
    return Duplicate(ids, len(labels) > 1)


def _row(splits: Splits, name: str, i: int) -> int:
    return splits.parts[name].rows[i]


def _of_array(x: Any, rows: Sequence[int]) -> list[bytes]:
    import numpy as np

    whole = np.ascontiguousarray(x, dtype=x.dtype.newbyteorder("<"))
    head = f"{whole.dtype.str}{whole.shape[1:]}".encode()
    width = whole.itemsize * int(np.prod(whole.shape[1:]))
    raw = memoryview(whole.reshape(-1).view(np.uint8))
    return [_hash(head, raw[row * width : (row + 1) * width]) for row in rows]


def _of_one(x: Any) -> bytes:
    if isinstance(x, Path):
        try:
            return _hash(b"file", x.read_bytes())
        except OSError as error:
            raise DataError(f"cannot be read: {error.strerror}", where=Place(str(x))) from None
    if hasattr(x, "dtype"):
        return _of_array(x[None], range(1))[0]
    return _hash(b"text", json.dumps(x).encode())


def _hash(head: bytes, content: Any) -> bytes:
    one = hashlib.blake2b(head, digest_size=16)
    one.update(content)
    return one.digest()


def _plain(value: Any) -> Any:
    """A label as JSON can write it."""
    if hasattr(value, "digest"):
        return value.digest()
    if isinstance(value, tuple):
        # Without "no crowd", as it was before boxes could be of one: old runs still know their data.
        return [one[:5] if isinstance(one, Box) and not one.crowd else one for one in value]
    return value.tolist() if hasattr(value, "tolist") else value
