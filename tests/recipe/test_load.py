"""A recipe file, what it extends, what --set changes; complaints all at once, with their places."""

import textwrap

import pytest

from dlspec.recipe.load import dump, load
from dlspec.recipe.positions import parse
from dlspec.recipe.shipped import shipped_names
from dlspec.types import RecipeError

GOOD = """\
task: classification
data: {name: digits, split: {dev: 0.2}}
input: {size: [32, 32]}
model: {name: lenet5, activation: tanh}
train: {epochs: 3}
"""


@pytest.fixture
def write(tmp_path):
    def write(text, name="r.yaml"):
        file = tmp_path / name
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        return file

    return write


def complaints(file, *sets):
    with pytest.raises(RecipeError) as caught:
        load(file, sets)
    return caught.value.complaints


def test_a_good_recipe_parses_to_the_things_themselves(write):
    loaded = load(write(GOOD))
    recipe = loaded.recipe
    assert loaded.name == "r"
    assert type(recipe.model).__name__ == "LeNet5" and recipe.model.activation == "tanh"
    assert recipe.input.name == "picture" and recipe.input.size == (32, 32)
    assert recipe.train.epochs == 3 and recipe.train.optimizer.name == "adam"


def test_all_complaints_come_at_once_each_with_its_place(write):
    file = write(
        """\
        task: clasification
        data: {name: digits, splt: {dev: 0.2}}
        input: {size: [32, wide]}
        model: {name: lenet, activation: relu}
        train: {epochs: "3", batch_size: al, optimizer: {name: adm}}
        goal: {optimise: accuracy}
        """
    )
    found = [(c.where.line, c.where.column, c.where.key) for c in complaints(file)]
    assert found == [
        (1, 7, "task"),
        (2, 22, "data.splt"),
        (3, 20, "input.size.1"),
        (4, 15, "model.name"),
        (5, 17, "train.epochs"),
        (5, 34, "train.batch_size"),
        (5, 56, "train.optimizer.name"),
        (6, 8, "goal.optimise"),
    ]
    text = "\n".join(map(str, complaints(file)))
    for hint in ("'classification'", "'split'", "'lenet5'", "whole number or all", "'adam'", "'optimize'"):
        assert hint in text


def test_set_overrides_and_is_blamed_by_its_own_name(write):
    file = write(GOOD)
    assert load(file, ["train.epochs=7", "train.optimizer=sgd", "input.size=[40, 40]"]).recipe.train.epochs == 7
    assert load(file, ["model.activation=relu"]).recipe.model.activation == "relu"
    assert load(file, ["model=linear"]).recipe.model.name == "linear"
    assert (
        load(file, ["train.optimizer.momentum=0.9", "train.optimizer.name=sgd"]).recipe.train.optimizer.momentum == 0.9
    )
    assert load(file, ["train.optimizer.learning_rate=0.5"]).recipe.train.optimizer.model_dump()["name"] == "adam"
    [complaint] = complaints(file, "train.epochs=three")
    assert str(complaint).startswith("--set train.epochs=three: train.epochs: expected a whole number, got 'three'")
    [complaint] = complaints(file, "train.epoch=3")
    assert "did you mean 'epochs'" in complaint.message and complaint.where.file == "--set train.epoch=3"
    for wrong in ("train.epochs", "=3", ".=3", "train..epochs=3"):
        assert "key=value" in complaints(file, wrong)[0].message


def test_set_null_removes(write):
    file = write(GOOD + "goal: {optimize: f1}\n")
    assert load(file, ["goal.optimize="]).recipe.goal.optimize is None
    assert load(file, ["data.split=null"]).recipe.data.split.dev == 0.15


def test_extends_layers_a_patch(write):
    write(GOOD, "base.yaml")
    patch = write("extends: base.yaml\nmodel: {dropout: 0.5}\ntrain: {epochs: 9, seed: null}\n", "patch.yaml")
    recipe = load(patch).recipe
    assert recipe.model.dropout == 0.5 and recipe.model.activation == "tanh" and recipe.train.epochs == 9
    other = write("extends: base\nmodel: mlp\ninput: {size: [8, 8]}\n", "other.yaml")
    recipe = load(other).recipe
    assert recipe.model.name == "mlp" and not hasattr(recipe.model, "filters") and recipe.input.size == (8, 8)


