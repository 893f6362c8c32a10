"""Fitting: Keras' own `fit` over the pipeline's batches, and what is watched while it runs."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dlspec.recipe.schema import Recipe, Train
from dlspec.report.watch import EpochReport, Watch
from dlspec.runs.folder import replacing
from dlspec.runs.pipeline import Pipeline
from dlspec.runs.store import Store
from dlspec.runs.tensorboard import Board
from dlspec.types import Arrays, Examples, Metric, State

STEPS_PER_EXECUTION = 32
WRITE_SECONDS = 2.0


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


def dataset(pipeline: Pipeline, epoch: Callable[[], int], failed: list[Exception]) -> Any:
    """The batches of the epoch that `epoch()` names, for `fit`; asked anew at each epoch's beginning.

    failed: where an error in making a batch is put, since TensorFlow would bury it in a text of its own.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        return _Sequence(pipeline, epoch)
    import tensorflow as tf

    first = next(pipeline.batches(0))

    def spec(array: Any) -> Any:
        return tf.TensorSpec((None, *array.shape[1:]), tf.as_dtype(array.dtype))

    def generate() -> Iterator[tuple[Any, ...]]:
        try:
            yield from pipeline.batches(epoch())
        except Exception as error:
            failed.append(error)
            raise

    batches = tf.data.Dataset.from_generator(generate, output_signature=tf.nest.map_structure(spec, first))
    options = tf.data.Options()
    options.autotune.enabled = False  # with it on, fit waits after its last step
    options.threading.private_threadpool_size = 1
    return batches.prefetch(4).with_options(options)


def _Sequence(pipeline: Pipeline, epoch: Callable[[], int]) -> Any:  # noqa: N802
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


def better(metric: Metric, new: float, old: float | None, margin: float = 0.0) -> bool:
    """Whether a score is better than the one before, by more than the margin.  NaN never is."""
    if np.isnan(new):
        return False
    if old is None:
        return True
    return new - old > margin if metric.best == "max" else old - new > margin


class Best(NamedTuple):
    """The best score on dev so far."""

    epoch: int
    """the last epoch (from 0) that reached it, whose weights these are"""
    score: float
    weights: list[np.ndarray]


class Observer:
    """What happens at the end of every epoch: score dev, keep the best, write history, tell the watch, stop early."""

    def __init__(
        self, recipe: Recipe, metric: Metric, dev: Score | None, folder: Path, watch: Watch, pipeline: Pipeline
    ) -> None:
        self.recipe, self.metric, self.dev, self.folder, self.watch = recipe, metric, dev, folder, watch
        self.examples, self.steps = len(pipeline.store), pipeline.steps
        self.history: list[dict[str, float]] = []
        self.best: Best | None = None
        self.since = -1  # patience counts from the last change that was large enough
        self.reached: float | None = None
        self.diverged: int | None = None
        self.stopped_at: int | None = None
        self.seconds = 0.0
        self.epoch = 0
        self.written = 0.0
        self.board = Board(folder / "tensorboard") if recipe.train.tensorboard else None

    def callback(self) -> Any:
        """The Keras callback that calls this observer."""
        import keras

        observer = self

        class Callback(keras.callbacks.Callback):  # type: ignore[misc]
            def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
                observer.epoch, self.began = epoch, time.perf_counter()

            def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
                observer.watch.step(
                    observer.epoch, min(batch + 1, observer.steps), float((logs or {}).get("loss", np.nan))
                )

            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                seconds = time.perf_counter() - self.began
                self.model.stop_training = observer.ended(self.model, epoch, seconds, logs or {})

        return Callback()

    def ended(self, network: Any, epoch: int, seconds: float, logs: Mapping[str, Any]) -> bool:
        """Take note of an epoch; True where training should stop."""
        train = {name: float(value) for name, value in logs.items()}
        diverged = not np.isfinite(train.get("loss", 0.0))
        dev = self.dev(network) if self.dev and not diverged else {}
        self.seconds += seconds
        row = {"epoch": epoch + 1, "seconds": seconds}
        row |= {f"train_{name}": value for name, value in train.items()}
        row |= {f"dev_{name}": value for name, value in dev.items()}
        self.history.append(row)
        judged = dev.get(self.metric.name, float("nan"))
        improved = better(self.metric, judged, self.best.score if self.best else None)
        if improved or (self.best and judged == self.best.score):
            # Of equally good epochs the later is kept: the first to guess everything right is rarely sure of it.
            self.best = Best(epoch, judged, [np.array(w) for w in network.get_weights()])
        stopping = self.recipe.train.early_stopping
        if better(self.metric, judged, self.reached, stopping.minimum_change if stopping else 0.0):
            self.since, self.reached = epoch, judged
        if diverged:
            self.diverged = epoch + 1
        if time.monotonic() - self.written > WRITE_SECONDS:
            self.write()
        if self.board:
            self.board.scalars("train", train, epoch + 1)
            self.board.scalars("dev", dev, epoch + 1)
        rate = self.examples / seconds if seconds else float("nan")
        self.watch.epoch(
            EpochReport(epoch + 1, self.recipe.train.epochs, seconds, rate, train, dev, self.metric.name, improved)
        )
        if stopping and epoch - self.since >= stopping.patience:
            self.stopped_at = epoch + 1
        return self.stopped_at is not None or self.diverged is not None

    def write(self) -> None:
        """history.csv: an epoch a row."""
        self.written = time.monotonic()
        if not self.history:
            return
        names = list(dict.fromkeys(name for row in self.history for name in row))
        with replacing(self.folder / "history.csv") as new, open(new, "w", newline="", encoding="utf-8") as text:
            writer = csv.DictWriter(text, names, lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.history)
