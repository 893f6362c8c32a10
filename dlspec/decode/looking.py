"""What a network makes of sentences that it is told to say: how probable they are, and where it looks meanwhile."""

from __future__ import annotations

from typing import Any

from dlspec.decode.beam import BEGIN, PADDING


def followed(course: Any, said: Any) -> tuple[Any, Any]:
    """The log-probability of each token, float32 (B, T), 0 of padding; and the attention to the source at each step.

    course: of a Translator, for one hypothesis and T tokens (see dlspec.models.base).  said: int32 (B, T), without the
    begin, with the end.  The attention is (B, T, S), 0 throughout where the network tells none: row t is where it looks
    while it says token t.
    """
    from keras import ops

    count, length = ops.shape(said)
    before = ops.concatenate([ops.full((count, 1), BEGIN, "int32"), said[:, :-1]], axis=1)
    ancestors, times = ops.zeros((count, 1, length), "int32"), ops.arange(length)

    def body(time: Any, cache: Any, chances: Any, seen: Any) -> Any:
        logits, cache, attention = course.step(ops.take(before, time, axis=1)[:, None], time, cache, ancestors)
        now, here = ops.take(said, time, axis=1)[:, None], ops.equal(times, time)
        each = ops.take_along_axis(ops.log_softmax(logits)[:, 0], now, axis=1)
        chances = ops.where(ops.logical_and(here, now != PADDING), each, chances)
        return time + 1, cache, chances, seen if attention is None else ops.where(here[:, None], attention, seen)

    nothing = ops.zeros((count, length), "float32"), ops.zeros((count, length, ops.shape(course.places)[1]), "float32")
    _, _, chances, seen = ops.while_loop(
        lambda time, *_: time < length, body, (ops.zeros((), "int32"), course.cache, *nothing)
    )
    return chances, seen
