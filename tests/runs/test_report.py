"""What a run keeps for its report, and the report made of it: without keras, with any subset of splits."""

import base64
import io
import json
import subprocess
import sys
from types import SimpleNamespace
from typing import Literal

import numpy as np
import pytest
import written_run
from PIL import Image

from dlspec.inputs.picture import Picture
from dlspec.recipe.load import load
from dlspec.report.marks import TRUTH
from dlspec.report.watch import Watch
from dlspec.runs import contact, gallery, report
from dlspec.runs.judged import Part
from dlspec.runs.prepare import prepare
from dlspec.strategy import ceilings
from dlspec.types import Error, Examples, Rendering


@pytest.fixture
def made(tmp_path):
    """A recipe, prepared: recipe, splits, state."""

    def made(text):
        file = tmp_path / "r.yaml"
        file.write_text(text, encoding="utf-8")
        recipe = load(file).recipe
        prepared = prepare(recipe, Watch())
        return recipe, prepared.splits, prepared.state

    return made


def kept(folder, name):
    return json.loads((folder / name).read_text(encoding="utf-8"))


def test_the_data_card_counts_classes_in_every_split(made, tmp_path):
    recipe, splits, state = made("task: classification\ndata: iris\nmodel: linear\n")
    report.keep_data(tmp_path, recipe, splits, state, notes=["seen"], warnings=["mind"], parameters=15)
    data = kept(tmp_path, "data.json")
    assert {name: one["examples"] for name, one in data["splits"].items()} == {
        n: len(p) for n, p in splits.parts.items()
    }
    assert sum(one["classes"]["setosa"] for one in data["splits"].values()) == 50
    assert (data["notes"], data["warnings"], data["parameters"], data["model"]) == (["seen"], ["mind"], 15, "linear")
    assert data["files"] == {"first": None, "count": 0, "examples": 0, "bytes": 0} and data["augmented"] == []
    assert len(data["samples"]) == 5 and data["samples"][0]["kind_of_input"] == "table"
    assert data["samples"][0]["shows"].keys() == splits["train"][0].x.keys()


def test_the_data_card_of_numbers_has_their_range(made, tmp_path):
    recipe, splits, state = made("task: regression\ndata: diabetes\nmodel: linear\n")
    report.keep_data(tmp_path, recipe, splits, state)
    of = kept(tmp_path, "data.json")["splits"]["train"]["numbers"]
    y = np.array(splits["train"].column("y"), float)
    assert of == pytest.approx({"mean": y.mean(), "deviation": y.std(), "low": y.min(), "high": y.max()})


def test_files_are_counted_with_their_sizes(made, tmp_path):
    rows = "\n".join(f"{i % 7}.5,{'yes' if i % 3 else 'no'}" for i in range(60))
    (tmp_path / "t.csv").write_text(f"a,b\n{rows}\n", encoding="utf-8")
    recipe, splits, state = made("task: classification\ndata: {name: csv, path: t.csv, target: b}\nmodel: linear\n")
    report.keep_data(tmp_path, recipe, splits, state)
    files = kept(tmp_path, "data.json")["files"]
    assert files["count"] == 1 and files["bytes"] == (tmp_path / "t.csv").stat().st_size
    assert files["first"].endswith("t.csv")


def test_pictures_in_a_folder_are_counted_with_their_sizes(made, tmp_path):
    draws = np.random.default_rng(0)
    for i in range(30):
        file = tmp_path / "pics" / "ab"[i % 2] / f"{i}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draws.integers(0, 256, (32, 32), dtype=np.uint8)).save(file)
    (tmp_path / "pics" / "SOURCE.md").write_text("no picture")
    recipe, splits, state = made("task: classification\ndata: {name: image_folder, path: pics}\nmodel: lenet5\n")
    report.keep_data(tmp_path, recipe, splits, state)
    files = kept(tmp_path, "data.json")["files"]
    whole = sum(file.stat().st_size for file in (tmp_path / "pics").rglob("*.png"))
    assert (files["count"], files["examples"], files["bytes"]) == (1, 30, whole)


def test_samples_are_pictures_with_their_truth(made, tmp_path):
    recipe, splits, state = made("task: classification\ndata: digits\nmodel: lenet5\ninput: {size: [32, 32]}\n")
    report.keep_data(tmp_path, recipe, splits, state)
    items = kept(tmp_path, "data.json")["samples"]
    truths = dict(zip(splits["train"].ids, splits["train"].column("y"), strict=True))
    assert len(items) == 12 and {item["shows"]["width"] for item in items} == {8}
    assert [item["truth"] for item in items] == [str(truths[item["id"]]) for item in items]


class Turning(Picture):
    """A picture that augmentation turns by quarters."""

    name: Literal["turning"] = "turning"

    def augmented(self, batch, seeds, state):
        turned = np.stack([np.rot90(one, int(seed) % 4) for one, seed in zip(batch["picture"], seeds, strict=True)])
        return {**batch, "picture": turned}


