"""One study on a real PostgreSQL server: workers share it, one is killed, and nothing is lost or done twice."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys

import optuna
import postgres
import pytest
import sqlalchemy
from crew_here import here

from dlspec.recipe.load import load
from dlspec.report.watch import SearchWatch
from dlspec.runs.warm import Warm
from dlspec.tuning import storage as storages
from dlspec.tuning.outcome import tried
from dlspec.tuning.samplers import Random, experiments
from dlspec.tuning.search import begun, joined, tune
from dlspec.tuning.space import Space
from dlspec.tuning.stages import tune as staged
from dlspec.tuning.study import Study
from dlspec.tuning.trial import carry_out
from dlspec.types import ArgumentError

RECIPE = """
task: classification
data: {name: iris, split: {dev: 0.2, test: 0.2}}
model: linear
train: {seed: 1, epochs: 2, batch_size: 32, tensorboard: false, health: false}
tune:
  trials: 6
  space: {train.optimizer.learning_rate: {log_uniform: [1e-3, 1e-1]}}
"""
PASSWORD = "kept-to-itself"


@pytest.fixture(scope="module")
def server():
    """The address of a server on loopback, which ends with the module."""
    pytest.importorskip("psycopg", reason="no psycopg: pip install 'psycopg[binary]'")
    if postgres.programs() is None:
        pytest.skip(postgres.MISSING)
    with postgres.server(PASSWORD) as url:
        yield url


class Killer(SearchWatch):
    """Kills the worker that begins the third trial; remembers all that was said."""

    def __init__(self):
        self.said, self.killed, self.begun = [], None, 0

    def heard(self, message):
        self.said.append(message)
        self.begun += message["what"] == "trial"
        if self.killed is None and self.begun == 3 and message["what"] == "trial":
            self.killed = message["index"]
            os.kill(message["pid"], signal.SIGKILL)


def by_two_commands(folder, recipe, server):
    """What two commands that search at once say, on either stream."""
    code = "from dlspec.cli import main; main()"
    command = [sys.executable, "-c", code, "tune", recipe, "--storage", server, "--json"]
    both = [
        subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [one.communicate(timeout=300) for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    return said


def test_a_killed_worker_is_replaced_and_its_trial_run_again_with_its_parameters(server, tmp_path):
    (tmp_path / "shared.yaml").write_text(RECIPE)
    loaded = load(tmp_path / "shared.yaml")
    watch = Killer()
    result = tune(loaded, workers=2, storage=server, out=tmp_path / "runs", watch=watch)
    assert [one["state"] for one in result["trials"]] == ["complete"] * 6
    assert result["trials"][watch.killed]["attempts"] == 2
    assert sum(one["attempts"] for one in result["trials"]) == 7
    drawn = [one["params"] for one in watch.said if one["what"] == "trial" and one["index"] == watch.killed]
    assert len(drawn) == 2 and drawn[0] == drawn[1]
    space = Space(loaded.recipe.tune.space)
    alone = [space.shown(Random(space, 0).drawn(number)) for number in range(6)]
    assert [one["params"] for one in result["trials"]] == alone
    assert PASSWORD not in "".join(file.read_text() for file in tmp_path.rglob("study.json"))


def test_two_commands_share_a_study_and_go_through_its_stages_together(server, tmp_path):
    text = RECIPE.replace("trials: 6", "trials: 6\n  stages: [{trials: 3, best: 3}]")
    (tmp_path / "staged.yaml").write_text(text)
    said = by_two_commands(tmp_path, "staged.yaml", server)
    assert PASSWORD not in str(said)
    found = [json.loads(out) for out, _ in said]
    assert found[0]["study"] == found[1]["study"] and len(found[0]["trials"]) == 3
    assert {one["state"] for one in found[0]["trials"]} == {"complete"}
    assert found[0]["trials"] == found[1]["trials"] and found[0]["zoom"]["axes"] == found[1]["zoom"]["axes"]
    assert {"staged-tune", "staged-tune-zoom-1"} <= set(storages.names(server))
    opened = storages.opened(server)
    first = optuna.load_study(study_name="staged-tune", storage=opened)
    counted = [one for one in first.get_trials() if "surplus" not in one.user_attrs]
    assert sorted(one.user_attrs["index"] for one in counted) == list(range(6))
    assert {one.state.name for one in counted} == {"COMPLETE"}
    assert len({one.user_attrs["worker"]["pid"] for one in counted}) == 2
    storages.close(opened)
    assert len(list((tmp_path / "runs").rglob("model.keras"))) == 6 + 3
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone/staged.yaml").write_text(text)
    alone = here(staged)(load(tmp_path / "alone/staged.yaml"), out=tmp_path / "alone/runs")
    assert [one["params"] for one in alone["trials"]] == [one["params"] for one in found[0]["trials"]]


def test_machines_that_come_at_the_same_moment_make_the_tables_and_the_study_once(server, tmp_path):
    (tmp_path / "shared.yaml").write_text(RECIPE)
    loaded = load(tmp_path / "shared.yaml")
    engine = sqlalchemy.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("CREATE DATABASE empty"))
    engine.dispose()
    empty = server.rpartition("/")[0] + "/empty"
    context = multiprocessing.get_context("fork")
    together, heard = context.Barrier(6), context.Queue()

    def come():
        together.wait()
        study = Study(joined(loaded, tmp_path / "runs", empty, "met", 6))
        heard.put((study.home, study.trials))
        study.close()

    machines = [context.Process(target=come) for _ in range(6)]
    for one in machines:
        one.start()
    found = [heard.get(timeout=60) for _ in machines]
    for one in machines:
        one.join()
    assert len(set(found)) == 1
    assert [one.parent for one in (tmp_path / "runs").rglob("study.json")] == [found[0][0]]
    assert os.listdir(found[0][0].parent) == [found[0][0].name]
    assert storages.names(empty) == ["met"]


def test_a_study_whose_beginning_was_cut_short_is_said_to_be_so(server, tmp_path, monkeypatch):
    (tmp_path / "shared.yaml").write_text(RECIPE)
    opened = storages.opened(server)
    optuna.create_study(storage=opened, study_name="cut")
    storages.close(opened)
    monkeypatch.setattr("dlspec.tuning.search.BEGIN_SECONDS", 0.0)
    with pytest.raises(ArgumentError, match="began the study cut did not come to the end"):
        joined(load(tmp_path / "shared.yaml"), tmp_path / "runs", server, "cut", 6)


def leave():
    """What a worker does that has lost its trial."""
    raise SystemExit


def test_a_worker_that_was_silent_for_long_asks_whether_its_trial_is_its_own(tmp_path, monkeypatch):
    (tmp_path / "alone.yaml").write_text(RECIPE)
    study = Study(begun(load(tmp_path / "alone.yaml"), tmp_path / "runs"))
    study.fill(1)
    trial = study.claim(1)
    with storages.beating(study.storage, study.number_of(trial), leave) as ours:
        ours(anyhow=True)  # of a file nobody asks
    with experiments():
        kept = optuna.storages.RDBStorage(study.where.url, heartbeat_interval=1, grace_period=30)
    with storages.beating(kept, study.number_of(trial), leave) as ours:
        ours(anyhow=True)
        study.storage.set_trial_state_values(study.number_of(trial), optuna.trial.TrialState.FAIL)
        ours()  # it was heard of a moment ago
        now = storages.time.time()
        monkeypatch.setattr(storages.time, "time", lambda: now + storages.DEAD_SECONDS + 1)
        with pytest.raises(SystemExit):
            ours()
    storages.close(kept)
    study.close()


def test_a_worker_that_lost_its_trial_writes_nothing_more(tmp_path):
    (tmp_path / "alone.yaml").write_text(RECIPE)
    study = Study(begun(load(tmp_path / "alone.yaml"), tmp_path / "runs"))
    study.fill(1)
    trial, told = study.claim(1), []

    def ours(anyhow=False):
        if anyhow:
            leave()

    with pytest.raises(SystemExit):
        carry_out(study, trial, None, Warm(), told.append, None, ours)
    [kept] = study.study.get_trials()
    assert kept.state.name == "RUNNING" and "told" not in kept.user_attrs
    assert "ended" not in [one["what"] for one in told]
    study.close()


def test_trials_that_other_machines_add_meanwhile_do_no_harm(tmp_path, monkeypatch):
    (tmp_path / "alone.yaml").write_text(RECIPE)
    study = Study(begun(load(tmp_path / "alone.yaml"), tmp_path / "runs"))
    read = study.study.get_trials

    def growing(**given):
        found = read(**given)
        study.study.enqueue_trial({}, user_attrs={"index": len(read())})
        return found

    monkeypatch.setattr(study.study, "get_trials", growing)
    assert [[one.number for one in tried(study)] for _ in range(3)] == [[], [0], [0, 1]]
    study.fill(6)  # of 6: it saw three, while another machine added the fourth; the fourth is there twice then
    assert [one.number for one in tried(study)] == [0, 1, 2, 3, 4, 5]
    assert [one.attempts for one in tried(study)] == [1, 1, 1, 2, 1, 1, 1]
    study.close()
