"""Forecasting: what the network learns and what is said of it, whatever the scale and the first guess; a run of it."""

import json

import numpy as np
import pytest

from dlspec.inputs.series import Series
from dlspec.numeric.windows import Windows
from dlspec.tasks.forecasting import Forecasting
from dlspec.types import DataError, Examples, RecipeError

WAYS = [(scale, first) for scale in ("standard", "window", "none") for first in ("last", "season", "mean")]


def sample(count=30, window=9, horizon=3, season=4):
    random = np.random.default_rng(0)
    values = np.stack([100 + 5 * random.normal(size=60).cumsum(), random.normal(size=60)], axis=1)
    x = Windows(values, np.arange(count), window, ["level", "rain"], season)
    ahead = values[np.arange(count)[:, None] + window + np.arange(horizon), :1]
    return Examples([str(i) for i in range(count)], x, ahead)


def prepared(task, entry, examples):
    state = {"input": entry.prepare(examples), "task": task.prepare(examples)}
    state["shapes"] = state["input"]["shapes"]
    state["task"] = task.join(examples, entry, None, state)
    return json.loads(json.dumps(state))


@pytest.mark.parametrize(("scale", "first"), WAYS)
@pytest.mark.parametrize("length", [None, 3])
def test_what_is_learned_and_what_is_said_are_inverse(scale, first, length):
    task, entry, examples = Forecasting(change_from=first), Series(scale=scale, length=length), sample()
    state = prepared(task, entry, examples)
    encoded = entry.encode(examples, state["input"])
    target = task.target(examples, encoded, state)["ahead"]
    assert target.shape == (30, 3) and target.dtype == np.float32 and task.outputs(state) == 3
    assert target.mean() == pytest.approx(0, abs=1e-4) and target.std() == pytest.approx(1, rel=1e-3)
    batch = entry.finish(encoded, state["input"])
    found = task.predict(lambda batch: target, [batch], state)
    np.testing.assert_allclose(found, examples.columns["y"], rtol=1e-4)
    loss = np.abs(target).mean()
    assert task.expected_initial_loss(state) == pytest.approx(loss, rel=1e-4)


@pytest.mark.parametrize(("scale", "first"), WAYS[:6])
def test_logarithms_go_there_and_back(scale, first):
    task, entry, examples = Forecasting(change_from=first), Series(scale=scale, log=True), sample()
    x = examples.columns["x"]
    examples = examples.replace(x=Windows(np.abs(x.values) + 1, x.starts, x.length, x.names, x.season))
    state = prepared(task, entry, examples)
    encoded = entry.encode(examples, state["input"])
    target = task.target(examples, encoded, state)["ahead"]
    found = task.predict(lambda batch: target, [entry.finish(encoded, state["input"])], state)
    np.testing.assert_allclose(found, examples.columns["y"], rtol=1e-4)
    with pytest.raises(DataError, match=r"step 0 \(from 0\), 'rain' is not above 0, and has no logarithm"):
        entry.prepare(sample())
    with pytest.raises(DataError, match="what came is not above 0 after 0, 1, 2 and 27 more, and has no logarithm"):
        task.target(examples.replace(y=-examples.columns["y"]), encoded, state)


def test_growth_by_percents_is_a_straight_line_of_logarithms():
    grown = 100 * 1.05 ** np.arange(40.0)
    x = Windows(grown[:, None], np.arange(20), 5, ["level"])
    examples = Examples([str(i) for i in range(20)], x, grown[np.arange(20)[:, None] + 5 + np.arange(3)][:, :, None])
    entry, task = Series(log=True), Forecasting()
    state = prepared(task, entry, examples)
    target = task.target(examples, entry.encode(examples, state["input"]), state)["ahead"]
    np.testing.assert_allclose(target, np.tile(target[:1], (20, 1)), atol=1e-4)


