"""What trying a network takes: a batch of it, its loss without the network, the best constant guess, its calls."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from dlspec.recipe.schema import Recipe
from dlspec.runs.store import finished
from dlspec.types import Examples, State

GUESS_STEPS, GUESS_RATE = 300, 0.1


class Batch(NamedTuple):
    """Some examples as `fit` takes them."""

    x: dict[str, np.ndarray]
    y: Any
    weights: Any

    @property
    def size(self) -> int:
        return len(next(iter(self.x.values())))

    def take(self, chosen: Sequence[int] | slice | np.ndarray) -> Batch:
        """The rows that are chosen."""
        import keras

        of = (self.x, self.y, self.weights)
        return Batch(*keras.tree.map_structure(lambda values: None if values is None else values[chosen], of))


def batch(recipe: Recipe, state: State, examples: Examples) -> Batch:
    """Examples as they are, not augmented, with their targets.  Raises DataError."""
    encoded = recipe.input.encode(examples, state["input"])
    targets = recipe.task.target(examples, encoded, state)
    return Batch(*recipe.task.finish(finished(recipe, state, encoded), targets, recipe.train.seed, state))


def known(recipe: Recipe, state: State, examples: Examples, train: Examples) -> Examples:
    """Without the examples of classes that train does not have: no loss takes them."""
    evaluator, task = recipe.evaluator, state["task"]
    have = {one for several in evaluator.classes(train, task) for one in several}
    own = evaluator.classes(examples, task)
    return examples.take([i for i, several in enumerate(own) if have.issuperset(several)]) if own else examples


def compiled(network: Any, recipe: Recipe, state: State, rate: float) -> Any:
    """The network, compiled with Adam and the task's loss alone."""
    import keras

    network.compile(
        optimizer=keras.optimizers.Adam(rate),
        jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
        **loss_settings(recipe, state, network),
    )
    network.optimizer.build(network.trainable_variables)  # or a step is traced twice: with its variables, and without
    return network


def loss_settings(recipe: Recipe, state: State, network: Any = None) -> dict[str, Any]:
    """What `compile` takes of the task, without metrics.  network: one whose variables the loss may read."""
    found = recipe.task.compiled(state) if network is None else recipe.task.compiled_for(network, state)
    return {name: value for name, value in found.items() if name in ("loss", "loss_weights")}


def loss_of(recipe: Recipe, state: State, network: Any = None, *, all_slopes: bool = False) -> Callable[..., Any]:
    """The task's mean loss of outputs, whoever made them: a function of the outputs and their batch.

    all_slopes: without what a loss holds still on purpose, where it says so.
    """
    import keras

    class Outputs(keras.Model):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            return inputs

    of, settings = Outputs(), loss_settings(recipe, state, network)
    if all_slopes and hasattr(settings["loss"], "with_all_slopes"):
        settings["loss"] = settings["loss"].with_all_slopes()
    of.compile(**settings)

    def loss(outputs: Any, batch: Batch) -> Any:
        tensors = keras.tree.map_structure(keras.ops.convert_to_tensor, outputs)
        return of.compute_loss(x=None, y=batch.y, y_pred=tensors, sample_weight=batch.weights)

    return loss


def best_guess(recipe: Recipe, state: State, outputs: Any, batch: Batch, *, constant: bool) -> Any:
    """The outputs of the least loss, in the structure of `outputs`: the same for all examples (constant), or any.

    Without a network: found by gradient descent on the outputs themselves.
    """
    import keras

    shapes = [(1 if constant else len(one), *one.shape[1:]) for one in keras.tree.flatten(outputs)]

    class Guess(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.held = [
                self.add_weight(shape=shape, initializer="zeros", name=f"guess_{i}") for i, shape in enumerate(shapes)
            ]

        def call(self, inputs: Any) -> Any:
            whole = [keras.ops.broadcast_to(one, (batch.size, *one.shape[1:])) for one in self.held]
            return keras.tree.pack_sequence_as(outputs, whole)

    guess = compiled(Guess(), recipe, state, GUESS_RATE)
    nothing = np.zeros((batch.size, 1), np.float32)
    for _ in range(GUESS_STEPS):
        guess.train_on_batch(nothing, batch.y, batch.weights)
    return keras.tree.map_structure(np.asarray, guess(nothing))


def inference(network: Any) -> Any:
    """The network as a model that never drops out, normalises by a batch, or draws, even while it is trained."""
    import keras

    class Inference(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def call(self, inputs: Any) -> Any:
            return self.network(inputs, training=False)

    return Inference()


class Call(NamedTuple):
    """One use of a layer in a network: what it is given and gives, as symbolic tensors; and what entered it."""

    layer: Any
    inputs: list[Any]
    entered: list[Any]
    outputs: list[Any]


def calls(network: Any, entering: Callable[[Any], Any] = lambda tensor: tensor) -> tuple[Any, list[Call]]:
    """The same layers in a new graph, and their calls in the order of work, operations that are no layers among them.

    entering: of a symbolic tensor that a layer is given, what enters the layer in its place.
    """
    import keras

    found: list[Call] = []

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        given: list[Any] = []
        entered: list[Any] = []

        def enter(one: Any) -> Any:
            if not isinstance(one, keras.KerasTensor):
                return one
            given.append(one)
            entered.append(entering(one))
            return entered[-1]

        args, kwargs = keras.tree.map_structure(enter, (args, kwargs))
        outputs = layer(*args, **kwargs)
        found.append(Call(layer, given, entered, keras.tree.flatten(outputs)))
        return outputs

    plain = keras.Model(network.inputs, network.outputs) if isinstance(network, keras.Sequential) else network
    clone = keras.models.clone_model(plain, clone_function=lambda layer: layer, call_function=call)
    return clone, found


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without what Keras warns of: here these are findings."""
    log = logging.getLogger("tensorflow")  # it warns of every network that is traced
    level = log.level
    log.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*received `from_logits=True`")
        warnings.filterwarnings("ignore", message="Gradients do not exist")
        warnings.filterwarnings("ignore", message="The model does not have any trainable weights")
        try:
            yield
        finally:
            log.setLevel(level)
