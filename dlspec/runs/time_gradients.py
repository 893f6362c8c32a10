"""How far back in time gradients reach: of each recurrent layer, that of what entered it so many steps before its end.

Where it shrinks from step to step, nothing is learned of what lies further back (Bengio, Simard & Frasconi 1994,
"Learning long-term dependencies with gradient descent is difficult"; Pascanu, Mikolov & Bengio 2013).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from dlspec.layers.recurrent import Recurrent

MOST_STEPS = 200
"""steps of which something is kept; of more, evenly spread ones"""


class _Call(NamedTuple):
    layer: Recurrent
    added: Any
    """zeros (B, T, D) that were added to what entered; their gradient is that of it"""
    lengths: Any
    """(B,) of the sequences; None: all are as long as they may be"""


class Entered:
    """Listens to what enters recurrent layers, under a gradient tape of TensorFlow."""

    def __init__(self, tape: Any) -> None:
        self.tape = tape
        self.calls: list[_Call] = []

    def __call__(self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """The arguments that the layer is to be called with: the same numbers."""
        import keras
        import tensorflow as tf

        if not isinstance(layer, Recurrent) or not args or not hasattr(args[0], "numpy"):
            return args
        added = tf.zeros_like(args[0])
        self.tape.watch(added)
        mask = kwargs.get("mask")
        lengths = None if mask is None else keras.ops.sum(keras.ops.cast(mask, "int32"), axis=1)
        self.calls.append(_Call(layer, added, lengths))
        return (args[0] + added, *args[1:])

    @property
    def added(self) -> list[Any]:
        return [one.added for one in self.calls]

    def reach(self, gradients: list[Any]) -> list[tuple[Recurrent, np.ndarray]]:
        """Of each call its layer and, (T,), the mean over examples of the gradient's norm so many steps before the last
        that the layer takes; gradients: of `added`."""
        found = []
        for call, gradient in zip(self.calls, gradients, strict=True):
            norms = np.linalg.norm(np.asarray(gradient, np.float64), axis=2)
            found.append((call.layer, by_distance(norms, call.lengths, backwards=call.layer.backwards)))
        return found


def by_distance(norms: np.ndarray, lengths: Any = None, *, backwards: bool = False) -> np.ndarray:
    """Norms (B, T) of padded sequences → their mean so many steps before the last that is taken, (T,).

    Backwards, the first step of a sequence is the last that is taken.  NaN where no sequence is so long.
    """
    count, steps = norms.shape
    ends = np.full(count, steps) if lengths is None else np.asarray(lengths)
    places = np.arange(steps)[None]
    distance = np.where(places < ends[:, None], places if backwards else ends[:, None] - 1 - places, -1)
    total, many = np.zeros(steps), np.zeros(steps)
    real = distance >= 0
    np.add.at(total, distance[real], norms[real])
    np.add.at(many, distance[real], 1)
    return np.where(many > 0, total / np.maximum(many, 1), np.nan)


def as_json(name: str, norms: np.ndarray) -> dict[str, Any]:
    """`layer`, `back` (steps before the end) and `gradient`, as plain numbers."""
    known = np.flatnonzero(np.isfinite(norms))
    if len(known) > MOST_STEPS:
        known = known[np.linspace(0, len(known) - 1, MOST_STEPS).round().astype(int)]
    return {"layer": name, "back": known.tolist(), "gradient": [float(f"{one:.6g}") for one in norms[known]]}
