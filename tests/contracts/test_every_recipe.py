"""What holds for every shipped recipe: a header that says what it costs, and an epoch on a few examples."""

import re

import pytest
from real_data import lacking

from dlspec.data.base import Reader
from dlspec.recipe.load import header_of, load
from dlspec.recipe.shipped import shipped, shipped_names
from dlspec.runs.opened import open_run
from dlspec.runs.train import train
from dlspec.types import RecipeError

FEW = 32
FEW_TRANSLATED = 8
"""beams over sentences of a network that knows nothing go on to the longest"""
MADE = 1000
"""examples of a reader that makes them"""


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
    sets = ["train.epochs=1"]
    try:
        loaded = load(name, sets)
    except RecipeError as error:
        assert "there is no" in str(error), error
        pytest.skip(f"{lacking('what this recipe is for')}: {error}")
    if loaded.recipe.train.schedule.warmup:  # for which an epoch of so few has too few steps
        sets.append("train.schedule.warmup=null")
    if getattr(loaded.recipe.data, "count", 0) > MADE:
        sets.append(f"data.count={MADE}")
    loaded = load(name, sets)
    most = FEW_TRANSLATED if loaded.recipe.task.name == "translation" else FEW
    read = Reader.read

    def few(self, manifest=None):
        splits = read(self, manifest)
        parts = {}
        for split, part in splits.parts.items():
            step = max(1, len(part) // most)
            parts[split] = part.take(range(0, len(part), step)[:most])
        return splits.with_parts(parts)

    monkeypatch.setattr(Reader, "read", few)
    trained = train(loaded, out=tmp_path)
    assert trained.epochs == 1 and trained.scores["dev"]
    examples = open_run(trained.run).splits()["dev"]
    assert len(open_run(trained.run).objects(examples)) == len(examples)
