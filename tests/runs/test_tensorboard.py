"""Event files: what TensorBoard's own reader finds in them."""

import base64
import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from dlspec.recipe.load import load
from dlspec.runs import folder as folders
from dlspec.runs.board_sheet import RECIPE, SCORES, conclude, describe, flat, grid, sheet
from dlspec.runs.resume import resume
from dlspec.runs.tensorboard import Board
from dlspec.runs.train import train


def read(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder))
    found.Reload()
    return found


def points(folder, tag):
    return [(one.step, round(one.value, 6)) for one in read(folder).Scalars(tag)]


def png(width, height, level):
    held = io.BytesIO()
    Image.fromarray(np.full((height, width), level, np.uint8)).save(held, "PNG")
    return {"png": base64.b64encode(held.getvalue()).decode(), "width": width, "height": height}


def texts(folder, tag):
    return [value.decode() for one in read(folder).Tensors(tag) for value in one.tensor_proto.string_val]


def test_what_is_trained_again_after_a_kill_is_there_once(tmp_path):
    before = Board(tmp_path)
    for epoch in range(1, 6):
        before.scalars("dev", {"accuracy": epoch / 10}, epoch)
        before.scalars("steps", {"learning_rate": 1 / epoch}, 10 * epoch)
    before.close()
    after = Board(tmp_path)
    after.go_on(3, 32)
    for epoch in (4, 5, 6):
        after.scalars("dev", {"accuracy": epoch}, epoch)
    after.scalars("steps", {"learning_rate": 7.0}, 35)
    after.close()
    assert points(tmp_path / "dev", "accuracy") == [(1, 0.1), (2, 0.2), (3, 0.3), (4, 4.0), (5, 5.0), (6, 6.0)]
    assert points(tmp_path / "steps", "learning_rate") == [(10, 1.0), (20, 0.5), (30, 0.333333), (35, 7.0)]


def test_a_training_that_begins_anew_leaves_nothing_of_the_first(tmp_path):
    for start in (0.0, 10.0):
        board = Board(tmp_path)
        for epoch in (1, 2):
            board.scalars("train", {"loss": start + epoch}, epoch)
        board.close()
    assert points(tmp_path / "train", "loss") == [(1, 11.0), (2, 12.0)]


def test_the_learning_rate_is_read_at_the_step_be_it_a_number_or_a_schedule(tmp_path, monkeypatch):
    import keras

    from dlspec.runs import tensorboard

    monkeypatch.setattr(tensorboard, "RATE_SECONDS", 0.0)
    schedule = keras.optimizers.schedules.InverseTimeDecay(0.5, 1, 1.0)
    scheduled = keras.optimizers.SGD(schedule)
    scheduled.build([])
    plain = keras.optimizers.SGD(0.25)
    board = Board(tmp_path)
    for step in range(3):
        scheduled.iterations.assign(step)
        board.learning_rate(scheduled, step + 1)
    board.learning_rate(SimpleNamespace(inner_optimizer=plain), 4)
    board.close()
    expected = [(1, 0.5), (2, 0.25), (3, 0.166667), (4, 0.25)]
    assert points(tmp_path / "steps", "learning_rate") == expected


def test_a_disk_that_is_full_ends_the_curves_not_the_training(tmp_path):
    (tmp_path / "board").write_text("a file where the folder should be")
    board = Board(tmp_path / "board")
    board.scalars("train", {"loss": 1.0}, 1)
    board.scalars("train", {"loss": 1.0}, 2)
    board.close()
    assert board.failed and not board.writers


def test_a_grid_holds_every_picture_at_its_place():
    found, width, height = grid([[png(2, 3, 10), png(2, 3, 200)], [png(2, 3, 90)]])
    pixels = np.asarray(Image.open(io.BytesIO(found)).convert("L"))
    assert pixels.shape == (height, width) == (2 * 96 + 4, 2 * 64 + 4)
    assert (pixels[:96, :64] == 10).all() and (pixels[:96, 68:] == 200).all()
    assert (pixels[100:, :64] == 90).all() and (pixels[100:, 68:] == 255).all()


def test_a_sheet_is_a_table_whose_cells_cannot_break_it():
    found = sheet(
        [
            {"id": "a|b", "shows": {"x": 1.23456789, "name": "<b>*\n"}, "truth": "yes"},
            {"id": "2", "shows": {"x": None, "name": "n"}, "truth": None},
        ]
    ).splitlines()
    assert found[:2] == ["| id | x | name | truth |", "| --- | --- | --- | --- |"]
    assert found[2] == "| a\\|b | 1.23457 | \\<b\\>\\* | yes |"
    assert found[3] == "| 2 |  | n |  |"
    assert sheet([{"id": "1", "shows": "a sentence", "truth": "x"}]).splitlines()[2] == "| 1 | a sentence | x |"