def test_augmented_pictures_stand_beside_the_unchanged(made):
    recipe, splits, state = made("task: classification\ndata: digits\nmodel: lenet5\ninput: {size: [32, 32]}\n")
    turning = recipe.model_copy(update={"input": Turning(size=(32, 32))})
    rows = gallery.augmented(turning, splits["train"], state)
    assert [len(row) for row in rows] == [6] * 6
    assert len({one["png"] for one in rows[0]}) > 1 and rows[0][0]["width"] == 32
    assert gallery.augmented(recipe.model_copy(update={"input": Picture(size=(32, 32))}), splits["train"], state) == []


def blue(one):
    """Columns and rows of the pixels in the colour of a truth, in shares of the picture."""
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(one["png"]))).convert("RGB")).astype(int)
    rows, columns = np.nonzero(np.abs(picture - TRUTH).sum(axis=2) < 60)
    return columns / picture.shape[1], rows / picture.shape[0]


def test_truths_are_drawn_where_augmentation_has_moved_them(made):
    recipe, splits, state = made(
        "task: localization\ndata: {name: digit_scenes, targets: boxes, count: 60}\nmodel: lenet5\n"
        "input: {augment: {shift: 0.2}}\n"
    )
    rows = gallery.augmented(recipe, splits["train"], state)
    assert rows[0][0]["legend"] == "blue: truth"
    chosen = [splits["train"][i * len(splits["train"]) // 6] for i in range(6)]
    side = state["shapes"]["picture"]["shape"][0]
    moved = 0
    for row, example in zip(rows, chosen, strict=True):
        [box] = example.y
        x, y = blue(row[0])
        np.testing.assert_allclose([x.min(), y.min(), x.max(), y.max()], np.array(box[1:5]) / side, atol=0.03)
        moved += any(abs(blue(one)[0].mean() - x.mean()) > 0.03 for one in row[1:] if len(blue(one)[0]))
    assert moved >= 5


def test_a_mask_keeps_its_colours_in_every_version(made):
    recipe, splits, state = made(
        "task: segmentation\ndata: {name: digit_scenes, targets: masks, count: 40}\nmodel: unet\n"
        "input: {augment: {shift: 0.1}}\n"
    )
    rows = gallery.augmented(recipe, splits["train"], state)
    assert rows[0][0]["legend"] == "truth: a colour a class, the most frequent one left clear"
    for one in rows[0]:
        picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(one["png"]))).convert("RGB")).astype(int)
        coloured = np.ptp(picture, axis=2) > 30
        assert 0.01 < coloured.mean() < 0.4


def test_contact_sheets_by_cell_the_most_frequent_and_the_worst_first(made, tmp_path):
    recipe, splits, _ = made("task: classification\ndata: digits\nmodel: lenet5\ninput: {size: [32, 32]}\n")
    some = splits["dev"].take(range(8))
    examples = Examples(some.ids, some.column("x"), ["a", "b", "a", "a", "new", "b", "a", "b"])
    state = {"classes": ["a", "b", "c"], "positive": None, "threshold": None}
    sure = {"a": [1.0, 0, 0], "b": [0, 1.0, 0], "c": [0, 0.1, 0.9], "nan": [np.nan] * 3}
    scores = np.array(
        [sure["b"], sure["b"], [0.3, 0.7, 0], [0.2, 0.8, 0], sure["c"], sure["c"], sure["nan"], sure["b"]]
    )
    evaluator = recipe.evaluator
    statistics = evaluator.statistics(examples, scores, state)
    found = ceilings.find_errors(evaluator, examples, scores, state, statistics)
    outcomes = evaluator.outcomes(statistics, state)
    cells = [(truth, guess, rows.tolist()) for truth, guess, rows in contact.confused(outcomes, found)]
    assert cells == [("a", "b", [0, 3, 2]), ("unknown class", "c", [4]), ("a", "not a number", [6]), ("b", "c", [5])]
    part, among = Part(examples, scores, statistics), np.arange(8) != 3
    contact.keep(tmp_path, "dev", recipe.input, part, outcomes, found, among)
    held = kept(tmp_path, "contact/dev.json")
    first = held["cells"][0]
    assert (first["count"], [tile["id"] for tile in first["tiles"]]) == (3, [some.ids[0], some.ids[2]])
    assert first["tiles"][0]["shows"]["width"] == 8 and (held["more_cells"], held["more"]) == (0, 0)
    [matrix, *_] = evaluator.figures(statistics, state)
    for truth, guess, rows in cells:  # the names are those of the matrix, so that it can link to the sheets
        row, column = matrix.data["rows"].index(truth), matrix.data["columns"].index(guess)
        assert matrix.data["values"][row][column] == len(rows)
    contact.keep(tmp_path, "rows", SimpleNamespace(kind="table"), part, outcomes, found, among)
    contact.keep(tmp_path, "none", recipe.input, part, None, found, among)
    assert [one.name for one in (tmp_path / "contact").iterdir()] == ["dev.json"]


