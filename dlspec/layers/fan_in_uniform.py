"""The initialisation of LeCun et al. (1998): uniform in ±2.4 over the fan-in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras


@keras.saving.register_keras_serializable("dlspec")
class FanInUniform(keras.initializers.RandomUniform):
    """LeCun et al. (1998), appendix A: uniform in ±2.4 / F, F the inputs of one unit (every axis but the last)."""

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(seed=seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        limit = 2.4 / math.prod(shape[:-1])
        return keras.random.uniform(tuple(shape), -limit, limit, dtype=dtype, seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        return {"seed": super().get_config()["seed"]}
