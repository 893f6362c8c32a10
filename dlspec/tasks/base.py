"""What every task does: it joins an input, a model and an evaluator, and owns no loop."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from dlspec.evaluators.base import Evaluator
from dlspec.inputs.base import Input
from dlspec.models.base import Model, Shapes
from dlspec.recipe.component import Component
from dlspec.types import ArgumentError, Arrays, Examples, Prediction, State

if TYPE_CHECKING:
    import keras
    import numpy as np

    from dlspec.decode.sampling import Sampling


class Aim(NamedTuple):
    """What of a network's answers maps of pictures explain: of each example one thing, as a weighted sum of logits."""

    says: list[str]
    """in words: the class, the label, the head and what it says"""
    weights: np.ndarray
    """of the shape of the logits: how much each counts"""
    moves: bool = False
    """the answer is a place or a size: explained is how far it moves, the root of the weighted squares of changes"""


class Forced(NamedTuple):
    """An answer that a network was made to say."""

    score: float
    """as that of its own answers, by which the best is chosen"""
    said: list[str]
    """the pieces of the answer, T of them"""
    heard: list[str]
    """those of the source, S"""
    attention: np.ndarray
    """float (T, S): how much of it went to which of the source while each piece was said"""


class Task(Component):
    """What is asked of a network.  `state` is the whole state: its parts `input`, `task` and `shapes`."""

    takes: ClassVar[type[Model]]
    """the family of architectures that can answer"""
    verb: ClassVar[str] = "predict"
    """the command that is made for its runs: `dlspec <verb> RUN …`"""
    asks_of: ClassVar[tuple[str, ...]] = ()
    """the kinds of input that it can be asked of; nothing: of any"""
    scored_of_train: ClassVar[int] = 10_000
    """what is said of train is measured on at most so many examples, the same each time"""

    def refuses(self, model: Model) -> str | None:
        """Why an architecture of its family, as it is set, cannot answer; None: it can."""
        return None

    @property
    @abc.abstractmethod
    def evaluator(self) -> Evaluator:
        """What its predictions are worth."""

    @abc.abstractmethod
    def prepare(self, train: Examples) -> State:
        """What is learned of the truths of train alone, as JSON: class names, scale; `notes` are sentences for the log.

        Raises DataError where nothing can be learned from them (one class only, a target that is missing).
        """

    def read_too(self, train: Examples) -> Sequence[Any]:
        """Things like x, of which the input learns besides, where it has to encode such too; by default none."""
        return ()

    def join(self, train: Examples, entry: Input, model: Model, state: State) -> State:
        """The task's part of the state, with what hangs on the input's geometry or on the model besides; by default
        unchanged.

        Asked once, after `prepare`; `notes` are sentences for the log, as there.
        """
        task: State = state["task"]
        return task

    @abc.abstractmethod
    def outputs(self, state: State) -> Any:
        """What the network must give: for a Backbone, the number of logits."""

    def shuffled(self, train: Examples, seed: int) -> Examples | None:
        """The same examples with each other's truths, of which nothing can be learned that holds for other examples.

        None where a truth is made of the example itself, so that it can be no other's.
        """
        import numpy as np

        truths: Any = train.columns["y"]
        rows, places = np.asarray(train.rows), np.arange(len(truths))
        places[rows] = rows[np.random.default_rng(seed).permutation(len(rows))]
        return train.replace(y=truths[places] if isinstance(truths, np.ndarray) else [truths[int(i)] for i in places])

    def given(self, state: State) -> Shapes:
        """What enters the network beside what is encoded of an example: `finish` adds it to x in training, and
        `predict` brings its own; by default nothing."""
        return {}

    @abc.abstractmethod
    def target(self, examples: Examples, encoded: Arrays, state: State) -> Arrays:
        """The truths as arrays in the encoded geometry.  Raises DataError that names examples without a usable one."""

    def plan(
        self,
        examples: Examples,
        state: State,
        *,
        epoch: int,
        seed: int,
        batch_size: int,
        lengths: np.ndarray | None = None,
        tokens: int | None = None,
    ) -> list[np.ndarray]:
        """Which examples make up each batch of an epoch; by default a shuffle that depends on seed and epoch alone.

        lengths: of the examples, where they differ; those of about one length then stand together.  tokens: how many
        of them a padded batch holds at most, instead of `batch_size` examples.
        """
        import numpy as np

        from dlspec.tasks import bucketing

        random = np.random.default_rng((seed, epoch))
        if lengths is not None:
            if tokens is not None:
                return bucketing.by_tokens(lengths, tokens, random)
            return bucketing.by_examples(lengths, batch_size, random)
        order = random.permutation(len(examples))
        return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]

    def lengths(self, entered: np.ndarray | None, targets: Arrays) -> np.ndarray | None:
        """How long examples are, int (N,), in what their batches are padded by; by default as the input has it."""
        return entered

    @property
    def balances(self) -> bool:
        """Whether `strata` tells examples apart, so that they can be drawn in equal shares."""
        return type(self).strata is not Task.strata

    def strata(self, examples: Examples, state: State) -> np.ndarray:
        """The class, or other kind, of each example, int (N,): `train.sampling: balanced` draws as many of each.

        By default all are of one kind.
        """
        import numpy as np

        return np.zeros(len(examples), np.int64)

    def finish(self, batch: Arrays, targets: Arrays, seed: int, state: State) -> tuple[Any, Any, Any]:
        """What `fit` takes, after augmentation: (x, y, sample weights or None); vectorised."""
        [y] = targets.values()
        return batch, y, self.weigh(targets, state)

    def weigh(self, targets: Arrays, state: State) -> np.ndarray | None:
        """How much each example of a batch counts in the loss, float32 (N,), 1 on average over train; None: 1 each."""
        return None

    def build(self, model: Model, state: State) -> keras.Model:
        return model.build({**state["shapes"], **self.given(state)}, self.outputs(state))

    @abc.abstractmethod
    def compiled(self, state: State) -> Mapping[str, Any]:
        """What `compile` takes beside the optimizer: loss, metrics, loss_weights."""

    def compiled_for(self, network: Any, state: State) -> Mapping[str, Any]:
        """The same for this network, where the loss reads variables that are trained with it."""
        return self.compiled(state)

    def expected_initial_loss(self, state: State) -> float | None:
        """The loss of a network that knows nothing, where theory gives it."""
        return None

    def answering(
        self, model: Model, network: keras.Model, state: State, logits: Callable[[Arrays], Any]
    ) -> Callable[[Arrays], Any]:
        """What `predict` asks, a batch at a time; by default `logits`, the network without training.

        A task that says one thing after another goes through the network as the model knows how.
        """
        return logits

    def forcing(
        self, model: Model, network: keras.Model, state: State
    ) -> Callable[[Arrays, Sequence[str]], list[Forced]] | None:
        """How the network judges answers that it is made to say, an answer for each example of a batch; None where it
        does not say one thing after another."""
        return None

    @property
    def in_passing(self) -> Task:
        """The same task as it is asked of dev after each epoch of training, where its whole answer takes long."""
        return self

    passing: ClassVar[int | None] = None
    """how many examples of dev it is then asked of at most; None: all"""

    @abc.abstractmethod
    def predict(self, network: Any, batches: Iterable[Arrays], state: State) -> Sequence[Prediction]:
        """Decoded predictions.  `network` maps a dict of arrays to what `answering` gives: as a rule logits, NumPy."""

    def aims(self, logits: np.ndarray, state: State, kinds: Sequence[str] | None = None) -> list[Aim]:
        """What may be explained of these answers (N, …), what matters most first; by default nothing.

        kinds: of each example a kind of error, as its evaluator names them: then one thing, the one that is wrong.
        """
        return []

    def continued(
        self, model: Model, network: keras.Model, text: str, state: State, how: Sampling, *, length: int, seed: Any
    ) -> Iterator[str]:
        """Pieces of text that go on with a text, `length` tokens, each as soon as it is drawn.

        Raises ArgumentError where the task makes no text, or the text holds what the network does not know.
        """
        raise ArgumentError(
            f"task '{self.name}' makes up no text, as language models do; `dlspec {self.verb}` is for its runs"
        )

    def calibrate(self, predictions: Sequence[Prediction], dev: Examples, state: State) -> State:
        """The task's part of the state with thresholds fitted on dev; by default unchanged."""
        task: State = state["task"]
        return task