def test_the_worst_are_kept_in_their_order_as_what_they_are(made, tmp_path):
    recipe, splits, _ = made("task: classification\ndata: digits\nmodel: lenet5\ninput: {size: [32, 32]}\n")
    dev = splits["dev"]
    found = [
        [Error(one, "a → b", float(i % 250), "a (0.1)", "b (0.9)")] if i % 2 else [] for i, one in enumerate(dev.ids)
    ]
    gallery.keep_worst(tmp_path, "dev", recipe.input, dev, found)
    items = kept(tmp_path, "worst/dev.json")
    assert len(items) == len(dev) // 2 and [item["size"] for item in items] == sorted(
        (item["size"] for item in items), reverse=True
    )
    assert items[0]["id"] == dev.ids[249] and items[0]["truth"] == "a (0.1)" and items[0]["shows"]["width"] == 8


def test_no_more_than_two_hundred_pictures_and_fifty_rows_are_kept(made, tmp_path):
    recipe, splits, _ = made("task: classification\ndata: digits\nmodel: lenet5\ninput: {size: [32, 32]}\n")
    train = splits["train"]
    gallery.keep_worst(tmp_path, "train", recipe.input, train, [[Error(one, "k", 1.0, "", "")] for one in train.ids])
    assert len(kept(tmp_path, "worst/train.json")) == 200
    recipe, splits, _ = made("task: classification\ndata: iris\nmodel: linear\n")
    train = splits["train"]
    gallery.keep_worst(tmp_path, "rows", recipe.input, train, [[Error(one, "k", 1.0, "", "")] for one in train.ids])
    assert len(kept(tmp_path, "worst/rows.json")) == 50


@pytest.mark.parametrize(("kind", "content", "shows"), [("text", "a sentence", "a sentence"), ("sound", [0.1], None)])
def test_texts_are_kept_and_sounds_are_named_alone(kind, content, shows):
    entry = SimpleNamespace(kind=kind, show=lambda example: Rendering(kind, content))
    [item] = gallery.shown(entry, list(Examples(["e"], [0], tags={"city": ["Pisa"]})))
    assert (item["shows"], item["kind_of_input"], item["tags"]) == (shows, kind, {"city": "Pisa"})


def test_figures_are_kept_and_drawn_by_split(tmp_path):
    run = written_run.write(tmp_path)
    found = report.gathered(run)
    assert list(found["figures"]) == ["dev", "test"]
    assert [figure.title for figure in found["figures"]["dev"]] == [
        "Confusion matrix",
        "Calibration",
        "How sure the guesses are",
    ]
    page = report.write_report(run).read_text(encoding="utf-8")
    assert page.count("Confusion matrix</h4>") == 2


def test_a_report_is_made_again_as_more_is_known(tmp_path):
    run = written_run.write(tmp_path)
    for name in ("errors/dev.json", "worst/dev.json", "figures/test.json", "scores.json"):
        (run / name).rename(run / f"{name}.later")
    first = report.write_report(run).read_text(encoding="utf-8")
    assert "Errors on dev" not in first and "the same on test" not in first and "Learning curves" in first
    for file in run.rglob("*.later"):
        file.rename(file.with_suffix(""))
    again = report.write_report(run).read_text(encoding="utf-8")
    assert "Errors on dev" in again and "the same on test" in again
    assert [one.name for one in run.glob("report*")] == ["report.html"]


def test_a_run_that_has_just_begun_has_a_report(tmp_path):
    run = tmp_path / "r" / "20261122-233408"
    run.mkdir(parents=True)
    (run / "recipe.yaml").write_text("task: classification\n", encoding="utf-8")
    assert "task: classification" in report.write_report(run).read_text(encoding="utf-8")


def test_names_that_are_no_utf8_do_not_stop_it(tmp_path):
    run = tmp_path / "r" / "20261122-233408"
    run.mkdir(parents=True)
    (run / "figures").mkdir()
    title = json.dumps("caf\udce9")  # as Python reads the byte E9 in a file's name
    (run / "figures" / "dev.json").write_text(
        f'[{{"kind": "bars", "title": {title}, "data": {{"names": [], "values": [], "x_title": "", "y_title": ""}}}}]',
        encoding="utf-8",
    )
    assert "caf?" in report.write_report(run).read_text(encoding="utf-8")


def test_history_that_is_not_a_number_is_a_gap(tmp_path):
    run = written_run.write(tmp_path)
    history = report.gathered(run)["history"]
    assert len(history) == 10 and "dev_log_loss" not in history[2] and history[2]["epoch"] == 3


def test_ten_thousand_predictions_and_two_hundred_pictures_stay_below_five_megabytes(tmp_path):
    run = written_run.write(tmp_path, predictions=10_000, pictures=200, side=200)
    file = report.write_report(run)
    assert len(kept(run, "worst/dev.json")) == 200
    assert 1_000_000 < file.stat().st_size < 5_000_000


def test_making_it_loads_neither_keras_nor_the_data(tmp_path):
    run = written_run.write(tmp_path)
    code = (
        "import sys, pathlib; from dlspec.runs.report import write_report; write_report(pathlib.Path(sys.argv[1]));"
        "print(sorted({'keras', 'tensorflow', 'sklearn', 'pyarrow', 'pandas', 'PIL'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(run)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
