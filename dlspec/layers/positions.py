"""Where in a sequence a vector stands: sinusoids (Vaswani et al. 2017, section 3.5), or learned vectors."""

from __future__ import annotations

import abc
from typing import Any

import keras
import numpy as np


def sinusoids(length: int, width: int) -> np.ndarray:
    """float64 (length, width): sin(p / 10000^(2i / width)) in column 2i, the cosine of the same in column 2i + 1."""
    angles = np.arange(length)[:, None] / 10_000.0 ** (np.arange(0, width, 2) / width)
    table = np.empty((length, width))
    table[:, 0::2] = np.sin(angles)
    table[:, 1::2] = np.cos(angles[:, : width // 2])
    return table


class _Positions(keras.layers.Layer, abc.ABC):
    """Adds a row of a table to each vector: (B, L, D) → the same."""

    def call(self, inputs: Any, start: Any = 0) -> Any:
        """start: the place of the first vector, where a sequence comes in pieces."""
        return inputs + self.rows(start, keras.ops.shape(inputs)[1])

    @abc.abstractmethod
    def rows(self, start: Any, length: Any) -> Any:
        """What is added at the places from `start` on, (length, D); `start` and `length` are numbers or scalars."""

    def compute_output_shape(self, shape: Any) -> Any:
        return shape


@keras.saving.register_keras_serializable("dlspec")
class SinusoidalPositions(_Positions):
    """Vaswani et al. (2017), section 3.5: no weights, and sequences of any length."""

    def build(self, shape: Any) -> None:
        width = shape[-1]
        places = np.arange(width)
        # cos(x) = sin(x + π / 2), so that one sine makes the whole table, for places that are known only in the graph.
        self.speeds = (10_000.0 ** (-(places - places % 2) / width)).astype("float32")
        self.phases = (places % 2 * np.pi / 2).astype("float32")

    def rows(self, start: Any, length: Any) -> Any:
        places = keras.ops.cast(keras.ops.arange(length) + start, "float32")
        return keras.ops.cast(keras.ops.sin(places[:, None] * self.speeds + self.phases), self.compute_dtype)


@keras.saving.register_keras_serializable("dlspec")
class LearnedPositions(_Positions):
    """A vector of its own for each of the first `longest` places (Gehring et al. 2017).

    Places after the last have the last one's: what was never learned would be noise.
    """

    def __init__(self, longest: int, **options: Any) -> None:
        super().__init__(**options)
        self.longest = longest

    def build(self, shape: Any) -> None:
        start = keras.initializers.RandomNormal(stddev=0.02)
        self.table = self.add_weight(name="table", shape=(self.longest, shape[-1]), initializer=start)

    def rows(self, start: Any, length: Any) -> Any:
        # A product with zeros and ones: its gradient is a product too, and that of a look-up scatters.
        places = keras.ops.minimum(keras.ops.arange(length) + start, self.longest - 1)
        return keras.ops.matmul(keras.ops.one_hot(places, self.longest, dtype=self.compute_dtype), self.table)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "longest": self.longest}
