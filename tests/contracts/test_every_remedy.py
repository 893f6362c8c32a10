"""What holds for every remedy: it is a change that loads, for a cause that is known; at its limit none is left."""

import re
from typing import get_args

import pytest

from dlspec.inputs.augmentation import Augment
from dlspec.inputs.picture import Picture
from dlspec.recipe.load import load
from dlspec.recipe.shipped import shipped_names
from dlspec.remedies import Cause, Situation
from dlspec.runs.prescribe import Prescription, of_parts, write_patch
from dlspec.strategy.mends import value

RECIPES = shipped_names()
KNOWN = {"train": 2_000, "dev": 400, "apart": True, "epochs": 10_000, "falling": True}


def offered(recipe, cause, **known):
    held = {**KNOWN, "classes": recipe.task.balances, "kind": recipe.input.kind}
    return of_parts(recipe, Situation(cause, **{**held, **known}))


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("cause", get_args(Cause))
def test_each_is_a_patch_that_changes_something(tmp_path, monkeypatch, name, cause):
    recipe = load(name, paths_may_be_missing=True).recipe
    for apart in (True, False):
        found = offered(recipe, cause, apart=apart)
        for number, one in enumerate(found):
            assert one.cause == cause and one.reason[0].islower() and not one.reason.endswith(".")
            assert recipe.input.kind == "text" or not re.search(r"\b(words?|texts?|sentences?)\b", one.reason), one
            file = tmp_path / f"{number}.yaml"
            write_patch(file, one, name)
            patched = load(file, paths_may_be_missing=True).recipe
            assert patched != recipe
        assert len({repr(one.changes) for one in found}) == len(found)


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("cause", ["variance", "class imbalance", "data mismatch", "overfitting to dev"])
def test_knobs_come_to_their_limits(tmp_path, name, cause):
    """Each applied in turn, there is an end."""
    base = name
    for step in range(40):
        recipe = load(base, paths_may_be_missing=True).recipe
        found = offered(recipe, cause, apart=step % 2 == 0)
        if not found:
            break
        file = tmp_path / f"{step}.yaml"
        write_patch(file, found[0], str(base))
        base = file
    assert not found or step < 39


def test_every_cause_has_a_remedy_somewhere():
    recipes = [load(name, paths_may_be_missing=True).recipe for name in RECIPES]
    for cause in get_args(Cause):
        assert any(offered(one, cause, apart=apart) for one in recipes for apart in (True, False)), cause


def test_of_augmentation_only_what_was_set_is_taken_back():
    """A run's recipe has every default written out."""
    filled = Augment(**Augment(shift=0.1, flip="horizontal").model_dump())
    [remedy] = Picture(augment=filled).remedies(Situation("avoidable bias", train=100, dev=10))
    assert remedy.changes == {"augment": {"flip": None, "shift": None}}


def test_hand_picked(tmp_path):
    text = """
task: classification
data: iris
model: {name: mlp, hidden: [2], dropout: 0.5}
train: {epochs: 7, l2: 0.01, optimizer: {name: sgd}}
"""
    (tmp_path / "r.yaml").write_text(text)
    recipe = load(tmp_path / "r.yaml").recipe
    bias = [one.changes for one in offered(recipe, "avoidable bias", epochs=7)]
    assert bias == [
        {"train.epochs": 21},
        {"model.hidden": [64, 64]},
        {"train.l2": 0.0},
        {"model.dropout": 0.0},
        {"train.optimizer": "adam"},
        {"model.normalization": "batch"},
    ]
    assert {"train.epochs": 21} not in [one.changes for one in offered(recipe, "avoidable bias", falling=False)]
    slow = load(tmp_path / "r.yaml", ["train.optimizer.learning_rate=0.0001"]).recipe
    first = offered(slow, "avoidable bias", epochs=7)[0]
    assert first.changes == {"train.optimizer.learning_rate": 0.01}
    flat = load(tmp_path / "r.yaml", ["model.activation=tanh", "model.initializer=random_normal"]).recipe
    first, second = offered(flat, "avoidable bias", epochs=7)[:2]
    assert first.changes == {"model.activation": "relu", "model.initializer": "auto"}
    assert second.changes == {"train.epochs": 21}
    flat = load(tmp_path / "r.yaml", ["model.activation=sigmoid"]).recipe
    assert offered(flat, "avoidable bias", epochs=7)[0].changes == {"model.activation": "relu"}
    variance = [one.changes for one in offered(recipe, "variance")]
    assert variance == [{"input.augment.noise": 0.1}, {"task.label_smoothing": 0.1}]
    assert not offered(recipe, "data mismatch", apart=False)
    assert [one.changes for one in offered(recipe, "data mismatch")] == [{"data.dev_to_train": 0.5}]
    patched = Prescription("x", {"model.hidden": [64, 64]}, "more")
    write_patch(tmp_path / "p.yaml", patched, "r.yaml")
    assert value(load(tmp_path / "p.yaml").recipe.model_dump(mode="json"), "model.hidden") == [64, 64]
