"""A vector of each word, made of its characters: filters over neighbouring ones, of each the greatest answer."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("dlspec")
class Spelling(keras.layers.Layer):
    """Of characters int32 (B, L, C), 0 being none, (B, L, `filters`): Ma and Hovy (2016), section 2.1.

    Each character is a vector of `size` numbers, that of none 0; a filter sees `window` neighbours.  A word without
    characters, which is padding, is 0.

    vocabulary: how many numbers a character can be.
    """

    def __init__(self, vocabulary: int, filters: int = 30, size: int = 30, window: int = 3, **settings: Any) -> None:
        super().__init__(**settings)
        self.vocabulary, self.filters, self.size, self.window = vocabulary, filters, size, window

    def build(self, input_shape: Any) -> None:
        span = (3 / self.size) ** 0.5
        start = keras.initializers.RandomUniform(-span, span)
        self.embeddings = self.add_weight(name="embeddings", shape=(self.vocabulary, self.size), initializer=start)
        shape = (self.window, self.size, self.filters)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer="glorot_uniform")
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")

    def call(self, characters: Any) -> Any:
        batch, length, width = ops.shape(characters)
        flat = ops.reshape(characters, (-1, width))
        there = ops.cast(ops.not_equal(flat, 0), self.compute_dtype)[..., None]
        vectors = ops.take(self.embeddings, flat, axis=0) * there
        answers = ops.conv(vectors, self.kernel, padding="same") + self.bias
        least = -1e4 if self.compute_dtype == "float16" else -1e30
        greatest = ops.max(ops.where(there > 0, answers, ops.cast(least, answers.dtype)), axis=1)
        some = ops.any(ops.not_equal(flat, 0), axis=1)[:, None]
        found = ops.where(some, greatest, ops.zeros_like(greatest))
        return ops.reshape(found, (batch, length, self.filters))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:2], self.filters)

    def compute_output_spec(self, characters: Any) -> Any:
        return keras.KerasTensor(self.compute_output_shape(characters.shape), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        own = {"vocabulary": self.vocabulary, "filters": self.filters, "size": self.size, "window": self.window}
        return {**super().get_config(), **own}
