"""A convolution whose every map sees only the input maps that a table gives it: LeCun et al. (1998), layer C3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np


@keras.saving.register_keras_serializable("dlspec")
class ConnectionTableConvolution(keras.layers.Layer):
    """LeCun et al. (1998), II-B and table I: map m is convolved from the input maps `connections[m]` alone.

    (batch, height, width, input maps) → (batch, height', width', len(connections)).  Only weights that are
    connected exist.  Maps with as many inputs share a variable `kernel_<inputs>` of shape
    (side, side, inputs, maps), so that an initialiser sees each map's own fan-in.
    """

    def __init__(
        self,
        connections: Sequence[Sequence[int]],
        side: int,
        padding: str = "valid",
        kernel_initializer: Any = "glorot_uniform",
        use_bias: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.connections = [list(inputs) for inputs in connections]
        self.side, self.padding, self.use_bias = side, padding, use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, shape: Any) -> None:
        maps, inputs = len(self.connections), shape[-1]
        self.kernels, places = [], []
        for fan in sorted({len(c) for c in self.connections}):
            members = [m for m, c in enumerate(self.connections) if len(c) == fan]
            kernel = self.add_weight(
                name=f"kernel_{fan}",
                shape=(self.side, self.side, fan, len(members)),
                # One initialiser called twice would repeat its numbers.
                initializer=self.kernel_initializer.clone(),
            )
            self.kernels.append(kernel)
            places += [self.connections[m][i] * maps + m for i in range(fan) for m in members]
        self.placement = np.zeros((len(places), inputs * maps), "float32")
        self.placement[np.arange(len(places)), places] = 1
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=(maps,), initializer="zeros")

    def call(self, inputs: Any) -> Any:
        ops, area = keras.ops, self.side**2
        connected = ops.concatenate([ops.reshape(kernel, (area, -1)) for kernel in self.kernels], axis=1)
        whole = ops.matmul(connected, ops.cast(self.placement, connected.dtype))
        kernel = ops.reshape(whole, (self.side, self.side, inputs.shape[-1], len(self.connections)))
        maps = ops.conv(inputs, kernel, padding=self.padding, data_format="channels_last")
        return maps + self.bias if self.use_bias else maps

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "connections": self.connections,
            "side": self.side,
            "padding": self.padding,
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
