"""The section `goal`: each metric by its name, each value one that can be, all complaints at once."""

import pytest

from dlspec.cli import main
from dlspec.recipe.goal import Limit
from dlspec.recipe.load import dump, load

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


def test_limits_of_metrics_of_tags_and_of_what_is_measured(tmp_path):
    text = """goal:
  subject_to:
    latency_ms_p95: "<= 10"
    "accuracy[light=dark]": ">=0.9"
    f1[blurred]: "> .5"
    weighted_error: "≤ 2e-1"
"""
    recipe = load(written(text, tmp_path)).recipe
    assert recipe.goal.limits == (
        Limit("latency_ms_p95", "latency_ms_p95", None, "<=", 10.0),
        Limit("accuracy[light=dark]", "accuracy", "light=dark", ">=", 0.9),
        Limit("f1[blurred]", "f1", "blurred", ">", 0.5),
        Limit("weighted_error", "weighted_error", None, "<=", 0.2),
    )
    assert [one.metric for one in recipe.goal.limits_of_weights] == ["accuracy", "f1", "weighted_error"]
    assert recipe.evaluator.metrics({})[-1].name == "weighted_error"
    (tmp_path / "again.yaml").write_text(dump(recipe), encoding="utf-8")
    assert load(tmp_path / "again.yaml").recipe.goal == recipe.goal


def test_errors_are_weighed_where_the_goal_speaks_of_it(tmp_path):
    for goal, weighs in (
        ("goal: {optimize: f1, subject_to: {size_mb: '<= 1'}}", False),
        ("goal: {optimize: weighted_error}", True),
        ("goal: {costs: {setosa: 2}}", True),
        ("goal: {human: {weighted_error: 0.1}}", True),
    ):
        recipe = load(written(goal, tmp_path)).recipe
        assert ("weighted_error" in [one.name for one in recipe.evaluator.metrics({})]) == weighs, goal


def test_every_fault_of_a_limit_is_said_at_its_place(tmp_path, capsys):
    goal = """goal:
  optimize: size_mb
  subject_to:
    accurcy: ">= 0.9"
    f1: "<= 0.9"
    log_loss: ">= 0.1"
    precision: ">= 95"
    false_positive_rate: "< 0"
    size_mb: 5
    latency_ms_p95: "10 ms"
    latency_ms_p50[light=dark]: "<= 10"
    recall[light=dark]: "<= 0.5"
    latency: "<= 3"
"""
    said = refused(goal, tmp_path, capsys)
    for words in (
        ":5:13: goal.optimize: size_mb is the same whatever was learned, so it cannot say which epoch is best",
        ":7:14: goal.subject_to.accurcy: unknown metric 'accurcy'; did you mean 'accuracy'?",
        ':8:9: goal.subject_to.f1: the higher the better is f1: a limit says what it must be at least, ">= 0.9"',
        ':9:15: goal.subject_to.log_loss: the lower the better is log_loss: a limit says what it must be at most, "<=',
        "goal.subject_to.precision: nothing is better than precision 1, so no run could keep it; of 100, write 0.95",
        "goal.subject_to.false_positive_rate: nothing is better than false_positive_rate 0",
        ':12:14: goal.subject_to.size_mb: expected a sign and a number, as in "<= 5" or ">= 5", got 5',
        'goal.subject_to.latency_ms_p95: expected a sign and a number, as in "<= 10" or ">= 0.9", got \'10 ms\'',
        "latency_ms_p50 is of the network and not of some examples; leave [light=dark] out",
        "goal.subject_to.recall[light=dark]: the higher the better is recall",
        "goal.subject_to.latency: unknown metric 'latency'",
        "11 complaints; nothing was done",
    ):
        assert words in said, said


def test_a_limit_without_quotes(tmp_path, capsys):
    """YAML takes `>` for a block of text; what is said must lead to the quotes."""
    said = refused("goal: {subject_to: {accuracy: >= 0.9}}", tmp_path, capsys)
    assert ":4:" in said and 'put the text in quotes, as in ">= 0.9"' in said
    assert load(written("goal: {subject_to: {size_mb: <= 5}}", tmp_path)).recipe.goal.subject_to == {"size_mb": "<= 5"}
