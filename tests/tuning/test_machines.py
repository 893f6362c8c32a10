"""One study on a real PostgreSQL server: workers share it, one is killed, and nothing is lost or done twice."""

import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import optuna
import pytest

from dlspec.recipe.load import load
from dlspec.report.watch import SearchWatch
from dlspec.tuning import storage as storages
from dlspec.tuning.samplers import Random
from dlspec.tuning.search import tune
from dlspec.tuning.space import Space

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


def programs():
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    named = shutil.which("postgres")
    return Path(named).resolve().parent if named else found[-1].parent if found else None


@pytest.fixture(scope="module")
def server():
    """The address of a server on loopback, which ends with the module."""
    pytest.importorskip("psycopg", reason="no psycopg: pip install 'psycopg[binary]'")
    bins = programs()
    if bins is None:
        pytest.skip("no PostgreSQL server is installed (Debian: apt-get install postgresql)")
    root = getpass.getuser() == "root"
    kwargs = {"user": "postgres", "group": "postgres"} if root else {}
    home = Path(tempfile.mkdtemp(prefix="dlspec_pg_"))
    if root:
        shutil.chown(home, "postgres", "postgres")
    (home / "password").write_text(PASSWORD)
    (home / "password").chmod(0o644)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = [bins / "initdb", "-D", home / "data", "-U", "dlspec", "--auth=scram-sha-256", f"--pwfile={home}/password"]
    subprocess.run(made, check=True, cwd=home, stdout=subprocess.DEVNULL, **kwargs)
    started = [bins / "postgres", "-D", home / "data", "-p", str(port), "-h", "127.0.0.1", "-k", home]
    log = (home / "log").open("wb")
    running = subprocess.Popen(started, cwd=home, stdout=log, stderr=log, **kwargs)
    try:
        for _ in range(200):
            ready = [bins / "pg_isready", "-h", "127.0.0.1", "-p", str(port), "-q"]
            if subprocess.run(ready).returncode == 0:
                break
            time.sleep(0.1)
        yield f"postgresql://dlspec:{PASSWORD}@127.0.0.1:{port}/postgres"
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(30)
        log.close()
        shutil.rmtree(home, ignore_errors=True)


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


def test_two_commands_join_one_study_and_share_its_trials(server, tmp_path):
    (tmp_path / "joined.yaml").write_text(RECIPE)
    code = "from dlspec.cli import main; main()"
    command = [sys.executable, "-c", code, "tune", "joined.yaml", "--storage", server, "--json"]
    both = [
        subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [one.communicate(timeout=300) for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    assert PASSWORD not in str(said)
    opened = storages.opened(server)
    study = optuna.load_study(study_name="joined-tune", storage=opened)
    counted = [one for one in study.get_trials() if "surplus" not in one.user_attrs]
    assert sorted(one.user_attrs["index"] for one in counted) == list(range(6))
    assert {one.state.name for one in counted} == {"COMPLETE"}
    assert len({one.user_attrs["worker"]["pid"] for one in counted}) == 2
    storages.close(opened)
    assert len(list((tmp_path / "runs").rglob("model.keras"))) == 6
