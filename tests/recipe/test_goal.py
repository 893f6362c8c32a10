"""The section `goal`: each metric by its name, each value one that can be, all complaints at once."""

import pytest

from dlspec.cli import main
from dlspec.recipe.load import load

RECIPE = "task: classification\ndata: iris\nmodel: linear\n"


def written(goal, folder):
    file = folder / "goal.yaml"
    file.write_text(f"{RECIPE}{goal}", encoding="utf-8")
    return file


def refused(goal, folder, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["train", str(written(goal, folder))])
    assert caught.value.code == 2
    return capsys.readouterr().err


def test_human_level_and_costs(tmp_path):
    goal = load(
        written('goal: {human: {accuracy: 0.99, log_loss: 0}, costs: {"a → b": 10, dark: 0.5}}', tmp_path)
    ).recipe.goal
    assert goal.human == {"accuracy": 0.99, "log_loss": 0.0}
    assert goal.costs == {"a → b": 10.0, "dark": 0.5}


def test_answers_of_annotators_are_a_file_beside_the_recipe(tmp_path):
    (tmp_path / "answers.csv").write_text("id,ann,bob\n")
    assert load(written("goal: {human: answers.csv}", tmp_path)).recipe.goal.human == str(tmp_path / "answers.csv")


def test_every_fault_of_a_goal_is_said_at_its_place(tmp_path, capsys):
    goal = """goal:
  optimize: acuracy
  human: {accuracy: 99, f_1: 0.5, log_loss: -1}
  costs: {"a → b": -1, dark: much}
  target: 3
"""
    said = refused(goal, tmp_path, capsys)
    for words in (
        ":5:13: goal.optimize: unknown metric 'acuracy'; did you mean 'accuracy'?",
        ":6:21: goal.human.accuracy: nothing is better than accuracy 1, got 99; of 100, write 0.99",
        ":6:30: goal.human.f_1: unknown metric 'f_1'; did you mean 'f1'?",
        ":6:45: goal.human.log_loss: nothing is better than log_loss 0, got -1",
        ":7:20: goal.costs.a → b: must be ≥ 0, got -1",
        ":7:30: goal.costs.dark: expected a number, got 'much'",
        ":8:3: goal.target: unknown key 'target'",
        "7 complaints; nothing was done",
    ):
        assert words in said, said
