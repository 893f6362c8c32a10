"""`dlspec runs board`: TensorBoard over all runs, asked over loopback what it shows."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from types import SimpleNamespace

import pytest
from test_tensorboard import png

from dlspec.runs import folder as folders
from dlspec.runs.board import _mirror, board
from dlspec.runs.board_sheet import conclude, describe
from dlspec.runs.tensorboard import Board
from dlspec.types import ArgumentError


@pytest.fixture
def runs(tmp_path):
    """Two runs of one recipe with different rates; the second was killed after epoch 3, and went on from epoch 2."""
    for time_, rate in (("20261124-100000", 0.1), ("20261124-110000", 0.5)):
        run = tmp_path / "runs" / "shop" / time_
        run.mkdir(parents=True)
        folders.write_text(run / "recipe.yaml", "task: classification\n")
        sample = {"id": "0", "kind_of_input": "picture", "shows": png(4, 4, 99), "truth": "a"}
        folders.write_json(run / "data.json", {"samples": [sample], "augmented": []})
        describe(run)
        first = Board(run / "tensorboard")
        for epoch in (1, 2, 3):
            first.scalars("train", {"loss": 1 / epoch}, epoch)
        first.close()
        if rate == 0.5:
            second = Board(run / "tensorboard")
            second.go_on(2, 20)
            for epoch in (3, 4):
                second.scalars("train", {"loss": 10.0 * epoch}, epoch)
            second.close()
        recipe = SimpleNamespace(model_dump=lambda mode, rate=rate: {"train": {"learning_rate": rate}})
        conclude(run, recipe, {"dev": {"accuracy": {"value": 0.5 + rate}}})
    return tmp_path / "runs"


def ask(url, path, body=None, **query):
    address = f"{url}{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
    request = urllib.request.Request(address, data=json.dumps(body).encode() if body else None)
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=20) as answer:
        content = answer.read()
    return content if content[:4] == b"\x89PNG" else json.loads(content)


def test_a_board_of_two_runs_from_the_command_line_to_ctrl_c(runs):
    code = "from dlspec.cli import main; main()"
    command = [sys.executable, "-c", code, "runs", "board", "--runs", str(runs), "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            found = json.loads(process.stdout.readline())
            assert found["logdir"] == str(runs) and found["url"].startswith("http://127.0.0.1:")
            url, until = found["url"] + "data/plugin/", time.monotonic() + 30
            names = {f"shop/{run.name}/{curve}" for run in folders.every(runs) for curve in ("train", "scores")}
            while set(ask(url, "scalars/tags")) != names and time.monotonic() < until:
                time.sleep(0.2)
            assert set(ask(url, "scalars/tags")) == names

            first, second = (f"shop/{run.name}" for run in folders.every(runs))
            losses = {
                run: [(step, round(value, 4)) for _, step, value in ask(url, "scalars/scalars", tag="loss", run=run)]
                for run in (f"{first}/train", f"{second}/train")
            }
            assert losses[f"{first}/train"] == [(1, 1.0), (2, 0.5), (3, 0.3333)]
            assert losses[f"{second}/train"] == [(1, 1.0), (2, 0.5), (3, 30.0), (4, 40.0)]

            (image,) = ask(url, "images/images", run=f"{first}/recipe", tag="samples", sample=0)
            assert ask(url, f"images/individualImage?{image['query']}")[:4] == b"\x89PNG"
            experiment = {"experimentName": "e", "includeMetrics": True}
            compared = ask(found["url"], "experiment/e/data/plugin/hparams/experiment", experiment)
            (setting,) = compared["hparamInfos"]
            assert setting["name"] == "train.learning_rate" and setting["differs"]
            assert [one["name"]["tag"] for one in compared["metricInfos"]] == ["dev_accuracy"]
            if os.name == "posix":
                process.send_signal(signal.SIGINT)
                process.send_signal(signal.SIGINT)
                assert process.wait(20) == 0
            assert process.stderr.read() == ""
        finally:
            process.kill()


def test_errors_say_how_to_mend_them(runs, tmp_path):
    with pytest.raises(ArgumentError, match=r"no runs in .*; train one"), board(tmp_path / "none"):
        pass
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ArgumentError, match=f"127.0.0.1:{port}: .*give another --port"), board(runs, port=port):
            pass
    with pytest.raises(ArgumentError, match=r"192\.0\.2\.1: .*--host"), board(runs, host="192.0.2.1"):
        pass
    bare = tmp_path / "bare" / "shop" / "20261124-100000"
    bare.mkdir(parents=True)
    (bare / "recipe.yaml").write_text("task: classification\n")
    with pytest.raises(ArgumentError, match=r"train\.tensorboard"), board(tmp_path / "bare"):
        pass


def test_links_follow_the_runs(runs, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    shown = lambda: sorted(str(link.relative_to(home)) for link in home.glob("*/*"))  # noqa: E731
    assert _mirror(runs, home) == home
    assert shown() == ["shop/20261124-100000", "shop/20261124-110000"]
    folders.delete(runs / "shop" / "20261124-100000")
    later = runs / "other" / "20261124-120000"
    (later / "tensorboard").mkdir(parents=True)
    (later / "recipe.yaml").write_text("task: classification\n")
    _mirror(runs, home)
    assert shown() == ["other/20261124-120000", "shop/20261124-110000"]
    assert (home / "other" / "20261124-120000").resolve() == (later / "tensorboard").resolve()


def test_a_system_without_links_gets_the_runs_themselves(runs, tmp_path, monkeypatch):
    from pathlib import Path

    def refuse(self, target, target_is_directory=False):
        raise OSError("a required privilege is not held by the client")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    (tmp_path / "home").mkdir()
    assert _mirror(runs, tmp_path / "home") == runs
