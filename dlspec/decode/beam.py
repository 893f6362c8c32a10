"""Greedy and beam search over any network that gives the next token's logits, for a batch at once, in one graph.

Legend of shapes: B sentences, W the width of the beam, V tokens, T the longest that may be said, S places of the
source, N how many of the best are wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

PADDING, UNKNOWN, BEGIN, END = 0, 1, 2, 3
"""tokens of every vocabulary (see dlspec.inputs)"""
UNSEEN = 1e-6
"""a place of the source that was never looked at counts in the coverage as if it had been looked at so much"""

Step = Callable[[Any, Any, Any, Any], tuple[Any, Any, Any]]
"""(tokens (B, W) that were said last, time, cache, ancestors (B, W, T)) → logits (B, W, V), cache, and the attention to
the source (B, W, S), or None.  At time t a hypothesis in slot w stood at each earlier time t' in slot
ancestors[b, w, t'], and stands in w now: a network may leave what it has kept where it is, and look it up so."""


class Search(NamedTuple):
    """How to search; the defaults are those of Wu et al. (2016), "Google's neural machine translation system", less
    coverage."""

    width: int = 4
    """hypotheses that are followed at a time; 1: greedy"""
    best: int = 1
    """N, how many are wanted, at most `width`"""
    length_penalty: float = 0.6
    """α ≥ 0: a sentence's log-probability is divided by ((5 + n) / 6)^α, n its tokens with the end; 0: not divided"""
    coverage: float = 0.0
    """β ≥ 0: β Σ log(min(attention, 1)) over the places of the source is added, attention summed over all steps"""
    no_repeat: int = 0
    """no so many tokens in a row are said twice; 0: they may be"""
    early_stop: bool = True
    """stop a sentence as soon as no hypothesis can come among the N best; what is found is the same"""


class Found(NamedTuple):
    """The best, in falling order of their scores; where there are fewer than N, the score is -inf."""

    tokens: Any
    """int32 (B, N, T): with the end, and padding after it"""
    scores: Any
    """(B, N): log-probability, divided for length, with coverage"""
    log_probabilities: Any
    """(B, N)"""


def score(chances: np.ndarray, attention: np.ndarray, how: Search) -> float:
    """What `search` would give a sentence of these log-probabilities (T,), the end's among them.

    attention: (T, S), over places that are none of padding, for coverage.
    """
    found = float(chances.sum() / ((5.0 + len(chances)) / 6.0) ** how.length_penalty)
    if how.coverage:
        found += how.coverage * float(np.log(np.clip(attention.sum(axis=0), UNSEEN, 1.0)).sum())
    return found


def by_slot(cache: Any, parents: Any) -> Any:
    """Each array (B, W, …) of a cache with the slots that the hypotheses come from, parents (B, W)."""
    import keras

    return keras.tree.map_structure(lambda one: _taken(one, parents), cache)


def search(
    step: Step,
    cache: Any,
    limits: Any,
    longest: int,
    how: Search,
    *,
    moved: Callable[[Any, Any], Any] = by_slot,
    places: Any = None,
    never: Sequence[int] = (PADDING, BEGIN),
) -> Found:
    """The best sentences that a beam finds.

    cache: what `step` takes at time 0; moved: (cache, parents) → the cache after hypotheses have changed their slots.
    limits: int32 (B,), after how many tokens, the end among them, a sentence ends in any case, at most `longest`, T.
    places: bool (B, S), which of the source are none of padding; needed for coverage.  never: tokens that are not said.

    As hypotheses end, fewer are followed: with f that have ended, the W - f best of all continuations go on, until W
    have ended (Sutskever, Vinyals and Le 2014).  So a width of 1 is greedy, and one that is as large as the space finds
    the best of all.  It may stop before: a log-probability only falls, and what it is divided by is the greatest at the
    limit; a hypothesis that would not be among the N best even so, never will be.
    """
    import keras
    from keras import ops

    width, length = how.width, int(longest)
    assert how.length_penalty >= 0 and how.coverage >= 0 and 1 <= how.best <= width
    count = ops.shape(limits)[0]
    logits, _, _ = step(
        ops.full((count, width), BEGIN, "int32"), ops.zeros((), "int32"), cache, _own(count, width, length)
    )
    kind, tokens = keras.backend.standardize_dtype(logits.dtype), int(logits.shape[-1])
    divisors = ops.convert_to_tensor(((5.0 + np.arange(length + 1)) / 6.0) ** how.length_penalty, kind)
    endless = ops.full((count, width), -np.inf, kind)
    ways = ops.arange(length)
    silent = np.zeros(tokens, bool)
    silent[list(never)] = True
    not_end = np.arange(tokens) != END
    last_time = ops.minimum(ops.cast(limits, "int32"), length)
    bound_by = ops.take(divisors, last_time)

    def goes_on(time: Any, going: Any, *_: Any) -> Any:
        return ops.logical_and(time < length, ops.any(going))

    def body(
        time: Any, going: Any, last: Any, said: Any, scores: Any, ancestors: Any, cache: Any, seen: Any, ended: Any
    ) -> Any:
        logits, cache, attention = step(last, time, cache, ancestors)
        chances = ops.log_softmax(logits, axis=-1)
        forbidden = ops.logical_or(silent, ops.logical_and((time + 1 >= last_time)[:, None, None], not_end))
        if how.no_repeat:
            forbidden = ops.logical_or(forbidden, _said_before(said, time, how.no_repeat, tokens))
        chances = ops.where(forbidden, -np.inf, chances)
        totals, at = ops.top_k(ops.reshape(scores[..., None] + chances, (-1, width * tokens)), width)
        parents, token = ops.cast(at // tokens, "int32"), ops.cast(at % tokens, "int32")
        kept_scores, kept_said, kept_chances, how_many = ended
        totals = ops.where(ops.arange(width)[None, :] < (width - how_many)[:, None], totals, -np.inf)
        here = ops.equal(ways, time)
        said = ops.where(here, token[..., None], _taken(said, parents))
        ancestors = ops.where(ways <= time, _taken(ancestors, parents), _own(count, width, length))
        cache = moved(cache, parents)
        judged = totals / ops.take(divisors, time + 1)
        if how.coverage:
            seen = _taken(seen + attention, parents)
            covered = ops.log(ops.clip(seen, UNSEEN, 1.0)) * ops.cast(places, kind)[:, None]
            judged = judged + how.coverage * ops.sum(covered, axis=-1)
        ends = ops.logical_and(ops.equal(token, END), totals > -np.inf)
        # Of equals the earlier stays before the later, as top_k takes the lower index first.
        all_scores = ops.concatenate([kept_scores, ops.where(ends, judged, -np.inf)], axis=1)
        kept_scores, among = ops.top_k(all_scores, width)
        kept_said = _taken(ops.concatenate([kept_said, said], axis=1), among)
        kept_chances = _taken(ops.concatenate([kept_chances, totals], axis=1), among)
        how_many = how_many + ops.sum(ops.cast(ends, "int32"), axis=1)
        scores = ops.where(ends, -np.inf, totals)
        hoped = ops.max(scores, axis=1)
        going = hoped > -np.inf
        if how.early_stop:
            going = ops.logical_and(going, hoped / bound_by > kept_scores[:, how.best - 1])
        scores = ops.where(going[:, None], scores, -np.inf)
        ended = kept_scores, kept_said, kept_chances, how_many
        return time + 1, going, token, said, scores, ancestors, cache, seen, ended

    nothing = ops.zeros((count, width, length), "int32")
    start = (
        ops.zeros((), "int32"),
        ops.full((count,), True, "bool"),
        ops.full((count, width), BEGIN, "int32"),
        nothing,
        # All begin as one: of W the same, only the first counts.
        ops.where(ops.equal(ops.arange(width), 0), ops.zeros((count, width), kind), endless),
        _own(count, width, length),
        cache,
        ops.zeros((count, width, ops.shape(places)[1]), kind) if how.coverage else ops.zeros((), kind),
        (endless, nothing, endless, ops.zeros((count,), "int32")),
    )
    *_, (scores, said, chances, _) = ops.while_loop(goes_on, body, start)
    return Found(said[:, : how.best], scores[:, : how.best], chances[:, : how.best])


def _own(count: Any, width: int, length: int) -> Any:
    """Every hypothesis in its own slot at all times: (B, W, T)."""
    from keras import ops

    return ops.broadcast_to(ops.arange(width, dtype="int32")[None, :, None], (count, width, length))


def _taken(array: Any, places: Any) -> Any:
    """Of an array (B, M, …) those at places (B, W): (B, W, …)."""
    from keras import ops

    count, many, *rest = ops.shape(array)
    first = ops.cast(ops.arange(count), "int32")[:, None] * many
    return ops.take(ops.reshape(array, (-1, *rest)), first + ops.cast(places, "int32"), axis=0)


def _said_before(said: Any, time: Any, size: int, tokens: int) -> Any:
    """Which tokens would end a row of `size` tokens that was said already: bool (B, W, V).  said: (B, W, T)."""
    from keras import ops

    count, width, length = ops.shape(said)
    starts = ops.arange(length - size + 1)
    same = ops.broadcast_to(starts + size <= time, (count, width, length - size + 1))
    for i in range(size - 1):
        now = ops.take(said, ops.maximum(time - (size - 1) + i, 0), axis=2)
        same = ops.logical_and(same, ops.equal(said[..., i : length - size + 1 + i], now[..., None]))
    row = ops.reshape(ops.arange(count * width), (count, width, 1)) * tokens
    where = ops.reshape(row + said[..., size - 1 :], (-1, 1))
    found = ops.scatter(where, ops.reshape(ops.cast(same, "int32"), (-1,)), (count * width * tokens,))
    return ops.reshape(found, (count, width, tokens)) > 0
