"""How the size of a layer's output comes about: convolution arithmetic, written out for a person."""

from __future__ import annotations

from typing import Any

import numpy as np


def arithmetic(layer: Any, given: Any, made: Any) -> str | None:
    """`conv 5x5, stride 1, valid: (28 + 2*0 - 5)/1 + 1 = 24`; None of a layer that is no convolution or pooling.

    given, made: shapes with the batch axis, (batch, height, width, maps), of which all is known.
    Dumoulin and Visin (2016), "A guide to convolution arithmetic for deep learning", relationships 6 and 14.
    """
    import keras

    layers = keras.layers
    if isinstance(layer, layers.ZeroPadding2D) and layer.data_format == "channels_last":
        told = [_padded(layer.padding[axis], given[axis + 1], made[axis + 1]) for axis in (0, 1)]
        return f"zeros around it: {_both(told)}"
    kinds = {
        layers.Conv2D: "conv", layers.DepthwiseConv2D: "conv of each map",
        layers.MaxPooling2D: "max pool", layers.AveragePooling2D: "average pool",
    }  # fmt: skip
    kind = next((name for cls, name in kinds.items() if isinstance(layer, cls)), None)
    if kind is None or layer.data_format != "channels_last" or None in (*given[1:3], *made[1:3]):
        return None
    window = np.broadcast_to(getattr(layer, "kernel_size", None) or layer.pool_size, 2).tolist()
    steps = np.broadcast_to(layer.strides, 2).tolist()
    apart = np.broadcast_to(getattr(layer, "dilation_rate", 1), 2).tolist()
    reach = [(side - 1) * gap + 1 for side, gap in zip(window, apart, strict=True)]
    told = [
        _told(given[axis + 1], made[axis + 1], reach[axis], steps[axis], padded=layer.padding == "same")
        for axis in (0, 1)
    ]
    dilated = f", dilation {apart[0]}" if max(apart) > 1 else ""
    stride = steps[0] if steps[0] == steps[1] else f"{steps[0]}x{steps[1]}"
    return f"{kind} {window[0]}x{window[1]}, stride {stride}{dilated}, {layer.padding}: {_both(told)}"


def _told(size: int, made: int, window: int, step: int, *, padded: bool) -> str:
    """Along one side.  Padding that is the same on both sides is written as p; else the sum of both."""
    total = max(0, (made - 1) * step + window - size) if padded else 0
    zeros = f"2*{total // 2}" if total % 2 == 0 else str(total)
    whole = size + total - window
    quotient = f"({size} + {zeros} - {window})/{step}"
    return f"{f'floor({quotient})' if whole % step else quotient} + 1 = {made}"


def _padded(sides: tuple[int, int], size: int, made: int) -> str:
    before, after = sides
    return f"{size} + 2*{before} = {made}" if before == after else f"{size} + {before} + {after} = {made}"


def _both(told: list[str]) -> str:
    """Height and width, said once where they are alike."""
    return told[0] if told[0] == told[1] else f"{told[0]} high, {told[1]} wide"
