"""The trainable subsampling of LeCun et al. (1998), layers S2 and S4."""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable("dlspec")
class Subsampling(keras.layers.Layer):
    """LeCun et al. (1998), II-B: the sum of each 2×2 square times a coefficient, plus a bias, both of the map alone.

    (batch, height, width, maps) → (batch, height // 2, width // 2, maps), before the squashing function.
    The coefficient starts uniform in ±2.4 / 4 (appendix A: 2.4 over the fan-in, four), the bias at 0.
    """

    def build(self, shape: Any) -> None:
        start = keras.initializers.RandomUniform(-2.4 / 4, 2.4 / 4)
        self.coefficient = self.add_weight(name="coefficient", shape=(shape[-1],), initializer=start)
        self.bias = self.add_weight(name="bias", shape=(shape[-1],), initializer="zeros")

    def call(self, inputs: Any) -> Any:
        sums = 4 * keras.ops.average_pool(inputs, 2, strides=2, padding="valid", data_format="channels_last")
        return sums * self.coefficient + self.bias
