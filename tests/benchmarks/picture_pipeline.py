"""The whole pipeline over a folder of JPEG at 224×224, without a network: what `fit` would be given.

First epoch, without augmentation: against read, decode_jpeg, resize and batch in tf.data with AUTOTUNE (at least 0.9 of
its pictures a second).  Later epochs, augmented, against our own first one (at least 2.5 times).
Both in turn, medians.

    python tests/benchmarks/picture_pipeline.py [rounds]

1,500 JPEG of 500×375 are made, a third of them different.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from figures import Figures
from picture_files import SIZE, make

from dlspec.recipe.load import load
from dlspec.report.watch import Watch

RECIPE = """
task: classification
data: {name: image_folder, path: PATH, split: {}}
input: {size: [224, 224]}
model: lenet5
train: {batch_size: 32, seed: 1, cache: memory}
"""
AUGMENT = "input.augment={flip: horizontal, shift: 0.1, rotate: 10, zoom: 0.1, brightness: 0.2}"


def main(rounds: int, home: Path) -> None:
    from dlspec.runs.prepare import prepare

    recipe_file = home.parent / "recipe.yaml"
    recipe_file.write_text(RECIPE.replace("PATH", home.name), encoding="utf-8")
    files = sorted(str(one) for one in home.rglob("*.jpg"))
    plain, changed = (load(recipe_file, sets) for sets in ([], [AUGMENT]))
    began = time.perf_counter()
    with plain.placing():
        prepared = prepare(plain.recipe, Watch())
    print(f"{len(files)} files; looked at, hashed and divided in {time.perf_counter() - began:.2f} s, before all that")
    import tensorflow as tf

    from dlspec.runs.pipeline import Pipeline
    from dlspec.runs.store import store

    state, train = prepared.state, prepared.splits["train"]

    def first(loaded) -> Pipeline:
        pipeline = Pipeline(loaded.recipe, state, store(loaded.recipe, state, train, Watch()))
        epoch(pipeline, 0)
        return pipeline

    def epoch(pipeline: Pipeline, number: int) -> None:
        seen = sum(len(batch[1]) for batch in pipeline.batches(number))
        assert seen == len(train)

    def tensorflow() -> None:
        def one(path):
            return tf.image.resize(tf.io.decode_jpeg(tf.io.read_file(path), channels=3), (SIZE, SIZE))

        data = tf.data.Dataset.from_tensor_slices(files).map(one, num_parallel_calls=tf.data.AUTOTUNE)
        for _ in data.batch(32).prefetch(tf.data.AUTOTUNE):
            pass

    rates: dict[str, list[float]] = {"first": [], "tf.data": [], "later": [], "later, plain": []}

    def timed(name: str, run) -> object:
        of = len(files) if name == "tf.data" else len(train)
        began = time.perf_counter()
        result = run()
        rates[name].append(of / (time.perf_counter() - began))
        return result

    for turn in range(rounds + 1):
        pipeline = timed("first", lambda: first(plain))
        timed("tf.data", tensorflow)
        timed("later, plain", lambda of=pipeline, n=turn: epoch(of, 1 + n))
        augmented = Pipeline(changed.recipe, state, pipeline.store)
        augmented.recipe = changed.recipe
        timed("later", lambda of=augmented, n=turn: epoch(of, 1 + n))
        if turn == 0:  # the first is for warming up
            for values in rates.values():
                values.clear()
    for name, values in rates.items():
        print(f"{name:14} {statistics.median(values):7.0f} pictures a second")
    figures = Figures()
    against = statistics.median(a / b for a, b in zip(rates["first"], rates["tf.data"], strict=True))
    figures.check(f"first epoch / tf.data: {against:.2f} (at least 0.9)", against >= 0.9)
    faster = statistics.median(a / b for a, b in zip(rates["later"], rates["first"], strict=True))
    figures.check(f"later epochs, augmented / first epoch: {faster:.2f} (at least 2.5)", faster >= 2.5)
    figures.leave()


if __name__ == "__main__":
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as made:
        home = Path(made) / "pictures"
        for name in ("one", "two"):
            (home / name).mkdir(parents=True)
        make(home / "one")
        for file in sorted((home / "one").iterdir()):
            for copy in "ab":
                shutil.copyfile(file, home / "two" / f"{file.stem}{copy}.jpg")
        main(rounds, home)
