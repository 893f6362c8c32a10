"""Predictions for files, folders, globs and lists: in order, as they are made, a broken file one line."""

import csv
import json
import os
import subprocess
import sys

import numpy as np
import pyarrow.parquet
import pytest
from PIL import Image
from rich.cells import cell_len

import dlspec
from dlspec.cli import main
from dlspec.recipe.load import load
from dlspec.report.predicted import PredictedTable
from dlspec.report.watch import Watch
from dlspec.runs.predict import predict, prepared, stream
from dlspec.runs.train import train
from dlspec.types import ArgumentError, DataError

RECIPE = """
task: classification
data: {name: image_folder, path: pictures}
input: {size: [32, 32]}
model: lenet5
train: {epochs: 1}
"""


class Heard(Watch):
    def __init__(self):
        self.said = []

    def warn(self, sentence):
        self.said.append(sentence)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home, draws = tmp_path_factory.mktemp("predict"), np.random.default_rng(3)
    for name in ("cat", "dog"):
        (home / "pictures" / name).mkdir(parents=True)
        for i in range(20):
            noise = draws.integers(0, 256, (40, 40, 3), dtype=np.uint8)
            Image.fromarray(noise).save(home / "pictures" / name / f"{i:02}.png")
    (home / "recipe.yaml").write_text(RECIPE)
    train(load(home / "recipe.yaml"), out=home / "runs")
    new = home / "new" / "deep"
    new.mkdir(parents=True)
    for i in range(50):
        Image.fromarray(draws.integers(0, 256, (35, 50, 3), dtype=np.uint8)).save(new / f"{i:03}.png")
    (home / "new" / "notes.txt").write_text("no picture")
    return home


@pytest.fixture(autouse=True)
def there(home, monkeypatch):
    monkeypatch.chdir(home)


def guesses(*inputs, **settings):
    return predict("last", [str(one) for one in inputs], **settings)["predictions"]


def test_a_folder_a_glob_and_a_list_say_the_same():
    folder = guesses("new")
    assert [one["id"] for one in folder] == [f"new/deep/{i:03}.png" for i in range(50)]
    assert guesses("new/**/*.png") == folder == guesses("-", listed=[one["id"] for one in folder])
    alone = guesses("new/deep/007.png")
    assert alone[0]["guess"] == folder[7]["guess"] and alone[0]["p_cat"] == pytest.approx(folder[7]["p_cat"], rel=1e-4)
    pictures = [np.asarray(Image.open(one["id"])) for one in folder]
    by_arrays = dlspec.open("last").predict(pictures)
    assert [one["p_dog"] for one in by_arrays] == pytest.approx([one["p_dog"] for one in folder], rel=1e-4)


def test_the_order_is_as_given_and_twice_is_twice():
    given = ["new/deep/009.png", "new/deep/001.png", "new/deep/009.png"]
    found = guesses(*given)
    assert [one["id"] for one in found] == given and found[0] == found[2]


def test_a_broken_file_is_one_line_and_not_the_end(home):
    (home / "new" / "deep" / "half.png").write_bytes((home / "new" / "deep" / "000.png").read_bytes()[:900])
    (home / "words.jpg").write_text("Dear Sir")
    try:
        heard = Heard()
        found = guesses("words.jpg", "new", "gone.png", "rows.csv", "nothing/*.png", "new/deep/003.png", watch=heard)
        wrong = {one["file"]: one["error"] for one in found if "error" in one}
        assert list(wrong) == ["words.jpg", "new/deep/half.png", "gone.png", "rows.csv", "nothing/*.png"]
        assert "text" in wrong["words.jpg"] and "broken" in wrong["new/deep/half.png"]
        assert "there is no file" in wrong["gone.png"] and "no file" in wrong["rows.csv"]
        assert len(found) == 56 and "guess" in found[-1] and all("guess" in one or "error" in one for one in found)
        assert heard.said == ["5 of 56 cannot be predicted; each has its error in its place"]
        for ending in ("csv", "parquet"):
            out = home / f"out.{ending}"
            result = predict("last", ["words.jpg", "new"], out=out)
            assert result["count"] == 52 and result["failed"] == 2 and result["predictions"] == []
            if ending == "csv":
                rows = list(csv.DictReader(out.read_text().splitlines()))
            else:
                rows = pyarrow.parquet.read_table(out).to_pylist()
            assert len(rows) == 52 and "text" in rows[0]["error"] and rows[1]["guess"] in ("cat", "dog")
            assert not rows[1]["error"]
    finally:
        (home / "new" / "deep" / "half.png").unlink()
        (home / "words.jpg").unlink()


def test_what_cannot_be_read_says_why_once(home, monkeypatch):
    """A link to nowhere, a folder that is somebody else's, a file by its own name."""
    (home / "new" / "lost.png").symlink_to("nowhere.png")
    (home / "new" / "locked").mkdir()
    (home / "new" / "empty.png").touch()
    scandir = os.scandir

    def refusing(path="."):
        if str(path).rstrip("/").endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    try:
        wrong = {one["file"]: one["error"] for one in guesses("new") if "error" in one}
    finally:
        for one in ("lost.png", "empty.png"):
            (home / "new" / one).unlink()
        (home / "new" / "locked").rmdir()
    assert wrong["new/empty.png"] == "this file is empty (0 bytes)"
    assert "link to nowhere.png, which is not there" in wrong["new/lost.png"]
    assert list(wrong) == ["new/empty.png", "new/lost.png", "new/locked"] and "cannot be read" in wrong["new/locked"]


