"""How many threads are taken where nothing is said; what a backend keeps of networks."""

import gc
import os

import pytest

from dlspec.recipe.load import load
from dlspec.runs.backend import forget_networks, processors
from dlspec.runs.train import train


@pytest.mark.parametrize(
    ("share", "found"),
    [("max 100000", 6), ("200000 100000", 2), ("250000 100000", 3), ("1000 100000", 1), ("900000 100000", 6), ("", 6)],
)
def test_threads_keep_within_the_share_of_a_container(share, found, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(6)), raising=False)
    (tmp_path / "cpu.max").write_text(share + "\n")
    assert processors(tmp_path / "cpu.max") == found
    assert processors(tmp_path / "there is none") == 6


def test_networks_that_are_gone_leave_no_graph_in_memory(tmp_path):
    file = tmp_path / "small.yaml"
    file.write_text("task: classification\ndata: {name: iris, split: {dev: 0.2}}\nmodel: linear\ntrain: {epochs: 2}\n")

    def graphs():
        train(load(file), out=tmp_path / "runs")
        gc.collect()
        kept = sum(type(one).__name__ == "FuncGraph" for one in gc.get_objects())
        forget_networks()
        return kept, sum(type(one).__name__ == "FuncGraph" for one in gc.get_objects())

    graphs()
    (kept, left), (again, left_again) = graphs(), graphs()
    assert left == left_again < kept == again
