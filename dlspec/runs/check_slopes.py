"""Slopes of a scalar at random coordinates: by central differences, against automatic differentiation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

COORDINATES, FEWEST, ALTOGETHER = 20, 2, 400
"""of each variable (all, where it has fewer); of deep networks fewer, down to FEWEST, so that there are as many in all:
each takes some passes through the whole network"""
DRAWN = 3
"""times as many are drawn at most, in place of those at a kink"""
STEP = 1e-5
TOLERANCE = 1e-4
"""of the larger of the two gradients"""
SMOOTH = 1e-5
"""two step sizes, and both sides, agree to this where there is no kink"""
NOISE = 2e-9
"""of the loss: differences of gradients below this are rounding"""


class Compared(NamedTuple):
    """A variable: coordinates that were compared, those at a kink, those that differ; and the worst of these."""

    compared: int
    kinks: int
    wrong: int
    error: float
    automatic: float
    numerical: float
    connected: bool


def compare(value: Callable[[], Any], variables: Sequence[Any], *, seed: int = 0) -> list[Compared]:
    """Numerical against automatic gradients of a scalar, at random coordinates of Keras variables."""
    import tensorflow as tf

    @tf.function(jit_compile=False)  # type: ignore[untyped-decorator]
    def taped() -> Any:
        with tf.GradientTape() as tape:
            result = value()
        return result, tape.gradient(result, [one.value for one in variables], unconnected_gradients="zero")

    run = tf.function(value, jit_compile=False)
    start, automatic = taped()
    wanted = max(FEWEST, min(COORDINATES, ALTOGETHER // max(1, len(variables))))
    at, random = float(start), np.random.default_rng(seed)
    return [
        _one(lambda: float(run()), one, np.asarray(tf.convert_to_tensor(gradient)), at, random, wanted)
        for one, gradient in zip(variables, automatic, strict=True)
    ]


def _one(
    value: Callable[[], float],
    variable: Any,
    automatic: np.ndarray,
    at: float,
    random: np.random.Generator,
    wanted: int,
) -> Compared:
    flat, of = automatic.reshape(-1), np.array(variable.numpy(), np.float64).reshape(-1)
    places = random.permutation(len(flat))[: DRAWN * wanted]
    busy = np.flatnonzero(flat)
    # Where most gradients are 0 (rows of an embedding that no example uses) half of the places are others.
    if np.count_nonzero(flat[places[:wanted]]) < wanted // 2 and len(busy):
        busy, half = random.permutation(busy), wanted // 2
        turns = [busy[:half], places[:half], busy[half : DRAWN * half], places[half:]]
        places = np.array(list(dict.fromkeys(np.concatenate(turns).tolist())))
    noise = NOISE * max(1.0, abs(at))
    compared, kinks, wrong, worst = 0, 0, 0, (0.0, 0.0, 0.0)
    for place in places:
        if compared >= min(wanted, len(flat)):
            break
        numerical = _numerical(value, variable, int(place), float(of[place]), at, noise)
        if numerical is None:
            kinks += 1
            continue
        apart = abs(numerical - flat[place])
        if apart > TOLERANCE * max(abs(numerical), noise / TOLERANCE) and not _steady(
            value, variable, int(place), float(of[place]), numerical
        ):
            kinks += 1
            continue
        compared += 1
        error = float(apart / max(abs(numerical), abs(flat[place]), noise / TOLERANCE))
        wrong += error > TOLERANCE
        if error >= worst[0]:
            worst = (error, float(flat[place]), numerical)
    connected = bool(len(busy)) or _matters(value, variable, at)
    return Compared(compared, kinks, wrong, *worst, connected)


def _numerical(
    value: Callable[[], float], variable: Any, place: int, was: float, at: float, noise: float
) -> float | None:
    """The slope by central differences; None at a kink, where two step sizes, or the two sides of a point, disagree."""
    slopes, bends = [], []
    for step in (STEP, STEP / 2):
        step *= max(1.0, abs(was))
        _put(variable, place, was + step)
        above = value()
        _put(variable, place, was - step)
        below = value()
        slopes.append((above - below) / (2 * step))
        bends.append(abs(above - 2 * at + below) / step)
    _put(variable, place, was)
    limit = SMOOTH * max(map(abs, slopes)) + noise
    # Of a smooth curve the slopes of both sides come together as the step shrinks; at a kink they stay apart.
    kink = abs(slopes[0] - slopes[1]) > limit or (bends[1] > limit and bends[1] > 0.75 * bends[0])
    return None if kink else slopes[1]


def _steady(value: Callable[[], float], variable: Any, place: int, was: float, slope: float) -> bool:
    """Whether a step a thousand times smaller gives about the same slope: not where a layer rounds to float32."""
    step = STEP / 1000 * max(1.0, abs(was))
    _put(variable, place, was + step)
    above = value()
    _put(variable, place, was - step)
    below = value()
    _put(variable, place, was)
    return abs((above - below) / (2 * step) - slope) <= 0.01 * abs(slope) + NOISE * 1000


def _put(variable: Any, place: int, number: float) -> None:
    if not len(variable.shape):
        variable.assign(number)
    else:
        variable.value.scatter_nd_update([[int(i) for i in np.unravel_index(place, variable.shape)]], [number])


def _matters(value: Callable[[], float], variable: Any, at: float) -> bool:
    """Whether the loss changes at all when the whole variable does."""
    was = variable.numpy()
    variable.assign(was + np.random.default_rng(0).normal(0, 1, was.shape))
    changed = value() != at
    variable.assign(was)
    return bool(changed)
