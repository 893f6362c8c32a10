"""Predictions as pages and pictures: where guesses come from, masks as PNG, places drawn."""

import csv
import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from dlspec.cli import main
from dlspec.data.mask_folder import MaskFolder
from dlspec.numeric.masks import from_text, read_values
from dlspec.recipe.load import load
from dlspec.report.marks import GUESS
from dlspec.runs import explained
from dlspec.runs.predict import predict
from dlspec.runs.train import train
from dlspec.types import ArgumentError

HARM = "<b>harm&.png"
SETS = ["train.epochs=1", "train.tensorboard=false", "train.health=false", "data.count=40", "data.noise=0"]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home, draws = tmp_path_factory.mktemp("explained"), np.random.default_rng(3)
    for name in ("cat", "dog"):
        (home / "pictures" / name).mkdir(parents=True)
        for i in range(12):
            noise = draws.integers(0, 256, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(noise).save(home / "pictures" / name / f"{i:02}.png")
    (home / "new" / "again").mkdir(parents=True)
    for i in range(4):
        noise = draws.integers(0, 256, (35, 50, 3), dtype=np.uint8)
        Image.fromarray(noise).save(home / "new" / f"{i}.png")
    shutil.copy(home / "new" / "0.png", home / "new" / HARM)
    shutil.copy(home / "new" / "1.png", home / "new" / "again" / "1.png")
    (home / "pets.yaml").write_text(
        "task: classification\ndata: {name: image_folder, path: pictures}\ninput: {size: [32, 32]}\nmodel: lenet5\n"
        "train: {epochs: 1, tensorboard: false, health: false}\n"
    )
    for name, more in (("pets", []), ("linear", ["model={name: linear}"])):
        train(load(home / "pets.yaml", more), out=home / name)
    for task, model in (("segmentation", "unet"), ("localization", "convnet"), ("landmarks", "convnet")):
        train(load(f"{task}/digit_scenes_{model}", SETS), out=home / task)
    return home


@pytest.fixture(autouse=True)
def there(home, monkeypatch):
    monkeypatch.chdir(home)


def run(*words):
    with pytest.raises(SystemExit) as ended:
        main(["predict", *words])
    return ended.value.code


def shown(page):
    """The text of a page, and its captions."""
    text = page.read_text(encoding="utf-8")
    return text, re.findall(r"<figcaption>(.*?)</figcaption>", text)


def test_the_page_of_a_run_and_what_json_adds(home, capsys, monkeypatch):
    monkeypatch.setattr(explained, "MOST", 5)
    assert run("last", "new", "--runs", "pets", "--json") == 0
    plain = json.loads(capsys.readouterr().out)
    assert run("last", "new", "--runs", "pets", "--json", "--explain") == 0
    found = json.loads(capsys.readouterr().out)
    page = home / found.pop("explained")
    assert found == plain and page.parent.parent.parent == home / found["run"] and page.name == "index.html"
    text, captions = shown(page)
    guesses = {one["id"]: one["guess"] for one in found["predictions"]}
    assert "the first 5 of 6 pictures" in text and len(guesses) == 6
    for id, guess in list(guesses.items())[:5]:
        assert f"<h3>{id.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')}: {guess}</h3>" in text
    assert "<b>harm" not in text and "Layer C1, 6 filters of 5×5, in colour" in text
    first = next(iter(guesses.values()))
    assert captions[:7] == [
        "the picture", "as the network sees it", f"Grad-CAM: {first}", f"hidden: {first}",
        "C1: 6 maps of 28×28", "C3: 16 maps of 10×10", "S4: 16 maps of 5×5",
    ]  # fmt: skip
    assert len(text) < 10_000_000 and "<script" not in text


def test_a_second_page_stands_beside_the_first_and_the_terminal_says_where(home, capsys):
    before = set((home / "pets").glob("*/*/explained/*"))
    assert run("last", "new/0.png", "--runs", "pets", "--explain") == 0
    [made] = set((home / "pets").glob("*/*/explained/*")) - before
    said = capsys.readouterr()
    assert f"explained: {made / 'index.html'}" in said.out
    assert run("last", "new/0.png", "--runs", "pets", "--explain", "--jsonl") == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["id"] == "new/0.png" and "explained: " in said.err


def test_a_network_without_convolutions_has_templates_and_occlusion(home):
    page = home / predict("last", ["new/0.png"], explain=True, root="linear")["explained"]
    text, captions = shown(page)
    assert "no layer with a map of places" in text and "1 templates as large as the picture, in colour" in text
    assert [one.split(":")[0] for one in captions] == ["the picture", "as the network sees it", "hidden"]


def test_a_table_has_nothing_to_explain(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "iris.yaml").write_text(
        "task: classification\ndata: iris\nmodel: linear\ntrain: {epochs: 1, tensorboard: false}\n"
    )
    made = train(load(tmp_path / "iris.yaml"), out=tmp_path / "runs")
    (tmp_path / "rows.csv").write_text("a\n1\n")
    assert run("last", "rows.csv", "--explain") == 2
    said = capsys.readouterr().err
    assert "takes a table" in said and "dlspec error-analysis" in said and not (made.run / "explained").exists()


def test_masks_are_written_as_indices_that_a_recipe_reads_again(home, capsys):
    out = home / "masks-out"
    (home / "scenes" / "a").mkdir(parents=True)
    (home / "scenes" / "b").mkdir()
    recipe = load("segmentation/digit_scenes_unet", SETS).recipe
    dev = recipe.data.read()["dev"]
    for folder, row in (("a", 0), ("a", 1), ("b", 0)):
        Image.fromarray(np.asarray(dev[row].x).squeeze()).save(home / "scenes" / folder / f"{row}.png")
    assert run("last", "scenes", "--runs", "segmentation", "--out", str(out), "--explain") == 0
    said = capsys.readouterr().out
    assert f"3 predictions: {out}" in said and "(the index of each pixel's class: 0 ground, 1 digit)" in said
    rows = list(csv.DictReader((out / "predictions.csv").read_text().splitlines()))
    assert [one["mask"] for one in rows] == ["masks/0.png", "masks/1.png", "masks/0-2.png"]
    for one in rows:
        np.testing.assert_array_equal(read_values(str(out / one["mask"])), from_text(one["guess"]))
        assert np.asarray(Image.open(out / one["drawn"])).shape == (192, 192, 3)
    classes = json.loads((out / "masks" / "classes.json").read_text())
    text, captions = shown(out / "index.html")
    assert captions[0].startswith("the picture; guess: a colour a class") and "layer bottom" in text
    (out / "images").mkdir()
    for row in (0, 1):
        shutil.copy(home / "scenes" / "a" / f"{row}.png", out / "images" / f"{row}.png")
    (out / "masks" / "0-2.png").unlink()
    (out / "masks" / "classes.json").unlink()
    again = MaskFolder(path=str(out), pictures="images", masks="masks", classes=classes).load().parts["all"]
    for one, row in zip(again, rows, strict=False):
        np.testing.assert_array_equal(one.y.read(), from_text(row["guess"]))
    assert len(again) == 2


@pytest.mark.parametrize("task", ["localization", "landmarks"])
def test_places_are_drawn_and_what_moves_them_is_shown(home, task):
    recipe = load(f"{task}/digit_scenes_convnet", SETS).recipe
    dev = recipe.data.read()["dev"]
    picture = home / f"{task}.png"
    Image.fromarray(np.asarray(dev[0].x).squeeze()).save(picture)
    result = predict("last", [picture.name], out=home / f"{task}-out", explain=True, root=task)
    [row] = csv.DictReader((home / f"{task}-out" / "predictions.csv").read_text().splitlines())
    drawn = np.asarray(Image.open(home / f"{task}-out" / row["drawn"]).convert("RGB"))
    orange = (drawn == GUESS).all(axis=2).any()
    assert orange == (row["guess"] != "nothing") and "masks" not in result
    text, captions = shown(home / f"{task}-out" / "index.html")
    assert captions[0] == "the picture; orange: guess"
    if task == "landmarks":
        assert captions[2] == "hidden: where the points are" and "Places have no Grad-CAM" in text
    else:
        assert captions[2].startswith("Grad-CAM: ") and captions[4] == "hidden: where the box is"


def test_a_folder_that_holds_something_is_left_alone(home):
    (home / "full").mkdir()
    (home / "full" / "notes").write_text("mine")
    with pytest.raises(ArgumentError, match="exists already"):
        predict("last", ["new/0.png"], out=home / "full", root="pets")
    with pytest.raises(ArgumentError, match="or a folder"):
        predict("last", ["new/0.png"], out=home / "table.txt", root="pets")
    predict("last", ["new/0.png"], out=home / "only-table", root="pets")
    assert [one.name for one in (home / "only-table").iterdir()] == ["predictions.csv"]
