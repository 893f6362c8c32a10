"""What a split was scored by, kept in a run and read again: arrays of numbers, and of bytes a row."""

import numpy as np

from dlspec.runs.kept import keep_statistics, kept_statistics
from dlspec.types import Examples


def test_there_and_back(tmp_path):
    ragged = np.empty(4, object)
    ragged[:] = [b"", b"\x00\x01\x00", b"abc", b"\x00"]
    held = {"number": np.arange(4.0), "lines of text": ragged, "table": np.ones((4, 2))}
    keep_statistics(tmp_path, "dev", Examples(list("abcd"), [None] * 4, groups=list("xxyz")), held)
    ids, groups, found = kept_statistics(tmp_path, "dev")
    assert (ids, groups) == (list("abcd"), list("xxyz")) and found.keys() == held.keys()
    for name, array in held.items():
        assert found[name].dtype == array.dtype and np.array_equal(found[name], array)
    assert kept_statistics(tmp_path, "test") is None


def test_of_no_example_nothing_is_kept(tmp_path):
    keep_statistics(tmp_path, "dev", Examples([], []), {"boxes": np.empty(0, object)})
    ids, groups, found = kept_statistics(tmp_path, "dev")
    assert ids == [] and groups is None and found["boxes"].shape == (0,)
