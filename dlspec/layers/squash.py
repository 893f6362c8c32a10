"""The squashing function of LeCun et al. (1998), f(a) = 1.7159 tanh(2a/3)."""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable("dlspec")
class Squash(keras.layers.Layer):
    """f(a) = 1.7159 tanh(2a/3): LeCun et al. (1998), appendix A; f(1) = 1 and f(-1) = -1, any shape."""

    def call(self, inputs: Any) -> Any:
        return self.activation(inputs)

    @staticmethod
    def activation(inputs: Any) -> Any:
        return 1.7159 * keras.ops.tanh(inputs * (2 / 3))
