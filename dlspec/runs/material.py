"""What a training works on: train as batches, and what is scored on the way and at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dlspec.recipe.schema import Recipe
from dlspec.report.watch import Watch
from dlspec.types import Arrays, Examples, Splits, State

if TYPE_CHECKING:
    from dlspec.runs.fit import Score
    from dlspec.runs.pipeline import Pipeline
    from dlspec.runs.store import Store
    from dlspec.runs.warm import Warm


def fixed_sample(examples: Examples, most: int) -> Examples:
    """At most so many examples, evenly spread, always the same."""
    count = len(examples)
    return examples if count <= most else examples.take([i * count // most for i in range(most)])


class Material(NamedTuple):
    """Train as batches, and what is scored: dev after every epoch, a part of train at the end.

    warm: what trainings of one process share.
    """

    pipeline: Pipeline
    dev: Score | None
    sample: Score
    warm: Warm | None = None


def material_of(recipe: Recipe, state: State, splits: Splits, watch: Watch, warm: Warm | None = None) -> Material:
    """Encode everything, or what no earlier training of this process (`warm`) has.

    Raises DataError where an example of train or dev cannot be encoded or has no truth.
    """
    from dlspec.runs.fit import Score

    evaluator, seed, train = recipe.evaluator, recipe.train.seed, splits["train"]
    pipeline = pipeline_of(recipe, state, train, watch, warm)
    dev = None
    if "dev" in splits:
        dev = Score(_store(recipe, state, evaluator.scored(splits["dev"], seed), watch, "examples of dev", warm))
        _truths(dev.store)
    some = fixed_sample(train, recipe.task.scored_of_train)
    whole = some is train and evaluator.scored(train, seed) is train
    sampled = evaluator.scored(some, seed)
    sample = Score(
        pipeline.store if whole else _store(recipe, state, sampled, watch, "examples of train to score", warm)
    )
    return Material(pipeline, dev, sample, warm)


def pipeline_of(recipe: Recipe, state: State, train: Examples, watch: Watch, warm: Warm | None = None) -> Pipeline:
    """Train as batches.  Raises DataError where an example cannot be encoded or has no truth."""
    from dlspec.runs.optimizing import check_steps
    from dlspec.runs.pipeline import Pipeline

    pipeline = Pipeline(recipe, state, _store(recipe, state, train, watch, "examples of train", warm))
    if pipeline.targets is None:  # or lengths have asked for them
        pipeline.targets = _truths(pipeline.store)
    check_steps(recipe.train, pipeline.steps)
    return pipeline


def _store(recipe: Recipe, state: State, examples: Examples, watch: Watch, what: str, warm: Warm | None) -> Store:
    from dlspec.runs.store import store

    def make() -> Store:
        return store(recipe, state, examples, watch, what)

    return make() if warm is None else warm.store(recipe, state, examples, watch, make)


def _truths(store: Store) -> Arrays | None:
    """The targets, where the examples are kept.  Raises DataError, before anything is trained, where one is missing."""
    from dlspec.runs.store import Kept

    task, state, examples = store.recipe.task, store.state, store.examples
    if isinstance(store, Kept):
        targets: Arrays = task.target(examples, store.arrays, state)
        return targets
    if None in task.evaluator.truth(examples, state["task"]):
        # The task says best what is wrong.  What is encoded does not matter for that: all are taken to be as the first.
        _, first = store.encoder(np.arange(1))
        task.target(
            examples, {name: np.broadcast_to(v, (len(examples), *v.shape[1:])) for name, v in first.items()}, state
        )
    return None
