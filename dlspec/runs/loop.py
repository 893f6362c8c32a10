"""The steps of training: many at a time inside one graph, so that the time between two of them is next to nothing.

Keras' `fit` goes from epoch to epoch and asks for steps; each step is Keras' own `train_step`.  What is ours is how
many are taken at a time, and where their batches come from.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from dlspec.runs.pipeline import Pipeline
from dlspec.runs.sources import MOST_AT_ONCE, Resident, Source
from dlspec.runs.streamed import Streamed

AT_ONCE_SECONDS = 0.2
"""steps are taken in groups that last so long: the host's part is lost in it, and Ctrl-C does not wait for longer"""
LONGEST_AT_ONCE = 2.0
"""seconds; groups of slow steps may last so long, as entering the graph costs by the size of the network"""


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
        self.source: Source = Streamed(pipeline) if resident is None else Resident(pipeline, resident)
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
                there, found = batch(source, number, size)
                if not gaps or there:
                    step(found)
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


def endless() -> Any:
    """What `fit` is given to go through: the loop finds its batches, and the end of an epoch, itself."""
    import tensorflow as tf

    return tf.data.Dataset.range(1 << 40)
