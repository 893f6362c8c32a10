"""Where a training loop's batches come from: what they have in common, and all of train held in memory."""

from __future__ import annotations

import abc
from typing import Any

import numpy as np

from dlspec.runs.pipeline import Pipeline

MOST_AT_ONCE = 4096
"""steps"""


class Source(abc.ABC):
    """Where batches come from.  place: how many of the epoch's plan are behind.  failed: what went wrong on the way.

    size: of every batch of the epoch; None where they differ, or may.

    """

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.failed: list[Exception] = []
        self.place = 0
        self.whole = np.zeros(0, bool)
        self.size: int | None = None

    def sized(self, plan: list[np.ndarray]) -> None:
        """Take note of which batches of an epoch are whole."""
        if self.pipeline.varies:  # no group of them is better than another
            self.whole = np.zeros(len(plan), bool)
            return
        self.whole = np.array([len(one) == self.pipeline.batch_size for one in plan])
        self.size = self.pipeline.batch_size if self.whole.all() and not self.pipeline.gaps else None

    def ahead(self) -> tuple[bool, int]:
        """Whether the next batch is whole, and how many from there on are so too, or are not."""
        coming = self.whole[self.place : self.place + MOST_AT_ONCE]
        if not len(coming):  # as planned there is none
            return False, 1
        other = np.flatnonzero(coming != coming[0])
        return bool(coming[0]), int(other[0]) if len(other) else len(coming)

    @abc.abstractmethod
    def begin(self, epoch: int, skip: int) -> int:
        """Make ready for an epoch, of which the first batches are behind; how many are to come."""

    @abc.abstractmethod
    def close(self) -> None:
        """Let go of what is left of an epoch that was not gone through to its end."""

    @abc.abstractmethod
    def given(self) -> Any:
        """What the graph takes the next batches out of."""

    @abc.abstractmethod
    def still(self, count: int) -> Any:
        """The same, for trials: the first batch so many times."""

    @abc.abstractmethod
    def batch(self, source: Any, number: Any, size: int | None) -> tuple[Any, Any]:
        """In a graph: whether there is a batch (None: for certain), and the batch.  number: which step of its group."""

    @abc.abstractmethod
    def took(self, count: int) -> None:
        """Take note that so many batches have been taken."""


class Resident(Source):
    """All of train as the network takes it, in the framework's memory; batches are gathered there."""

    def __init__(self, pipeline: Pipeline, arrays: Any) -> None:
        import tensorflow as tf

        super().__init__(pipeline)
        # Held as constants of the graph: handed over by reference, and nothing is copied a second time.
        self.arrays = tf.nest.map_structure(tf.convert_to_tensor, arrays)

    def begin(self, epoch: int, skip: int) -> int:
        import tensorflow as tf

        plan = self.pipeline.plan(epoch)
        self.order = tf.constant(np.concatenate(plan), tf.int32)
        self.edges = tf.constant(np.cumsum([0, *map(len, plan)]), tf.int32)
        self.sized(plan)
        self.place = skip
        return len(plan) - skip

    def close(self) -> None:
        """There is nothing under way."""

    def given(self) -> Any:
        import tensorflow as tf

        return self.order, self.edges, tf.constant(self.place)

    def batch(self, source: Any, number: Any, size: int | None) -> tuple[Any, Any]:
        import tensorflow as tf

        order, edges, place = source
        chosen = order[edges[place + number] : edges[place + number + 1]]
        if size is not None:
            chosen = tf.ensure_shape(chosen, (size,))
        return None, tf.nest.map_structure(lambda values: tf.gather(values, chosen), self.arrays)

    def took(self, count: int) -> None:
        self.place += count

    def still(self, count: int) -> Any:
        import tensorflow as tf

        batch = self.pipeline.plan(0)[0]
        edges = np.arange(count + 1) * len(batch)
        return tf.constant(np.tile(batch, count), tf.int32), tf.constant(edges, tf.int32), tf.constant(0)
