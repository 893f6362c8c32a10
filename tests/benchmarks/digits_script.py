"""The fastest plain Keras script we can write that does what `dlspec train digits_lenet5` does: the yardstick.

Reads scikit-learn's digits, splits by label, trains the same LeNet-5 on as many examples with the same optimizer and
batch size, scores dev every epoch, keeps the best weights, scores train and dev, saves the model.

Tried and slower on two cores: arrays handed to `fit` (its pipeline tunes itself, and waits: 8 s where this takes 5),
`steps_per_execution` of 1 or 40, batches from a generator, XLA (`jit_compile`: twice the time).

    python tests/benchmarks/digits_script.py [epochs] [file.keras]
"""

import importlib.util
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(1)
file = os.path.join(importlib.util.find_spec("sklearn").submodule_search_locations[0], "datasets/data/digits.csv.gz")
table = np.loadtxt(file, delimiter=",", dtype="float32")  # load_digits imports the whole of scikit-learn for this
pictures = keras.ops.image.resize(table[:, :64].reshape(-1, 8, 8, 1) / 16, (32, 32), antialias=True)
pictures, labels = keras.ops.convert_to_numpy(pictures), table[:, 64].astype("int32")
by_label = np.argsort(labels + np.random.default_rng(1).random(len(labels)))
held_out = by_label[np.linspace(0, len(labels) - 1, 540).astype(int)]  # an even share of every label
dev = held_out[::2]  # the other half is test
train = np.setdiff1d(by_label, held_out)

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
network.compile(
    optimizer=keras.optimizers.Adam(1e-3),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
    jit_compile=False,
    steps_per_execution=20,
)
options = tf.data.Options()
options.autotune.enabled = False
options.threading.private_threadpool_size = 1
train_once = tf.data.Dataset.from_tensor_slices((pictures[train], labels[train]))
batches = train_once.shuffle(len(train)).batch(32).prefetch(4).with_options(options)
dev_batch = tf.data.Dataset.from_tensors((pictures[dev], labels[dev])).with_options(options)

epochs = int(sys.argv[1]) if sys.argv[1:] else 20
# Never stops before the last epoch; it keeps the best weights in memory.
best = keras.callbacks.EarlyStopping("val_accuracy", mode="max", patience=epochs, restore_best_weights=True)
network.fit(batches, epochs=epochs, validation_data=dev_batch, callbacks=[best], verbose=0)
scored = {"train": train_once.batch(len(train)).with_options(options), "dev": dev_batch}
scores = {part: [round(float(one), 4) for one in network.evaluate(of, verbose=0)] for part, of in scored.items()}
network.save(sys.argv[2] if sys.argv[2:] else "digits_script.keras")
print(f"script: {epochs} epochs, {len(train)} examples; loss and accuracy {scores}")
