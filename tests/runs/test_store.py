"""Where encoded examples lie; broken pictures are left out and named wherever they turn up."""

import numpy as np
import pytest
from PIL import Image
from small_training import Heard

from dlspec.recipe.load import load
from dlspec.report.watch import Watch
from dlspec.runs import cache
from dlspec.runs.evaluate import evaluate
from dlspec.runs.prepare import prepare
from dlspec.runs.store import store
from dlspec.runs.train import train
from dlspec.types import DataError

PLACES = ("memory", "filling", "disk", "none")
RECIPE = """
task: classification
data: {{name: image_folder, path: pictures, split: {{dev: 0.3}}, strict: {strict}}}
input: {{size: [32, 32], scale: standard, augment: {{shift: 0.1, mixup: 0.2}}}}
model: {{name: lenet5}}
train: {{epochs: 2, batch_size: 8, seed: 3}}
"""


def sets(where, monkeypatch):
    """Lay examples there.  Filling: in memory, each encoded when it is first asked for, as large ones are."""
    if where == "filling":
        monkeypatch.setattr("dlspec.runs.store.LAZILY", 0)
        monkeypatch.setattr("dlspec.runs.pipeline.LARGE", 0)
        where = "memory"
    return [f"train.cache={where}"]


def damage(file):
    """Zero bytes in the middle of the compressed pixels; head and end stay right."""
    content = bytearray(file.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 40] = bytes(40)
    file.write_bytes(content)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DLSPEC_CACHE", str(tmp_path / "cache"))
    draws = np.random.default_rng(0)
    for name in ("one", "two"):
        home = tmp_path / "pictures" / name
        home.mkdir(parents=True)
        for i in range(24):
            Image.fromarray(draws.integers(0, 256, (40, 36, 3), dtype=np.uint8)).save(home / f"{i:02}.png")
    (tmp_path / "recipe.yaml").write_text(RECIPE.format(strict="false"))
    (tmp_path / "strict.yaml").write_text(RECIPE.format(strict="true"))
    return tmp_path


@pytest.fixture
def damaged(folder):
    broken = ["one/03.png", "one/17.png", "two/00.png", "two/23.png"]
    for name in broken:
        damage(folder / "pictures" / name)
    return broken


@pytest.mark.parametrize("where", PLACES)
def test_what_cannot_be_read_is_left_out_and_named(folder, damaged, where, monkeypatch):
    loaded = load(folder / "recipe.yaml", sets(where, monkeypatch))
    for _ in range(2):  # the second time the disk has it
        hearing = Heard()
        with loaded.placing():
            prepared = prepare(loaded.recipe, hearing)
            for split in ("train", "dev"):
                kept = store(loaded.recipe, prepared.state, prepared.splits[split], hearing, f"examples of {split}")
                arrays = list(kept.chunks(5))
                ids = kept.readable.ids
                assert sum(len(one["picture"]) for one in arrays) == len(ids)
                assert set(ids) == set(prepared.splits[split].ids) - set(damaged)
                plain = loaded.recipe.input.encode(kept.readable, prepared.state["input"])
                shown = loaded.recipe.input.finish(plain, prepared.state["input"])["picture"]
                np.testing.assert_array_equal(np.concatenate([one["picture"] for one in arrays]), shown)
        for name in damaged:
            assert sum(f"{name}: this PNG picture is broken" in sentence for sentence in hearing.said) == 1, (
                hearing.said
            )


def weights(run):
    import keras

    return b"".join(w.tobytes() for w in keras.saving.load_model(run / "model.keras", compile=False).get_weights())


def test_the_same_weights_wherever_they_are_kept(folder, monkeypatch):
    made = set()
    for where in PLACES:
        with monkeypatch.context() as patched:
            made.add(weights(train(load(folder / "recipe.yaml", sets(where, patched)), out=folder / "runs").run))
    assert len(made) == 1


@pytest.mark.parametrize("where", PLACES)
def test_a_missing_truth_is_found_before_training(folder, where, monkeypatch):
    from dlspec.runs.material import _truths

    loaded = load(folder / "recipe.yaml", sets(where, monkeypatch))
    with loaded.placing():
        prepared = prepare(loaded.recipe, Watch())
        examples = prepared.splits["train"]
        y = list(examples.columns["y"])
        y[examples.rows[9]] = None
        with pytest.raises(DataError, match=examples.ids[9]):
            _truths(store(loaded.recipe, prepared.state, examples.replace(y=y), Watch()))
        _truths(store(loaded.recipe, prepared.state, examples, Watch()))


def test_broken_pictures_do_not_stop_training(folder, damaged, monkeypatch):
    runs = []
    for where in PLACES:
        with monkeypatch.context() as patched:
            runs.append(train(load(folder / "recipe.yaml", sets(where, patched)), out=folder / "runs"))
    # Streaming leaves the broken out of batches that were planned with them; what is scored is the same.
    assert len({one.scores["dev"]["accuracy"]["n"] for one in runs}) == 1
    assert (runs[0].run / "report.html").is_file()
    looked = evaluate(runs[0].run)
    assert looked["scores"]["dev"]["accuracy"]["n"] == runs[0].scores["dev"]["accuracy"]["n"]
    assert looked["scores"]["dev"]["accuracy"]["value"] == pytest.approx(runs[0].scores["dev"]["accuracy"]["value"])


@pytest.mark.parametrize("where", PLACES)
def test_strict_refuses_naming_them(folder, damaged, where, monkeypatch):
    loaded = load(folder / "strict.yaml", sets(where, monkeypatch))
    with pytest.raises(DataError) as caught:
        train(loaded, out=folder / "runs")
    said = str(caught.value)
    assert "this PNG picture is broken" in said and any(name in said for name in damaged)
    left = [one.name for one in (folder / "cache").iterdir()] if where == "disk" else []
    assert not any(one.startswith(".") for one in left)


def test_the_cache_is_keyed_by_content_and_settings(folder):
    loaded = load(folder / "recipe.yaml", ["train.cache=disk"])

    def entry(loaded):
        with loaded.placing():
            prepared = prepare(loaded.recipe, Watch())
            kept = store(loaded.recipe, prepared.state, prepared.splits["train"], Watch())
            assert isinstance(next(iter(kept.arrays.values())), np.memmap)
            return cache.entry(loaded.recipe, prepared.state, prepared.splits["train"])

    first = entry(loaded)
    assert entry(loaded) == first and first.is_dir()
    others = {
        entry(load(folder / "recipe.yaml", ["train.cache=disk", setting]))
        for setting in ("input.size=[28, 28]", "input.fit=letterbox", "input.channels=1")
    }
    assert len(others | {first}) == 4
    assert entry(load(folder / "recipe.yaml", ["train.cache=disk", "input.augment.shift=0.3"])) == first
    with loaded.placing():
        changed = prepare(loaded.recipe, Watch()).splits["train"].ids[0]
    Image.fromarray(np.zeros((40, 36, 3), np.uint8)).save(folder / "pictures" / changed)
    assert entry(loaded) != first


def test_what_nobody_uses_any_more_is_removed(folder):
    import os
    import time

    old, fresh, half = (folder / "cache" / name for name in ("0" * 32, "1" * 32, f".{'2' * 32}-7"))
    for one in (old, fresh, half):
        one.mkdir(parents=True)
        (one / "whole").write_text("[]")
    then = time.time() - 40 * 86_400
    os.utime(old / "whole", (then, then))
    os.utime(half, (then, then))
    train(load(folder / "recipe.yaml", ["train.cache=disk", "train.epochs=1"]), out=folder / "runs")
    assert fresh.is_dir() and not old.exists() and not half.exists()
