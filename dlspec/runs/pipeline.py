"""plan → encode → augment → finish: the batches of one epoch, a function of seed and epoch alone."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from dlspec.recipe.schema import Recipe
from dlspec.runs.store import Filling, Kept, Store, ahead, finished
from dlspec.types import Arrays, State

LARGE = 1_000_000
"""batches of so many encoded bytes are augmented in threads, ahead of the network"""


class Pipeline:
    """The training batches of stored examples."""

    def __init__(self, recipe: Recipe, state: State, store: Store) -> None:
        self.recipe, self.state, self.store, self.examples = recipe, state, store, store.examples
        self.targets: Arrays | None = None
        given = store.examples.columns["weights"]
        self.weights = None if given is None else np.array(store.examples.column("weights"), np.float32)
        count, size = len(store), recipe.train.batch_size
        self.batch_size = count if size == "all" else min(size, count)

    @property
    def steps(self) -> int:
        """Steps an epoch, where the task plans as usual."""
        return math.ceil(len(self.store) / self.batch_size)

    def batches(self, epoch: int) -> Iterator[tuple[Any, ...]]:
        """What `fit` takes, batch after batch."""
        task, state, seed = self.recipe.task, self.state, self.recipe.train.seed
        plan = task.plan(self.examples, state, epoch=epoch, seed=seed, batch_size=self.batch_size)
        # One number an example and epoch, so that its augmentation is the same in whatever batch it stands.
        seeds = np.random.SeedSequence((seed, epoch)).generate_state(len(self.store), np.uint64)
        recipe = self.recipe
        if self.targets is None and (
            isinstance(self.store, Kept) or (isinstance(self.store, Filling) and self.store.full)
        ):
            self.targets = task.target(self.examples, self.store.arrays, state)

        def augmented(taken: tuple[np.ndarray, Arrays]) -> tuple[np.ndarray, Arrays, Arrays]:
            chosen, arrays = taken
            targets = self.target(chosen, arrays)
            whole = recipe.input.augmented({**arrays, **targets}, seeds[chosen], state)
            return chosen, whole, {name: whole.pop(name) for name in targets}

        taken = self.store.stream(plan)
        # Large ones in threads.  Not `finish`: the system takes long to give a thread so much fresh memory.
        large = self.store.each * self.batch_size >= LARGE
        for chosen, whole, targets in ahead(augmented, taken) if large else map(augmented, taken):
            stream = int(seeds[chosen[0]] % 2**31)
            x, y, weights = task.finish(finished(recipe, state, whole), targets, stream, state)
            if self.weights is not None:
                weights = self.weights[chosen] * (1 if weights is None else weights)
            yield (x, y) if weights is None else (x, y, weights)

    def target(self, chosen: np.ndarray, arrays: Arrays) -> Arrays:
        """The truths of a batch; made once where the examples are kept."""
        if self.targets is not None:
            return {name: values[chosen] for name, values in self.targets.items()}
        found: Arrays = self.recipe.task.target(self.examples.take(chosen.tolist()), arrays, self.state)
        return found
