"""Folds and seeds: every training a run, folds that do not meet, means by hand, what has ended is not trained again."""

import csv
import re
import shutil
import statistics
from pathlib import Path

import pytest
from crew_here import here
from test_search import command, made

from dlspec.recipe.load import load
from dlspec.runs import folder as folders
from dlspec.runs.evaluate import evaluate
from dlspec.runs.warm import Warm
from dlspec.strategy.leading import fold_mean
from dlspec.tuning import search
from dlspec.tuning.outcome import tried
from dlspec.tuning.search import begun
from dlspec.tuning.study import Study
from dlspec.tuning.trial import carry_out, check_data
from dlspec.types import ArgumentError, RecipeError

HEAD = """
task: classification
data: {name: digits, split: {dev: 0.2, test: 0.2, train: 300}}
model: {name: mlp, hidden: [8]}
train: {seed: 4, epochs: 2, batch_size: 64, tensorboard: false, health: false}
"""
tune = here(search.tune)
AXIS = "model.hidden: {choice: [[4], [24], [32]]}"
TUNE = """
tune:
  trials: 3
  sampler: grid
  folds: 3
  seeds: 2
  space: {model.hidden: {choice: [[4], [24], [32]]}}
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("repeats")
    return folder, tune(made(folder, HEAD + TUNE), out=folder / "runs")


def test_a_trial_is_the_mean_of_its_trainings_each_a_run(found):
    _, result = found
    for one in result["trials"]:
        assert one["state"] == "complete" and len(one["trainings"]) == 6
        names = [f"trial-{one['number']:03d}-fold-{fold}-seed-{seed}" for fold in range(3) for seed in (4, 5)]
        assert [training["name"] for training in one["trainings"]] == names
        values = [training["value"] for training in one["trainings"]]
        assert one["values"] == [pytest.approx(statistics.mean(values))]
        folds = [statistics.mean(values[2 * fold : 2 * fold + 2]) for fold in range(3)]
        assert (one["low"], one["high"]) == pytest.approx(fold_mean(folds)[1:3])
        assert one["epochs"] == 12
    run = result["trials"][0]["trainings"][3]
    recipe = load(Path(run["run"]) / "recipe.yaml").recipe
    assert (recipe.data.split.fold, recipe.data.split.folds, recipe.train.seed) == (1, 3, 5) and recipe.tune is None
    assert evaluate(run["run"])["scores"]["dev"]["accuracy"]["value"] == run["value"]


def test_folds_are_the_same_for_every_trial_and_test_is_never_among_them(found):
    _, result = found
    manifests = [
        [folders.read_manifest(Path(one["run"]) / "manifest.csv") for one in trial["trainings"]]
        for trial in result["trials"]
    ]
    assert manifests[0] == manifests[1] == manifests[2]
    dev, test = ([{name for name, split in one.items() if split == which} for one in manifests[0][::2]] for which in
                 ("dev", "test"))  # fmt: skip
    assert test[0] == test[1] == test[2] and len(test[0]) == 359
    assert not dev[0] & dev[1] and not dev[1] & dev[2] and not dev[0] & dev[2]
    whole = set.union(*dev)
    assert len(whole) == 1797 - 359 and not whole & test[0] and manifests[0][0] == manifests[0][1]


def test_the_larger_lead_or_are_said_not_to(found):
    _, result = found
    best, small = result["best"], next(one for one in result["trials"] if one["params"]["model.hidden"] == "[4]")
    assert best["number"] != small["number"] and best["leads"] is (not best["tied"])
    assert ("leads" in best["says"]) == best["leads"] and "3 folds and 2 seeds" in best["says"]
    assert small["parameters"] == 64 * 4 + 4 + 4 * 10 + 10
    least = result["simplest"]
    assert least["parameters"] <= next(one["parameters"] for one in result["trials"] if one["number"] == best["number"])
    with open(f"{result['study']}/trials.csv", newline="") as text:
        rows = list(csv.DictReader(text))
    assert [int(row["trainings"]) for row in rows] == [6, 6, 6]
    for row, one in zip(rows, result["trials"], strict=True):
        for column, value in (("accuracy", one["values"][0]), *((key, one[key]) for key in ("low", "high"))):
            assert float(row[column]) == value
        assert int(row["parameters"]) == one["parameters"]
    page = Path(result["study"], "report.html").read_text()
    assert "mean of 6 trainings" in page and best["says"].split(" over ")[0].replace("'", "&#39;") in page
    trained = load(best["recipe"]).recipe
    assert trained.data.split.folds is None and trained.train.seed == 4


def test_what_has_ended_is_not_trained_again(tmp_path):
    """A worker that dies after two of six trainings: whoever takes the trial over trains the other four."""
    loaded = made(tmp_path, HEAD + TUNE.replace("trials: 3", "trials: 1"))
    study = Study(begun(loaded, tmp_path / "runs"))
    warm = Warm()
    check_data(study, warm)
    said = []

    def tell(message):
        said.append(message)
        if message["what"] == "epoch" and message["epoch"] == 5:  # the first epoch of the third training
            raise KeyboardInterrupt

    study.fill(1)
    with pytest.raises(KeyboardInterrupt):
        carry_out(study, study.claim(1), None, warm, tell)
    study.bury()
    times = {one.parent.parent.name: one.stat().st_mtime_ns for one in study.home.glob("runs/*/*/model.keras")}
    assert len(times) == 2
    study.fill(1)
    carry_out(study, study.claim(1), None, warm, lambda _: None)
    [one] = tried(study)
    assert one.state == "complete" and one.attempts == 2 and len(one.noted["trainings"]) == 6
    after = {one.parent.parent.name: one.stat().st_mtime_ns for one in study.home.glob("runs/*/*/model.keras")}
    assert len(after) == 6 and times.items() <= after.items()
    study.close()


def test_what_falls_behind_in_its_first_training_is_given_up_before_the_others(tmp_path):
    text = HEAD.replace("epochs: 2", "epochs: 9") + TUNE.replace("  seeds: 2\n", "").partition("  space")[0]
    rates = "1e-9, 1e-7, 1e-8, 1e-6, 1e-5, 0.01"
    space = f"  pruner: asha\n  space: {{train.optimizer.learning_rate: {{choice: [{rates}]}}}}\n"
    result = tune(made(tmp_path, (text + space).replace("trials: 3", "trials: 6")), out=tmp_path / "runs")
    trainings = {one["state"]: {len(one["trainings"])} for one in result["trials"]}
    assert trainings == {"complete": {3}, "pruned": {1}}
    assert result["best"]["params"]["train.optimizer.learning_rate"] == 0.01


def test_one_training_a_trial_is_compared_on_the_same_dev_examples(tmp_path):
    text = TUNE.replace("  folds: 3\n  seeds: 2\n", "").replace("[[4], [24], [32]]", "[[1], [30], [31]]")
    result = tune(made(tmp_path, HEAD.replace("epochs: 2", "epochs: 8") + text), out=tmp_path / "runs")
    best = result["best"]
    small = next(one["number"] for one in result["trials"] if one["params"]["model.hidden"] == "[1]")
    assert small not in best["tied"] and "the same 359 dev examples" in best["says"]
    assert all(one["low"] < one["values"][0] < one["high"] for one in result["trials"])
    assert not best["leads"] or best["value"] - sorted(one["values"][0] for one in result["trials"])[1] > 0.02
    # Where nothing to compare by is kept, nothing is claimed.
    for kept in Path(result["study"]).rglob("statistics"):
        shutil.rmtree(kept)
    again = tune(None, resume=result["study"])
    assert again["best"]["leads"] is False and len(again["best"]["tied"]) == 2


def test_seeds_alone_train_the_same_division(tmp_path):
    text = TUNE.replace("  folds: 3\n", "").replace("trials: 3", "trials: 2")
    result = tune(made(tmp_path, HEAD + text), out=tmp_path / "runs")
    for one in result["trials"]:
        runs = [Path(training["run"]) for training in one["trainings"]]
        assert [run.parent.name[-7:] for run in runs] == ["-seed-4", "-seed-5"]
        assert len({(run / "manifest.csv").read_text() for run in runs}) == 1
        assert len({training["value"] for training in one["trainings"]}) == 2
        assert one["low"] < one["values"][0] < one["high"]
    assert "2 seeds and the same 359 dev examples" in result["best"]["says"]


def test_a_training_that_fails_is_named(tmp_path):
    text = HEAD.replace("seed: 4,", "seed: 4, optimizer: {name: sgd, learning_rate: 1e30},") + TUNE
    one = text.replace("trials: 3", "trials: 1").replace("[[4], [24], [32]]", "[[4]]")
    result = tune(made(tmp_path, one), out=tmp_path / "runs")
    [failed] = result["trials"]
    assert failed["state"] == "failed" and re.match(r"trial-000-fold-\d-seed-\d: ", failed["cause"])
    assert result["best"] is None and result["simplest"] is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (HEAD.replace("train: 300", "folds: 4") + TUNE, "tune.folds: tune.folds divides the data into folds itself"),
        (HEAD + TUNE.replace("folds: 3", "folds: 1"), "tune.folds: "),
        (HEAD + TUNE.replace(AXIS, "train.seed: {integer: [1, 3]}"), "tune.seeds"),
        (HEAD + TUNE.replace(AXIS, "data.split.fold: {integer: [0, 1]}"),
         "tune.folds divides the data already"),
    ],
)  # fmt: skip
def test_what_cannot_be_repeated_is_refused(tmp_path, text, says):
    with pytest.raises(RecipeError, match=says):
        made(tmp_path, text)


def test_too_few_examples_and_times_make_no_folds(tmp_path, capsys):
    (tmp_path / "few.csv").write_text("when,a,b\n" + "".join(f"{i},{i % 7},{'xy'[i % 2]}\n" for i in range(20)))
    head = "task: classification\ndata: {name: csv, path: few.csv, target: b%s}\nmodel: linear\n"
    search = TUNE.replace(AXIS, "train.l2: {uniform: [0, 1]}").replace("grid", "random")
    few = made(tmp_path, head % "" + search.replace("folds: 3", "folds: 18"), "few")
    with pytest.raises(ArgumentError, match=r"tune\.folds.*: 17 examples cannot make 18 folds"):
        tune(few, out=tmp_path / "runs")
    with pytest.raises(RecipeError, match=r"tune\.folds: data\.split\.folds: .*folds and time cannot both hold"):
        made(tmp_path, head % ", split: {time: when}" + TUNE, "timed")
    code, _, said = command(capsys, tmp_path / "timed.yaml", "--out", tmp_path / "runs")
    assert code == 2 and "Traceback" not in said
