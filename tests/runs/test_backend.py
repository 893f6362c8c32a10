"""How many threads are taken where nothing is said."""

import os

import pytest

from dlspec.runs.backend import processors


@pytest.mark.parametrize(
    ("share", "found"),
    [("max 100000", 6), ("200000 100000", 2), ("250000 100000", 3), ("1000 100000", 1), ("900000 100000", 6), ("", 6)],
)
def test_threads_keep_within_the_share_of_a_container(share, found, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(6)), raising=False)
    (tmp_path / "cpu.max").write_text(share + "\n")
    assert processors(tmp_path / "cpu.max") == found
    assert processors(tmp_path / "there is none") == 6
