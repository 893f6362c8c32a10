"""What every input does, whatever the task: fitted on train alone, then pure."""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from dlspec.recipe.component import Component
from dlspec.types import Arrays, Example, Examples, Finding, Rendering, State

if TYPE_CHECKING:
    import numpy as np


class Input(Component):
    """One kind of thing that goes into a network."""

    kind: ClassVar[str]
    """"table", "picture", "text", "series" or "sound": what models accept"""

    files: ClassVar[tuple[str, ...]] = ()
    """endings of files that are one example each; `outside` takes a list of their paths"""

    moving: ClassVar[tuple[str, ...]] = ()
    """endings of videos, whose frames are an example each"""

    @abc.abstractmethod
    def prepare(self, train: Examples) -> State:
        """What is learned from train alone, as JSON: `{"shapes": {array: {"shape", "dtype", "sizes"}}, "notes": […]}`.

        `shapes` names the arrays that the network takes, without the batch axis; `sizes` (integer arrays alone) gives
        the number of categories of each entry.  `notes` are sentences for the log.
        """

    @abc.abstractmethod
    def encode(self, examples: Examples, state: State) -> Arrays:
        """Arrays for these examples, first axis the example.  Pure: may be cached, in any order.

        As compact as can be (bytes stay bytes): this is what is kept in memory.  May hold keys the network does not
        take (original size, scale).  Raises DataError that names the example.
        """

    def prepare_with(self, train: Examples, also: Sequence[Any]) -> State:
        """The same, where other things that x could be are learned from as well: sentences of another language, for
        one vocabulary of both.  By default they are passed over."""
        return self.prepare(train)

    def frames(self, examples: Examples, state: State) -> np.ndarray | None:
        """Where each picture will lie in what `encode` makes of it, (N, 6): see dlspec.numeric.frames.

        None where it lies there as it came, or is no picture.
        """
        return None

    @property
    def augments(self) -> bool:
        """Whether `augmented` changes anything."""
        return type(self).augmented is not Input.augmented

    def augmented(self, batch: Arrays, seeds: np.ndarray, state: State) -> Arrays:
        """A changed batch for training, a function of the batch and of a seed an example; by default unchanged.

        The batch holds the task's targets too, so that boxes, points and masks move along.  state: the whole of it,
        with the parts `input` and `task`.
        """
        return batch

    def finish(self, batch: Arrays, state: State) -> Arrays:
        """What the network takes, of encoded (and augmented) arrays: bytes become numbers of the right range."""
        return batch

    def lengths(self, arrays: Arrays) -> np.ndarray | None:
        """How long each example is, int (N,), in what batches are padded by (tokens, steps), of what `encode` made.

        None where all are of one size.  Batches are planned by it; its arrays have None in their shape.
        """
        return None

    @abc.abstractmethod
    def show(self, example: Example) -> Rendering:
        """The example as a person would look at it."""

    facts_of: ClassVar[int | None] = None
    """`facts` takes time (files are read): it is asked of no more examples; None: it is not so"""

    def facts(self, examples: Examples, state: State) -> dict[str, Any]:
        """What may explain an error: name → (N,) float64 (missing: NaN) or words (missing: None), one an example.

        A column of a table, the brightness of a picture.  By default nothing is known.
        """
        return {}

    def parts(self, state: State) -> list[str]:
        """Named parts of x that can be shuffled on their own (a table's columns): permutation importance asks."""
        return []

    def shuffled(self, examples: Examples, part: str, order: np.ndarray, state: State) -> Examples:
        """The same examples, with one part taken from the example at order[i] instead of i."""
        raise KeyError(part)  # by default there are no parts

    def findings(self, train: Examples, state: State) -> list[Finding]:
        """What a person should look at in train before anything is learned from it: constant columns, names of rows."""
        return []

    def likeness(self, train: Examples, state: State) -> Callable[[Examples, Arrays], np.ndarray] | None:
        """How alike examples are, where that can be told: a function of examples and what `encode` made of them.

        It gives each a row of numbers, float32 (N, F).  Two that are closer than 1 (Euclidean) a person would call the
        same: a picture compressed again, a row that was rounded.
        """
        return None

    def remarks(self, examples: Examples, state: State) -> list[str]:
        """What a person should know of new examples before trusting predictions for them; each a sentence."""
        return []

    @abc.abstractmethod
    def outside(self, rows: Any, state: State) -> Examples:
        """Examples from what a Python caller hands to `predict`: rows, arrays, sentences, without ids or truth."""
