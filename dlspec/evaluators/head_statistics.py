"""The statistics of several heads in one mapping, a row an example, though not every head is known of each."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dlspec.evaluators.base import Evaluator
from dlspec.recipe.component import find
from dlspec.types import Statistics

if TYPE_CHECKING:
    import numpy as np

KNOWN, MARK = "known", "|"
"""statistics are called head|evaluator|name, so that they tell who combines them"""
KEPT = 8
"""heads' statistics without what is not known, that are kept at a time: a bootstrap asks for them a thousand times"""


@functools.cache
def made(kind: str) -> Evaluator:
    evaluator: Any = find("evaluators", kind)()
    assert isinstance(evaluator, Evaluator)
    return evaluator


def spread(values: Any, mask: np.ndarray) -> np.ndarray:
    """Values of the known rows at their places among all; zeros elsewhere."""
    import numpy as np

    array = np.asarray(values)
    whole = np.zeros((len(mask), *array.shape[1:]), array.dtype)
    whole[mask] = array
    return whole


def each(statistics: Statistics) -> Iterator[tuple[str, Evaluator, Statistics, np.ndarray]]:
    """Every head: its name, its evaluator, its statistics where its truth is known, and where that is."""
    grouped: dict[tuple[str, str], Statistics] = {}
    for full, values in statistics.items():
        if full.count(MARK) > 1:
            head, kind, name = full.rsplit(MARK, 2)
            grouped.setdefault((head, kind), {})[name] = values
    for (head, kind), own in grouped.items():
        mask = own.pop(KNOWN)
        yield head, made(kind), _known(own, mask), mask


_kept: list[tuple[weakref.ref[np.ndarray], Statistics]] = []


def _known(own: Statistics, mask: np.ndarray) -> Statistics:
    """The same arrays again for the same mask: rankings are kept by them."""
    if mask.all():
        return own
    for place, (of, found) in enumerate(_kept):
        if of() is mask:
            _kept.append(_kept.pop(place))
            return found
    found = {name: values[mask] for name, values in own.items()}
    _kept.append((weakref.ref(mask), found))
    del _kept[:-KEPT]
    return found
