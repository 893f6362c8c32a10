"""Goals in real trainings: which epoch is kept, when it stops, what is nearest, what compare and serving say."""

import csv
import json

import numpy as np
import pytest

from dlspec.cli import main
from dlspec.recipe.load import load
from dlspec.report.watch import Watch
from dlspec.runs import folder as folders
from dlspec.runs import serving
from dlspec.runs.compare import compare
from dlspec.runs.evaluate import evaluate
from dlspec.runs.goals import standing_of
from dlspec.runs.improve import _judge
from dlspec.runs.improvement import Improvement, Try
from dlspec.runs.report import write_report
from dlspec.runs.resume import resume
from dlspec.runs.train import train
from dlspec.types import Metric, RecipeError

RECIPE = """task: {name: classification, positive: sick}
data: {name: csv, path: rows.csv, target: state, tags: [light]}
model: linear
train: {epochs: 12, batch_size: 16, optimizer: {name: sgd, learning_rate: 0.5}, tensorboard: false, health: false}
"""
RATE = "false_positive_rate"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """600 rows of two overlapping classes, lit in two ways; in the dark they overlap more."""
    home = tmp_path_factory.mktemp("goals")
    random = np.random.default_rng(3)
    dark, sick = random.random(600) < 0.4, random.random(600) < 0.4
    x = random.normal(np.where(sick, 1.0, 0.0)[:, None], np.where(dark, 2.0, 0.7)[:, None], (600, 3))
    rows = [
        [*map("{:.4f}".format, x[i]), "dark" if dark[i] else "day", "sick" if sick[i] else "well"] for i in range(600)
    ]
    (home / "rows.csv").write_text("\n".join(map(",".join, [["a", "b", "c", "light", "state"], *rows])))
    (home / "r.yaml").write_text(RECIPE)
    return home


def trained(home, *sets):
    return train(load(home / "r.yaml", sets), out=home / "runs")


def run_command(*words):
    with pytest.raises(SystemExit) as stopped:
        main([*map(str, words)])
    return stopped.value.code


def history(run):
    with open(run / "history.csv", newline="") as text:
        rows = list(csv.DictReader(text))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0] if name.startswith("dev_")}


@pytest.fixture(scope="module")
def free(home):
    """A training without limits, and the limit that its best epoch breaks and some other keeps."""
    found = trained(home)
    of = history(found.run)
    rate = of[f"dev_{RATE}"]
    assert rate.min() > 0 and rate.min() < rate[found.best_epoch - 1], "or there is nothing to tell apart"
    return found, of, (rate.min() + rate[found.best_epoch - 1]) / 2


def best(accuracy, miss):
    """The last of the epochs (from 1) that miss least, and of those have the highest accuracy."""
    some = np.flatnonzero(np.isclose(miss, miss.min()))
    return int(some[accuracy[some] == accuracy[some].max()].max()) + 1


def test_the_best_epoch_by_the_metric_breaks_a_limit_and_is_not_kept(home, free):
    without, of, bound = free
    assert without.best_epoch == best(of["dev_accuracy"], np.zeros(12)) and without.goal["feasible"] is True
    found = trained(home, f"goal.subject_to.{RATE}='<= {bound}'")
    again = history(found.run)
    for name, values in of.items():
        assert np.array_equal(again[name], values), "a limit changes what is kept, and no step"
    rate, accuracy = of[f"dev_{RATE}"], of["dev_accuracy"]
    expected = best(accuracy, np.maximum(0, rate / bound - 1))
    assert found.best_epoch == expected != without.best_epoch
    assert found.goal["feasible"] is True and found.goal["metric"] == "accuracy"
    assert found.goal["value"] == pytest.approx(accuracy[expected - 1]) and found.goal["value"] < without.goal["value"]
    [limit] = found.goal["limits"]
    assert (limit["name"], limit["kept"], limit["value"]) == (RATE, True, pytest.approx(rate[expected - 1]))
    stood = standing_of(found.run)
    assert stood.feasible and stood.value == found.goal["value"] and stood.scores[RATE] == limit["value"]


