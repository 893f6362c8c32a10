"""What the values of a search name as files is found from anywhere, and own code goes with the study."""

import shutil

import pytest

from dlspec.recipe.load import load
from dlspec.runs.train import train
from dlspec.tuning.search import tune
from dlspec.types import ArgumentError, RecipeError

NET = """
from {helper} import UNITS
from dlspec.models.tabular.mlp import MLP


class {name}(MLP):
    name: str
    hidden: tuple[int, ...] = (UNITS,)
"""
RECIPE = """
task: classification
data: {name: csv, path: data/a.csv, target: c, split: {dev: 0.2, test: 0.2}}
model: linear
train: {seed: 1, epochs: 1, batch_size: 32, tensorboard: false, health: false}
tune:
  trials: 4
  sampler: grid
  space:
    model: {choice: [{name: ./one/net.py}, {name: ./two/other.py, activation: {choice: [relu]}}]}
    data.path: {choice: [data/a.csv, data/b.csv]}
"""


def written(home):
    for folder, file, name, helper, units in (("one", "net", "Net", "left", 3), ("two", "other", "Other", "right", 5)):
        (home / folder).mkdir(parents=True)
        (home / folder / f"{file}.py").write_text(NET.format(helper=helper, name=name))
        (home / folder / f"{helper}.py").write_text(f"UNITS = {units}\n")
    (home / "data").mkdir()
    for name in "ab":
        rows = [f"{row / 40},{row % 3},{'pq'[row % 40 > 20]}" for row in range(120 if name == "a" else 80)]
        (home / "data" / f"{name}.csv").write_text("\n".join(["x,y,c", *rows]) + "\n")
    (home / "own.yaml").write_text(RECIPE)
    return home


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    home, elsewhere = written(tmp_path_factory.mktemp("own")), tmp_path_factory.mktemp("elsewhere")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(elsewhere)
        return home, tune(load(home / "own.yaml"), out="runs", trials=3)


def test_code_and_data_are_found_from_any_folder_and_shown_by_their_names(found):
    _, result = found
    assert [one["state"] for one in result["trials"]] == ["complete"] * 3, [one["cause"] for one in result["trials"]]
    assert {one["params"]["model"] for one in result["trials"]} == {"net.py", "other.py"}
    assert {one["params"]["data.path"] for one in result["trials"]} == {"a.csv", "b.csv"}


def test_the_study_has_its_own_copy_with_which_it_goes_on(found, tmp_path, monkeypatch):
    home, result = found
    study = tmp_path / "moved"
    shutil.copytree(result["study"], study)
    shutil.copytree(home, tmp_path / "kept")
    for folder in ("one", "two"):
        shutil.rmtree(home / folder)
    monkeypatch.chdir(tmp_path)
    try:
        longer = tune(None, resume=study, trials=4)
        assert [one["state"] for one in longer["trials"]] == ["complete"] * 4, [o["cause"] for o in longer["trials"]]
        units = {"net.py": [3], "other.py": [5]}
        for one in longer["trials"]:
            recipe = load(f"{one['run']}/recipe.yaml").recipe
            assert list(recipe.model.hidden) == units[one["params"]["model"]]
            assert str(tmp_path / "moved") in recipe.model.name
        again = train(load(longer["best"]["recipe"]), out=tmp_path / "again")
        assert again.goal["value"] == longer["best"]["value"]
    finally:
        for folder in ("one", "two"):
            shutil.copytree(tmp_path / "kept" / folder, home / folder)


def test_code_that_has_changed_is_another_search(found):
    home, result = found
    out = result["study"].rpartition("/own-tune/")[0]
    assert tune(load(home / "own.yaml"), resume="last", out=out)["best"] == result["best"]
    with open(home / "two" / "other.py", "a") as text:
        text.write("\nMORE = 1\n")
    with pytest.raises(ArgumentError, match=r"searches something else \(tune\.space\.model.*other\.py [0-9a-f]{16}"):
        tune(load(home / "own.yaml"), resume="last", out=out)


def test_a_training_keeps_what_its_search_would_choose_from(found, tmp_path):
    home, _ = found
    run = train(load(home / "own.yaml"), out=tmp_path).run
    for folder in ("one", "two"):
        (home / folder).rename(home / f"{folder}-gone")
    try:
        space = load(run / "recipe.yaml").recipe.tune.space
        assert [one["name"].startswith(str(run)) for one in space["model"]["choice"]] == [True, True]
        assert space["data.path"]["choice"] == [str(home / "data" / f"{name}.csv") for name in "ab"]
    finally:
        for folder in ("one", "two"):
            (home / f"{folder}-gone").rename(home / folder)


def test_a_file_that_is_not_there_is_named_at_its_place(tmp_path):
    home = written(tmp_path / "own")
    (home / "own.yaml").write_text(RECIPE.replace("./two/other.py", "./two/othr.py"))
    with pytest.raises(RecipeError, match=r"own.yaml:10:\d+: tune.space.model: model.name: .*did you mean 'other.py'"):
        load(home / "own.yaml")
