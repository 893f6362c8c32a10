"""The steps of training: many at a time inside one graph, so that the time between two of them is next to nothing.

Keras' `fit` goes from epoch to epoch and asks for steps; each step is Keras' own `train_step`.  What is ours is how
many are taken at a time, and where their batches come from.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from dlspec.runs.pipeline import Pipeline
from dlspec.types import Place, RecipeError

AT_ONCE_SECONDS = 0.2
"""steps are taken in groups that last so long: the host's part is lost in it, and Ctrl-C does not wait for longer"""
MOST_AT_ONCE = 4096


class Loop:
    """What `fit` calls for the next steps, on the TensorFlow backend.

    at_once: steps in a group; None: as measured.  limit: how many may be taken before somebody wants to look
    (checkpoint, health).  done: how many the last call took.  behind: how many batches of the epoch's plan have been
    gone through, those of which nothing could be read included.
    """

    def __init__(
        self, network: Any, pipeline: Pipeline, *, at_once: int | None = None, limit: Callable[[], int] | None = None
    ) -> None:
        import tensorflow as tf

        self.network, self.pipeline = network, pipeline
        self.fixed, self.at_once = at_once is not None, at_once or 8
        self.limit = limit or (lambda: MOST_AT_ONCE)
        self.left = self.done = 0
        self.traced = False
        resident = pipeline.resident()
        self.source: Any = _Streamed(pipeline) if resident is None else _Resident(pipeline, resident)
        step: Any = network.train_step
        if network.jit_compile:
            step = tf.function(step, jit_compile=True, reduce_retracing=True)
        # Not the optimizer's count, which passes over steps that only gather gradients, or whose gradients overflow.
        self.taken = taken = tf.Variable(0, dtype=tf.int64, trainable=False)
        gaps = resident is None and pipeline.gaps
        step, batch = tf.autograph.experimental.do_not_convert(step), self.source.batch

        @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
        def steps(source: Any, count: Any) -> None:
            for number in tf.range(count):
                found = batch(source, number)
                if not gaps:
                    step(found)
                    taken.assign_add(1)
                elif found.has_value():
                    step(found.get_value())
                    taken.assign_add(1)

        self.steps = steps

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
        count = max(1, min(self.at_once, self.left, self.limit()))
        began = time.perf_counter()
        before = int(self.taken.numpy())
        try:
            self.steps(self.source.given(), tf.constant(count))
        except Exception as error:
            if self.source.failed:
                raise self.source.failed[0] from None
            if self.network.jit_compile and not self.traced:
                raise _cannot_compile(error) from error
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
        elif seconds * self.at_once > 2 * AT_ONCE_SECONDS:
            self.at_once = max(1, self.at_once // 2)


class _Resident:
    """All of train as the network takes it, in the framework's memory; batches are gathered there."""

    def __init__(self, pipeline: Pipeline, arrays: Any) -> None:
        import tensorflow as tf

        self.pipeline = pipeline
        self.failed: list[Exception] = []
        # Held as constants of the graph: handed over by reference, and nothing is copied a second time.
        self.arrays = tf.nest.map_structure(tf.convert_to_tensor, arrays)
        self.place = 0

    def begin(self, epoch: int, skip: int) -> int:
        import tensorflow as tf

        plan = self.pipeline.plan(epoch)
        self.order = tf.constant(np.concatenate(plan), tf.int32)
        self.edges = tf.constant(np.cumsum([0, *map(len, plan)]), tf.int32)
        self.place = skip
        return len(plan) - skip

    def given(self) -> Any:
        import tensorflow as tf

        return self.order, self.edges, tf.constant(self.place)

    def batch(self, source: Any, number: Any) -> Any:
        import tensorflow as tf

        order, edges, place = source
        chosen = order[edges[place + number] : edges[place + number + 1]]
        return tf.nest.map_structure(lambda values: tf.gather(values, chosen), self.arrays)

    def took(self, count: int) -> None:
        self.place += count


class _Streamed:
    """Batches out of the pipeline, made in threads ahead of the network."""

    def __init__(self, pipeline: Pipeline) -> None:
        import tensorflow as tf

        self.pipeline = pipeline
        self.failed: list[Exception] = []
        self.epoch = self.place = 0
        self.coming = deque[int]()

        def spec(array: Any) -> Any:
            return tf.TensorSpec((None, *array.shape[1:]), tf.as_dtype(array.dtype))

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

        signature = tf.nest.map_structure(spec, pipeline.first())
        batches = tf.data.Dataset.from_generator(generate, output_signature=signature)
        options = tf.data.Options()
        options.autotune.enabled = False  # with it on, `fit` waits after its last step
        options.threading.private_threadpool_size = 1
        self.batches = batches.prefetch(4).with_options(options)

    def begin(self, epoch: int, skip: int) -> int:
        self.epoch, self.place, self.coming = epoch, skip, deque[int]()
        self.iterator = iter(self.batches)
        return len(self.pipeline.plan(epoch)) - skip

    def given(self) -> Any:
        return self.iterator

    def batch(self, source: Any, number: Any) -> Any:
        # Where the end comes sooner than planned, `next` would fail: that may stop a step under way.
        return source.get_next_as_optional() if self.pipeline.gaps else next(source)

    def took(self, count: int) -> None:
        for _ in range(count):
            self.place = self.coming.popleft()


def endless() -> Any:
    """What `fit` is given to go through: the loop finds its batches, and the end of an epoch, itself."""
    import tensorflow as tf

    return tf.data.Dataset.range(1 << 40)


def _cannot_compile(error: Exception) -> RecipeError:
    """What XLA lacks, in its own words."""
    lines = [one.strip() for one in str(error).splitlines()]
    said = next((one for one in lines if "not" in one and not one.startswith(("[[", "<"))), type(error).__name__)
    message = f"XLA cannot compile this network ({said[:200]}); leave train.compile at auto"
    return RecipeError(message, where=Place(key="train.compile"))