def test_where_nothing_is_feasible_the_nearest_is_kept(home, free):
    _, of, _ = free
    limit = "goal.subject_to={false_positive_rate: '<= 0.0001', 'accuracy[light=dark]': '>= 0.99'}"
    found = trained(home, limit)
    again = history(found.run)
    dark = again["dev_accuracy[light=dark]"]
    assert len(set(dark)) > 1 and not np.array_equal(dark, of["dev_accuracy"])
    miss = (of[f"dev_{RATE}"] - 0.0001) / 0.0001 + np.maximum(0, 0.99 - dark) / 0.99
    assert found.best_epoch == best(of["dev_accuracy"], miss)
    assert found.goal["feasible"] is False and found.goal["miss"] == pytest.approx(miss.min())
    assert f"{RATE} <= 0.0001 is missed by" in found.goal["says"] and "[light=dark] >= 0.99" in found.goal["says"]


def test_patience_counts_from_the_last_gain_by_the_goal(home, free):
    _, of, bound = free
    found = trained(home, f"goal.subject_to.{RATE}='<= {bound}'", "train.early_stopping.patience=2")
    rate, accuracy = of[f"dev_{RATE}"], of["dev_accuracy"]
    reached, since, stopped = None, -1, 12
    for epoch in range(12):
        now = (-max(0.0, rate[epoch] / bound - 1), accuracy[epoch])
        if reached is None or now > reached:
            reached, since = now, epoch
        if epoch - since >= 2:
            stopped = epoch + 1
            break
    assert found.epochs == stopped


def test_resuming_goes_on_by_limits_and_judges_anew_where_they_change(home, free):
    _, of, bound = free
    first = trained(home, "train.epochs=6", f"goal.subject_to.{RATE}='<= {bound}'")
    whole = resume(first.run, sets=["train.epochs=12"])
    rate, accuracy = of[f"dev_{RATE}"], of["dev_accuracy"]
    assert whole.best_epoch == best(accuracy, np.maximum(0, rate / bound - 1))
    plain = trained(home, "train.epochs=6")
    turned = resume(plain.run, sets=["train.epochs=12", f"goal.subject_to.{RATE}='<= {bound}'"])
    kept = [plain.best_epoch - 1, *range(6, 12)]  # of the first epochs, the weights of one alone are there
    expected = best(accuracy[kept], np.maximum(0, rate[kept] / bound - 1))
    assert turned.best_epoch == kept[expected - 1] + 1


def test_errors_that_cost_more_decide(home, free):
    """A false alarm that costs ten times as much: the mean cost on dev is that of the table of predictions."""
    costs = "goal={optimize: weighted_error, costs: {well -> sick: 10, 'light=dark': 2}}"
    found = trained(home, costs)
    evaluated = evaluate(found.run)
    import pyarrow.parquet

    rows = pyarrow.parquet.read_table(found.run / "predictions" / "dev.parquet").to_pylist()
    each = [
        0 if row["truth"] == row["guess"] else 10 if row["truth"] == "well" else 2 if row["light"] == "dark" else 1
        for row in rows
    ]
    score = evaluated["scores"]["dev"]["weighted_error"]
    assert found.goal["metric"] == "weighted_error" and found.goal["value"] == pytest.approx(np.mean(each))
    assert score["value"] == pytest.approx(np.mean(each)) and score["low"] < score["value"] < score["high"]
    of = history(found.run)["dev_weighted_error"]
    assert found.best_epoch == int(np.flatnonzero(of == of.min()).max()) + 1
    free_run = free[0].run
    compared = compare([found.run, free_run])
    ours, theirs = (compared["scores"][one["name"]]["weighted_error"]["value"] for one in compared["runs"])
    assert ours == pytest.approx(np.mean(each)) and ours < theirs, "all are judged by the goal of the first"


