"""What trainings of one process share: data that is read, learned from and encoded once, not once a training."""

from __future__ import annotations

import copy
import json
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from dlspec.recipe.schema import Recipe
from dlspec.report.watch import Watch
from dlspec.types import Examples, Splits, State

if TYPE_CHECKING:
    from dlspec.runs.store import Store

MOST = 2
"""ways of reading data that are kept (more where folds are), those asked for last; of encoding it, as many a split"""
SPLITS = 4

T = TypeVar("T")


class Warm:
    """Remembers by the settings that matter, so that recipes may differ in all else."""

    def __init__(self) -> None:
        self.held: dict[str, OrderedDict[Any, Any]] = {}
        self.most = MOST

    def once(self, kind: str, key: Any, make: Callable[[], T], each: int = 1) -> T:
        """What was made for this key, or is made now.  each: how many are kept for every way of reading data."""
        held = self.held.setdefault(kind, OrderedDict())
        if key not in held:
            held[key] = make()
        held.move_to_end(key)
        while len(held) > self.most * each:
            held.popitem(last=False)
        found: T = held[key]
        return found

    def splits(self, recipe: Recipe) -> Splits:
        """The data, read and divided as the recipe says."""
        found: Splits = self.once("splits", recipe.data.model_dump_json(), recipe.data.read)
        return found

    def learned(self, recipe: Recipe, splits: Splits, make: Callable[[], T]) -> T:
        """What is learned from train before the network; a copy, since a training adds to it."""
        key = (id(splits), recipe.input.model_dump_json(), recipe.task.model_dump_json())
        _, found = self.once("learned", key, lambda: (splits, make()))
        return copy.deepcopy(found)

    def store(self, recipe: Recipe, state: State, examples: Examples, watch: Watch, make: Callable[[], Store]) -> Store:
        """Encoded examples, for another recipe that encodes them alike."""
        settings = recipe.input.model_dump(mode="json", exclude={"augment"})
        rows = examples.rows if isinstance(examples.rows, range) else tuple(examples.rows)
        key = (
            *(id(column) for column in examples.columns.values()),
            hash(rows),
            json.dumps([recipe.input.name, settings, state["input"], recipe.train.cache], default=str),
        )
        _, found = self.once("stores", key, lambda: (examples, make()), SPLITS)
        return found.of(recipe, state, watch)
