"""Batches out of the pipeline, made in a thread of its own ahead of the network."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator
from typing import Any

import numpy as np

from dlspec.runs.pipeline import Pipeline
from dlspec.runs.sources import Source

AHEAD = 4
"""batches that wait for the network at most"""


class Streamed(Source):
    """A thread puts batches into a queue, and the graph takes them out.

    Not a dataset of tf.data, whose own threads cost a training on two cores a fiftieth of its speed.  Where batches may
    be missing, each comes with whether it is one: at the end of an epoch nothing but empty ones come any more.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        import tensorflow as tf

        super().__init__(pipeline)
        self.coming = deque[int]()
        self.sample = pipeline.first()
        x, *rest = self.sample

        def spec(array: Any, shape: Any = None) -> Any:
            if shape is None:
                shape = [None] * (array.ndim - 1) if pipeline.varies else array.shape[1:]
            return tf.TensorSpec((None, *shape), tf.as_dtype(array.dtype))

        taken = {name: spec(values, pipeline.free(name)) for name, values in x.items()}
        self.signature = (taken, *(tf.nest.map_structure(spec, one) for one in rest))
        self.types = [tf.bool, *(one.dtype for one in tf.nest.flatten(self.signature))]
        self.queue = tf.queue.FIFOQueue(AHEAD, self.types)
        self.thread: threading.Thread | None = None
        self.stop = threading.Event()

    def begin(self, epoch: int, skip: int) -> int:
        self.close()
        self.place, self.coming = skip, deque[int]()
        plan = self.pipeline.plan(epoch)
        self.sized(plan)
        self.stop.clear()
        batches = self.pipeline.counted(epoch, skip)
        empty = self._empty() if self.pipeline.gaps else None
        given = (self.queue, self.stop, batches, self.coming, self.failed, empty)
        self.thread = threading.Thread(target=_feed, args=given, name="dlspec-batches", daemon=True)
        self.thread.start()
        return len(plan) - skip

    def close(self) -> None:
        if self.thread is None:
            return
        self.stop.set()
        while self.thread.is_alive() or int(self.queue.size()):
            if int(self.queue.size()):
                self.queue.dequeue()
            else:
                self.thread.join(0.001)
        self.thread = None

    def given(self) -> Any:
        return self.queue.queue_ref

    def batch(self, source: Any, number: Any, size: int | None) -> tuple[Any, Any]:
        import tensorflow as tf

        there, *parts = tf.raw_ops.QueueDequeueV2(handle=source, component_types=self.types)
        for part, spec in zip(parts, tf.nest.flatten(self.signature), strict=True):
            part.set_shape((size, *spec.shape[1:]))
        there.set_shape(())
        return there, tf.nest.pack_sequence_as(self.signature, parts)

    def took(self, count: int) -> None:
        for _ in range(count):
            self.place = self.coming.popleft()

    def still(self, count: int) -> Any:
        import tensorflow as tf

        self.trial = tf.queue.FIFOQueue(count, self.types)
        row = [tf.constant(True), *map(tf.convert_to_tensor, tf.nest.flatten(self.sample))]
        for _ in range(count):
            self.trial.enqueue(row)
        return self.trial.queue_ref

    def _empty(self) -> list[Any]:
        import tensorflow as tf

        parts = tf.nest.flatten(self.sample)
        return [tf.constant(False), *(tf.convert_to_tensor(np.zeros_like(part[:0])) for part in parts)]


def _feed(
    queue: Any,
    stop: threading.Event,
    batches: Generator[tuple[int, tuple[Any, ...]]],
    coming: deque[int],
    failed: list[Exception],
    empty: list[Any] | None,
) -> None:
    """Put the batches of an epoch into the queue, and after the last, where one is given, the empty one again and again
    until it is to stop."""
    import tensorflow as tf

    try:
        for behind, batch in batches:
            row = [tf.constant(True), *map(tf.convert_to_tensor, tf.nest.flatten(batch))]
            if stop.is_set():
                return
            coming.append(behind)
            queue.enqueue(row)
        while empty is not None and not stop.is_set():
            queue.enqueue(empty)
    except Exception as error:
        # Whoever waits for the next batch hears of it, and what it was is read here.
        if not stop.is_set():
            failed.append(error)
            queue.close()
    finally:
        batches.close()
