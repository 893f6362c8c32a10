"""`improve`: what helps is kept, all else is not; it ends, says why, looks at test once, and goes on when killed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_training import Heard, left, write_rows

from dlspec.recipe.load import load
from dlspec.report.improved import time_of
from dlspec.runs import folder as folders
from dlspec.runs import improve as loop
from dlspec.runs.evaluate import evaluate
from dlspec.runs.improve import Budgeted, improve
from dlspec.runs.improve import _next as next_try
from dlspec.runs.improvement import Improvement, Try, seconds
from dlspec.runs.train import train
from dlspec.types import ArgumentError, DataError

SMALL = """
task: classification
data: {name: csv, path: rows.csv, target: y, split: {dev: 0.3, test: 0.3}}
model: {name: mlp, hidden: [1]}
train: {epochs: 40, tensorboard: false, optimizer: {learning_rate: 0.01}}
goal: {human: {accuracy: 1.0}}
"""


def made(folder, text=SMALL, count=None):
    write_rows(folder)
    if count:
        (folder / "rows.csv").write_text("\n".join((folder / "rows.csv").read_text().splitlines()[:count]) + "\n")
    (folder / "small.yaml").write_text(text)
    return load(folder / "small.yaml")


@pytest.fixture(scope="module")
def improved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("improve")
    return improve(made(folder), budget=60, out=folder / "runs")


def test_what_helps_beyond_chance_is_kept(improved):
    first = improved["tries"][0]
    assert first["state"] == "kept" and first["against"] is None
    kept = [one for one in improved["tries"][1:] if one["state"] == "kept"]
    assert kept, improved["tries"]
    for one in kept:
        assert one["difference"] > 0 and one["p"] < 0.05 and one["low"] > 0
        assert one["value"] > improved["tries"][one["against"]]["value"]
    best = improved["tries"][improved["best"]]
    assert best is kept[-1] and best["run"] == improved["run"]
    for one in improved["tries"]:
        if one["state"] == "no better":
            assert not (one["difference"] > 0 and one["p"] < 0.05)


def test_it_says_why_it_ended_and_looked_at_test_once(improved):
    assert improved["why"]
    looks = [folders.looks_at_test(folders.locate(one["run"])) for one in improved["tries"] if one["run"]]
    assert sum(looks) == 1
    assert improved["test"]["accuracy"]["n"] == 48
    assert load(improved["recipe"]).recipe.model.hidden != (1,)


def test_a_change_is_not_tried_twice_on_the_same(improved):
    since = [repr(one["changes"]) for one in improved["tries"] if one["number"] > improved["best"]]
    assert len(set(since)) == len(since)


def test_it_goes_on_with_what_it_has(improved):
    again = improve(None, resume=improved["folder"], budget=improved["budget"])
    assert [one["changes"] for one in again["tries"]] == [one["changes"] for one in improved["tries"]]
    assert again["test"] == improved["test"]


def test_it_goes_on_where_the_folder_was_moved_to(improved, tmp_path):
    moved = shutil.copytree(improved["folder"], tmp_path / "elsewhere")
    again = improve(None, resume=moved, budget=improved["budget"])
    assert all(str(moved) in one["run"] for one in again["tries"]) and again["test"] == improved["test"]


def test_with_more_time_what_was_cut_goes_on_and_test_is_of_the_best(tmp_path, capsys, monkeypatch):
    """A budget over before the training, which waits; test is looked at anew, as the best is another network."""
    text = SMALL.replace("hidden: [1]", "hidden: [32]")
    small = made(tmp_path, text.replace("goal: {human: {accuracy: 1.0}}", "goal: {optimize: f1}"))
    with monkeypatch.context() as slow:
        enough = Budgeted.enough
        slow.setattr(Budgeted, "enough", lambda self: time.sleep(0.1) or enough(self))
        assert left(["improve", str(small.file), "--budget", "1s", "--out", str(tmp_path / "runs")]) == 0
    said = capsys.readouterr().out
    [home] = tmp_path.glob("runs/small-improve/*")
    assert f"cut short by the budget: dlspec improve --resume {home} --budget 2s goes on with it" in said
    assert "looked at once" in said and "-" not in said.split("stopped after")[1].split("\n")[0]
    before = json.loads((home / "improve.json").read_text())
    history = Path(before["tries"][0]["run"]) / "history.csv"
    assert before["tries"][0]["cut"] and len(folders.read_history(history)) < 40
    after = improve(None, resume=home, budget=60)
    assert not after["tries"][0]["cut"] and after["tries"][0]["run"] == before["tries"][0]["run"]
    assert len(folders.read_history(history)) == 40
    kept = json.loads((Path(after["run"]) / "scores.json").read_text())["scores"]["test"]
    assert after["test"] == kept and after["test"] != before["test"] and after["test_looks"] == 2
    assert all("accuracy" not in one["says"] for one in after["tries"]), "it is judged by f1"
    assert left(["improve", "--resume", str(home)]) == 0
    assert "test, looked at 2 times" in capsys.readouterr().out


def test_what_is_compared_with_a_training_that_was_cut_is_told(tmp_path, monkeypatch):
    enough, asked = Budgeted.enough, []

    def cut_once(self):
        asked.append(self)
        self.cut = self.cut or (self is asked[0] and len(asked) == 3)
        return enough(self)

    monkeypatch.setattr(Budgeted, "enough", cut_once)
    monkeypatch.setattr(loop, "_next", lambda held: next_try(held) if len(held.tries) == 1 else None)
    small = made(tmp_path)
    ended = improve(small, budget=600, out=tmp_path / "runs", watch=Heard())
    base, changed = ended["tries"]
    assert base["cut"] and not changed["cut"]
    assert "the best was cut short by the budget, so that time alone may be part of it" in changed["says"]
    assert [time_of(one, ended["tries"]) for one in (base, changed)] == [
        " (cut short by the budget)",
        " (against one cut short)",
    ]


def test_a_person_reads_it(improved, capsys):
    assert left(["improve", "--resume", improved["folder"], "--budget", "2s"]) == 0
    said = capsys.readouterr().out
    assert "what was tried" in said and "stopped after" in said and "its recipe:" in said


def test_what_is_so_of_every_training_is_said_once(tmp_path):
    heard = Heard()
    result = improve(made(tmp_path), budget=60, out=tmp_path / "runs", watch=heard)
    assert len(result["tries"]) > 2
    assert len([one for one in heard.said if "'y' is the target" in one]) == 1
    assert len([one for one in heard.said if one.startswith("try ")]) >= len(result["tries"])


def test_killed_it_goes_on(tmp_path):
    made(tmp_path, SMALL.replace("epochs: 40", "epochs: 300"))
    command = [sys.executable, "-c", "import sys; from dlspec.cli import main; sys.exit(main())", "improve"]
    arguments = [str(tmp_path / "small.yaml"), "--budget", "5m", "--out", str(tmp_path / "runs")]
    child = subprocess.Popen([*command, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while not list(tmp_path.glob("runs/*/*/runs/small/*/checkpoint/*")) and time.monotonic() < until:
        time.sleep(0.1)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    [home] = tmp_path.glob("runs/small-improve/*")
    assert [one["state"] for one in json.loads((home / "improve.json").read_text())["tries"]] == ["running"]
    result = improve(None, resume=home, budget=8)
    assert result["tries"][0]["state"] == "kept" and len(list((home / "runs" / "small").glob("*"))) == 1


def test_what_it_needs(tmp_path):
    with pytest.raises(DataError, match=r"data\.split\.dev"):
        improve(made(tmp_path, SMALL.replace("dev: 0.3", "dev: 0")), budget=20, out=tmp_path)
    assert not list(tmp_path.rglob("model.keras")), "it is said before time is spent"
    with pytest.raises(ArgumentError, match=r"no improve\.json"):
        improve(None, resume=tmp_path)


def test_without_a_human_level_bias_is_tried_too(tmp_path):
    text = SMALL.replace("goal: {human: {accuracy: 1.0}}", "").replace("epochs: 40", "epochs: 2")
    run = train(made(tmp_path, text), out=tmp_path / "runs").run
    ledger = evaluate(run)["ledger"]
    assert ledger["largest"] is None and {one["cause"] for one in ledger["prescriptions"]} == {"avoidable bias"}
    held = Improvement(str(tmp_path), str(tmp_path / "small.yaml"), 60.0, best=0)
    held.tries.append(Try(0, "", {}, "", run=str(run), state="kept"))
    causes = []
    while (one := next_try(held)) is not None:
        causes.append(one.cause)
        assert not one.sure
        held.tries.append(one)
    assert causes == ["avoidable bias"] * len(ledger["prescriptions"]) and "avoidable bias" in held.why


def test_what_was_surely_worse_before_comes_last(tmp_path):
    text = SMALL.replace("goal: {human: {accuracy: 1.0}}", "").replace("epochs: 40", "epochs: 2")
    run = train(made(tmp_path, text), out=tmp_path / "runs").run
    evaluate(run)
    held = Improvement(str(tmp_path), str(tmp_path / "small.yaml"), 60.0, best=0)
    held.tries.append(Try(0, "", {}, "", run=str(run), state="kept"))
    first = next_try(held)
    held.tries += [Try(1, "", first.changes, "", worsened=True), Try(2, "", {}, "", run=str(run), state="kept")]
    held.best = 2
    offered = []
    while (one := next_try(held)) is not None:
        offered.append(one.changes)
        held.tries.append(one)
    assert offered[-1] == first.changes and len(offered) > 1 and offered.count(first.changes) == 1


def test_what_leaned_the_right_way_is_tried_together():
    held = Improvement("", "", 60.0, best=0)
    held.tries.append(Try(0, "", {}, ""))

    def tried(difference, leaned=True, **changes):
        changes = {key.replace("__", "."): new for key, new in changes.items()}
        held.tries.append(Try(len(held.tries), "variance", changes, "", difference=difference, leaned=leaned))

    tried(0.01, model__dropout=0.3)
    assert held.together() is None
    tried(0.02, train__l2=0.001)
    tried(-0.05, leaned=False, train__epochs=9)
    tried(0.005, train__l2=0.01)  # leaned less than the other
    one = held.together()
    assert one.changes == {"train.l2": 0.001, "model.dropout": 0.3} and one.number == 5
    held.tries.append(Try(5, one.cause, one.changes, one.reason, difference=0.02, leaned=True))
    assert held.together() is None
    tried(0.5, model__name="mlp")  # another architecture has other settings
    assert held.together().changes == {"model.name": "mlp", "train.l2": 0.001}


@pytest.mark.parametrize("text", ["soon", "0", "-3m", "3 weeks", ""])
def test_a_budget_is_a_time(text):
    with pytest.raises(ArgumentError, match="30m, 2h or 90s"):
        seconds(text)


def test_times():
    assert [seconds(one) for one in ("30m", "2h", "90s", "1.5", "10 m")] == [1800, 7200, 90, 90, 600]


def test_what_was_cut_twice_is_scored_on_test_anew(monkeypatch, tmp_path):
    """It has gone on in between, so that the scores of the first look are of another network."""
    values = iter((0.1, 0.2))
    monkeypatch.setattr(loop, "evaluate", lambda run, **_: {"scores": {"test": {"f1": {"value": next(values)}}}})
    (tmp_path / "data.json").write_text('{"splits": {"test": 5}}')
    one = Try(0, "", {}, "", run=str(tmp_path), state="kept", cut=True, seconds=10.0)
    held = Improvement("", "", 20, tries=[one], best=0)
    for spent, value, looks in ((10.0, 0.1, 1), (10.0, 0.1, 1), (21.5, 0.2, 2)):
        one.seconds = spent
        loop._conclude(held, Heard())
        assert held.test == {"f1": {"value": value}} and held.looks == looks
