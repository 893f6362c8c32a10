"""What frozen layers make of every example, worked out once: then only what comes after them is trained.

The cut is where all that leads from the input to the output goes through one array, and nothing before it is trained.
The layers before it are the base here, those after it the head, a network of its own over the same layers: whatever it
learns, the whole has learned.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from dlspec.recipe.schema import Recipe
from dlspec.report.watch import Watch
from dlspec.runs import cache
from dlspec.runs.fit import Score, predict
from dlspec.runs.material import Material
from dlspec.runs.pipeline import Pipeline
from dlspec.runs.store import Kept, Store
from dlspec.runs.warm import SPLITS
from dlspec.types import Arrays, Examples, State

NAME = "features"


class Features(Kept):
    """Stored examples of which the frozen layers have made arrays already."""

    @property
    def augments(self) -> bool:
        return False

    def augmented(self, batch: Arrays, seeds: np.ndarray) -> Arrays:
        return batch

    @property
    def names(self) -> list[str]:
        return [NAME]

    def finished(self, arrays: Arrays) -> Arrays:
        return arrays

    def lengths_of(self, arrays: Arrays) -> None:
        """None: the frozen layers have made all of one size."""


class Turns(Pipeline):
    """Several augmented versions of train, which take turns from epoch to epoch."""

    versions: list[Made]

    def resident(self) -> None:
        """None: the epochs differ."""

    def augmented(
        self, epoch: int, skip: int = 0, plan: list[np.ndarray] | None = None
    ) -> Iterator[tuple[int, np.ndarray, int, Arrays, Arrays]]:
        made = self.versions[epoch % len(self.versions)]
        assert isinstance(self.store, Features)
        self.store.arrays, self.targets = made.arrays, made.targets
        return super().augmented(epoch, skip, plan)


class OfHead(Score):
    """Scores of a network whose frozen layers have done their part."""

    def __init__(self, store: Store, head: Any) -> None:
        super().__init__(store)
        self.head = head

    def predictions(self, network: Any) -> Any:
        return predict(self.head, self.store)


class Made(NamedTuple):
    """What the base made of some examples (`features`) beside what else was encoded of them, and their targets."""

    examples: Examples
    arrays: Arrays
    targets: Arrays


def cut(network: Any, frozen: list[Any]) -> Any:
    """The last symbolic tensor through which everything goes, with weights before it and frozen layers alone; None
    where there is no such."""
    import keras

    with_weights = [one.weights != [] for one in frozen]
    for place in range(len(frozen) - 1, -1, -1):
        if not any(with_weights[: place + 1]):
            return None
        made = keras.tree.flatten(frozen[place]._inbound_nodes[0].output_tensors)
        if len(made) == 1 and _all_through(network, made[0]):
            return made[0]
    return None


def _all_through(network: Any, tensor: Any) -> bool:
    """Whether nothing comes from the input to the output but through a tensor."""
    import keras

    waiting, seen, met = list(keras.tree.flatten(network.outputs)), set[int](), False
    while waiting:
        one = waiting.pop()
        if one is tensor:
            met = True
            continue
        if id(one) in seen:
            continue
        seen.add(id(one))
        layer, number, _ = one._keras_history
        if isinstance(layer, keras.layers.InputLayer):
            return False
        waiting += layer._inbound_nodes[number].input_tensors
    return met


def split(network: Any, tensor: Any) -> tuple[Any, Any]:
    """The base, from what the network takes to a tensor, and the head, from an array `features` to what it gives."""
    import keras

    base = keras.Model(network.input, tensor)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="When providing `inputs` as a dict")
        head = keras.Model({NAME: tensor}, network.output)
    return base, head


def worked_out(
    recipe: Recipe, state: State, network: Any, tensor: Any, material: Material, watch: Watch
) -> tuple[Any, Material] | None:
    """The head, and its material; None where features are not to be kept, or cannot be, which is said."""
    setting, pipeline = recipe.train.features, material.pipeline
    if setting == "off":
        return None
    augments = pipeline.store.augments
    if augments and setting == "auto":
        watch.note(
            "features cannot be kept, as inputs are augmented anew in every epoch: the frozen layers work at every "
            "step (train.features: 5 would keep five augmented versions of each example)"
        )
        return None
    versions = int(setting) if augments else 1
    size = math.prod(tensor.shape[1:]) * 4 if None not in tensor.shape[1:] else 0
    count = len(pipeline.store) * versions + (len(material.dev.store) if material.dev else 0)
    if not size or cache.place(size * count) != "memory":
        why = f"{size * count / 1e9:.1f} GB, more than memory should hold" if size else "they differ in size"
        watch.note(f"features of the frozen layers are not kept ({why}); an earlier layer may give more, a later fewer")
        return None
    base, head = split(network, tensor)
    began = time.perf_counter()
    worker = _Worker(recipe, state, base, material)
    trained = [worker.of_train(version) for version in range(versions)]
    store = Features(recipe, state, trained[0].examples, trained[0].arrays)
    made = Pipeline(recipe, state, store) if versions == 1 else Turns(recipe, state, store)
    made.targets = trained[0].targets
    if isinstance(made, Turns):
        made.versions = trained
    dev = None
    if material.dev:
        scored = worker.of_dev()
        dev = OfHead(Features(recipe, state, scored.examples, scored.arrays), head)
    sample = material.sample
    if sample.store is pipeline.store and versions == 1:
        sample = OfHead(store, head)
    of_each = f"{math.prod(tensor.shape[1:]):,} numbers each"
    times = f" in {versions} augmented versions" if versions > 1 else ""
    watch.note(
        f"features: what the frozen layers make of {len(pipeline.store):,} examples of train{times}"
        f"{f' and {len(dev.store):,} of dev' if dev else ''} is worked out once ({of_each}; "
        f"{time.perf_counter() - began:.1f} s)"
    )
    return head, material._replace(pipeline=made, dev=dev, sample=sample)


class _Worker:
    """Lets the base work on what a training has, or takes what earlier trainings of this process have let it make."""

    def __init__(self, recipe: Recipe, state: State, base: Any, material: Material) -> None:
        self.recipe, self.state, self.base, self.material = recipe, state, base, material
        own = hashlib.blake2b(digest_size=16)
        for one in base.weights if material.warm else ():
            own.update(np.ascontiguousarray(one).tobytes())
        self.weights = own.hexdigest()

    def of_train(self, version: int) -> Made:
        """Features and targets of train, as augmented in an epoch of that number."""
        pipeline = self.material.pipeline
        drawn = [self.recipe.train.seed, version, self.recipe.input.model_dump(mode="json")]

        def make() -> Made:
            size = pipeline.store.chunk()
            blocks = [np.arange(at, min(at + size, len(pipeline.store))) for at in range(0, len(pipeline.store), size)]
            places, arrays, targets = list[int](), list[Arrays](), list[Arrays]()
            for _, chosen, _, whole, of in pipeline.augmented(version, plan=blocks):
                places += chosen.tolist()
                arrays.append(self._run(pipeline.store.finished(whole), size))
                targets.append(of)
            return Made(pipeline.examples.take(places), _joined(arrays), _joined(targets))

        return self._once(pipeline.store, make, *(drawn if pipeline.store.augments else ()))

    def of_dev(self) -> Made:
        """Features of dev."""
        assert self.material.dev is not None
        store = self.material.dev.store

        def make() -> Made:
            size = store.chunk()
            arrays = [self._run(one, size) for one in store.chunks(size)]
            return Made(store.readable, _joined(arrays), {})

        return self._once(store, make)

    def _run(self, arrays: Arrays, size: int) -> Arrays:
        """The base in inference mode; always on as many examples, as each number of them would be traced for itself."""
        taken, rest = {name: arrays[name] for name in self.state["shapes"]}, dict(arrays)
        for name in taken:
            del rest[name]
        count = len(next(iter(taken.values())))
        if count < size:
            taken = {name: np.concatenate([v, np.repeat(v[:1], size - count, 0)]) for name, v in taken.items()}
        made = np.asarray(self.base.predict_on_batch(taken))[:count]
        return {NAME: made.astype(np.float32), **rest}

    def _once(self, store: Store, make: Any, *more: Any) -> Made:
        warm = self.material.warm
        if warm is None:
            found: Made = make()
            return found
        recipe, examples = self.recipe, store.examples
        rows = examples.rows if isinstance(examples.rows, range) else tuple(examples.rows)
        settings = [recipe.input.name, recipe.input.model_dump(mode="json", exclude={"augment"}), self.state["input"]]
        settings += [recipe.model.model_dump(mode="json"), len(self.base.layers), recipe.train.precision]
        settings += [recipe.task.model_dump(mode="json"), self.state["task"], *more]
        key = (
            *(id(column) for column in examples.columns.values()),
            hash(rows),
            self.weights,
            json.dumps(settings, default=str),
        )
        _, found = warm.once("features", key, lambda: (examples, make()), SPLITS)
        return found


def _joined(parts: list[Arrays]) -> Arrays:
    return {name: np.concatenate([one[name] for one in parts]) for name in parts[0]} if parts else {}