def test_a_complaint_names_the_file_that_said_it(write):
    base = write(GOOD.replace("epochs: 3", "epochs: none"), "base.yaml")
    patch = write("extends: base.yaml\ntrain: {batch_size: -1}\n", "patch.yaml")
    found = {(c.where.key, c.where.file, c.where.line) for c in complaints(patch)}
    assert found == {("train.epochs", str(base), 5), ("train.batch_size", str(patch), 2)}


def test_extends_that_leads_nowhere_or_round(write):
    [complaint] = complaints(write("extends: nowhere.yaml\n"))
    assert complaint.where.line == 1 and "nowhere.yaml" in complaint.message
    write("extends: b.yaml\n", "a.yaml")
    assert "ring" in complaints(write("extends: a.yaml\n", "b.yaml"))[0].message


def test_missing_files_name_every_place(write, tmp_path, monkeypatch):
    monkeypatch.setenv("DLSPEC_DATA", str(tmp_path / "elsewhere"))
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n")
    [complaint] = complaints(
        write("task: classification\ndata: {name: csv, path: row.csv, target: b}\nmodel: linear\n")
    )
    assert complaint.where.line == 2 and complaint.where.key == "data.path"
    for place in (tmp_path / "row.csv", tmp_path / "elsewhere" / "row.csv"):
        assert str(place) in complaint.message
    assert "did you mean 'rows.csv'" in complaint.message


def test_paths_are_relative_to_the_recipe_then_to_the_data_folder(write, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "rows.csv").write_text("a,b\n1,2\n")
    monkeypatch.setenv("DLSPEC_DATA", str(elsewhere))
    file = write("task: classification\ndata: {name: csv, path: rows.csv, target: b}\nmodel: linear\n")
    assert load(file).recipe.data.path == str(elsewhere / "rows.csv")
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n")
    assert load(file).recipe.data.path == str(tmp_path / "rows.csv")


def test_what_does_not_fit_together_is_said(write):
    [complaint] = complaints(write("task: regression\ndata: iris\nmodel: lenet5\n"))
    assert complaint.where.line == 3 and "takes picture" in complaint.message and "table" in complaint.message
    [complaint] = complaints(write("task: regression\ndata: diabetes\nmodel: linear\ngoal: {optimize: accuracy}\n"))
    assert complaint.where.key == "goal.optimize" and "rmse" in complaint.message


def test_a_users_own_architecture(write):
    write(
        """\
        from typing import ClassVar

        from dlspec.models.base import Backbone, flat

        class MyNet(Backbone):
            accepts: ClassVar[tuple[str, ...]] = ("table",)
            width: int = 3

            def build(self, inputs, outputs):
                raise AssertionError("not when it is loaded")
        """,
        "my_net.py",
    )
    recipe = load(write("task: classification\ndata: iris\nmodel: {name: ./my_net.py, width: 5}\n")).recipe
    assert recipe.model.width == 5
    [complaint] = complaints(write("task: classification\ndata: iris\nmodel: {name: ./my_net.py, widht: 5}\n"))
    assert complaint.where.column == 28 and "'width'" in complaint.message
    write("import nothing_of_this_name\n", "broken.py")
    [complaint] = complaints(write("task: classification\ndata: iris\nmodel: ./broken.py\n"))
    assert "broken.py:1: ModuleNotFoundError" in complaint.message
    write("x = (\n", "unclosed.py")
    assert "SyntaxError" in complaints(write("task: classification\ndata: iris\nmodel: ./unclosed.py\n"))[0].message
    write("x = 1\n", "empty.py")
    assert "one class" in complaints(write("task: classification\ndata: iris\nmodel: ./empty.py\n"))[0].message
    [complaint] = complaints(write("task: classification\ndata: iris\nmodel: ./absent.py\n"))
    assert "absent.py" in complaint.message and complaint.where.line == 3


def test_the_filled_recipe_reads_back_the_same(write):
    recipe = load(write(GOOD)).recipe
    text = dump(recipe)
    assert load(write(text, "filled.yaml")).recipe == recipe
    assert parse(text, "f").value["train"]["optimizer"]["beta_1"] == 0.9


