"""Resuming: to the same bits as an uninterrupted training, from whatever moment; what has changed is refused."""

import contextlib
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pyarrow.parquet
import pytest
from small_training import Heard, StopError, dying_at, weights, write_rows

from dlspec.recipe.load import load
from dlspec.runs import checkpoint as checkpoints
from dlspec.runs.analyze import analyze
from dlspec.runs.compare import compare
from dlspec.runs.evaluate import evaluate
from dlspec.runs.resume import resume
from dlspec.runs.train import train
from dlspec.types import ArgumentError, DataError, RecipeError

RECIPE = """
task: classification
data: {name: csv, path: rows.csv, target: y, split: {dev: 0.25}}
model: {name: mlp, hidden: [8], dropout: 0.2}
train:
  epochs: 6
  batch_size: 8
  seed: 4
  optimizer: {name: adam, learning_rate: 0.01}
  checkpoint: {steps: 7}
  steps_per_execution: 3
"""


@pytest.fixture
def home(tmp_path):
    write_rows(tmp_path)
    (tmp_path / "r.yaml").write_text(RECIPE)
    return tmp_path


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A training of the recipe that nothing interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    write_rows(folder)
    (folder / "r.yaml").write_text(RECIPE)
    return train(load(folder / "r.yaml"), out=folder)


def history(run):
    rows = list(csv.DictReader((run / "history.csv").read_text().splitlines()))
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


def stopped_at(step, home, monkeypatch, *sets):
    """A training that dies once so many steps are done, without a chance to save anything."""
    with dying_at(step, monkeypatch):
        train(load(home / "r.yaml", sets), out=home / "runs")
    return max((home / "runs" / "r").iterdir(), key=lambda one: one.stat().st_mtime_ns)


@pytest.mark.parametrize("step", [1, 14, 15, 70])
def test_to_the_same_bits_from_any_step(home, monkeypatch, whole, step):
    run = stopped_at(step, home, monkeypatch)
    assert not (run / "model.keras").exists()
    heard = Heard()
    again = resume(run, watch=heard)
    assert again.run == run and any("going on" in one for one in heard.said)
    assert weights(run) == weights(whole.run)
    assert history(run) == history(whole.run)
    assert again.scores == whole.scores and again.best_epoch == whole.best_epoch
    assert again.seconds > 0 and len(list((run / "checkpoint").glob("step-*"))) <= 2


@pytest.mark.parametrize(
    "sets",
    [
        ("train.early_stopping={patience: 1}", "train.optimizer={name: sgd, momentum: 0.9}"),
        ("train.cache=none",),
        ("train.batch_size=all", "train.checkpoint={steps: 1}"),
        ("train.optimizer={name: adamw}", "train.keep=last", "train.steps_per_execution=auto"),
        ("train.schedule={name: cosine, warmup: {steps: 5}}", "train.average.momentum=0.9", "train.clip={norm: 0.1}"),
        ("train.schedule={name: reduce_on_plateau, patience: 1, factor: 0.5}", "train.accumulate=4"),
        ("train.accumulate=3", "train.average.momentum=0.8", "train.keep=last", "train.max_norm=0.5"),
        ("train.sampling=balanced", "task.class_weights=balanced", "input.augment.noise=0.3"),
        ("train.precision=mixed_bfloat16", "train.optimizer={name: lion, weight_decay: 0.1}"),
        ("train.precision=mixed_float16", "train.accumulate=2", "train.schedule={name: one_cycle}"),
        ("train.compile=xla", "train.optimizer={name: rmsprop, momentum: 0.5, centered: true}"),
    ],
)
def test_whatever_the_settings(home, monkeypatch, sets):
    whole = train(load(home / "r.yaml", sets), out=home / "whole")
    steps = 3 if "all" in sets[0] else 20
    run = stopped_at(steps, home, monkeypatch, *sets)
    resume(run)
    assert weights(run) == weights(whole.run) and history(run) == history(whole.run)
    assert all(float(row["learning_rate"]) > 0 for row in history(run))


def test_a_plateau_goes_on_where_it_was_and_from_another_rate(home, monkeypatch):
    sets = ["train.schedule={name: reduce_on_plateau, patience: 1, factor: 0.5, minimum_change: 10}"]
    run = stopped_at(50, home, monkeypatch, *sets)
    resume(run, sets=["train.optimizer.learning_rate=0.004"])
    rates = [float(row["learning_rate"]) for row in history(run)]
    assert rates == pytest.approx([0.01, 0.01, 0.005, 0.0025, 0.0005, 0.00025])


