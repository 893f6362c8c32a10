"""The initialisation of LeCun et al. (1998): uniform in ±2.4 over the fan-in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras


@keras.saving.register_keras_serializable("dlspec")
class FanInUniform(keras.initializers.RandomUniform):
    """LeCun et al. (1998), appendix A: uniform in ±2.4 / F, F the inputs of one unit (every axis but the last).

    over: what is divided by F, 2.4 in the paper.
    """

    def __init__(self, over: float = 2.4, seed: int | None = None) -> None:
        super().__init__(seed=seed)
        self.over = over

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        limit = self.over / math.prod(shape[:-1])
        return keras.random.uniform(tuple(shape), -limit, limit, dtype=dtype, seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        return {"over": self.over, "seed": super().get_config()["seed"]}
