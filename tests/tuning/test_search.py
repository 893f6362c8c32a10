"""`dlspec tune`: each trial is a run, failures are told, nothing that is finished is lost, other searches refused."""

import csv
import itertools
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from crew_here import here

from dlspec.cli import main
from dlspec.recipe.load import load
from dlspec.runs.evaluate import evaluate
from dlspec.runs.train import train
from dlspec.tuning.facts import axes, curves, importance
from dlspec.tuning.outcome import tried
from dlspec.tuning.search import tune
from dlspec.tuning.storage import of_folder
from dlspec.tuning.study import Study, Where
from dlspec.tuning.trial import TrialWatch
from dlspec.types import ArgumentError

RECIPE = """
task: classification
data: {name: iris, split: {dev: 0.2, test: 0.2}}
model: {name: mlp, hidden: [8]}
train: {seed: 1, epochs: 2, batch_size: 32, tensorboard: false, health: false}
goal: {optimize: accuracy, subject_to: {log_loss: "<= 1.0"}}
tune:
  trials: 5
  seed: 3
  space:
    train.optimizer: 
      choice: [{name: adam, learning_rate: {log_uniform: [1e-3, 1e-1]}}, {name: sgd, learning_rate: 1e30}]
    model.hidden: {choice: [[4], [8, 8]]}
"""


def made(folder, text=RECIPE, name="small"):
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yaml").write_text(text)
    return load(folder / f"{name}.yaml")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tune")
    return folder, tune(made(folder), out=folder / "runs")


def test_every_trial_has_ended_and_failures_say_why(found):
    _, result = found
    assert [one["number"] for one in result["trials"]] == [0, 1, 2, 3, 4]
    states = {one["state"] for one in result["trials"]}
    assert states == {"complete", "failed"}
    for one in result["trials"]:
        diverges = one["params"]["train.optimizer"] == "sgd"
        assert (one["state"] == "failed") == diverges
        assert bool(one["cause"]) == diverges and bool(one["values"]) != diverges
        assert ("train.optimizer[0].learning_rate" in one["params"]) != diverges
        assert one["params"]["model.hidden"] in ("[4]", "[8, 8]")


def test_the_best_keeps_the_limits_or_misses_them_least(found):
    _, result = found
    trials = {one["number"]: one for one in result["trials"]}
    order = [trials[index] for index in result["leaderboard"]]
    assert result["best"]["number"] == order[0]["number"]
    for one, other in itertools.pairwise(order):
        assert (not one["feasible"], one["miss"], -one["values"][0]) <= (
            not other["feasible"],
            other["miss"],
            -other["values"][0],
        )


def test_a_trial_is_a_run_and_the_best_recipe_trains_it_again(found):
    folder, result = found
    best = result["best"]
    scored = evaluate(best["run"])["scores"]["dev"]["accuracy"]["value"]
    assert scored == best["value"]
    again = train(load(best["recipe"]), out=folder / "again")
    assert again.goal["value"] == best["value"]
    with open(f"{result['study']}/trials.csv", newline="") as text:
        rows = list(csv.DictReader(text))
    assert [int(row["number"]) for row in rows] == [0, 1, 2, 3, 4]
    assert [[float(row["accuracy"])] if row["accuracy"] else [] for row in rows] == [
        one["values"] for one in result["trials"]
    ]


def test_it_is_extended_with_the_same_parameters_as_one_longer_search(found):
    folder, result = found
    longer = here(tune)(None, resume=result["study"], trials=6)
    assert longer["trials"][:5] == result["trials"] and len(longer["trials"]) == 6
    other = tune(made(folder), trials=3, out=folder / "other", workers=2)
    assert [one["params"] for one in other["trials"]] == [one["params"] for one in longer["trials"][:3]]
    for one, same in zip(other["trials"], longer["trials"], strict=False):
        assert one["values"] == pytest.approx(same["values"]) and one["threads"] == 1


def test_killed_in_the_middle_it_goes_on_to_the_same_best(found):
    folder, whole = found
    code = "from dlspec.cli import main; main()"
    command = [sys.executable, "-c", code, "tune", "small.yaml", "--out", "killed"]
    made(folder)
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as running:
        assert any(line.startswith("trial ") for line in running.stderr)
        running.send_signal(signal.SIGKILL)
    gone_on = tune(load(folder / "small.yaml"), resume="last", out=folder / "killed")
    for one, other in zip(gone_on["trials"], whole["trials"], strict=True):
        assert [one[key] for key in ("state", "params", "values")] == [
            other[key] for key in ("state", "params", "values")
        ]
    assert gone_on["best"]["number"] == whole["best"]["number"]
    with pytest.raises(ArgumentError, match="there is no study of other"):
        tune(made(folder, RECIPE, "other"), resume="last", out=folder / "killed")


