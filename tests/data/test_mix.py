"""Several sources as one: who goes where, what weighs how much, and what cannot stand together."""

import json

import numpy as np
import pytest

from dlspec.recipe.load import load
from dlspec.runs.evaluate import evaluate
from dlspec.runs.train import train
from dlspec.types import DataError, RecipeError

RECIPE = """
task: classification
data:
  name: mix
  train_dev: 10
  sources:
    web: {data: {name: csv, path: web.csv, target: y, split: {dev: 0, test: 0}}}
    phone: {data: {name: csv, path: phone.csv, target: y, split: {dev: 20, test: 20}}, weight: 3}
model: linear
train: {epochs: 2}
"""


@pytest.fixture
def home(tmp_path):
    draws = np.random.default_rng(0)
    for name, count in (("web", 60), ("phone", 50)):
        rows = draws.normal(size=(count, 2)).round(3)
        lines = [f"{a},{b},{'no' if a + b > 0 else 'yes'}" for a, b in rows]
        (tmp_path / f"{name}.csv").write_text("a,b,y\n" + "\n".join(lines) + "\n")
    (tmp_path / "r.yaml").write_text(RECIPE)
    return tmp_path


def test_each_split_draws_on_what_the_sources_give_it(home):
    splits = load(home / "r.yaml").recipe.data.read()
    assert {name: len(part) for name, part in splits.parts.items()} == {
        "train": 60, "train_dev": 10, "dev": 20, "test": 20,
    }  # fmt: skip
    assert {one.source for one in splits["dev"]} == {"phone"} == set(splits["test"].tag("source"))
    assert {one.source: one.weight for one in splits["train"]} == {"web": 1.0, "phone": 3.0}
    assert all(one.id.startswith(one.source + "/") for part in splits.parts.values() for one in part)
    assert "dev draws on phone (20)" in "".join(splits.notes) and "train draws on web (60), phone (10)" in "".join(
        splits.notes
    )


def test_a_run_is_divided_as_it_was(home):
    run = train(load(home / "r.yaml"), out=home / "runs").run
    kept = json.loads((run / "data.json").read_text())["splits"]
    assert kept["train_dev"]["examples"] == 10
    scores = evaluate(run)["scores"]
    assert {split: one["accuracy"]["n"] for split, one in scores.items()} == {"train": 60, "train_dev": 10, "dev": 20}


def test_tables_must_have_the_same_columns(home):
    (home / "phone.csv").write_text("a,c,y\n" + "1,2,no\n2,1,yes\n" * 25)
    with pytest.raises(DataError, match="the column 'b' is in one table and not in another"):
        load(home / "r.yaml").recipe.data.read()
    (home / "phone.csv").write_text("a,b,y\n" + "1,x,no\n2,z,yes\n" * 25)
    with pytest.raises(DataError, match="the column 'b' holds numbers in one table and words in another"):
        load(home / "r.yaml").recipe.data.read()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("data.split.dev=0.3", "each source is divided by its own split"),
        ("data.sources.digits={data: digits}", "several kinds"),
        ("data.sources.web.data.name=cvs", "did you mean 'csv'"),
        ("data.sources.web.weight=0", "data.sources.web.weight"),
        ("data.sources=3", "data.sources"),
    ],
)
def test_what_cannot_be_mixed(home, change, message):
    with pytest.raises(RecipeError, match=message):
        load(home / "r.yaml", [change])


def test_nothing_is_left_for_train(home):
    with pytest.raises(DataError, match="train has 70 examples; taking 70 leaves none"):
        load(home / "r.yaml", ["data.train_dev=70"]).recipe.data.read()
