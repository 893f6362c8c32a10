"""Characters as pieces, counted and numbered in one go: what the library `tokenizers` does a hundred times slower.

It gives the same, for its normal forms are used; the tokenizer that is stored is one that it opens.
"""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np

EVERY = r"[\s\S]"
"""the pattern by which texts are cut into characters"""


class Numbers(NamedTuple):
    """From characters to pieces."""

    normalizer: Any
    """of the library; None: texts stay as they are"""
    plain: bool
    """whether it leaves ASCII alone"""
    table: np.ndarray
    """the piece of each code point, int32; the last for all that come after"""


def vocabulary(blocks: Iterable[Sequence[str]], normalizer: Any, most: int, least: int) -> list[str]:
    """The most frequent characters that occur so often at least; of equals, the lower code point first."""
    counts: Counter[str] = Counter()
    for texts in blocks:
        counts.update("".join(texts if normalizer is None else map(normalizer.normalize_str, texts)))
    return sorted((one for one in counts if counts[one] >= least), key=lambda one: (-counts[one], one))[:most]


@functools.lru_cache(maxsize=8)
def numbers_of(tokenizer: str, unknown: int) -> Numbers | None:
    """What a tokenizer (its JSON) makes of characters; None where its pieces are others."""
    import numpy as np

    made = json.loads(tokenizer)
    before = made["pre_tokenizer"] or {}
    if made["model"]["type"] != "WordLevel" or before.get("pattern", {}).get("Regex") != EVERY:
        return None
    known = {ord(one): number for one, number in made["model"]["vocab"].items() if len(one) == 1}
    table = np.full(max(known, default=0) + 2, unknown, np.int32)
    table[list(known)] = list(known.values())
    from tokenizers import Tokenizer

    forms = (made["normalizer"] or {}).get("normalizers", [])
    plain = all(one["type"] in ("NFC", "NFD", "NFKC", "NFKD") for one in forms)
    return Numbers(Tokenizer.from_str(tokenizer).normalizer, plain, table)


def encoded(texts: Sequence[str], how: Numbers) -> list[np.ndarray]:
    """The pieces of each text, int32 (L,)."""
    import numpy as np

    if how.normalizer is not None:
        texts = [one if how.plain and one.isascii() else how.normalizer.normalize_str(one) for one in texts]
    points = np.frombuffer("".join(texts).encode("utf-32-le"), np.uint32)
    pieces = how.table[np.minimum(points, len(how.table) - 1)]
    return np.split(pieces, np.cumsum([len(one) for one in texts])[:-1])
