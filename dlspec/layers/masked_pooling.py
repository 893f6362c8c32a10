"""Mean and greatest of a sequence over the places that are no padding."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("dlspec")
class MaskedMean(keras.layers.Layer):
    """The mean over the places of a mask: of x (B, L, D) and mask (B, L) bool, (B, D).  Where the mask is empty, 0."""

    def call(self, inputs: Any) -> Any:
        x, mask = inputs
        there = ops.cast(mask, x.dtype)
        count = ops.maximum(ops.sum(there, axis=1, keepdims=True), 1)
        return ops.einsum("bld,bl->bd", x, there) / count

    def compute_output_shape(self, input_shape: Any) -> Any:
        of_x, _ = input_shape
        return (of_x[0], of_x[2])


@keras.saving.register_keras_serializable("dlspec")
class MaskedMax(keras.layers.Layer):
    """The greatest over the places of a mask: of x (B, L, D) and mask (B, L) bool, (B, D).  Where it is empty, 0."""

    def call(self, inputs: Any) -> Any:
        x, mask = inputs
        least = -1e4 if keras.backend.standardize_dtype(x.dtype) == "float16" else -1e30
        found = ops.max(ops.where(mask[:, :, None], x, ops.cast(least, x.dtype)), axis=1)
        return ops.where(ops.any(mask, axis=1)[:, None], found, ops.zeros_like(found))

    def compute_output_shape(self, input_shape: Any) -> Any:
        of_x, _ = input_shape
        return (of_x[0], of_x[2])
