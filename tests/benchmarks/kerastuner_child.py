"""A search with KerasTuner for tune_against_kerastuner.py, as one writes it by hand, in a Python that has it.

    PYTHON kerastuner_child.py DATA FOLDER SEED TRIALS EPOCHS STEPS

DATA: an npz with x, y, x_dev, y_dev.  STEPS: steps_per_execution.  KERASTUNER_TUNER_ID and its like in the environment
make the process a chief or a worker of a search by several.
"""

from __future__ import annotations

import sys
from typing import Any

import keras
import keras_tuner
import numpy as np


def main(data: str, folder: str, seed: int, trials: int, epochs: int, steps: int) -> None:
    with np.load(data) as held:
        x, y, x_dev, y_dev = (held[name] for name in ("x", "y", "x_dev", "y_dev"))

    def build(hp: Any) -> keras.Model:
        keras.utils.set_random_seed(seed)
        rate = hp.Float("learning_rate", 1e-4, 1e-1, sampling="log")
        hidden = hp.Choice("hidden", ["32", "64", "128", "64 64"])
        dropout = hp.Float("dropout", 0.0, 0.5)
        layers: list[Any] = [keras.Input(x.shape[1:]), keras.layers.Flatten()]
        for units in map(int, hidden.split()):
            layers.append(keras.layers.Dense(units, activation="relu", kernel_initializer="he_normal"))
            layers.append(keras.layers.Dropout(dropout))
        network = keras.Sequential([*layers, keras.layers.Dense(10)])
        network.compile(
            optimizer=keras.optimizers.Adam(rate),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
            steps_per_execution=steps,
        )
        return network

    tuner = keras_tuner.RandomSearch(
        build, "val_accuracy", max_trials=trials, seed=seed, overwrite=True, directory=folder, project_name="digits"
    )
    tuner.search(
        x, y, batch_size=32, epochs=epochs, validation_data=(x_dev, y_dev), validation_batch_size=len(y_dev), verbose=0
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
