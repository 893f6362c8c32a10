"""A network compiled as the recipe says, its predictions and their scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dlspec.recipe.schema import Recipe, Train
from dlspec.runs.pipeline import Pipeline
from dlspec.runs.store import Store
from dlspec.types import Arrays, Examples, State

STEPS_PER_EXECUTION = 32


def compile_network(network: Any, recipe: Recipe, state: State, steps: int) -> None:
    """Compile with the recipe's optimizer and penalties and the task's loss."""
    import keras

    train: Train = recipe.train
    settings = train.optimizer.model_dump(exclude={"name"})
    optimizer = getattr(keras.optimizers, type(train.optimizer).__name__)(**settings)
    if train.l1 or train.l2:
        # On the variables, so that it serves every architecture; the saved model is for inference and needs none.
        penalty = keras.regularizers.L1L2(l1=train.l1, l2=train.l2)
        for variable in network.trainable_variables:
            if len(variable.shape) > 1:
                variable.regularizer = penalty
    # On a CPU compiling with XLA made these networks slower, and the time between steps is the first thing to win.
    network.compile(
        optimizer=optimizer,
        # At least 2: with 1, Keras finds the end of an epoch inside a step, and by then the optimizer has counted it
        # and decayed the weights.
        steps_per_execution=max(2, min(steps, STEPS_PER_EXECUTION)),
        jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
        **recipe.task.compiled(state),
    )


def forward(network: Any) -> Callable[[Arrays], Any]:
    """The network in inference mode, from a dict of arrays to a NumPy array of logits."""
    return lambda batch: network.predict_on_batch(batch)


def predict(network: Any, store: Store) -> Any:
    """Decoded predictions for stored examples."""
    return store.recipe.task.predict(forward(network), store.chunks(), store.state)


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

    @property
    def examples(self) -> Examples:
        """Those that are scored; after predictions, without those that turned out to be unreadable."""
        return self.store.readable

    def predictions(self, network: Any) -> Any:
        return predict(network, self.store)

    def __call__(self, network: Any) -> dict[str, float]:
        evaluator, state = self.store.recipe.task.evaluator, self.store.state["task"]
        predictions = self.predictions(network)
        found: dict[str, float] = evaluator.combine(evaluator.statistics(self.examples, predictions, state))
        return found
