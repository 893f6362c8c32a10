"""Steps of training of dlspec's resnet-20 and of the same network written by hand in plain Keras, in turn.

What is measured: seconds an epoch of Keras' own `fit` over 640 random pictures of 32×32×3, batches of 32, both compiled
alike (Adam, steps_per_execution 10).  By hand: "same" convolutions throughout, strided slices and padding for the
shortcut.  Figure: dlspec's network takes at most 1.03 of the time (medians).

    python tests/benchmarks/resnet_against_keras.py [REPEATS]
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import Any

import numpy as np
from figures import Figures

from dlspec.models.vision.resnet import ResNet
from dlspec.runs.backend import load_keras

EXAMPLES, BATCH = 640, 32


def by_hand() -> Any:
    """ResNet-20 as one would write it, option A."""
    import keras
    from keras import layers, ops

    def convolution(x: Any, filters: int, stride: int = 1) -> Any:
        start = "he_normal"
        return layers.Conv2D(
            filters, 3, strides=stride, padding="same", use_bias=False, kernel_initializer=start
        )(x)  # fmt: skip

    entry = keras.Input((32, 32, 3), name="picture")
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(convolution(entry, 16)))
    for stage, filters in enumerate((16, 32, 64)):
        for unit in range(3):
            stride = 2 if stage and not unit else 1
            y = layers.ReLU()(layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(convolution(x, filters, stride)))
            y = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(convolution(y, filters))
            if stride == 2:
                x = ops.pad(x[:, ::2, ::2], [(0, 0), (0, 0), (0, 0), (0, filters // 2)])
            x = layers.ReLU()(layers.add([x, y]))
    logits = layers.Dense(10)(layers.GlobalAveragePooling2D()(x))
    return keras.Model({"picture": entry}, logits)


def compiled(network: Any) -> Any:
    """As dlspec compiles, but for its own loop."""
    import keras

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(), loss, steps_per_execution=10, jit_compile=False)
    return network


figures = Figures()
load_keras(seed=0)
networks = {
    "by hand": compiled(by_hand()),
    "dlspec": compiled(ResNet().build({"picture": {"shape": [32, 32, 3], "dtype": "float32"}}, 10)),
}
rng = np.random.default_rng(0)
x, y = rng.random((EXAMPLES, 32, 32, 3), np.float32), rng.integers(0, 10, EXAMPLES)
seconds: dict[str, list[float]] = {name: [] for name in networks}
for number in range(int(sys.argv[1] if sys.argv[1:] else 5) + 1):
    for name, network in networks.items():
        began = time.perf_counter()
        network.fit({"picture": x}, y, batch_size=BATCH, epochs=1, verbose=0)
        if number:
            seconds[name].append(time.perf_counter() - began)
middle = {name: statistics.median(taken) for name, taken in seconds.items()}
for name, taken in seconds.items():
    print(f"{name}: {EXAMPLES / middle[name]:.0f} examples/s ({', '.join(f'{one:.2f}' for one in taken)} s)")
ratio = middle["dlspec"] / middle["by hand"]
figures.check(f"resnet-20, dlspec's network takes {ratio:.3f} of the time of one by hand (at most 1.03)", ratio <= 1.03)
figures.leave()
