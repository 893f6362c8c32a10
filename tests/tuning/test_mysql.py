"""One study on a real MariaDB server by `mysql://…`; a driver that is missing is told with what installs it."""

import getpass
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from crew_here import here

from dlspec.recipe.load import load
from dlspec.tuning import storage as storages
from dlspec.tuning.search import tune
from dlspec.types import ArgumentError

RECIPE = """
task: classification
data: {name: iris, split: {dev: 0.2, test: 0.2}}
model: linear
train: {seed: 1, epochs: 2, batch_size: 32, tensorboard: false, health: false}
tune:
  trials: 4
  space: {train.optimizer.learning_rate: {log_uniform: [1e-3, 1e-1]}}
"""
PASSWORD = "kept-to-itself"


@pytest.fixture
def server():
    """The address of a server on loopback, which ends with the test."""
    pytest.importorskip("pymysql", reason="no PyMySQL: pip install PyMySQL")
    program = shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin:/usr/bin") or shutil.which("mariadbd")
    if program is None:
        pytest.skip("no MariaDB server is installed (Debian: apt-get install mariadb-server)")
    home = Path(tempfile.mkdtemp(prefix="dlspec_my_"))
    who = ["--user=root"] if getpass.getuser() == "root" else []
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = ["mariadb-install-db", "--no-defaults", f"--datadir={home}/data", "--skip-test-db", *who]
    said = f"CREATE DATABASE shared;\nGRANT ALL ON shared.* TO dlspec@localhost IDENTIFIED BY '{PASSWORD}';"
    (home / "first.sql").write_text(said + "\n")
    places = [f"--datadir={home}/data", f"--socket={home}/socket", f"--pid-file={home}/pid"]
    first = [f"--init-file={home}/first.sql", "--bind-address=127.0.0.1", f"--port={port}"]
    ready = ["mariadb-admin", "--no-defaults", "-h127.0.0.1", f"-P{port}", "-udlspec", f"-p{PASSWORD}", "-s", "ping"]
    log = (home / "log").open("wb")
    subprocess.run(made, check=True, stdout=log, stderr=log)
    running = subprocess.Popen([program, "--no-defaults", *places, *first, *who], cwd=home, stdout=log, stderr=log)
    try:
        for _ in range(300):
            if subprocess.run(ready, stdout=log, stderr=log).returncode == 0:
                break
            time.sleep(0.1)
        yield f"mysql://dlspec:{PASSWORD}@127.0.0.1:{port}/shared"
    finally:
        running.terminate()
        running.wait(60)
        log.close()
        shutil.rmtree(home, ignore_errors=True)


def test_a_study_on_mysql_is_the_study_in_a_file(server, tmp_path):
    (tmp_path / "shared.yaml").write_text(RECIPE)
    loaded = load(tmp_path / "shared.yaml")
    result = tune(loaded, workers=2, storage=server, out=tmp_path / "runs")
    assert [one["state"] for one in result["trials"]] == ["complete"] * 4
    alone = here(tune)(loaded, out=tmp_path / "alone")
    for one, other in zip(result["trials"], alone["trials"], strict=True):
        assert one["params"] == other["params"] and one["values"] == pytest.approx(other["values"])
    assert PASSWORD not in "".join(file.read_text() for file in tmp_path.rglob("study.json"))
    with pytest.raises(ArgumentError, match="does not answer") as told:
        storages.opened(server.replace(PASSWORD, "another-one"))
    assert "another-one" not in str(told.value)


@pytest.mark.parametrize(("scheme", "module"), [("mysql", "pymysql"), ("postgresql", "psycopg")])
def test_a_driver_that_is_missing_is_told_with_the_command_that_installs_it(scheme, module, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ArgumentError, match=rf"not installed: pip install 'dlspec\[{scheme}\]'") as told:
        storages.opened(f"{scheme}://somebody:{PASSWORD}@127.0.0.1:1/nowhere")
    assert PASSWORD not in str(told.value)
