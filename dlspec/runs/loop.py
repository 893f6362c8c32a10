"""The steps of training: many at a time inside one graph, so that the time between two of them is next to nothing.

Keras' `fit` goes from epoch to epoch and asks for steps; each step is Keras' own `train_step`.  What is ours is how
many are taken at a time, and where their batches come from.
"""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from dlspec.runs.pipeline import Pipeline

AT_ONCE_SECONDS = 0.2
"""steps are taken in groups that last so long: the host's part is lost in it, and Ctrl-C does not wait for longer"""
LONGEST_AT_ONCE = 2.0
"""seconds; groups of slow steps may last so long, as entering the graph costs by the size of the network"""
MOST_AT_ONCE = 4096


class Loop:
    """What `fit` calls for the next steps, on the TensorFlow backend.

    at_once: steps in a group; None: as measured.  limit: how many may be taken before somebody wants to look
    (checkpoint, health).  ready: called before every group.  executor: TensorFlow's, where it is not the usual one.
    compiled: what takes steps of whole batches, where it is another: each size would have to be compiled for itself.
    resident: all of train is held in memory.  done: how many the last call took.  behind: how many batches of the
    epoch's plan have been gone through, those of which nothing could be read included.
    """

    def __init__(
        self,
        network: Any,
        pipeline: Pipeline,
        *,
        at_once: int | None = None,
        limit: Callable[[], int] | None = None,
        ready: Callable[[Loop], None] | None = None,
    ) -> None:
        import tensorflow as tf

        self.network, self.pipeline = network, pipeline
        self.fixed, self.at_once = at_once is not None, at_once or 8
        self.limit = limit or (lambda: MOST_AT_ONCE)
        self.ready = ready or (lambda loop: None)
        self.left = self.done = 0
        self.traced = False
        resident = pipeline.resident()
        self.source: Any = _Streamed(pipeline) if resident is None else _Resident(pipeline, resident)
        self.resident = resident is not None
        self.gaps = not self.resident and pipeline.gaps
        # Not the optimizer's count, which passes over steps that only gather gradients, or whose gradients overflow.
        self.taken = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.steps = self.in_groups(network.train_step)
        self.executor = ""
        self.compiled: Any = None

    def in_groups(self, step: Callable[[Any], Any]) -> Any:
        """What takes so many steps out of the source, one after another, as one graph.

        It is traced for batches of a known size where all of an epoch's are whole: gradients of broadcasting and of
        convolutions are worked out faster then.
        """
        import tensorflow as tf

        taken, gaps = self.taken, self.gaps
        step, batch = tf.autograph.experimental.do_not_convert(step), self.source.batch

        @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
        def steps(source: Any, count: Any, size: int | None) -> None:
            for number in tf.range(count):
                found = batch(source, number, size)
                if not gaps:
                    step(found)
                    taken.assign_add(1)
                elif found.has_value():
                    step(found.get_value())
                    taken.assign_add(1)

        return lambda source, count: steps(source, count, self.source.size)

    def begin(self, epoch: int, skip: int = 0) -> None:
        """Make ready for an epoch, of which the first steps may have been taken already."""
        self.left = max(0, self.source.begin(epoch, skip))

    @property
    def behind(self) -> int:
        return int(self.source.place)

    def __call__(self, _: Any) -> dict[str, Any]:
        """Take the next steps.  Raises StopIteration at the end of the epoch, which `fit` understands."""
        import tensorflow as tf

        if self.left <= 0:
            raise StopIteration
        self.ready(self)
        whole, alike = self.source.ahead()
        count = max(1, min(self.at_once, self.left, self.limit(), alike))
        steps = self.compiled if self.compiled and whole else self.steps
        began = time.perf_counter()
        before = int(self.taken.numpy())
        try:
            with tf.experimental.function_executor_type(self.executor):
                steps(self.source.given(), tf.constant(count))
        except Exception:
            if self.source.failed:
                raise self.source.failed[0] from None
            raise
        asked, count = count, int(self.taken.numpy()) - before
        if count < asked and self.source.failed:
            raise self.source.failed[0]
        self.source.took(count)
        # Batches of which no example could be read are missing.
        self.left = self.left - count if count == asked else 0
        if not count:
            raise StopIteration
        self.done = count
        if not self.fixed and self.traced and count == self.at_once:
            self._adapt((time.perf_counter() - began) / count)
        self.traced = True
        found: dict[str, Any] = self.network.get_metrics_result()
        return found

    def _adapt(self, seconds: float) -> None:
        """A group may double while it is too short, and is halved where it takes too long."""
        if seconds * self.at_once < AT_ONCE_SECONDS / 2:
            self.at_once = min(2 * self.at_once, MOST_AT_ONCE)
        elif seconds * self.at_once > LONGEST_AT_ONCE:
            self.at_once = max(1, self.at_once // 2)


class _Source:
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


class _Resident(_Source):
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

    def given(self) -> Any:
        import tensorflow as tf

        return self.order, self.edges, tf.constant(self.place)

    def batch(self, source: Any, number: Any, size: int | None) -> Any:
        import tensorflow as tf

        order, edges, place = source
        chosen = order[edges[place + number] : edges[place + number + 1]]
        if size is not None:
            chosen = tf.ensure_shape(chosen, (size,))
        return tf.nest.map_structure(lambda values: tf.gather(values, chosen), self.arrays)

    def took(self, count: int) -> None:
        self.place += count

    def still(self, count: int) -> Any:
        """The same as `given`, for trials: the first batch so many times."""
        import tensorflow as tf

        batch = self.pipeline.plan(0)[0]
        edges = np.arange(count + 1) * len(batch)
        return tf.constant(np.tile(batch, count), tf.int32), tf.constant(edges, tf.int32), tf.constant(0)


class _Streamed(_Source):
    """Batches out of the pipeline, made in threads ahead of the network."""

    def __init__(self, pipeline: Pipeline) -> None:
        import tensorflow as tf

        super().__init__(pipeline)
        self.epoch = 0
        self.coming = deque[int]()

        def spec(array: Any, shape: Any = None) -> Any:
            if shape is None:
                shape = [None] * (array.ndim - 1) if pipeline.varies else array.shape[1:]
            return tf.TensorSpec((None, *shape), tf.as_dtype(array.dtype))

        self.sample = pipeline.first()
        x, *rest = self.sample

        def generate() -> Iterator[tuple[Any, ...]]:
            coming = self.coming
            try:
                for behind, batch in pipeline.counted(self.epoch, self.place):
                    coming.append(behind)
                    yield batch
            except Exception as error:
                # TensorFlow would bury it in a text of its own.
                self.failed.append(error)
                raise

        taken = {name: spec(values, pipeline.free(name)) for name, values in x.items()}
        self.signature = (taken, *(tf.nest.map_structure(spec, one) for one in rest))
        self.batches = self._ahead(generate)

    def _ahead(self, generate: Callable[[], Iterator[tuple[Any, ...]]]) -> Any:
        import tensorflow as tf

        batches = tf.data.Dataset.from_generator(generate, output_signature=self.signature)
        options = tf.data.Options()
        options.autotune.enabled = False  # with it on, `fit` waits after its last step
        options.threading.private_threadpool_size = 1
        return batches.prefetch(4).with_options(options)

    def begin(self, epoch: int, skip: int) -> int:
        self.epoch, self.place, self.coming = epoch, skip, deque[int]()
        self.iterator = iter(self.batches)
        plan = self.pipeline.plan(epoch)
        self.sized(plan)
        return len(plan) - skip

    def given(self) -> Any:
        return self.iterator

    def batch(self, source: Any, number: Any, size: int | None) -> Any:
        import tensorflow as tf

        # Where the end comes sooner than planned, `next` would fail: that may stop a step under way.
        if self.pipeline.gaps:
            return source.get_next_as_optional()
        found = next(source)
        if size is None:
            return found
        return tf.nest.map_structure(lambda values: tf.ensure_shape(values, (size, *values.shape[1:])), found)

    def took(self, count: int) -> None:
        for _ in range(count):
            self.place = self.coming.popleft()

    def still(self, count: int) -> Any:
        """The same as `given`, for trials: the first batch so many times."""
        return iter(self._ahead(lambda: itertools.repeat(self.sample, count)))


def endless() -> Any:
    """What `fit` is given to go through: the loop finds its batches, and the end of an epoch, itself."""
    import tensorflow as tf

    return tf.data.Dataset.range(1 << 40)
