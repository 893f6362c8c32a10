"""The fastest plain Keras script we can write that does what `dlspec train digits_lenet5` does: the yardstick.

Reads scikit-learn's digits, splits by label, trains the same LeNet-5 on as many examples with the same optimizer and
batch size, scores dev every epoch, keeps the best weights, scores train and dev, saves the model.

    python tests/benchmarks/digits_script.py [epochs] [file.keras]
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

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
        layers.Conv2D(6, 5, activation="relu", kernel_initializer="he_normal"),
        layers.MaxPooling2D(2),
        layers.Conv2D(16, 5, activation="relu", kernel_initializer="he_normal"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(120, activation="relu", kernel_initializer="he_normal"),
        layers.Dense(84, activation="relu", kernel_initializer="he_normal"),
        layers.Dense(10),
    ]
)
epochs = int(sys.argv[1]) if sys.argv[1:] else 20
network.compile(
    optimizer=keras.optimizers.Adam(1e-3),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
    jit_compile=os.environ.get("JIT") == "1",
    steps_per_execution=int(os.environ.get("STEPS_PER_EXECUTION", 20)),
)
# Never stops before the last epoch; it keeps the best weights in memory.
best = keras.callbacks.EarlyStopping("val_accuracy", mode="max", patience=epochs, restore_best_weights=True)
network.fit(
    x,
    y,
    batch_size=32,
    epochs=epochs,
    validation_data=(x_dev, y_dev),
    validation_batch_size=270,
    callbacks=[best],
    verbose=0,
)
scores = {
    part: network.evaluate(*data, batch_size=1257, verbose=0)
    for part, data in (("train", (x, y)), ("dev", (x_dev, y_dev)))
}
network.save(sys.argv[2] if sys.argv[2:] else "digits_script.keras")
print(f"script: {epochs} epochs;", {part: [float(np.round(one, 4)) for one in both] for part, both in scores.items()})