def test_a_network_that_says_nothing_new_says_the_naive_forecast():
    entry, examples = Series(), sample()
    for first, of in (("last", "naive"), ("season", "seasonal")):
        task = Forecasting(change_from=first)
        state = prepared(task, entry, examples)
        state["task"]["offset"] = [0.0]
        batch = entry.finish(entry.encode(examples, state["input"]), state["input"])
        guess = task.predict(lambda batch: np.zeros((30, 3)), [batch], state)
        statistics = task.evaluator.statistics(examples, guess, state["task"])
        np.testing.assert_allclose(guess, statistics[of], rtol=1e-5)


def test_the_scale_is_that_of_all_of_trains_steps_each_once():
    examples = sample(window=5, horizon=2)
    state = Forecasting().prepare(examples.take([3, 8, 20]))
    values = examples.columns["x"].values[3 : 20 + 5 + 2, 0]
    assert state["scale"] == pytest.approx([np.abs(np.diff(values)).mean()])
    assert state["targets"] == ["level"] and state["season"] == 4 and state["horizon"] == 2


def test_the_season_may_be_given_and_must_be_within_reach():
    assert Forecasting(season=2).prepare(sample())["season"] == 2
    assert Forecasting().prepare(sample(season=40))["season"] == 1
    with pytest.raises(RecipeError, match="a season of 40 steps is further back than the 9"):
        Forecasting(change_from="season").prepare(sample(season=40))
    with pytest.raises(RecipeError, match="no season is known"):
        Forecasting(change_from="season").prepare(sample(season=1))


def test_data_that_cannot_be_forecast():
    still = Examples(["a", "b"], np.ones((2, 4, 1)), np.ones((2, 2, 1)))
    with pytest.raises(DataError, match="target_1 is the same at each step"):
        Forecasting().prepare(still)
    with pytest.raises(DataError, match="none of the examples has a truth"):
        Forecasting().prepare(Examples(["a"], np.ones((1, 4, 1))))
    with pytest.raises(DataError, match="a truth has 2 targets, and a series 1 channel"):
        Forecasting().prepare(Examples(["a"], np.ones((1, 4, 1)), np.ones((1, 3, 2))))


def test_a_run_beats_the_naive_forecasts_and_tells_of_it(tmp_path):
    """A wave with noise: trained, scored, its errors sliced and drawn, and the steps to come forecast."""
    from dlspec.recipe.load import load
    from dlspec.runs.analyze import analyze
    from dlspec.runs.evaluate import evaluate
    from dlspec.runs.opened import open_run
    from dlspec.runs.train import train

    steps = np.arange(400)
    level = 10 + 3 * np.sin(2 * np.pi * steps / 12) + np.random.default_rng(0).normal(size=400)
    months = np.datetime64("1980-01") + steps
    lines = [f"{month},{one:.3f}" for month, one in zip(months, level, strict=True)]
    (tmp_path / "waves.csv").write_text("\n".join(["month,level", *lines]) + "\n")
    (tmp_path / "r.yaml").write_text(
        "task: {name: forecasting, change_from: season}\n"
        "data: {name: time_series, path: waves.csv, window: 24, horizon: 3}\nmodel: linear\n"
        "train: {epochs: 20, optimizer: {name: adam, learning_rate: 0.01}, compile: 'off'}\n"
    )
    done = train(load(tmp_path / "r.yaml"), out=tmp_path / "runs")
    scores = evaluate(done.run, splits=["dev"])["scores"]["dev"]
    assert scores["mase"]["value"] < 1 and scores["mase"]["low"] < scores["mase"]["value"] < scores["mase"]["high"]
    assert scores["skill_naive"]["low"] > 0 and scores["skill_seasonal"]["value"] > 0.1
    found = analyze(done.run)
    assert found["errors"] and all("naive errors" in one["kind"] for one in found["kinds"])
    assert {one["name"] for one in found["slices"]} >= {"month"}
    page = (done.run / "report.html").read_text()
    assert "Error by step ahead" in page and "Worst window 6" in page
    run = open_run(done.run)
    [ahead] = run.objects(run.recipe.data.at(str(tmp_path / "waves.csv")).load(truth=False)["all"])
    assert len(ahead["forecast"]["level"]) == 3 and abs(ahead["forecast"]["level"][0] - 10) < 5
