"""The section `tune`: what is searched must be values of the recipe, and each complaint stands at its axis."""

from pathlib import Path

import pytest

from dlspec.recipe.load import check_text, dump, load
from dlspec.types import RecipeError

HEAD = """task: classification
data: {name: digits, split: {dev: 0.15, test: 0.15}}
input: {size: [32, 32], augment: {shift: 0.1}}
model: {name: lenet5, activation: relu}
train: {seed: 1, epochs: 20, early_stopping: {patience: 5}}
goal: {optimize: accuracy, subject_to: {latency_ms_p95: "<= 10"}}
tune:
  trials: 30
  space:
"""
SPACE = """    train.optimizer.learning_rate: {log_uniform: [1e-4, 1e-1]}
    model: {choice: [{name: lenet5, activation: {choice: [relu, tanh]}}, {name: linear}]}
    train.early_stopping: {choice: [null, {patience: {integer: [2, 5]}}]}
"""


def complaints(space):
    with pytest.raises(RecipeError) as caught:
        check_text(HEAD + space, Path("r.yaml"))
    return [str(one) for one in caught.value.complaints]


def test_a_space_over_any_key_is_read_and_written_again(tmp_path):
    loaded = check_text(HEAD + SPACE, tmp_path / "r.yaml")
    assert loaded.recipe.tune.trials == 30 and loaded.recipe.tune.sampler == "random"
    (tmp_path / "again.yaml").write_text(dump(loaded.recipe))
    again = load(tmp_path / "again.yaml").recipe
    assert dump(again) == dump(loaded.recipe)


@pytest.mark.parametrize(
    ("space", "said"),
    [
        (
            "    train.optimizer.learning_rat: {uniform: [0.1, 1]}",
            "r.yaml:10:5: tune.space.train.optimizer.learning_rat: unknown key 'learning_rat'; did you mean "
            "'learning_rate'?",
        ),
        (
            "    trian.epochs: {integer: [1, 2]}",
            "r.yaml:10:5: tune.space.trian.epochs: trian: unknown key 'trian'; did you mean 'train'?",
        ),
        (
            "    train.batch_size: {uniform: [16, 128]}",
            "r.yaml:10:34: tune.space.train.batch_size: expected a whole number or all or a mapping of keys, got 16.0",
        ),
        (
            "    model: {choice: [linear, {name: mlp, dropout: {uniform: [0, 3]}}]}",
            "r.yaml:10:30: tune.space.model: model.dropout: must be < 1, got 3.0",
        ),
        (
            "    model: {choice: [{name: lenet5}]}\n    model.activation: {choice: [relu]}",
            "r.yaml:11:5: tune.space.model.activation: lies within 'model', which is searched too; put it into the "
            "values of that choice",
        ),
        (
            "    goal.optimize: {choice: [accuracy, f1_macro]}",
            "r.yaml:10:5: tune.space.goal.optimize: 'goal' cannot be searched: all trials are judged alike",
        ),
        (
            "    train.optimizer.learning_rate: {log_uniform: [0, 1]}",
            "r.yaml:10:36: tune.space.train.optimizer.learning_rate: log_uniform runs over numbers above 0, and the "
            "range begins at 0; uniform takes any",
        ),
        (
            "    model.activation: {choice: []}",
            "r.yaml:10:23: tune.space.model.activation: choice takes a list of one value or more, got []",
        ),
        (
            "    train.epochs: {integr: [1, 3]}",
            "r.yaml:10:19: tune.space.train.epochs: no axis; did you mean 'integer'?",
        ),
    ],
)
def test_what_cannot_be_searched_is_complained_of_at_its_axis(space, said):
    assert complaints(space) == [said]


def test_all_complaints_come_at_once():
    found = complaints(
        "    train.epohcs: {integer: [1, 3]}\n    model.activation: {choice: [relu, rleu]}\n"
        "    train.seed: {integer: [1, 2]}\n"
    )
    assert len(found) == 2 and "train.epohcs" in found[0] and "model.activation" in found[1]


def test_an_axis_is_blamed_for_what_it_breaks_elsewhere():
    found = complaints("    data: {choice: [{name: iris, split: {dev: 0.2}}]}")
    assert found and all(one.startswith("r.yaml:10:21: tune.space.data: with data keys, ") for one in found), found
