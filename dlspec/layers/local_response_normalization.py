"""Normalisation by the neighbouring maps, as AlexNet and GoogLeNet have it."""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable("dlspec")
class LocalResponseNormalization(keras.layers.Layer):
    """Krizhevsky et al. (2012), section 3.3: b_i = a_i / (k + α Σ a_j²)^β, j the `depth` maps around i, at each place.

    (batch, height, width, maps) → the same.  It has no weights.
    """

    def __init__(self, depth: int = 5, k: float = 2.0, alpha: float = 1e-4, beta: float = 0.75, **options: Any) -> None:
        super().__init__(**options)
        self.depth, self.k, self.alpha, self.beta = depth, k, alpha, beta

    def call(self, inputs: Any) -> Any:
        ops, maps = keras.ops, inputs.shape[-1]
        before = self.depth // 2
        squares = ops.pad(ops.square(inputs), [(0, 0)] * 3 + [(before, self.depth - 1 - before)])
        sums = sum(squares[..., start : start + maps] for start in range(self.depth))
        return inputs * ops.exp(-self.beta * ops.log(self.k + self.alpha * sums))

    def compute_output_shape(self, shape: Any) -> Any:
        return shape

    def get_config(self) -> dict[str, Any]:
        own = {"depth": self.depth, "k": self.k, "alpha": self.alpha, "beta": self.beta}
        return {**super().get_config(), **own}
