"""The shortcut without weights of residual networks: fewer places, more maps, the new ones zero."""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable("dlspec")
class IdentityShortcut(keras.layers.Layer):
    """He et al. (2016), "Deep residual learning", section 3.3, option A: the input itself, brought to another shape.

    (batch, height, width, maps) → (batch, ⌈height / stride⌉, ⌈width / stride⌉, filters): every `stride`-th row and
    column, and after the maps there are `filters` - maps of zeros.  Raises ValueError where there are more maps.
    """

    def __init__(self, filters: int, stride: int = 1, **options: Any) -> None:
        super().__init__(**options)
        self.filters, self.stride = filters, stride

    def build(self, shape: Any) -> None:
        if shape[-1] > self.filters:
            raise ValueError(f"{shape[-1]} maps come in, and only {self.filters} go out: none can be left out")

    def call(self, inputs: Any) -> Any:
        every = inputs[:, :: self.stride, :: self.stride] if self.stride > 1 else inputs
        return keras.ops.pad(every, [(0, 0), (0, 0), (0, 0), (0, self.filters - inputs.shape[-1])])

    def compute_output_shape(self, shape: Any) -> Any:
        sides = [None if side is None else -(-side // self.stride) for side in shape[1:-1]]
        return (shape[0], *sides, self.filters)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters, "stride": self.stride}
