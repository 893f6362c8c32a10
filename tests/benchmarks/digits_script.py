"""The fastest plain Keras script we can write that does what `dlspec train digits_lenet5` does: the yardstick.

Reads scikit-learn's digits, splits by label, trains the same LeNet-5 on the same number of examples with the same
optimizer, batch size and early stopping, scores dev every epoch, keeps the best weights, saves the model.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import sys

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(1)
pixels, labels = load_digits(return_X_y=True)
pictures = pixels.reshape(-1, 8, 8, 1).astype("float32") / 16
pictures = keras.ops.convert_to_numpy(keras.ops.image.resize(pictures, (32, 32), antialias=True))
x, x_test, y, y_test = train_test_split(pictures, labels, test_size=270, stratify=labels, random_state=1)
x, x_dev, y, y_dev = train_test_split(x, y, test_size=270, stratify=y, random_state=1)

network = keras.Sequential(
    [
        keras.Input((32, 32, 1)),
        layers.Conv2D(6, 5, activation="relu"),
        layers.AveragePooling2D(2),
        layers.Conv2D(16, 5, activation="relu"),
        layers.AveragePooling2D(2),
        layers.Flatten(),
        layers.Dense(120, activation="relu"),
        layers.Dense(84, activation="relu"),
        layers.Dense(10),
    ]
)
network.compile(
    optimizer=keras.optimizers.Adam(1e-3),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
    jit_compile=False,
    steps_per_execution=int(os.environ.get("STEPS_PER_EXECUTION", 20)),
)
stop = keras.callbacks.EarlyStopping("val_accuracy", mode="max", patience=5, restore_best_weights=True)
history = network.fit(
    x,
    y,
    batch_size=64,
    epochs=20,
    validation_data=(x_dev, y_dev),
    validation_batch_size=270,
    callbacks=[stop],
    verbose=0,
)
scores = {name: network.evaluate(*data, batch_size=1024, verbose=0) for name, data in
          {"train": (x, y), "dev": (x_dev, y_dev)}.items()}  # fmt: skip
network.save(sys.argv[1] if len(sys.argv) > 1 else "digits_script.keras")
print(f"{len(history.history['loss'])} epochs", {k: [float(np.round(v, 4)) for v in s] for k, s in scores.items()})