def test_settings_are_flat_numbers_stay_numbers():
    given = {"train": {"epochs": 3, "l2": 0.5, "keep": "best", "tensorboard": True, "stop": None}, "hidden": [8, 4]}
    assert flat(given) == {
        "train.epochs": 3, "train.l2": 0.5, "train.keep": "best", "train.tensorboard": True, "hidden": "[8, 4]",
    }  # fmt: skip


def hyperparameters(folder):
    from tensorboard.plugins.hparams import metadata

    found = read(folder).SummaryMetadata(metadata.SESSION_START_INFO_TAG)
    info = metadata.parse_session_start_info_plugin_data(found.plugin_data.content)
    return info.group_name, dict(info.hparams.items())


@pytest.fixture
def table(tmp_path):
    draws = np.random.default_rng(0)
    rows = draws.normal(size=(80, 2))
    lines = [f"{a:.3f},{b:.3f},{'yes' if a > 0 else 'no'}" for a, b in rows]
    (tmp_path / "rows.csv").write_text("a,b,y\n" + "\n".join(lines) + "\n")
    (tmp_path / "r.yaml").write_text(
        "task: classification\ndata: {name: csv, path: rows.csv, target: y}\nmodel: linear\n"
        "train: {epochs: 2, optimizer: {name: sgd, learning_rate: 0.125}}\n"
    )
    return tmp_path


def test_a_run_on_the_board_and_once_more_when_it_goes_on(table):
    run = train(load(table / "r.yaml"), out=table / "runs").run
    home = run / "tensorboard"
    assert [step for step, _ in points(home / "train", "loss")] == [1, 2]
    assert points(home / "steps", "learning_rate")[0][1] == 0.125
    name, values = hyperparameters(home / SCORES)
    assert name == f"r/{run.name}"
    assert values["train.optimizer.learning_rate"].number_value == 0.125
    assert values["model.name"].string_value == "linear"
    scores = folders.read_json(run / "scores.json")["scores"]["dev"]
    assert points(home / SCORES, "dev_accuracy") == [(0, round(scores["accuracy"]["value"], 6))]
    (recipe,) = texts(home / RECIPE, "recipe")
    assert "    train:" in recipe and "learning_rate: 0.125" in recipe
    (samples,) = texts(home / RECIPE, "samples")
    assert samples.startswith("| id | a | b | truth |")

    resume(run, sets=["train.epochs=4", "train.optimizer.learning_rate=0.5"])
    assert [step for step, _ in points(home / "train", "loss")] == [1, 2, 3, 4]
    assert points(home / "steps", "learning_rate")[-1][1] == 0.5
    assert hyperparameters(home / SCORES)[1]["train.optimizer.learning_rate"].number_value == 0.5
    assert len(texts(home / RECIPE, "samples")) == 1


def test_pictures_are_shown_as_the_network_sees_them(tmp_path):
    rows = [[png(2, 2, 10), png(2, 2, 20)]]
    run = tmp_path / "r" / "20261124-000000"
    run.mkdir(parents=True)
    (run / "recipe.yaml").write_text("task: x\n")
    sample = {"id": "0", "kind_of_input": "picture", "shows": png(2, 2, 5), "truth": "a"}
    for augmented, tag in (([], "samples"), (rows, "samples, unchanged and augmented")):
        folders.write_json(run / "data.json", {"samples": [sample], "augmented": augmented})
        describe(run)
        found = read(run / "tensorboard" / RECIPE)
        assert found.Tags()["images"] == [tag]
        (image,) = found.Images(tag)
        shown = Image.open(io.BytesIO(image.encoded_image_string))
        assert shown.size == (image.width, image.height) == (96 if not augmented else 196, 96)


def test_scores_that_are_not_known_are_left_out(tmp_path):
    run = tmp_path / "r" / "20261124-000000"
    run.mkdir(parents=True)
    recipe = SimpleNamespace(model_dump=lambda mode: {"train": {"epochs": 1}})
    conclude(run, recipe, {"dev": {"r2": {"value": None}, "rmse": {"value": 2.0}}})
    assert read(run / "tensorboard" / SCORES).Tags()["scalars"] == ["dev_rmse"]
