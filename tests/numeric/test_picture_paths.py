"""Many files at once: in order, ahead but not far ahead, and what is broken does not stop the others."""

import hashlib
import os
import shutil
import threading

import numpy as np
import pytest
from PIL import Image

from dlspec.numeric import picture_paths
from dlspec.numeric.picture_paths import AHEAD, PictureFiles, in_threads, read_into, read_many, undecodable
from dlspec.types import DataError


@pytest.fixture
def folder(tmp_path):
    for i in range(12):
        Image.new("RGB", (4 + i, 3), (20 * i, 0, 0)).save(tmp_path / f"{i:02d}.png")
    (tmp_path / "05.png").write_bytes(b"")
    damaged = bytearray((tmp_path / "07.png").read_bytes())
    damaged[damaged.index(b"IDAT") + 8] ^= 0xFF
    (tmp_path / "07.png").write_bytes(damaged)
    return tmp_path


def paths(folder):
    return PictureFiles(str(folder), [f"{i:02d}.png" for i in range(12)])


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_pictures_come_in_order_and_broken_ones_in_their_place(folder, threads):
    found = list(read_many(paths(folder), threads=threads))
    for i, one in enumerate(found):
        if i in (5, 7):
            assert isinstance(one, DataError) and f"{i:02d}.png" in str(one)
        else:
            assert one.shape == (3, 4 + i, 3) and one[0, 0, 0] == 20 * i


@pytest.mark.parametrize("threads", [1, 3])
def test_reading_into_an_array(folder, threads):
    out = np.full((12, 6, 8, 3), 9, np.uint8)
    broken = read_into(paths(folder), out, threads=threads)
    assert sorted(broken) == [5, 7] and "empty" in str(broken[5])
    assert out[:, 0, 0, 0].tolist() == [20 * i if i not in (5, 7) else 0 for i in range(12)]


def test_a_quick_look_and_a_long_one(folder, monkeypatch):
    files = paths(folder)
    heads = files.headers()
    assert [i for i, one in enumerate(heads) if isinstance(one, DataError)] == [5], "damage inside needs decoding"
    assert heads[3] == (3, 7, 3, "PNG")
    monkeypatch.setattr(picture_paths, "check", None)
    assert files[[3, 5]].headers() == [heads[3], heads[5]] and files[1:3].headers() == heads[1:3], "looked at once"
    assert sorted(undecodable(files)) == [5, 7] == sorted(undecodable(files, threads=1))


def test_no_more_is_read_ahead_than_said():
    started, given = [], 0
    for given, one in enumerate(in_threads(started.append, range(200), threads=2), start=1):
        assert one is None and len(started) <= given + 2 * AHEAD + 1
    assert given == 200 and sorted(started) == list(range(200))


def test_whoever_stops_early_leaves_no_thread_behind(folder):
    before = threading.active_count()
    reading = read_many([str(folder / "00.png")] * 500, threads=3)
    next(reading)
    reading.close()
    for thread in threading.enumerate():
        if thread.name.startswith("dlspec-pictures"):
            thread.join(5)
    assert threading.active_count() <= before


def test_our_own_failure_is_no_result():
    def fail(_):
        raise ZeroDivisionError

    for threads in (1, 2):
        with pytest.raises(ZeroDivisionError):
            list(in_threads(fail, range(3), threads=threads))


def test_paths_are_a_sequence(folder):
    files = paths(folder)
    assert len(files) == 12 and files[3] == os.path.join(folder, "03.png") and files[-1].endswith("11.png")
    assert [*files[[4, 2]]] == [files[4], files[2]] and [*files[1:3]] == [files[1], files[2]]
    assert [*files[np.array([1, 5])][[1]]] == [files[5]]
    assert PictureFiles("/a", ["/b/c.png"])[0] == "/b/c.png"


def test_hashes_are_of_the_bytes_and_taken_once(folder, monkeypatch):
    shutil.copy(folder / "01.png", folder / "02.png")
    files, asked = paths(folder), []
    digest = picture_paths._digest
    monkeypatch.setattr(picture_paths, "_digest", lambda path: asked.append(path) or digest(path))
    assert files[[3, 1]].digests() == [digest(files[3]), digest(files[1])] and len(asked) == 2
    found = files.digests()
    assert len(asked) == 12 and files[1:].digests() == found[1:] and len(asked) == 12
    assert found[1] == found[2] and len(set(found)) == 11
    expected = hashlib.blake2b(b"file" + (folder / "03.png").read_bytes(), digest_size=16).digest()
    assert found[3] == expected, "as dlspec.data.fingerprint hashes a file, for good"
    with pytest.raises(DataError, match=r"gone\.png: cannot be read: No such file"):
        PictureFiles(str(folder), ["gone.png"]).digests()
