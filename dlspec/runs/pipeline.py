"""plan → encode → augment → finish: the batches of one epoch, a function of seed and epoch alone."""

from __future__ import annotations

import functools
import math
from collections.abc import Generator, Iterator
from typing import Any

import numpy as np

from dlspec.numeric.draws import bits
from dlspec.recipe.schema import Recipe
from dlspec.recipe.training import Tokens
from dlspec.runs import ragged
from dlspec.runs.ahead import ahead
from dlspec.runs.cache import free_memory
from dlspec.runs.encoding import left_out
from dlspec.runs.sampling import Sampler, balanced, numbered, weighted
from dlspec.runs.store import Filling, Kept, Store
from dlspec.tasks.base import Task
from dlspec.types import Arrays, Place, RecipeError, State

RESIDENT_SHARE = 0.2
"""of the free memory, how much the finished examples may take beside the encoded ones"""
LARGE = 1_000_000
"""batches of so many encoded bytes are augmented in threads, ahead of the network"""


class Pipeline:
    """The training batches of stored examples."""

    def __init__(self, recipe: Recipe, state: State, store: Store) -> None:
        self.recipe, self.state, self.store, self.examples = recipe, state, store, store.examples
        self.targets: Arrays | None = None
        given = store.examples.columns["weights"]
        self.weights = None if given is None else np.array(store.examples.column("weights"), np.float32)
        self.sampler: Sampler | None = None
        if recipe.train.sampling == "balanced":
            self.sampler = balanced(recipe.task.strata(store.examples, state))
        elif recipe.train.sampling == "weighted":
            self.sampler, self.weights = weighted(self.weights), None
        entered = {name: one for name, one in state["shapes"].items() if name in store.names}
        self.shapes = {**entered, **recipe.task.given(state)}
        self.varies = ragged.varies({"shapes": self.shapes})
        count, given = len(store), recipe.train.batch_size
        self.tokens: int | None = None
        if isinstance(given, Tokens):
            if self.lengths is None:
                message = "counts tokens, which examples of this kind have not; give a number of examples"
                raise RecipeError(message, where=Place(key="train.batch_size"))
            self.tokens = given.tokens
        self.batch_size = 1
        size = math.ceil(count / len(self.plan(0))) if isinstance(given, Tokens) else given
        self.batch_size = count if size == "all" else min(size, count)

    @functools.cached_property
    def steps(self) -> int:
        """Steps an epoch, where the task plans as usual."""
        return len(self.plan(0)) if self.tokens else math.ceil(len(self.store) / self.batch_size)

    @functools.cached_property
    def lengths(self) -> np.ndarray | None:
        """How long each example is, with its target, where that is known before it is encoded."""
        entered = self.store.lengths
        if type(self.recipe.task).lengths is Task.lengths or not isinstance(self.store, Kept):
            return entered
        if self.targets is None:
            self.targets = self.recipe.task.target(self.examples, self.store.arrays, self.state)
        found: np.ndarray | None = self.recipe.task.lengths(entered, self.targets)
        return found

    @property
    def gaps(self) -> bool:
        """Whether batches of the plan may be missing, as nothing of them can be read."""
        return not isinstance(self.store, Kept) and left_out(self.recipe)

    def plan(self, epoch: int, batch_size: int | None = None) -> list[np.ndarray]:
        """Which examples make up each batch of an epoch.  batch_size: another than that of training."""
        seed, drawn, examples, lengths = self.recipe.train.seed, None, self.examples, self.lengths
        if self.sampler:
            drawn = self.sampler(epoch, seed)
            examples = examples.take(drawn.tolist())
            lengths = None if lengths is None else lengths[drawn]
        found: list[np.ndarray] = self.recipe.task.plan(
            examples,
            self.state,
            epoch=epoch,
            seed=seed,
            batch_size=batch_size or self.batch_size,
            lengths=lengths,
            tokens=None if batch_size else self.tokens,
        )
        return found if drawn is None else [drawn[batch] for batch in found]

    def first(self) -> tuple[Any, ...]:
        """The first batch of the first epoch: what batches look like."""
        return next(self.batches(0))

    def free(self, name: str) -> tuple[int | None, ...] | None:
        """The shape of an array that the network takes, but for its first axis; None in it where batches differ."""
        spec = self.shapes.get(name)
        return tuple(spec["shape"]) if self.varies and spec is not None else None

    def few(self, most: int) -> tuple[Any, ...]:
        """So many of the first examples of the first epoch (or all), as the network takes them, in one batch."""
        return next(self.batches(0, plan=self.plan(0, min(most, len(self.store)))))

    def resident(self) -> tuple[Any, ...] | None:
        """All of train as the network takes it, where that is small and no epoch changes it; else None."""
        task, store = self.recipe.task, self.store
        # A task that finishes batches in a way of its own may draw at random.
        if store.augments or type(task).finish is not Task.finish or not isinstance(store, Kept):
            return None
        if any(isinstance(values, list | np.memmap) for values in store.arrays.values()):
            return None
        # Encoded bytes become four times as many as floats.
        if len(store) * store.each * 4 > RESIDENT_SHARE * free_memory():
            return None
        parts = list(store.chunks())
        batch = {name: np.concatenate([part[name] for part in parts]) for name in store.names}
        x, y, weights = task.finish(batch, self.target(np.arange(len(store)), store.arrays), 0, self.state)
        if self.weights is not None:
            weights = self.weights * (1 if weights is None else weights)
        return (x, y) if weights is None else (x, y, weights)

    def batches(self, epoch: int, skip: int = 0, plan: list[np.ndarray] | None = None) -> Iterator[tuple[Any, ...]]:
        """What the network is trained on, batch after batch, but for the first `skip`.  plan: another than its own."""
        return (batch for _, batch in self.counted(epoch, skip, plan))

    def counted(
        self, epoch: int, skip: int = 0, plan: list[np.ndarray] | None = None
    ) -> Generator[tuple[int, tuple[Any, ...]]]:
        """The same, each with how many batches of the plan are behind then, itself included.

        That is more than have come where nothing of some could be read; it is what `skip` counts.
        """
        task, state = self.recipe.task, self.state
        for behind, chosen, stream, whole, targets in self.augmented(epoch, skip, plan):
            whole = self.store.finished(whole)
            taken = {name: whole[name] for name in self.store.names}
            x, y, weights = task.finish(taken, targets, stream, state)
            if self.weights is not None:
                weights = self.weights[chosen] * (1 if weights is None else weights)
            yield behind, ((x, y) if weights is None else (x, y, weights))

    def augmented(
        self, epoch: int, skip: int = 0, plan: list[np.ndarray] | None = None
    ) -> Iterator[tuple[int, np.ndarray, int, Arrays, Arrays]]:
        """The same before they are finished: how many batches are behind, which examples, a seed, arrays, targets."""
        task, state, seed = self.recipe.task, self.state, self.recipe.train.seed
        whole_plan = self.plan(epoch) if plan is None else plan
        plan = whole_plan[skip:]
        # One number an example and epoch, so that its augmentation is the same in whatever batch it stands.
        seeds = np.random.SeedSequence((seed, epoch)).generate_state(len(self.store), np.uint64)
        if self.targets is None and (
            isinstance(self.store, Kept) or (isinstance(self.store, Filling) and self.store.full)
        ):
            self.targets = task.target(self.examples, self.store.arrays, state)

        def augmented(taken: tuple[int, np.ndarray, np.ndarray, Arrays]) -> tuple[int, np.ndarray, Arrays, Arrays]:
            behind, chosen, drawn, arrays = taken
            targets = self.target(chosen, arrays)
            whole = self.store.augmented({**arrays, **targets}, drawn)
            return behind, chosen, whole, {name: whole.pop(name) for name in targets}

        def seeded() -> Iterator[tuple[int, np.ndarray, np.ndarray, Arrays]]:
            times = np.bincount(np.concatenate([*whole_plan[:skip], []]).astype(int), minlength=len(seeds))
            for behind, (chosen, arrays) in enumerate(self.store.stream(plan), skip + 1):
                if not len(chosen):
                    continue
                drawn = seeds[chosen]
                if self.sampler:  # what comes more than once an epoch is another picture each time
                    drawn = bits(drawn ^ numbered(chosen, times).astype(np.uint64), 0)
                yield behind, chosen, drawn, arrays

        taken = seeded()
        # Large ones in threads.  Not `finish`: the system takes long to give a thread so much fresh memory.
        large = self.store.each * self.batch_size >= LARGE
        for behind, chosen, whole, targets in ahead(augmented, taken) if large else map(augmented, taken):
            yield behind, chosen, int(seeds[chosen[0]] % 2**31), whole, targets

    def target(self, chosen: np.ndarray, arrays: Arrays) -> Arrays:
        """The truths of a batch; made once where the examples are kept."""
        if self.targets is not None:
            return {name: ragged.taken(values, chosen) for name, values in self.targets.items()}
        found: Arrays = self.recipe.task.target(self.examples.take(chosen.tolist()), arrays, self.state)
        return found
