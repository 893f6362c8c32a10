"""Coarse to fine: axes narrowed by hand on each scale, widened at ends, choices kept, and searches that follow."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from crew_here import here
from test_search import command, made

from dlspec.recipe.load import load
from dlspec.strategy.goals import standing
from dlspec.tuning.narrowing import narrowed
from dlspec.tuning.outcome import Tried
from dlspec.tuning.space import Space
from dlspec.tuning.stages import tune
from dlspec.tuning.zoom import by_promise, named
from dlspec.types import Metric, RecipeError

RECIPE = """
task: classification
data: {name: digits, split: {dev: 0.2, test: 0.2, train: 300}}
model: {name: mlp, hidden: [16]}
train: {seed: 1, epochs: 2, batch_size: 32, tensorboard: false, health: false}
tune:
  trials: 8
  seed: 5
  space:
    train.optimizer:
      choice: [{name: adam, learning_rate: {log_uniform: [1e-6, 1e-2]}}, {name: sgd, learning_rate: 1e-9}]
    model.dropout: {uniform: [0, 0.3]}
"""


def ends(given, values, takes=lambda space: True):
    [kind] = [key for key in given if key != "points"]
    new, told = narrowed(Space({"x": given}), [{"x": value} for value in values], takes)
    return new["x"][kind], told[0]


@pytest.mark.parametrize(
    ("given", "values", "wanted"),
    [
        ({"uniform": [0, 1]}, [0.5, 0.4, 0.6], [0.3, 0.7]),  # 0.2 wide, and 0.2 / 2 more on either side
        ({"uniform": [0, 1]}, [0.2, 0.1, 0.15, 0.3, 0.25], [0.05, 0.35]),  # 0.2 / 4 more
        ({"uniform": [0, 1], "points": 7}, [0.5, 0.1, 0.9], [0.0, 1.0]),
        ({"log_uniform": [1e-4, 1]}, [1e-3, 1e-2, 10**-2.5], [3.162e-4, 3.162e-2]),  # shares 1/4 to 1/2: 1/8 to 5/8
        ({"one_minus_log_uniform": [0.9, 0.999]}, [0.99, 1 - 10**-1.5, 1 - 10**-1.75], [0.94377, 0.994377]),
        ({"integer": [1, 20]}, [10, 8, 12], [6, 14]),
        ({"integer": [1, 20]}, [10, 10, 10], [9, 11]),
        ({"uniform": [0, 1]}, [0.5, 0.5, 0.5], [0.49, 0.51]),
    ],
)
def test_where_the_best_lie_by_hand(given, values, wanted):
    new, told = ends(given, values)
    assert new == pytest.approx(wanted, rel=1e-3) and not told.widened
    assert f"the best {len(values)} lie in {min(values):.6g} to {max(values):.6g}" in told.why


@pytest.mark.parametrize(
    ("given", "values", "wanted", "end"),
    [
        ({"uniform": [0, 1]}, [0.98, 0.9, 0.94], [0.86, 1.25], "high"),
        ({"log_uniform": [1e-4, 1]}, [1.2e-4, 1e-3, 1e-2], [1e-5, 0.09129], "low"),  # a quarter of four decades
        ({"one_minus_log_uniform": [0.9, 0.999]}, [0.9989, 0.99, 0.997], [0.9698, 1 - 10**-3.5], "high"),
        ({"integer": [1, 9]}, [9, 7, 8], [6, 11], "high"),
    ],
)
def test_at_an_end_it_is_widened_beyond_it(given, values, wanted, end):
    new, told = ends(given, values)
    assert new == pytest.approx(wanted, rel=2e-3) and told.widened and f"is at the {end} end: widened" in told.why
    kept, told = ends(given, values, takes=lambda space: False)
    [low, high] = next(iter(given.values()))
    assert kept[0] >= low and kept[1] <= high and not told.widened and "the recipe takes no value" in told.why


def test_an_end_that_only_a_lesser_trial_is_at_stays():
    new, told = ends({"uniform": [0, 1]}, [0.5, 0.99, 0.6])
    assert new[1] == 1.0 and not told.widened


def test_choices_keep_what_the_best_have_and_narrow_what_is_within():
    space = Space(
        {
            "model": {
                "choice": [
                    {"name": "a", "width": {"integer": [1, 100]}, "kind": {"choice": ["x", "y"]}},
                    {"name": "b"},
                    {"name": "c", "depth": {"uniform": [0, 1]}},
                ]
            }
        }
    )
    best = [{"model": 0, "model[0].width": width, "model[0].kind": 1} for width in (50, 40, 60)]
    best.append({"model": 2, "model[2].depth": 0.5})
    new, told = narrowed(space, best, lambda space: True)
    first, last = new["model"]["choice"]
    assert first == {"name": "a", "width": {"integer": [30, 70]}, "kind": {"choice": ["y"]}}
    assert last == {"name": "c", "depth": {"uniform": [0, 1]}}
    said = {one.axis: one for one in told}
    assert (said["model"].old, said["model"].new) == ("a, b, c", "a, c") and "none of the best 4 has b" in said[
        "model"
    ].why
    assert "too few to tell" in said["model[2].depth"].why
    assert Space(new).draw(lambda axis: axis.at(0.0))["model[0].kind"] == 0


def test_finer_searches_are_called_after_the_first():
    assert [named("wide"), named("wide-zoom-1"), named("a-zoom")] == ["wide-zoom-1", "wide-zoom-2", "a-zoom-zoom-1"]


def test_what_was_given_up_counts_after_what_was_not_and_the_latest_first():
    def trial(number, state, value, epochs):
        stood = standing(Metric("accuracy", "max", 1.0), (), {} if value is None else {"accuracy": value})
        return Tried(number, state, stood, {}, None, None, epochs, None, None, 1, {})

    found = [
        trial(0, "pruned", 0.95, 1),
        trial(1, "complete", 0.8, 9),
        trial(2, "pruned", 0.7, 3),
        trial(3, "failed", None, None),
        trial(4, "pruned", 0.9, 3),
        trial(5, "complete", 0.9, 5),  # stopped early
    ]
    assert [one.number for one in by_promise(found)] == [5, 1, 4, 2, 0]


@pytest.fixture(scope="module")
def coarse(tmp_path_factory):
    folder = tmp_path_factory.mktemp("zoom")
    return folder, here(tune)(made(folder, RECIPE), out=folder / "runs")


@here
def test_a_finer_search_runs_where_the_best_lie(coarse, monkeypatch, capsys):
    folder, before = coarse
    monkeypatch.chdir(folder)
    code, out, err = command(capsys, "--zoom", "small", "--best", "3", "--trials", "4", "--json")
    assert code == 0, err
    found = json.loads(out)
    best = [before["trials"][number] for number in before["leaderboard"][:3]]
    rates = [one["params"]["train.optimizer[0].learning_rate"] for one in best]
    assert len(found["trials"]) == 4 and Path(found["study"]).parent.name == "small-zoom-1-tune"
    written = load(found["zoom"]["recipe"]).recipe
    [option] = written.tune.space["train.optimizer"]["choice"]
    low, high = option["learning_rate"]["log_uniform"]
    assert option["name"] == "adam" and low < min(rates) and low > 1e-6
    for one in found["trials"]:
        assert low <= one["params"]["train.optimizer[0].learning_rate"] <= high
    for axis in found["zoom"]["axes"]:
        assert f"{axis['axis']}: {axis['old']} → {axis['new']} ({axis['why']})" in err
    assert found["earlier"][0]["best"]["number"] == before["best"]["number"]
    # The recipe is one that `tune` runs as it is: the same trials.
    again = tune(load(found["zoom"]["recipe"]), out=folder / "again")
    assert [one["params"] for one in again["trials"]] == [one["params"] for one in found["trials"]]
    assert [one["values"] for one in again["trials"]] == [one["values"] for one in found["trials"]]


def test_stages_follow_and_go_on_where_they_were_killed(coarse, tmp_path):
    text = RECIPE.replace("trials: 8", "trials: 6\n  stages: [{trials: 6, best: 3}, {trials: 2, best: 0.5}]")
    loaded = made(tmp_path, text)
    whole = here(tune)(loaded, out=tmp_path / "runs")
    assert [len(whole["trials"]), len(whole["earlier"])] == [2, 2]
    assert Path(whole["study"]).parent.name == "small-zoom-2-tune" and whole["zoom"]["best"] == 3
    code = "from dlspec.cli import main; main()"
    order = [sys.executable, "-c", code, "tune", "small.yaml", "--out", "killed"]
    with subprocess.Popen(order, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as running:
        said = (line for line in running.stderr)
        assert any("narrowed to the best" in line for line in said) and any(line.startswith("trial ") for line in said)
        os.kill(running.pid, signal.SIGKILL)
    gone_on = here(tune)(loaded, resume="last", out=tmp_path / "killed")
    for one, other in zip(gone_on["trials"], whole["trials"], strict=True):
        assert one["params"] == other["params"] and one["values"] == pytest.approx(other["values"])
    assert len(list((tmp_path / "killed").glob("small-zoom-1-tune/*"))) == 1


@here
def test_what_cannot_be_narrowed_is_said(coarse, tmp_path, monkeypatch, capsys):
    folder, before = coarse
    monkeypatch.chdir(folder)

    def refused(*arguments):
        code, _, said = command(capsys, *arguments)
        assert code == 2 and "Traceback" not in said, said
        return " ".join(said.split())

    assert "nothing is no study" in refused("--zoom", "nothing") and "studies of small" in refused("--zoom", "nothing")
    assert "to narrow it to the best 8 takes 9 at least" in refused("--zoom", before["study"], "--best", "8")
    assert "a whole number of trials" in refused("--zoom", before["study"], "--best", "1.5")
    assert "give a RECIPE" in refused() and "give a RECIPE" in refused("small.yaml", "--zoom", "small")
    assert "goes with --zoom" in refused("small.yaml", "--best", "3")
    grid = RECIPE.replace("trials: 8", "trials: 1\n  sampler: grid")
    study = tune(made(tmp_path, grid, "grid"), out=tmp_path / "runs")["study"]
    assert "is a grid" in refused("--zoom", study)
    with pytest.raises(RecipeError, match=r"tune\.stages: a grid has its own points"):
        made(tmp_path, grid.replace("grid\n", "grid\n  stages: [{best: 3}]\n"), "stages")
    with pytest.raises(RecipeError, match=r"tune\.stages.*best.*share below 1"):
        made(tmp_path, RECIPE.replace("trials: 8", "stages: [{best: 2.5}]"), "stages")