def test_an_average_is_kept_though_nothing_was_left_to_fit(home, monkeypatch):
    from dlspec.runs import train as module

    sets = ("train.average.momentum=0.9", "train.keep=last", "train.early_stopping={patience: 1, minimum_change: 10}")
    whole = train(load(home / "r.yaml", sets), out=home / "whole")

    def die(*args, **kwargs):
        raise StopError

    with monkeypatch.context() as patch, pytest.raises(StopError):
        patch.setattr(module, "_scores", die)
        train(load(home / "r.yaml", sets), out=home / "runs")
    [run] = (home / "runs" / "r").iterdir()
    resume(run)
    assert weights(run) == weights(whole.run)


def test_a_recipe_that_the_checkpoint_does_not_fit_leaves_the_run_as_it_was(home, monkeypatch, whole):
    run = stopped_at(20, home, monkeypatch)
    kept = (run / "recipe.yaml").read_bytes()
    for one in ("train.optimizer={name: sgd}", "train.precision=mixed_float16", "train.average.momentum=0.9"):
        with pytest.raises(ArgumentError, match="other variables"):
            resume(run, sets=[one])
        assert (run / "recipe.yaml").read_bytes() == kept and not (run / "resumed.jsonl").exists()
    resume(run)
    assert weights(run) == weights(whole.run)


def test_more_epochs_are_the_same_as_if_asked_at_first(home):
    long = train(load(home / "r.yaml", ["train.epochs=9"]), out=home / "whole")
    short = train(load(home / "r.yaml", ["train.epochs=4"]), out=home / "runs")
    heard = Heard()
    same = resume(short.run, watch=heard)
    assert any("is finished: 4 of 4 epochs; --epochs 8" in one for one in heard.said)
    assert same.scores == short.scores and same.epochs == 4
    resume(short.run, sets=["train.optimizer.learning_rate=1e-4"], watch=heard)
    assert heard.said[-1].endswith("--epochs 8 would go on to 8, with the new train.optimizer.learning_rate")
    longer = resume(short.run, sets=["train.epochs=9"])
    assert longer.run == short.run and longer.epochs == 9 and weights(longer.run) == weights(long.run)
    assert history(longer.run) == history(long.run)
    [line] = (short.run / "resumed.jsonl").read_text().splitlines()
    assert json.loads(line)["changes"] == {"train.epochs": [4, 9]}
    assert load(short.run / "recipe.yaml").recipe.train.epochs == 9


def test_what_was_judged_before_is_not_taken_for_what_came_of_it(home):
    """The ledger, `runs compare` and the page would show predictions of the network that is no longer there."""
    (home / "r.yaml").write_text(RECIPE.replace("dev: 0.25", "dev: 0.25, test: 0.25"))
    run = train(load(home / "r.yaml"), out=home / "runs").run
    evaluate(run, splits=["train", "dev", "test"])
    analyze(run)
    (run / "errors" / "tags.csv").write_text("id,tags\n")
    assert (run / "ledger.json").is_file() and (run / "errors" / "dev.json").is_file()
    before = pyarrow.parquet.read_table(run / "predictions" / "dev.parquet")
    resume(run, sets=["train.epochs=12"])
    left = {str(file.relative_to(run)) for file in run.rglob("*") if file.is_file()}
    assert not {one for one in left if one.startswith(("predictions", "worst", "errors/dev", "suggestions/1"))}
    assert "ledger.json" not in left and "errors/tags.csv" in left and "figures/test.json" not in left
    other = train(load(home / "r.yaml", ["train.seed=5"]), out=home / "runs").run
    compare([run, other])
    now = pyarrow.parquet.read_table(run / "predictions" / "dev.parquet")
    assert now["id"] == before["id"] and now["p_1"] != before["p_1"]
    assert [one["name"] for one in evaluate(run)["ledger"]["levels"]] == ["train", "dev"]


def test_the_learning_rate_may_be_changed_by_hand(home, monkeypatch):
    run = stopped_at(50, home, monkeypatch)
    shutil.copytree(run, home / "runs" / "copy" / run.name)
    resume(run)
    other = resume(home / "runs" / "copy" / run.name, sets=["train.optimizer.learning_rate=1e-9"])
    assert history(other.run)[-1] != history(run)[-1]
    rows = history(other.run)
    assert rows[-1]["dev_log_loss"][:6] == rows[-2]["dev_log_loss"][:6], "with such a rate nothing moves"


def test_what_may_not_change_is_refused_with_its_keys(home, monkeypatch):
    run = stopped_at(20, home, monkeypatch)
    (home / "other.yaml").write_text(RECIPE.replace("0.01", "0.02").replace("epochs: 6", "epochs: 7"))
    with pytest.raises(ArgumentError) as caught:
        resume(run, recipe=home / "other.yaml")
    said = str(caught.value)
    assert "train.epochs: 6 → 7" in said and "train.optimizer.learning_rate: 0.01 → 0.02" in said
    assert "--accept-changes" in said
    assert resume(run, recipe=home / "other.yaml", accept_changes=True).epochs == 7
    for one in ("model.hidden=[9]", "train.seed=5", "train.batch_size=4", "data.split.dev=0.3"):
        with pytest.raises(ArgumentError, match="train a new run"):
            resume(run, sets=[one])


