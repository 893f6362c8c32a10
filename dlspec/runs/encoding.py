"""Encoding examples of which some files may turn out to be broken: those are left out and named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dlspec.recipe.schema import Recipe
from dlspec.report.watch import Watch
from dlspec.types import Arrays, Complaint, DataError, Examples, Place, State, UnreadableError, UserError

MOST = 20
"""so many are named one by one"""


class Encoder:
    """Encodes selections of some examples.

    broken: what could not be encoded so far, by place: such errors as it forgives.  A quick look at a file's head and
    end has passed by then, so this is damage in its middle, which decoding alone shows, or a file that has gone since.
    """

    def __init__(
        self, recipe: Recipe, state: State, examples: Examples, *, forgives: type[DataError] = UnreadableError
    ) -> None:
        self.recipe, self.state, self.examples, self.forgives = recipe, state, examples, forgives
        self.broken: dict[int, UserError] = {}
        self.told = 0

    def __call__(self, places: Sequence[int] | np.ndarray) -> tuple[np.ndarray, Arrays]:
        """The places that can be read, in the same order, and their arrays.  May run in several threads at once."""
        places = np.asarray(places)
        known = [int(place) for place in places if int(place) in self.broken] if self.broken else []
        if known:
            places = places[~np.isin(places, known)]
        try:
            return places, self._encoded(places)
        except self.forgives as error:
            if len(places) == 1:
                self.broken[int(places[0])] = error
                return places[:0], self._encoded(places[:0])
        # Some are broken: by halves, so that the whole ones are read a few times more at most.
        half = len(places) // 2
        (first, one), (second, other) = self(places[:half]), self(places[half:])
        return np.concatenate([first, second]), {name: _joined(one[name], other[name]) for name in one}

    def _encoded(self, places: np.ndarray) -> Arrays:
        encoded: Arrays = self.recipe.input.encode(self.examples.take(places.tolist()), self.state["input"])
        return encoded

    def tell(self, watch: Watch, what: str = "examples") -> None:
        """Name what was found since the last time.

        Raises DataError that names all so far where the data is strict, or where nothing can be read.
        """
        found = dict(self.broken)
        if len(found) == self.told:
            return
        complaints = [one for place in sorted(found) for one in found[place].complaints]
        if len(found) == len(self.examples) or not left_out(self.recipe):
            more = [Complaint(Place(), f"{len(complaints) - MOST:,} more cannot be read")]
            raise DataError(complaints[:MOST] + (more if len(complaints) > MOST else []))
        new = [one for error in list(found.values())[self.told :] for one in error.complaints]
        self.told = len(found)
        rest = "; …" if len(new) > MOST else ""
        some = "; ".join(f"{one.where.file}: {one.message}" for one in new[:MOST])
        watch.warn(f"{len(new):,} of {len(self.examples):,} {what} cannot be read and are left out: {some}{rest}")


def left_out(recipe: Recipe) -> bool:
    """Whether examples that cannot be read are left out: readers of files say so by their setting `strict`."""
    return not getattr(recipe.data, "strict", True)


def _joined(one: Any, other: Any) -> Any:
    if isinstance(one, list):
        return [*one, *other]
    return np.concatenate([one, other])
