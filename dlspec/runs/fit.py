"""A network compiled as the recipe says, its predictions and their scores."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from dlspec.recipe.schema import Recipe
from dlspec.runs import goals, ragged
from dlspec.runs.backend import on_gpu, threads_in_force
from dlspec.runs.optimizing import optimizer_of, regularise
from dlspec.runs.pipeline import Pipeline
from dlspec.runs.store import Store
from dlspec.types import Arrays, Examples, State
from dlspec.wording import plural

STEPS_PER_EXECUTION = 32


def compile_network(
    network: Any, recipe: Recipe, state: State, steps: int, *, begun: int = 0, whole: Any = None
) -> None:
    """Compile with the recipe's optimizer and penalties and the task's loss.

    steps: of an epoch.  begun: epochs that are behind when the optimizer is new.  whole: the network of which this one
    may be a part, whose layers are counted where the first learn more slowly.
    """
    import keras

    train = recipe.train
    regularise(train, network)
    network.compile(
        optimizer=optimizer_of(train, network, steps, begun, whole),
        # At least 2: with 1, Keras finds the end of an epoch inside a step, and by then the optimizer has counted it
        # and decayed the weights.
        steps_per_execution=max(2, min(steps, STEPS_PER_EXECUTION)),
        # Where batches differ in size, each size would be compiled for itself.
        jit_compile="auto" if compiles(train.compile) and not ragged.varies(state) else False,
        auto_scale_loss=False,  # optimizer_of has done it
        **recipe.task.compiled_for(network, state),
    )
    if train.compile == "xla":
        network._jit_compile = True  # Keras refuses where operations are deterministic
    if keras.backend.backend() == "tensorflow":
        # Variables that are made while a step is traced have it traced a second time, without them.
        network.optimizer.build(network.trainable_variables)


def compiles(setting: str) -> bool:
    """Whether steps are compiled from the first on, where Keras finds that they can be.

    JAX is made to be compiled, and on a GPU it pays.  On a CPU it pays for some networks and takes its time:
    see `dlspec.runs.compilation`.
    """
    import keras

    if setting == "auto" and keras.backend.backend() == "tensorflow":
        return on_gpu()
    return setting != "off"


def described(network: Any, recipe: Recipe, pipeline: Pipeline) -> str:
    """How the network is trained, in a line."""
    train = recipe.train
    parts = [f"{train.optimizer.name}, learning rate {train.optimizer.learning_rate:g}"]
    if train.schedule.changes or train.schedule.name != "constant":
        warm = train.schedule.warmup
        after = f" after {plural(warm.length(pipeline.steps), 'step')} of warm-up" if warm else ""
        parts.append(f"{train.schedule.name}{after}")
    about = "about " if pipeline.tokens else ""
    parts.append(f"{plural(pipeline.steps, 'step')} of {about}{pipeline.batch_size:,} an epoch")
    if train.accumulate > 1:
        parts.append(f"an update every {train.accumulate} of them")
    if train.precision != "float32":
        parts.append(train.precision)
    threads = threads_in_force()
    parts.append(f"{threads} thread{'s' if threads != 1 else ''}")
    without = "not compiled" if train.compile == "off" else "compiled where timing shows that it pays"
    parts.append("compiled with XLA" if network.jit_compile else f"{without} (train.compile)")
    return f"training: {', '.join(parts)}"


def forward(network: Any) -> Callable[[Arrays], Any]:
    """The network in inference mode, from a dict of arrays to a NumPy array of logits.

    What it does not take is passed over: an input may encode more, for the task to read predictions by.
    """
    names = list(network.input)
    if ragged.of_any_length(network):
        network.jit_compile = False  # every size would be compiled for itself
    return lambda batch: network.predict_on_batch({name: batch[name] for name in names})


def answering(recipe: Recipe, network: Any, state: State) -> Callable[[Arrays], Any]:
    """What the task's `predict` asks of a network: its logits, or what the task makes of it."""
    found: Callable[[Arrays], Any] = recipe.task.answering(recipe.model, network, state, forward(network))
    return found


def predict(network: Any, store: Store) -> Any:
    """Decoded predictions for stored examples."""
    places = []

    def batches() -> Iterator[Arrays]:
        for chosen, arrays in store.pieces():
            places.append(chosen)
            yield arrays

    answer = answering(store.recipe, network, store.state)
    found = store.recipe.task.predict(answer, batches(), store.state)
    return ragged.in_order(found, places)


def sequence(pipeline: Pipeline, epoch: Callable[[], int]) -> Any:
    """The batches of the epoch that `epoch()` names, for Keras' own `fit` on other backends than TensorFlow."""
    import keras

    class Sequence(keras.utils.PyDataset):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.of, self.held = -1, list[Any]()

        def __len__(self) -> int:
            return pipeline.steps

        def __getitem__(self, index: int) -> Any:
            if self.of != epoch():
                self.of, self.held = epoch(), list(pipeline.batches(epoch()))
            return self.held[index]

    return Sequence()


class Score:
    """Scores of a network on stored examples, by the task's evaluator: the same during training and after."""

    def __init__(self, store: Store) -> None:
        self.store = store

    @functools.cached_property
    def passing(self) -> Score:
        """The same after an epoch of training: asked as the task is in passing, of so many examples at most."""
        recipe, most = self.store.recipe, self.store.recipe.task.in_passing.passing
        task = recipe.task.in_passing
        if task is recipe.task and (most is None or most >= len(self.store)):
            return self
        store = self.store if most is None else self.store.few(most)
        return Score(store.of(recipe.model_copy(update={"task": task}), store.state, store.watch))

    @property
    def examples(self) -> Examples:
        """Those that are scored; after predictions, without those that turned out to be unreadable."""
        return self.store.readable

    def predictions(self, network: Any) -> Any:
        return predict(network, self.store)

    def values(self, predictions: Any) -> dict[str, float]:
        """Every metric, and what else the goal asks of these examples."""
        recipe, task = self.store.recipe, self.store.state["task"]
        statistics = recipe.evaluator.statistics(self.examples, predictions, task)
        return goals.values(recipe.goal, recipe.evaluator, self.examples, statistics)

    def __call__(self, network: Any) -> dict[str, float]:
        """In passing."""
        return self.passing.values(self.passing.predictions(network))
