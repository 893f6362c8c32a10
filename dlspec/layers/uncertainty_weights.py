"""What is learned beside the logits of several heads: how noisy each of them is (Kendall, Gal and Cipolla 2018)."""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable("dlspec")
class UncertaintyWeights(keras.layers.Layer):
    """Hands on what it is given, and holds `log_variances` (heads,): s = log σ² of each head, 0 at the start.

    Kendall, Gal and Cipolla (2018), "Multi-task learning using uncertainty to weigh losses", section 3.2: the loss,
    which reads s, weighs a head's own loss by exp(−s).  So they are trained, saved and restored with the network.
    """

    passes_on = True
    """the output is the input: the layer before it is the last that computes anything"""

    def __init__(self, heads: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.heads = heads
        self.log_variances = self.add_weight(shape=(heads,), initializer="zeros", dtype="float32", name="log_variances")

    def call(self, inputs: Any) -> Any:
        return inputs

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "heads": self.heads}
