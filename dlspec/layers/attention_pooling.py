"""One vector of a sequence: a mean whose weights are learned."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("dlspec")
class AttentionPooling(keras.layers.Layer):
    """Σ a h over the steps, a the softmax of v·tanh(W h + b): Yang et al. (2016), equations 5 to 7.

    Of x (B, L, D) and mask (B, L) bool, (B, D): what the mask leaves out has the weight 0.  Where it is empty, 0.
    """

    def build(self, input_shape: Any) -> None:
        width = input_shape[0][-1]
        self.kernel = self.add_weight(name="kernel", shape=(width, width), initializer="glorot_uniform")
        self.bias = self.add_weight(name="bias", shape=(width,), initializer="zeros")
        self.sought = self.add_weight(name="sought", shape=(width, 1), initializer="glorot_uniform")

    def call(self, inputs: Any) -> Any:
        x, mask = inputs
        there = ops.cast(mask, x.dtype)[..., None]
        scores = ops.matmul(ops.tanh(ops.matmul(x, self.kernel) + self.bias), self.sought)
        scores = ops.where(mask[..., None], scores, ops.cast(-1e4, x.dtype))
        weights = ops.exp(scores - ops.max(scores, axis=1, keepdims=True)) * there
        return ops.sum(x * weights, axis=1) / ops.maximum(ops.sum(weights, axis=1), 1e-7)

    def compute_output_shape(self, input_shape: Any) -> Any:
        of_x, _ = input_shape
        return (of_x[0], of_x[2])
