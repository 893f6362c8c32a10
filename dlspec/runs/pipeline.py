"""plan → encode → augment → finish: the batches of one epoch, a function of seed and epoch alone."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from dlspec.recipe.schema import Recipe
from dlspec.types import Arrays, Examples, State

CHUNK = 1024


class Pipeline:
    """The training batches of some examples.  Everything is encoded once and kept in memory."""

    def __init__(self, recipe: Recipe, state: State, examples: Examples) -> None:
        self.recipe, self.state, self.examples = recipe, state, examples
        self.encoded: Arrays = recipe.input.encode(examples, state["input"])
        self.targets: Arrays = recipe.task.target(examples, self.encoded, state)
        given = examples.columns["weights"]
        self.weights = None if given is None else np.array(examples.column("weights"), np.float32)
        self.batch_size = (
            len(examples) if recipe.train.batch_size == "all" else min(recipe.train.batch_size, len(examples))
        )

    @property
    def steps(self) -> int:
        """Steps an epoch, where the task plans as usual."""
        return math.ceil(len(self.examples) / self.batch_size)

    def batches(self, epoch: int) -> Iterator[tuple[Any, ...]]:
        """What `fit` takes, batch after batch."""
        task, seed = self.recipe.task, self.recipe.train.seed
        plan = task.plan(self.examples, self.state, epoch=epoch, seed=seed, batch_size=self.batch_size)
        for number, chosen in enumerate(plan):
            stream = int(np.random.SeedSequence((seed, epoch, number)).generate_state(1)[0])
            whole = {name: values[chosen] for name, values in (*self.encoded.items(), *self.targets.items())}
            whole = self.recipe.input.augment(whole, stream)
            targets = {name: whole.pop(name) for name in self.targets}
            x, y, weights = task.finish(whole, targets, stream, self.state)
            x = {name: x[name] for name in self.state["shapes"]}
            if self.weights is not None:
                weights = self.weights[chosen] * (1 if weights is None else weights)
            yield (x, y) if weights is None else (x, y, weights)


def chunks(arrays: Arrays, size: int = CHUNK) -> Iterator[Arrays]:
    """Arrays cut into batches for prediction."""
    count = len(next(iter(arrays.values())))
    for start in range(0, count, size):
        yield {name: values[start : start + size] for name, values in arrays.items()}