def test_nothing_at_all_that_can_be_predicted(home, tmp_path):
    with pytest.raises(ArgumentError, match="there is no file"):
        guesses("gone.png")
    with pytest.raises(DataError, match=r"none of 2 can be predicted; the first: .*gone\.png"):
        guesses("gone.png", "away.png", out=tmp_path / "x.csv")
    with pytest.raises(ArgumentError, match="no file matches"):
        guesses("nothing/*.png")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no pictures"):
        guesses(tmp_path / "empty")
    assert [one.name for one in tmp_path.iterdir()] == ["empty"]


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes are Linux's")
def test_names_of_every_kind(home, tmp_path, capsys):
    for name in (b"caf\xe9.png", b"two\nlines.png", b"<script>.png"):
        file = os.path.join(os.fsencode(tmp_path), name)
        with open(file, "wb") as new:
            new.write((home / "new" / "deep" / "000.png").read_bytes())
    shown = [os.path.basename(one["id"]) for one in guesses(tmp_path)]
    assert sorted(shown) == ["<script>.png", "caf\\xe9.png", "two\\nlines.png"]
    with pytest.raises(SystemExit):
        main(["predict", "last", str(tmp_path), "--out", str(tmp_path / "o.csv")])
    assert len(list(csv.reader((tmp_path / "o.csv").read_text().splitlines()))) == 4


def test_chunks_come_as_they_are_made(home):
    opened = prepared("last")
    sizes = [len(some) for some in stream(opened, ["new"] * 30)]
    assert sum(sizes) == 1500 and len(sizes) > 1
    given = iter([f"new/deep/{i % 50:03}.png" for i in range(100_000)])
    first = next(stream(opened, ["-"], listed=given))
    assert first[0]["id"] == "new/deep/000.png"
    assert sum(1 for _ in given) > 90_000, "a list is not read to its end before the first prediction"


def test_the_last_few_are_predicted_without_tracing_anew(monkeypatch):
    """Chunks of 8, and 2 that are left: the network is asked for 8 each time, and says the same."""
    from dlspec.runs import predict as predicting

    whole = guesses("new")
    monkeypatch.setattr(predicting, "chunk_size", lambda opened: 8)
    opened, seen = dlspec.open("last"), []
    once = opened.network.predict_on_batch
    monkeypatch.setattr(
        opened.network, "predict_on_batch", lambda batch: seen.append(len(batch["picture"])) or once(batch)
    )
    some = [one for chunk in stream(opened, ["new"]) for one in chunk]
    assert seen == [8] * 7 and [one["guess"] for one in some] == [one["guess"] for one in whole]
    assert [one["p_cat"] for one in some] == pytest.approx([one["p_cat"] for one in whole], rel=1e-4)


def test_json_lines_and_a_list_on_standard_input(home):
    names = [b"new/deep/001.png", b"gone.png", b"new/deep/000.png"]
    command = [sys.executable, "-c", "from dlspec.cli import main; main()", "predict", "last", "-", "--jsonl"]
    done = subprocess.run(
        command, input=b"\n".join(names) + b"\n", capture_output=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    )
    assert done.returncode == 2, done.stderr  # for gone.png; the others are done
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["file"].encode() for one in lines] == names and "there is no file" in lines[1]["error"]
    assert b"1 of 3 cannot be predicted" in b" ".join(done.stderr.split())


def test_standard_input_that_is_closed_lists_nothing(monkeypatch):
    from dlspec.cli.shared import lines

    monkeypatch.setattr(sys, "stdin", None)
    assert list(lines()) == []


def test_the_table_on_a_terminal(capsys):
    table = PredictedTable()
    table.show(
        [
            {"file": "a.png", "id": "a.png", "guess": "cat", "p_cat": 0.9},
            {"file": "b.png", "id": "b.png", "error": "gone"},
        ]
    )
    table.show([{"file": "longer/c.png", "id": "longer/c.png", "guess": "dog", "p_cat": 0.25}])
    said = capsys.readouterr().out.splitlines()
    assert said[0].split() == ["id", "guess", "p_cat"] and said[1].split() == ["a.png", "cat", "0.9000"]
    assert said[2] == "b.png: gone" and said[3].split() == ["longer/c.png", "dog", "0.2500"]


def test_texts_on_a_terminal_are_cut_to_what_is_left_of_it(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    table = PredictedTable()
    table.show([{"file": "a.txt", "id": "12", "guess": "bad", "p_bad": 0.75, "text": "a\nshort\t one \x1b[31m"}])
    said = capsys.readouterr().out.splitlines()
    assert said[0].split() == ["id", "text", "guess", "p_bad"]
    assert said[1] == r"12  a short one \x1b[31m  bad    0.7500"
    table = PredictedTable()
    table.show([{"file": "a.txt", "id": "12", "guess": "bad", "text": text} for text in ("x", "漢字" * 40, "ab " * 50)])
    said = capsys.readouterr().out.splitlines()
    assert [cell_len(one) for one in said[1:]] == [48] * 3 and cell_len(said[0]) == 50
    assert said[2].startswith("12  漢字漢字") and said[3].endswith(" ab…  bad") and "…" not in said[1]
