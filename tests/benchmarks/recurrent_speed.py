"""Sequences a second in training: our LSTM and GRU against Keras' own layers and PyTorch's, with the same threads.

The same network each time: stacked layers, the last output, one logit, Adam; Keras' `train_step`, many steps a graph,
for ours and Keras' layers alike, with deterministic operations on, as dlspec trains.  All take turns in every round, a
first one not counted; medians over rounds.  Figures: at least 1.5 of Keras, and at least 1.0 of PyTorch where a Python
that has it is named.

    python tests/benchmarks/recurrent_speed.py [--torch PYTHON] [--rounds 5] [--batch 32] [--length 100]
        [--features 128] [--units 128] [--layers 2] [--masked] [CELL …]

Cells: lstm, gru.  --masked: sequences are padded on the right to a half or more of the length (PyTorch: packed).
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from figures import Figures

HERE = Path(__file__).parent


def trainer(layers: Any, told: argparse.Namespace, x: Any, y: Any, lengths: Any) -> Callable[[], float]:
    """What takes the steps of a round and gives sequences a second."""
    import keras
    import tensorflow as tf

    series, mask = keras.Input((told.length, told.features)), keras.Input((told.length,), dtype="bool")
    found: Any = series
    for layer in layers:
        found = layer(found, mask=mask if told.masked else None)
    network = keras.Model([series, mask], keras.layers.Dense(1)(found))
    network.compile(keras.optimizers.Adam(), keras.losses.BinaryCrossentropy(from_logits=True), jit_compile=False)
    network.optimizer.build(network.trainable_variables)
    batch = ([tf.constant(x), tf.sequence_mask(lengths, told.length)], tf.constant(y))
    step = tf.autograph.experimental.do_not_convert(network.train_step)

    @tf.function  # type: ignore[untyped-decorator]
    def steps(count: Any) -> None:
        for _ in tf.range(count):
            step(batch)

    def run() -> float:
        began = time.perf_counter()
        steps(tf.constant(told.steps))
        network.optimizer.iterations.numpy()
        return float(told.steps * told.batch / (time.perf_counter() - began))

    return run


def of_torch(cell: str, told: argparse.Namespace) -> float:
    names = ("batch", "length", "features", "units", "layers", "steps")
    settings = [str(getattr(told, name)) for name in names]
    command = [told.torch, str(HERE / "recurrent_torch_child.py"), cell, *settings, str(int(told.masked))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return float(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--torch", help="a Python in which torch can be imported")
    settings = (("rounds", 5), ("batch", 32), ("length", 100), ("features", 128), ("units", 128), ("layers", 2))
    for name, usual in (*settings, ("steps", 20)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--masked", action="store_true")
    parser.add_argument("cells", nargs="*", default=["lstm", "gru"])
    told = parser.parse_args()
    import keras
    import tensorflow as tf

    from dlspec.layers.gru import GRU
    from dlspec.layers.lstm import LSTM

    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    x = random.normal(size=(told.batch, told.length, told.features)).astype("float32")
    y = random.integers(0, 2, (told.batch, 1)).astype("float32")
    lengths = random.integers(told.length // 2, told.length + 1, told.batch)
    figures = Figures()
    for cell in told.cells:
        kinds = {"lstm": (LSTM, keras.layers.LSTM), "gru": (GRU, keras.layers.GRU)}[cell]
        ways: dict[str, Callable[[], float]] = {}
        for name, kind in zip(("dlspec", "keras"), kinds, strict=True):
            stack = [kind(told.units, return_sequences=n < told.layers - 1) for n in range(told.layers)]
            ways[name] = trainer(stack, told, x, y, lengths)
        if told.torch:
            ways["torch"] = lambda cell=cell: of_torch(cell, told)  # type: ignore[misc]
        rates: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(told.rounds + 1):
            for name, run in ways.items():
                rate = run()
                if number:
                    rates[name].append(rate)
        medians = {name: statistics.median(found) for name, found in rates.items()}
        what = f"{cell}, {told.layers} × {told.units}, {told.length} steps of {told.features}, batch {told.batch}"
        for other, least in (("keras", 1.5), ("torch", 1.0)):
            if other in medians:
                pairs = statistics.median(a / b for a, b in zip(rates["dlspec"], rates[other], strict=True))
                ratio = medians["dlspec"] / medians[other]
                said = f"{what}: dlspec {medians['dlspec']:,.0f} sequences a second, {other} {medians[other]:,.0f}"
                figures.check(f"{said}: {ratio:.2f} (at least {least}); by rounds {pairs:.2f}", ratio >= least)
    figures.leave()


main()