def test_ctrl_c_says_how_to_go_on_and_leaves_a_report_of_what_there_is(tmp_path):
    made(tmp_path)
    # Whoever started the tests may have its children ignore Ctrl-C, as a shell does with what runs behind it.
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    code += "from dlspec.cli import main; main()"
    # So many trials that the last is far when the first is told of, on a busy machine too.
    command = [sys.executable, "-c", code, "tune", "small.yaml", "--out", "runs", "--trials", "60"]
    streams = {"stderr": subprocess.PIPE, "stdout": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(command, cwd=tmp_path, **streams) as running:
        assert any(line.startswith("trial ") for line in running.stderr)
        running.send_signal(signal.SIGINT)
        said = running.stderr.read()
    assert running.returncode == 130 and "--resume` goes on" in said and "Traceback" not in said
    [study] = (tmp_path / "runs/small-tune").iterdir()
    assert (study / "report.html").is_file() and len((study / "trials.csv").read_text().splitlines()) > 1


@here
def test_what_falls_behind_is_given_up(tmp_path):
    text = (
        RECIPE.partition("tune:")[0].replace("epochs: 2", "epochs: 9").replace(', subject_to: {log_loss: "<= 1.0"}', "")
    )
    space = "tune: {trials: 6, pruner: asha, sampler: grid, space: {train.optimizer.learning_rate: {choice: [%s]}}}"
    result = tune(made(tmp_path, text + space % "1e-9, 1e-7, 1e-8, 1e-6, 1e-5, 0.03"), out=tmp_path / "runs")
    epochs = {one["state"]: {one["epochs"]} for one in result["trials"]}
    assert epochs.keys() == {"complete", "pruned"} and epochs["complete"] == {9}
    pruned = [one for one in result["trials"] if one["state"] == "pruned"]
    assert {one["epochs"] for one in pruned} <= {1, 3} and all(one["values"] for one in pruned)
    assert result["best"]["params"]["train.optimizer.learning_rate"] == 0.03
    assert set(result["leaderboard"]).isdisjoint(one["number"] for one in pruned)
    page = (Path(result["study"]) / "report.html").read_text()
    listed = page.split("Given up early</h2>")[1].split("</table>")[0]
    assert listed.count("<tr><th scope") == len(pruned)


@pytest.mark.parametrize(("best", "told"), [(max, [0.5, 0.9, 0.9]), (None, [0.5, 0.9, 0.4]), (min, [0.5, 0.5, 0.4])])
def test_a_pruner_goes_by_the_epoch_that_would_be_kept(best, told):
    class Judge:
        def report(self, value, epoch):
            heard.append((epoch, value))

    heard = []
    watch = TrialWatch(lambda _: None, 0, Judge(), best=best)
    for epoch, value in enumerate([0.5, 0.9, float("nan"), 0.4], 1):
        watch.report(epoch, value)
    watch.report(4, 0.4)  # each once
    assert heard == [(1, told[0]), (2, told[1]), (4, told[2])]


def test_what_mattered_is_the_axis_that_decides(found):
    _, result = found
    report = Path(result["study"], "report.html").read_text()
    assert "small" in report and 'class="line' in report and "failed" in report
    whole = Study(Where(result["study"], "small.yaml", *_kept(result["study"])))
    made = [axis["name"] for axis in axes(whole)]
    assert made == ["train.optimizer", "train.optimizer[0].learning_rate", "model.hidden"]
    assert set(importance(whole)) <= set(made)
    best = [one for one in tried(whole) if one.state == "complete"]
    assert {len(values) for values in curves(whole, best).values()} == {2}
    whole.close()


def _kept(study):
    held = json.loads(Path(study, "study.json").read_text())
    return held["name"], of_folder(Path(study))


def test_another_space_is_refused_with_the_difference(found):
    folder, _ = found
    changed = made(folder, RECIPE.replace("1e-1]", "1e-2]"))
    with pytest.raises(ArgumentError, match=r"searches something else \(tune\.space\..*0\.1.* → .*0\.01"):
        tune(changed, resume="last", out=folder / "runs")


def command(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["tune", *map(str, arguments)])
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


def test_bad_input_is_answered_in_a_line(tmp_path, capsys):
    made(tmp_path / "a", RECIPE.partition("tune:")[0], "plain")
    code, _, said = command(capsys, tmp_path / "a/plain.yaml", "--out", tmp_path / "runs")
    assert code == 2 and "tune: " in said and "space" in said and "Traceback" not in said
    axes = "\n".join(
        f"    {key}: {{uniform: [0.1, 0.2], points: 30}}" for key in ("model.dropout", "train.l2", "train.l1")
    )
    made(tmp_path / "a", f"{RECIPE.partition('  trials')[0]}  sampler: grid\n  space:\n{axes}\n", "grid")
    code, _, said = command(capsys, tmp_path / "a/grid.yaml", "--out", tmp_path / "runs")
    assert code == 2 and "27,000 points" in said and "--yes" in said
    made(tmp_path / "a")
    address = "postgresql://somebody:secret@127.0.0.1:1/nowhere"
    code, _, said = command(capsys, tmp_path / "a/small.yaml", "--out", tmp_path / "runs", "--storage", address)
    assert code == 2 and "secret" not in said and "Traceback" not in said and "postgresql://somebody:***@" in said
    code, out, _ = command(capsys, tmp_path / "a/small.yaml", "--resume", "--json", "--out", tmp_path / "runs")
    assert code == 2 and "no study of small" in json.loads(out)["error"]["message"]


def test_data_without_dev_ends_the_search(tmp_path):
    text = RECIPE.replace("dev: 0.2", "dev: 0")
    with pytest.raises(ArgumentError, match="tune: needs a dev split"):
        tune(made(tmp_path, text), out=tmp_path / "runs")
