"""The learning-rate range test over the path of `train`."""

import json

import numpy as np
import pytest

from dlspec.cli import main
from dlspec.recipe.load import load
from dlspec.runs import folder as folders
from dlspec.runs import learning_rate
from dlspec.runs.learning_rate import find_learning_rate
from dlspec.runs.train import train
from dlspec.types import ArgumentError, RecipeError


@pytest.fixture
def recipe(tmp_path):
    draws = np.random.default_rng(0)
    x = draws.normal(size=(200, 3))
    y = x @ [1.0, -2.0, 0.5] + 0.1 * draws.normal(size=200)
    lines = [",".join(f"{v:.4f}" for v in (*row, truth)) for row, truth in zip(x, y, strict=True)]
    (tmp_path / "rows.csv").write_text("a,b,c,y\n" + "\n".join(lines) + "\n")
    (tmp_path / "r.yaml").write_text(
        "task: regression\ndata: {name: csv, path: rows.csv, target: y}\nmodel: linear\n"
        "train: {epochs: 10, batch_size: 64, optimizer: {name: sgd}}\n"
    )
    return tmp_path / "r.yaml"


def test_an_epoch_of_one_step_is_gone_over_again(recipe):
    found = find_learning_rate(load(recipe, ["train.batch_size=all"]), out=None)
    rates = [one["learning_rate"] for one in found.points]
    assert len(rates) > 200 and rates[0] == 1e-6
    assert np.allclose(np.diff(np.log(rates)), np.log(1e7) / 299)
    # Least squares of inputs that are standardised: curvature 2, so that descent diverges from about 1 on.
    assert 0.01 <= found.suggestion < 1 < found.diverged_at < 10
    assert found.low < found.suggestion <= found.high / 2 and found.plot is None


def test_it_trains_as_well_as_the_best_of_a_grid(recipe, tmp_path):
    def rmse(rate):
        loaded = load(recipe, [f"train.optimizer.learning_rate={rate}", "train.tensorboard=false"])
        return train(loaded, out=tmp_path / "runs").scores["dev"]["rmse"]["value"]

    suggested = rmse(find_learning_rate(load(recipe), out=None).suggestion)
    grid = {rate: rmse(rate) for rate in (1e-3, 1e-2, 3e-2, 1e-1, 3e-1)}
    worst, best = max(grid.values()), min(grid.values())
    assert suggested - best < 0.1 * (worst - best)


def test_the_plot_lies_beside_the_runs_and_is_none(recipe, tmp_path):
    found = find_learning_rate(load(recipe), out=tmp_path / "runs")
    assert [file for file in (tmp_path / "runs").rglob("*") if file.is_file()] == [found.plot]
    assert not folders.every(tmp_path / "runs")
    page = found.plot.read_text()
    assert f"{found.suggestion:g}" in page and found.patch in page and page.count("<polyline") == 2
    assert "http" not in page.replace("http-equiv", "")


def test_from_the_command_line(recipe, tmp_path, capsys):
    runs = str(tmp_path / "runs")
    with pytest.raises(SystemExit) as ended:
        main(["train", str(recipe), "--find-learning-rate", "--out", runs, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert ended.value.code == 0
    assert set(found) >= {"suggestion", "low", "high", "diverged_at", "points", "plot", "patch"}
    assert found["patch"] == f"--set train.optimizer.learning_rate={found['suggestion']:g}"
    with pytest.raises(SystemExit) as ended:
        main(["train", str(recipe), "--find-learning-rate", "--out", runs, "--set", "train.batch_size=all"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert text.count("<- about here") == 1
    assert f"next: dlspec train {recipe} --set train.batch_size=all --set train.optimizer.learning_rate=" in text


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--find-learning-rate", "--rates", "1e-12", "1e-11"], "no learning rate from 1e-12 to 1e-11 makes"),
        (["--find-learning-rate", "--rates", "1e-2", "1e-3"], "cannot grow from 0.01 to 0.001"),
        (["--rates", "1e-3", "1"], "--find-learning-rate"),
        (["--find-learning-rate", "--resume", "last"], "not with --resume"),
    ],
)
def test_what_cannot_be_says_why(recipe, tmp_path, capsys, extra, message):
    with pytest.raises(SystemExit) as ended:
        main(["train", str(recipe), "--out", str(tmp_path / "runs"), *extra])
    assert ended.value.code == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "runs").exists()


def test_a_loss_that_blows_up_at_once_is_no_suggestion(recipe):
    with pytest.raises(RecipeError):
        find_learning_rate(load(recipe), low=1e3, high=1e6, out=None)
    with pytest.raises(ArgumentError):
        find_learning_rate(load(recipe), low=0.0, out=None)


def test_slow_steps_are_fewer_and_still_reach_the_end(recipe):
    found = find_learning_rate(load(recipe), high=0.1, seconds=0, out=None)
    assert len(found.points) == learning_rate.FEWEST
    assert found.points[-1]["learning_rate"] == pytest.approx(0.1)


def test_schedule_and_average_are_not_in_force(recipe):
    plain = find_learning_rate(load(recipe), out=None)
    sets = ["train.schedule={name: cosine, warmup: {steps: 20}}", "train.average={}"]
    scheduled = find_learning_rate(load(recipe, sets), out=None)
    assert scheduled.points == plain.points


def test_where_gradients_are_accumulated_steps_share_a_rate(recipe, monkeypatch):
    taken, steps = [], learning_rate._steps
    monkeypatch.setattr(learning_rate, "_steps", lambda *of: (taken.append(loss) or loss for loss in steps(*of)))
    found = find_learning_rate(load(recipe, ["train.accumulate=3"]), out=None)
    assert len(taken) == 3 * len(found.points)


def test_steps_of_few_examples_share_a_rate(recipe, monkeypatch):
    taken, steps = [], learning_rate._steps
    monkeypatch.setattr(learning_rate, "_steps", lambda *of: (taken.append(loss) or loss for loss in steps(*of)))
    found = find_learning_rate(load(recipe, ["train.batch_size=5"]), out=None)
    assert len(taken) == 4 * len(found.points)