def test_recipes_that_are_no_recipes(write, tmp_path):
    assert "mapping" in complaints(write("- 1\n- 2\n"))[0].message
    assert {c.where.key for c in complaints(write(""))} >= {"task", "data", "model"}
    (tmp_path / "junk.yaml").write_bytes(b"\xff\xfe\x00\x01")
    assert "UTF-8" in complaints(tmp_path / "junk.yaml")[0].message
    assert "folder" in complaints(tmp_path)[0].message
    write(GOOD, "mine.yaml")
    assert "did you mean" in complaints(tmp_path / "mina.yaml")[0].message


def test_a_shipped_recipe_is_found_by_name():
    assert "classification/digits_lenet5" in shipped_names()
    assert load("classification/digits_lenet5").recipe == load("digits_lenet5").recipe


def test_a_base_recipe_in_another_folder_means_its_own_files(tmp_path):
    for folder, value in (("base", "1"), ("patch", "2")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "rows.csv").write_text(f"a,b\n{value},2\n")
    (tmp_path / "base" / "base.yaml").write_text(
        "task: regression\ndata: {name: csv, path: rows.csv, target: b}\nmodel: linear\n"
    )
    (tmp_path / "patch" / "patch.yaml").write_text("extends: ../base/base.yaml\ntrain: {epochs: 2}\n")
    assert load(tmp_path / "patch" / "patch.yaml").recipe.data.path == str(tmp_path / "base" / "rows.csv")