@pytest.fixture(scope="module")
def limited(home, free):
    """Two runs with the same limits: one keeps them, one is without training as good as and breaks one."""
    limits = f"goal.subject_to={{{RATE}: '<= {free[2]}', size_mb: '<= 5', latency_ms_p95: '<= 10000'}}"
    return trained(home, limits), trained(home, limits, "train.keep=last", "train.epochs=1", "task.threshold=0.05")


def test_compare_says_which_is_to_be_taken(limited, home, free, capsys):
    good, bad = limited
    assert good.goal["feasible"] is True and bad.goal["feasible"] is False
    for order in ([good.run, bad.run], [bad.run, good.run]):
        found = compare(order)
        names = {one["run"]: one["name"] for one in found["runs"]}
        stands = found["goal"]["standings"]
        assert stands[names[str(good.run)]]["feasible"] and not stands[names[str(bad.run)]]["feasible"]
        assert found["goal"]["take"] == names[str(good.run)]
        assert f"take {names[str(good.run)]}: it alone keeps every limit" in found["verdict"]
        by_train = {one["name"]: one["value"] for one in bad.goal["limits"]}
        by_compare = {one["name"]: one["value"] for one in stands[names[str(bad.run)]]["limits"]}
        assert by_compare == pytest.approx(by_train), "times are those that were kept: they were of this machine"
    assert run_command("runs", "compare", good.run, bad.run) == 0
    said = capsys.readouterr().out
    assert "feasible" in said and "take A: it alone keeps every limit" in said
    assert compare([free[0].run, good.run])["goal"] is None


def test_improve_breaks_no_limit_and_keeps_what_reaches_them(limited, home):
    good, bad = (Try(number, "variance", {}, "", run=str(one.run)) for number, one in enumerate(limited))
    metric = Metric("accuracy", "max", 1.0)
    held = Improvement(str(home), str(home / "r.yaml"), 60, tries=[good, bad], best=0)
    _judge(held, bad, metric, Watch())
    assert (bad.state, held.best) == ("infeasible", 0)
    assert bad.says.startswith(f"it breaks a limit that held: {RATE} <=") and "worse than the best" in bad.says
    held.best = 1
    _judge(held, good, metric, Watch())
    assert (good.state, held.best) == ("kept", 0) and good.says.startswith("it keeps every limit")


def test_compare_where_nothing_is_feasible(home):
    limits = f"goal.subject_to={{{RATE}: '<= 0.001', parameters: '<= 1'}}"
    one, other = trained(home, limits), trained(home, limits, "train.epochs=1")
    found = compare([one.run, other.run])
    names = [run["name"] for run in found["runs"]]
    misses = [found["goal"]["standings"][name]["miss"] for name in names]
    assert found["goal"]["take"] == names[int(np.argmin(misses))]
    assert any(sentence.startswith("none keeps every limit; the nearest is") for sentence in found["verdict"])
    assert any("parameters <= 1 is missed by 5 (6; 500% of the limit)" in sentence for sentence in found["verdict"])


def test_what_serving_takes_is_measured_and_kept(limited, monkeypatch):
    run = limited[0].run
    kept = folders.read_json(run / "scores.json")["goal"]["measured"]
    assert kept["latency_ms_p95"] >= kept["latency_ms_p50"] > 0 and kept["timed"] == 200 and kept["warm_ups"] == 20
    assert kept["parameters"] == 6 and kept["size_mb"] == (run / "model.keras").stat().st_size / 1e6
    assert kept["machine"] == serving.here() and kept["threads"] >= 1 and "examples_per_second" not in kept
    assert evaluate(run)["goal"]["measured"] == kept, "on the same machine it is not measured again"
    file = run / "scores.json"
    scores = json.loads(file.read_text())
    scores["goal"]["measured"]["machine"]["processor"] = "another"
    scores["goal"]["measured"]["latency_ms_p95"] = 1e9
    file.write_text(json.dumps(scores))
    again = evaluate(run)["goal"]
    assert again["measured"]["machine"] == serving.here() and again["measured"]["latency_ms_p95"] < 1e9
    assert folders.read_json(file)["goal"]["measured"] == again["measured"]


