"""Run directories: made exclusively, written whole or not at all, found by any of their names."""

import json
import os

import pytest

from dlspec.runs import folder
from dlspec.types import ArgumentError


def make(root, name="net", stamp=None):
    run = folder.create(root, name)
    if stamp:
        run = run.rename(run.parent / stamp)
    (run / "recipe.yaml").write_text("task: classification\n")
    (run / "state.json").write_text("{}")
    return run


def test_two_runs_of_one_second_are_two_directories(tmp_path):
    runs = {folder.create(tmp_path, "net") for _ in range(5)}
    assert len(runs) == 5 and all(run.is_dir() and run.is_absolute() for run in runs)


def test_a_place_that_cannot_be_written_is_an_argument_error(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ArgumentError, match="--out"):
        folder.create(tmp_path / "file", "net")


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    file = tmp_path / "scores.json"
    folder.write_json(file, {"a": 1})
    with pytest.raises(RuntimeError), folder.replacing(file) as new:
        new.write_text("half")
        raise RuntimeError
    assert json.loads(file.read_text()) == {"a": 1}
    assert [f.name for f in tmp_path.iterdir()] == ["scores.json"]


def test_a_write_is_never_seen_half(tmp_path):
    file = tmp_path / "scores.json"
    folder.write_text(file, "old")
    with folder.replacing(file) as new:
        new.write_text("new")
        assert file.read_text() == "old" and new.suffix == ".json"
    assert file.read_text() == "new" and oct(os.stat(file).st_mode)[-3:] == "644"


def test_json_holds_what_json_can(tmp_path):
    import numpy as np

    folder.write_json(
        tmp_path / "x.json", {"a": float("nan"), "b": np.float32(1.5), "c": np.arange(2), 3: (np.inf, "é")}
    )
    assert folder.read_json(tmp_path / "x.json") == {"a": None, "b": 1.5, "c": [0, 1], "3": [None, "é"]}


def test_the_manifest_reads_back(tmp_path):
    parts = {"train": ["1", 'a,"b"', "line\nbreak"], "dev": ["é"]}
    folder.write_manifest(tmp_path / "m.csv", parts)
    assert folder.read_manifest(tmp_path / "m.csv") == {i: name for name, ids in parts.items() for i in ids}


def test_runs_are_found_by_path_name_time_and_last(tmp_path):
    old = make(tmp_path, "net", "20260101-000000")
    new = make(tmp_path, "net", "20260101-000000-2")
    tenth = make(tmp_path, "net", "20260101-000000-10")
    other = make(tmp_path, "other", "20250101-000000")
    assert folder.every(tmp_path) == [other, old, new, tenth]
    assert folder.locate("last", tmp_path) == tenth
    assert folder.locate("net", tmp_path) == tenth
    assert folder.locate("other", tmp_path) == other
    assert folder.locate("net/20260101-000000", tmp_path) == old
    assert folder.locate("20250101-000000", tmp_path) == other
    assert folder.locate(str(new), tmp_path / "elsewhere") == new
    with pytest.raises(ArgumentError, match="did you mean 'other'"):
        folder.locate("othre", tmp_path)
    with pytest.raises(ArgumentError, match="no runs in"):
        folder.locate("last", tmp_path / "empty")


def test_a_run_that_was_killed_is_called_unfinished(tmp_path):
    assert folder.summary(make(tmp_path))["state"] == "unfinished"