def test_what_set_names_is_looked_for_where_it_was_typed(write, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    for folder in (tmp_path, tmp_path / "here"):
        (folder / "rows.csv").write_text("a,b\n1,2\n")
    file = write("task: regression\ndata: {name: csv, path: rows.csv, target: b}\nmodel: linear\n")
    monkeypatch.chdir(tmp_path / "here")
    assert load(file).recipe.data.path == str(tmp_path / "rows.csv")
    assert load(file, ["data.path=./rows.csv"]).recipe.data.path == str(tmp_path / "here" / "rows.csv")


def test_one_file_and_a_file_a_split_replace_each_other(write, tmp_path):
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n")
    one = "task: regression\ndata: {name: csv, path: rows.csv, target: b}\nmodel: linear\n"
    many = one.replace("path: rows.csv", "path: {train: rows.csv, dev: rows.csv}")
    assert load(write(many), ["data.path=rows.csv"]).recipe.data.path == str(tmp_path / "rows.csv")
    assert load(write(one), ["data.path={train: rows.csv}"]).recipe.data.path.train == str(tmp_path / "rows.csv")


def test_a_name_that_is_the_same_keeps_the_settings(write):
    base = GOOD + "goal: {optimize: f1}\n"
    write(base.replace("epochs: 3", "epochs: 3, optimizer: {learning_rate: 0.5}"), "base.yaml")
    assert load(write("extends: base.yaml\ntrain: {optimizer: adam}\n")).recipe.train.optimizer.learning_rate == 0.5
    assert load(write("extends: base.yaml\ntrain: {optimizer: sgd}\n")).recipe.train.optimizer.learning_rate == 0.01
    assert load(write("extends: base.yaml\ninput: {name: picture}\n")).recipe.input.size == (32, 32)


def test_choices_within_an_architecture_are_layered_like_others(write):
    base = GOOD.replace("lenet5, activation: tanh", "lenet5, initializer: {name: random_normal, scale: 0.01}")
    write(base, "base.yaml")
    other = write("extends: base.yaml\nmodel: {initializer: {name: he_normal}}", "patch.yaml")
    assert load(other).recipe.model.initializer.model_dump() == {"name": "he_normal", "scale": 1.0}
    short = write("extends: base.yaml\nmodel: {initializer: orthogonal}", "short.yaml")
    assert load(short).recipe.model.initializer.model_dump() == {"name": "orthogonal", "scale": 1.0}
    one = load(write(base), ["model.initializer.scale=0.5"]).recipe.model.initializer
    assert one.model_dump() == {"name": "random_normal", "scale": 0.5}
    short_base = write(GOOD.replace("activation: tanh", "initializer: he_normal"), "he.yaml")
    one = load(short_base, ["model.initializer.scale=2"]).recipe.model.initializer
    assert one.model_dump() == {"name": "he_normal", "scale": 2.0}
    one = load(write(GOOD), ["model.initializer.scale=2"]).recipe.model.initializer
    assert one.model_dump() == {"name": "auto", "scale": 2.0}


def test_null_that_removes_nothing_is_no_way_to_hide_a_typo(write):
    write(GOOD, "base.yaml")
    assert load(write("extends: base.yaml\ntrain: {seed: null}\n")).recipe.train.seed == 0
    [complaint] = complaints(write("extends: base.yaml\ntrain: {epoch: null}\n"))
    assert "did you mean 'epochs'" in complaint.message and complaint.where.line == 2
    assert "not by --set" in complaints(write(GOOD), "extends=base.yaml")[0].message


@pytest.mark.parametrize(
    "text", ["08", "089", "1e5", "0o7", "+.5", "1e+3", "no", "null", "~", "1:30", "0x1F", "", " a", "é", "'"]
)
def test_text_that_looks_like_a_number_stays_text_in_the_run(text, write, tmp_path):
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n")
    recipe = load(write("task: regression\ndata: {name: csv, path: rows.csv, target: b}\nmodel: linear\n")).recipe
    recipe = recipe.model_copy(update={"data": recipe.data.model_copy(update={"missing": (text, "x")})})
    assert load(write(dump(recipe), "again.yaml")).recipe.data.missing == (text, "x")


def test_own_code_that_changes_is_loaded_anew_and_helpers_do_not_mix(write, tmp_path):
    code = """\
        from typing import ClassVar
        from sizes import WIDTH
        from dlspec.models.base import Backbone

        class MyNet(Backbone):
            accepts: ClassVar[tuple[str, ...]] = ("table",)
            width: int = WIDTH

            def build(self, inputs, outputs):
                raise AssertionError("not when it is loaded")
        """
    for name, width in (("k-1", 3), ("k_1", 4)):
        (tmp_path / name).mkdir()
        write(code, f"{name}/my_net.py")
        write(f"WIDTH = {width}\n", f"{name}/sizes.py")
        write("task: classification\ndata: iris\nmodel: ./my_net.py\n", f"{name}/r.yaml")
        assert load(tmp_path / name / "r.yaml").recipe.model.width == width
    write(code.replace("= WIDTH", "= 2 * WIDTH"), "k_1/my_net.py")
    assert load(tmp_path / "k_1" / "r.yaml").recipe.model.width == 8


def test_own_code_that_lacks_what_its_room_asks(write):
    write("from dlspec.models.base import Backbone\nclass Net(Backbone):\n    pass\n", "net.py")
    [complaint] = complaints(write("task: classification\ndata: iris\nmodel: ./net.py\n"))
    assert "must say `accepts`" in complaint.message
    write(
        "from typing import ClassVar\nfrom dlspec.models.base import Backbone\n"
        "class Net(Backbone):\n    accepts: ClassVar[tuple[str, ...]] = ('table',)\n",
        "net.py",
    )
    [complaint] = complaints(write("task: classification\ndata: iris\nmodel: ./net.py\n"))
    assert "class Net lacks build() (see dlspec.models.base.Model)" in complaint.message
    write(
        "from typing import ClassVar\nfrom dlspec.data.base import Reader\n"
        "class Mine(Reader):\n    kind: ClassVar[str] = 'table'\n",
        "mine.py",
    )
    [complaint] = complaints(write("task: classification\ndata: ./mine.py\nmodel: linear\n"))
    assert "class Mine lacks load() (see dlspec.data.base.Reader)" in complaint.message
    write("import sys\nsys.exit(3)\n", "leaves.py")
    assert (
        "leaves.py:2: SystemExit"
        in complaints(write("task: classification\ndata: iris\nmodel: ./leaves.py\n"))[0].message
    )


def test_null_removes_beside_other_values_that_are_set(tmp_path):
    (tmp_path / "r.yaml").write_text(
        "task: classification\ndata: digits\nmodel: linear\ntrain: {clip: {norm: 1}, early_stopping: {patience: 3}}\n"
    )
    sets = ["train.epochs=3", "train.clip.norm=null", "train.clip.value=2", "train.early_stopping=null"]
    for order in (sets, sets[::-1]):
        train = load(tmp_path / "r.yaml", order).recipe.train
        assert train.epochs == 3 and train.early_stopping is None
        assert train.clip.value == 2 and train.clip.norm is None
    assert load(tmp_path / "r.yaml", ["goal.optimize=f1", "train.clip=null"]).recipe.train.clip is None