def test_calls_that_are_timed():
    """Each example alone, in turn, after the warm-ups; then many at a time."""
    calls = []
    arrays = {"row": np.arange(6.0).reshape(3, 2)}
    found = serving.latency(lambda batch: calls.append(batch["row"]), arrays)
    assert len(calls) == serving.WARM_UPS + serving.SINGLES and found["latency_ms_p50"] <= found["latency_ms_p95"]
    assert all(one.shape == (1, 2) for one in calls) and [one[0, 0] for one in calls[:4]] == [0, 2, 4, 0]
    calls.clear()
    assert serving.throughput(lambda batch: calls.append(batch["row"].shape), arrays) > 0
    assert len(calls) >= 5 and set(calls) == {(serving.BATCH, 2)}


def test_evaluate_and_the_report_show_the_limits(limited, capsys):
    good, bad = limited
    assert run_command("evaluate", bad.run) == 0
    said = capsys.readouterr().out
    assert "not feasible: false_positive_rate <=" in said and "is missed by" in said and "size_mb <= 5" in said
    assert run_command("evaluate", good.run, "--json") == 0
    goal = json.loads(capsys.readouterr().out)["goal"]
    assert goal["feasible"] is True and goal["split"] == "dev" and len(goal["limits"]) == 3
    for run, word in ((good.run, "feasible"), (bad.run, "not feasible")):
        page = write_report(run).read_text()
        assert f"The goal&#39;s limits: {word}" in page or f"The goal's limits: {word}" in page
    assert run_command("runs", "list", "--runs", bad.run.parent.parent) == 0
    assert ", not feasible" in capsys.readouterr().out
    test = evaluate(good.run, splits=["test"])["goal"]
    assert test["split"] == "test" and folders.read_json(good.run / "scores.json")["goal"]["split"] == "dev"


@pytest.mark.parametrize("command", ["train", "check"])
def test_goals_that_the_data_cannot_tell(command, home, capsys):
    file = home / "odd.yaml"
    file.write_text(
        RECIPE + 'goal: {subject_to: {"accuracy[light=dusk]": ">= 0.5", "accuracy[lihgt=dark]": ">= 0.5"},\n'
        "  costs: {wel → sick: 2}}\n",
        encoding="utf-8",
    )
    assert run_command(command, file) == 2
    said = capsys.readouterr()
    said = " ".join((said.out + said.err).split())
    for words in (
        "no example of dev: unknown value of light 'dusk'; known: dark, day",
        "unknown tag 'lihgt'; did you mean 'light'?",
        "no error is of the kind 'wel → sick', and no example has such a tag; did you mean 'well → sick'?",
    ):
        assert words in said, said


def test_limits_need_a_dev_and_metrics_that_there_are(home):
    with pytest.raises(RecipeError, match=r"needs a dev split"):
        trained(home, f"goal.subject_to.{RATE}='<= 0.1'", "data.split={dev: 0, test: 0.2}")
    found = trained(home, "goal.subject_to.parameters='<= 10'", "data.split={dev: 0, test: 0.2}", "train.epochs=1")
    assert found.goal["feasible"] is True and found.goal["value"] is None
    (home / "three.yaml").write_text("task: classification\ndata: iris\nmodel: linear\n")
    with pytest.raises(RecipeError, match=r"more than two classes") as caught:
        train(load(home / "three.yaml", [f"goal.optimize={RATE}"]), out=home / "runs")
    assert caught.value.complaints[0].where.key == "goal.optimize"
