"""Where encoded examples lie: in memory, in a file, or nowhere (encoded anew each time); decided by measured sizes."""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterable, Iterator

import numpy as np

from dlspec.recipe.schema import Recipe
from dlspec.report.watch import Watch
from dlspec.runs import cache, ragged
from dlspec.runs.ahead import ahead
from dlspec.runs.encoding import Encoder
from dlspec.runs.filling import fill, room, without
from dlspec.types import Arrays, Examples, State

PROBE = 1
"""examples that are encoded to learn how large they are"""
CHUNK = 1024
"""examples that a prediction takes at a time"""
CHUNK_BYTES = 2_000_000
"""encoded bytes that a prediction takes at a time, where examples are large"""
LAZILY = 16_000
"""encoded bytes from which on an example is encoded when it is first asked for; small ones are quicker in blocks"""


class Store:
    """Encoded examples.  This one keeps nothing: what is asked for is encoded each time.

    examples: those that plans speak of.  Of them, `readable` are those that have not turned out to be broken.
    """

    def __init__(
        self, recipe: Recipe, state: State, examples: Examples, watch: Watch | None = None, what: str = "examples"
    ) -> None:
        self.recipe, self.state, self.examples = recipe, state, examples
        self.encoder = Encoder(recipe, state, examples)
        self.watch, self.what = watch or Watch(), what

    def __len__(self) -> int:
        return len(self.examples)

    @property
    def readable(self) -> Examples:
        """The examples that are not known to be broken; after `chunks`, those whose arrays it gave."""
        broken = self.encoder.broken
        return self.examples.take([i for i in range(len(self)) if i not in broken]) if broken else self.examples

    def of(self, recipe: Recipe, state: State, watch: Watch) -> Store:
        """The same examples for another recipe, which encodes them alike; what is kept is shared."""
        other = copy.copy(self)
        other.recipe, other.state, other.watch = recipe, state, watch
        other.encoder = copy.copy(self.encoder)
        other.encoder.recipe, other.encoder.state = recipe, state
        return other

    def few(self, most: int) -> Store:
        """At most so many of the examples, evenly spread, always the same."""
        chosen = spread(len(self), most)
        return Store(self.recipe, self.state, self.examples.take(chosen.tolist()), self.watch, self.what)

    def stream(self, plan: Iterable[np.ndarray]) -> Iterator[tuple[np.ndarray, Arrays]]:
        """Batch after batch of a plan: places and arrays; encoded in threads, ahead of whoever asks.

        Examples that cannot be read are left out of their batch (which may be empty then) and named, or raise
        DataError, as the data's `strict` says.
        """
        for chosen, arrays in ahead(self._encoded, plan):
            self.encoder.tell(self.watch, self.what)
            yield chosen, arrays

    def _encoded(self, places: np.ndarray) -> tuple[np.ndarray, Arrays]:
        return self.encoder(places)

    def chunks(self, size: int | None = None) -> Iterator[Arrays]:
        """All examples in order, for prediction: as the network takes them, and what else was encoded."""
        size = size or self.chunk()
        plan = (np.arange(start, min(start + size, len(self))) for start in range(0, len(self), size))
        for chosen, arrays in self.stream(plan):
            if len(chosen):
                yield from ragged.parts(arrays, self.lengths_of(arrays), self.finished, size)

    def pieces(self) -> Iterator[tuple[np.ndarray, Arrays]]:
        """All examples, for prediction, and their places among those that can be read; in an order that pads little."""
        size, start = self.chunk(), 0
        plan = (np.arange(at, min(at + size, len(self))) for at in range(0, len(self), size))
        for chosen, arrays in self.stream(plan):
            if len(chosen):
                for places, piece in self._sorted(arrays, size):
                    yield start + places, piece
            start += len(chosen)

    def _sorted(self, arrays: Arrays, size: int) -> Iterator[tuple[np.ndarray, Arrays]]:
        return ragged.pieces(arrays, self.lengths_of(arrays), self.finished, size)

    def lengths_of(self, arrays: Arrays) -> np.ndarray | None:
        """How long each example is, where they differ."""
        found: np.ndarray | None = self.recipe.input.lengths(arrays)
        return found

    @property
    def lengths(self) -> np.ndarray | None:
        """The same of all examples; None too where it is not known before they are encoded."""
        return None

    @property
    def augments(self) -> bool:
        """Whether `augmented` changes anything."""
        return bool(self.recipe.input.augments)

    def augmented(self, batch: Arrays, seeds: np.ndarray) -> Arrays:
        """A changed batch for training, with its targets; seeds: one an example."""
        changed: Arrays = self.recipe.input.augmented(batch, seeds, self.state)
        return changed

    @property
    def names(self) -> list[str]:
        """The arrays that the network takes, of those that `finished` gives."""
        return list(self.state["shapes"])

    def finished(self, arrays: Arrays) -> Arrays:
        """Encoded arrays as the network takes them, and what else was encoded."""
        whole: Arrays = self.recipe.input.finish(arrays, self.state["input"])
        return whole

    def chunk(self) -> int:
        """How many examples are predicted at a time."""
        return int(np.clip(CHUNK_BYTES // max(1, self.each), 32, CHUNK))

    @functools.cached_property
    def each(self) -> int:
        """Encoded bytes of an example, of which the first is looked at."""
        return _bytes(self.encoder(np.arange(min(1, len(self))))[1])


class Filling(Store):
    """Encoded when first asked for, and kept in memory from then on: training need not wait for the last picture."""

    def __init__(
        self, recipe: Recipe, state: State, examples: Examples, probe: Arrays, watch: Watch, what: str = "examples"
    ) -> None:
        super().__init__(recipe, state, examples, watch, what)
        self.arrays = room(len(examples), probe)
        self.there = np.zeros(len(examples), bool)

    @property
    def full(self) -> bool:
        """Whether all that can be read is there."""
        return int(self.there.sum()) + len(self.encoder.broken) == len(self)

    def stream(self, plan: Iterable[np.ndarray]) -> Iterator[tuple[np.ndarray, Arrays]]:
        if not self.full:
            return super().stream(plan)
        return map(self._encoded, plan)

    def _encoded(self, places: np.ndarray) -> tuple[np.ndarray, Arrays]:
        new = places[~self.there[places]]
        if len(new):
            good, encoded = self.encoder(new)
            for name, values in encoded.items():
                self.arrays[name][good] = values
            self.there[good] = True
            if len(good) == len(places):
                return good, encoded
        chosen = places[self.there[places]]
        return chosen, {name: values[chosen] for name, values in self.arrays.items()}


class Kept(Store):
    """Encoded once; in memory, or in files that the system pages in and out."""

    def __init__(self, recipe: Recipe, state: State, examples: Examples, arrays: Arrays) -> None:
        super().__init__(recipe, state, examples)
        self.arrays = arrays

    def few(self, most: int) -> Store:
        chosen = spread(len(self), most)
        arrays = {name: ragged.taken(values, chosen) for name, values in self.arrays.items()}
        return Kept(self.recipe, self.state, self.examples.take(chosen.tolist()), arrays)

    @functools.cached_property
    def each(self) -> int:
        return _bytes({name: values[:1] for name, values in self.arrays.items()})

    @functools.cached_property
    def lengths(self) -> np.ndarray | None:
        return self.lengths_of(self.arrays)

    def stream(self, plan: Iterable[np.ndarray]) -> Iterator[tuple[np.ndarray, Arrays]]:
        return ((chosen, {name: ragged.taken(v, chosen) for name, v in self.arrays.items()}) for chosen in plan)

    def chunks(self, size: int | None = None) -> Iterator[Arrays]:
        size = size or CHUNK
        for start in range(0, len(self), size):
            some = {name: values[start : start + size] for name, values in self.arrays.items()}
            yield from ragged.parts(some, self.lengths_of(some), self.finished, size)

    def pieces(self) -> Iterator[tuple[np.ndarray, Arrays]]:
        return self._sorted(self.arrays, CHUNK) if len(self) else iter(())


def spread(count: int, most: int) -> np.ndarray:
    """At most so many of `count` places, evenly spread."""
    return np.arange(min(count, most)) * count // max(1, min(count, most))


def _bytes(arrays: Arrays) -> int:
    return sum(values.nbytes for values in arrays.values() if isinstance(values, np.ndarray))


def finished(recipe: Recipe, state: State, arrays: Arrays) -> Arrays:
    """What the network takes of encoded arrays."""
    whole = recipe.input.finish(arrays, state["input"])
    return {name: whole[name] for name in state["shapes"]}


def store(recipe: Recipe, state: State, examples: Examples, watch: Watch, what: str = "examples") -> Store:
    """Encoded examples, kept where it pays: `train.cache` says where, or measured sizes do.

    Rows of a table and small pictures lie in memory.  What is larger than a share of the free memory goes to a file in
    the cache folder, keyed by content and settings; what the disk cannot hold either is encoded anew every time.
    """
    encoder = Encoder(recipe, state, examples)
    _, probe = encoder(np.arange(min(PROBE, len(examples))))
    # Ragged arrays are lists; with nothing to look at, there is nothing to keep either.
    whole = not len(examples) or not all(isinstance(values, np.ndarray) for values in probe.values())
    if whole:
        good, arrays = encoder(np.arange(len(examples)))
        encoder.tell(watch, what)
        return Kept(recipe, state, examples if len(good) == len(examples) else examples.take(good.tolist()), arrays)
    each = sum(values[:1].nbytes for values in probe.values())
    where: str = recipe.train.cache
    if where == "auto":
        where = cache.place(each * len(examples))
        if where != "memory":
            size = f"{len(examples):,} {what} of {each:,} bytes are {each * len(examples) / 1e9:.1f} GB"
            told = "kept in a file" if where == "disk" else "encoded anew in every epoch"
            watch.note(f"{size}, more than memory should hold: {told} (train.cache)")
    if where == "none":
        return Store(recipe, state, examples, watch, what)
    if where == "disk":
        return _on_disk(encoder, probe, watch, what)
    if each >= LAZILY:
        return Filling(recipe, state, examples, probe, watch, what)
    arrays = room(len(examples), probe)
    broken = fill(encoder, arrays, watch, what)
    count = len(examples) - len(broken)
    return Kept(recipe, state, without(examples, broken), {name: values[:count] for name, values in arrays.items()})


def _on_disk(encoder: Encoder, probe: Arrays, watch: Watch, what: str) -> Store:
    recipe, state, examples = encoder.recipe, encoder.state, encoder.examples
    home = cache.entry(recipe, state, examples)
    found = cache.kept(home, probe)
    if found is None:
        try:
            cache.make(home, len(examples), probe, lambda arrays: fill(encoder, arrays, watch, what))
        except OSError as error:
            watch.warn(
                f"{what} cannot be kept in {home.parent} ({error.strerror}), and are encoded anew in every epoch; "
                "$DLSPEC_CACHE names another folder"
            )
            return Store(recipe, state, examples, watch, what)
        found = cache.kept(home, probe)
        if found is None:  # removed again by somebody else
            return Store(recipe, state, examples, watch, what)
        watch.note(f"encoded examples are kept in {home}")
    arrays, broken = found
    for place in broken:
        if place not in encoder.broken:  # an earlier run found it; this one reads it again, to say what is wrong
            encoder([place])
    encoder.tell(watch, what)
    return Kept(recipe, state, without(examples, broken), arrays)
