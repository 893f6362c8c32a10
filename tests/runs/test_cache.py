"""The cache of encoded examples: full disks, damaged entries, two processes at once, and what is not its own."""

import errno
import os
import time

import numpy as np
import pytest
from small_training import Heard

from dlspec.recipe.load import load
from dlspec.report.watch import Watch
from dlspec.runs import cache
from dlspec.runs.prepare import prepare
from dlspec.runs.store import Kept, store

PROBE = {"picture": np.zeros((1, 4), np.uint8)}


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("DLSPEC_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / ("0" * 32)


@pytest.fixture
def stored():
    """Stores the training examples of the digits on disk: the store, what was said, and its pictures."""

    def stored():
        loaded = load("classification/digits_lenet5", ["train.cache=disk"])
        prepared, hearing = prepare(loaded.recipe, Watch()), Heard()
        found = store(loaded.recipe, prepared.state, prepared.splits["train"].take(range(20)), hearing)
        return found, hearing.said, np.concatenate([one["picture"] for one in found.chunks()])

    return stored


def ones(arrays):
    arrays["picture"][:] = 1
    return []


def test_two_processes_that_make_the_same_entry(home):
    def fill(arrays):
        cache.make(home, 3, PROBE, ones)  # the other one was quicker
        return ones(arrays)

    cache.make(home, 3, PROBE, fill)
    arrays, broken = cache.kept(home, PROBE)
    assert arrays["picture"].tolist() == [[1] * 4] * 3 and broken == []
    assert [one.name for one in home.parent.iterdir()] == [home.name]


@pytest.mark.parametrize("harm", ["cut short", "mark lost", "mark empty", "array lost"])
def test_a_damaged_entry_is_made_again(home, stored, harm):
    _, _, pictures = stored()
    [entry] = home.parent.iterdir()
    array = entry / "picture.npy"
    if harm == "cut short":
        os.truncate(array, array.stat().st_size // 2)
    elif harm == "array lost":
        array.unlink()
    elif harm == "mark lost":
        (entry / "whole").unlink()
    else:
        (entry / "whole").write_text("")
    again, _, others = stored()
    assert isinstance(again, Kept) and [one.name for one in home.parent.iterdir()] == [entry.name]
    np.testing.assert_array_equal(pictures, others)


def test_a_full_disk_is_found_before_it_ends_the_process(home, stored, monkeypatch):
    _, _, pictures = stored()
    monkeypatch.setenv("DLSPEC_CACHE", str(home.parent.parent / "full"))

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    anew, [*said], others = stored()
    assert not isinstance(anew, Kept) and "No space left on device" in said[-1] and "$DLSPEC_CACHE" in said[-1]
    assert list((home.parent.parent / "full").iterdir()) == []
    np.testing.assert_array_equal(pictures, others)


def test_a_folder_that_cannot_be_written_to(tmp_path, stored, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("DLSPEC_CACHE", str(tmp_path / "file" / "cache"))
    anew, said, pictures = stored()
    assert not isinstance(anew, Kept) and "cannot be kept in" in said[-1] and len(pictures) == 20


def test_what_is_not_its_own_is_left_alone(home):
    """Whoever says DLSPEC_CACHE=$HOME has other old folders there."""
    others = [home.parent / name for name in (".ssh", "pictures", ".config")]
    for one in others:
        one.mkdir(parents=True)
        (one / "whole").write_text("")
        then = time.time() - 400 * 86_400
        os.utime(one / "whole", (then, then))
        os.utime(one, (then, then))
    cache.make(home, 3, PROBE, ones)
    assert all((one / "whole").is_file() for one in others)


def test_an_input_of_ones_own_is_keyed_by_the_code_that_it_extends(tmp_path):
    (tmp_path / "own.py").write_text(
        "from dlspec.inputs.picture import Picture\n\n\nclass Own(Picture):\n    name: str\n"
    )
    file = tmp_path / "r.yaml"
    file.write_text("task: classification\ndata: digits\ninput: {name: ./own.py, size: [32, 32]}\nmodel: lenet5\n")
    code = {one.name for one in cache._code(load(file).recipe)}
    assert {"own.py", "picture.py", "resize.py"} <= code