def test_a_checkpoint_cut_short_falls_back_to_the_one_before(home, monkeypatch, whole):
    run = stopped_at(50, home, monkeypatch)
    newest, older = sorted((run / "checkpoint").glob("step-*"), key=lambda one: -int(one.stem.split("-")[1]))
    content = newest.read_bytes()
    for broken in (content[: len(content) // 2], b"", content[:400] + b"\1" + content[401:]):
        newest.write_bytes(broken)
        found, said = checkpoints.newest(run / "checkpoint")
        assert f"step-{found.step}.npz" == older.name and "damaged" in said[0]
    heard = Heard()
    resume(run, watch=heard)
    assert any("damaged" in one and "the one before it is taken" in one for one in heard.said)
    assert weights(run) == weights(whole.run)


def test_data_that_has_changed_is_refused(home, monkeypatch):
    run = stopped_at(20, home, monkeypatch)
    text = (home / "rows.csv").read_text()
    (home / "rows.csv").write_text(text.replace("\n", "\n1.0,2.0,3.0,1\n", 1))
    with pytest.raises(DataError, match="has changed since this run began"):
        resume(run)


def test_a_full_disk_leaves_the_run_resumable(home, monkeypatch, whole):
    from dlspec.runs import folder

    writing, many = np.savez, []

    def full(file, **arrays):
        many.append(1)
        if len(many) > 3:
            file.write(b"half")
            raise OSError(28, "No space left on device")
        writing(file, **arrays)

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", full)
        with pytest.raises(ArgumentError, match=r"No space left on device.*dlspec train --resume"):
            train(load(home / "r.yaml"), out=home / "runs")
    [run] = (home / "runs" / "r").iterdir()
    assert checkpoints.newest(run / "checkpoint")[0] is not None and checkpoints.newest(run / "checkpoint")[1] == []
    assert not [one for one in (run / "checkpoint").iterdir() if one.name.startswith(".")]
    resume(run)
    assert weights(run) == weights(whole.run) and folder.summary(run)["state"] == "finished"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_ctrl_c_saves_and_says_how_to_go_on(home):
    sets = ["--set", "train.epochs=100000", "--set", "train.checkpoint=null", "--set", "train.steps_per_execution=auto"]
    command = [sys.executable, "-c", "from dlspec.cli import main; main()", "train", str(home / "r.yaml"), *sets]
    process = subprocess.Popen(
        command, cwd=home, stderr=subprocess.PIPE, text=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    )
    deadline = time.monotonic() + 120
    while not list(home.glob("runs/r/*/history.csv")) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130, said
    [run] = (home / "runs" / "r").iterdir()
    assert f"dlspec train --resume {run}" in " ".join(said.split())
    found, _ = checkpoints.newest(run / "checkpoint")
    assert found is not None and found.step > 0 and not (run / "model.keras").exists()
    epochs = found.facts["epoch"] + 2
    longer = resume(run, sets=[f"train.epochs={epochs}"])
    whole = train(load(home / "r.yaml", [f"train.epochs={epochs}"]), out=home / "whole")
    assert weights(longer.run) == weights(whole.run)


@pytest.mark.parametrize("where", ["_scores", "headline"])
def test_a_finished_run_that_goes_on_and_is_killed_while_it_is_scored(home, monkeypatch, where):
    from dlspec.runs import train as module

    long = train(load(home / "r.yaml", ["train.epochs=4"]), out=home / "whole")
    run = train(load(home / "r.yaml", ["train.epochs=2"]), out=home / "runs").run

    def die(*args, **kwargs):
        raise StopError

    with monkeypatch.context() as patch, pytest.raises(StopError):
        patch.setattr(module, where, die)  # before model.keras is written, or between it and scores.json
        resume(run, sets=["train.epochs=4"])
    assert json.loads((run / "scores.json").read_text())["epochs"] == 2
    again = resume(run)
    assert again.epochs == 4 and again.scores == long.scores and weights(run) == weights(long.run)


STOPS = ("train.early_stopping={patience: 2, minimum_change: 10}", "train.epochs=5")


@pytest.mark.parametrize("killed", [False, True])
def test_more_of_a_training_that_early_stopping_has_ended_has_its_patience_again(home, monkeypatch, killed):
    from dlspec.runs import train as module

    def die(*args, **kwargs):
        raise StopError

    with monkeypatch.context() as patch:
        if killed:
            patch.setattr(module, "_scores", die)
        with pytest.raises(StopError) if killed else contextlib.nullcontext():
            train(load(home / "r.yaml", STOPS), out=home / "runs")
    [run] = (home / "runs" / "r").iterdir()
    assert len(history(run)) == 3
    with monkeypatch.context() as patch, pytest.raises(StopError):
        patch.setattr("dlspec.runs.resume.carry_out", die)  # what was asked for is not forgotten
        resume(run, sets=["train.epochs=60"])
    heard = Heard()
    assert resume(run, watch=heard).epochs == 5
    assert any("stopped after epoch 5" in one for one in heard.said)
    assert resume(run).epochs == 5, "nobody has asked for more"


def test_batches_of_which_nothing_could_be_read_are_behind_too(home):
    from PIL import Image

    draws = np.random.default_rng(1)
    for place in range(16):
        file = home / "pics" / "ab"[place % 2] / f"{place}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draws.integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(file)
        content = bytearray(file.read_bytes())
        if place % 4 == 0:  # its head and its end are whole
            content[len(content) // 2 : len(content) // 2 + 50] = bytes(50)
        file.write_bytes(content)
    (home / "r.yaml").write_text(
        "task: classification\ndata: {name: image_folder, path: pics, strict: false, split: {dev: 0, test: 0}}\n"
        "input: {size: [8, 8]}\nmodel: {name: linear}\ntrain: {epochs: 2, batch_size: 1, checkpoint: {steps: 11}, "
        "cache: none, steps_per_execution: 4}\n"
    )
    whole = train(load(home / "r.yaml"), out=home / "whole")
    with pytest.MonkeyPatch.context() as patch:
        run = stopped_at(11, home, patch)
    found, _ = checkpoints.newest(run / "checkpoint")
    assert found.step == 11 and found.facts["in_epoch"] > 11
    resume(run)
    assert weights(run) == weights(whole.run) and history(run) == history(whole.run)
    assert checkpoints.newest(run / "checkpoint")[0].step == 24


def test_interrupted_after_the_last_step_of_an_epoch(home, monkeypatch, whole):
    from dlspec.runs.observer import Observer

    stepped = Observer.stepped

    def interrupt(self, network, done, logs, spent):
        self.interruption.asked = self.step + done == 24  # of twelve an epoch
        return stepped(self, network, done, logs, spent)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Observer, "stepped", interrupt)
        train(load(home / "r.yaml"), out=home / "runs")
    [run] = (home / "runs" / "r").iterdir()
    resume(run)
    assert weights(run) == weights(whole.run) and history(run) == history(whole.run)


def test_what_decides_by_dev_needs_one_when_going_on_too(home, monkeypatch):
    run = stopped_at(20, home, monkeypatch, "data.split={dev: 0}")
    for one in ("train.early_stopping={patience: 1}", "train.schedule={name: reduce_on_plateau}"):
        with pytest.raises(RecipeError, match="needs a dev split"):
            resume(run, sets=[one])
    assert not (run / "resumed.jsonl").exists()


def test_a_section_that_is_new_brings_its_defaults_along(home, monkeypatch):
    run = stopped_at(20, home, monkeypatch)
    resume(run, sets=["train.early_stopping.patience=5", "train.schedule.name=reduce_on_plateau"])
    kept = load(run / "recipe.yaml").recipe.train
    assert kept.early_stopping.patience == 5 and kept.schedule.name == "reduce_on_plateau"
    (home / "other.yaml").write_text(RECIPE + "  max_norm: 3\n")
    with pytest.raises(ArgumentError, match=r"train\.max_norm: null → 3"):
        resume(run, recipe=home / "other.yaml", sets=["train.epochs=7", "train.early_stopping.patience=5"])


def test_another_goal_is_judged_by_its_own_scores(home, monkeypatch):
    from dlspec.runs.observer import Observer

    sets = ["train.early_stopping={patience: 3}", "train.schedule={name: reduce_on_plateau}"]
    run = train(load(home / "r.yaml", [*sets, "train.epochs=3"]), out=home / "runs").run
    rows, [kept], resumed, seen = history(run), [json.loads((run / "scores.json").read_text())], Observer.resume, []
    assert kept["goal"]["metric"] != "log_loss"

    def look(self, at):
        resumed(self, at)
        patience = self.patience
        seen.append((self.best.score, self.best.epoch, patience.reached.value, patience.since, self.plateau.best))

    monkeypatch.setattr(Observer, "resume", look)
    longer = resume(run, sets=["goal.optimize=log_loss", "train.epochs=6"])
    losses = [float(row["dev_log_loss"]) for row in rows]
    [(score, epoch, reached, since, plateau)] = seen
    assert (score, epoch) == (pytest.approx(losses[kept["best_epoch"] - 1]), kept["best_epoch"] - 1)
    assert reached == plateau == pytest.approx(min(losses)) and since == 2
    losses = [float(row["dev_log_loss"]) for row in history(run)]
    assert longer.scores["dev"]["log_loss"]["value"] == pytest.approx(min(score, *losses[3:]), rel=1e-5)
