"""What holds for every shipped recipe: a header that says what it costs, and an epoch on a few examples."""

import re

import pytest

from dlspec.data.base import Reader
from dlspec.recipe.load import header_of, load
from dlspec.recipe.shipped import shipped, shipped_names
from dlspec.runs.opened import open_run
from dlspec.runs.train import train
from dlspec.types import RecipeError

FEW = 32


def test_there_are_recipes_for_every_task_and_architecture():
    from dlspec.recipe.component import names

    loaded = [load(name, paths_may_be_missing=True).recipe for name in shipped_names()]
    assert {recipe.task.name for recipe in loaded} == set(names("tasks"))
    assert {recipe.model.name for recipe in loaded} == set(names("models"))


@pytest.mark.parametrize("name", shipped_names())
def test_the_header_says_command_minutes_and_score(name):
    header = "\n".join(header_of(shipped() / f"{name}.yaml"))
    assert f"Command: dlspec train {name}" in header
    assert re.search(r"^Minutes on 2 cores: [\d.]+", header, re.MULTILINE)
    assert re.search(r"^Expected: .*(train|dev|test) \w+ [≥≤] [\d.]+", header, re.MULTILINE)


@pytest.mark.parametrize("name", shipped_names())
def test_it_trains_for_an_epoch_on_a_few_examples(name, tmp_path, monkeypatch):
    try:
        loaded = load(name, ["train.epochs=1"])
    except RecipeError as error:
        assert "there is no" in str(error), error
        pytest.skip(f"its data is not here: {error}")
    if loaded.recipe.train.schedule.warmup:  # for which an epoch of so few has too few steps
        loaded = load(name, ["train.epochs=1", "train.schedule.warmup=null"])
    read = Reader.read

    def few(self, manifest=None):
        splits = read(self, manifest)
        parts = {}
        for split, part in splits.parts.items():
            step = max(1, len(part) // FEW)
            parts[split] = part.take(range(0, len(part), step)[:FEW])
        return splits.with_parts(parts)

    monkeypatch.setattr(Reader, "read", few)
    trained = train(loaded, out=tmp_path)
    assert trained.epochs == 1 and trained.scores["dev"]
    examples = open_run(trained.run).splits()["dev"]
    assert len(open_run(trained.run).objects(examples)) == len(examples)
